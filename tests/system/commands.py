"""Run ``bedside`` commands as processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.mqtt.address import BrokerAddress

READY_S = 60.0


def environment(address: BrokerAddress | None = None, **more: str) -> dict[str, str]:
    """Return the environment of this process, with the broker's address and without a display."""
    broker = {"BEDSIDE_BROKER": str(address)} if address else {}
    return {**os.environ, **broker, "QT_QPA_PLATFORM": "offscreen", **more}


def bedside(
    *arguments: str, timeout_s: float = 60.0, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command until it ends."""
    return subprocess.run(
        [sys.executable, "-m", "monitor.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=env or environment(),
        check=False,
    )


def error_line(stderr: str) -> str:
    """Return the error that a command has printed: the last line, after log lines."""
    *progress, last = [line for line in stderr.splitlines() if line.strip()]
    assert re.match(r"bedside \w+: error: ", last), stderr
    for line in progress:
        assert re.match(r"bedside \w+: (?!error: )", line), stderr
    return last


@contextmanager
def running(*arguments: str, env: dict[str, str], output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command inside a context, with its output in a file; at the end terminate it, or kill it after 10 s."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "monitor.cli", *arguments], stdout=file, stderr=subprocess.STDOUT, env=env
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = READY_S) -> None:
    """Wait until a condition is true; fail after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {timeout_s:.0f} s"
        time.sleep(0.05)


def processes_with(text: str) -> list[int]:
    """Return the ids of all processes with ``text`` in their environment; zombies have no environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found
