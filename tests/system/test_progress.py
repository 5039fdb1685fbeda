"""Each command logs its action before it imports a large library, and logs changes."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.system.commands import environment, running, wait_until

LARGE = (
    "torch",
    "numba",
    "scipy",
    "wfdb",
    "pandas",
    "matplotlib",
    "amqtt",
    "aiomqtt",
    "PySide6",
    "pyqtgraph",
    "rich",
    "pooch",
)

STOP_AT_LARGE = f"""
import importlib.machinery, os, sys
class Stop:
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name in {LARGE!r} else None
    def exec_module(self, module):
        raise AssertionError
    def create_module(self, spec):
        sys.stderr.flush()
        os._exit(77)
sys.meta_path.insert(0, Stop())
from monitor.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""Exits with status 77 at the first import of a large library; checking whether it is installed is allowed."""


@pytest.mark.parametrize(
    "arguments",
    [
        ["broker", "--port", "1"],
        ["replay", "mitdb/208"],
        ["worker"],
        ["monitor"],
        ["alarms", "--db", "alarms.sqlite"],
        ["tap"],
        ["analyze", "mitdb/208", "--out", "out"],
        ["train", "--out", "weights"],
        ["train", "--what", "beats", "--out", "weights"],
        ["train", "--what", "residual", "--out", "weights"],
        ["evaluate"],
        ["evaluate", "--alarms"],
        ["evaluate", "--entries"],
        ["evaluate", "--tutorial"],
        ["data", "list"],
        ["demo", "--headless"],
        ["ward"],
        ["bench", "stream"],
        ["bench", "ward"],
        ["bench", "model"],
        ["bench", "gui"],
    ],
    ids=" ".join,
)
def test_each_command_logs_a_line_before_it_imports_a_large_library(arguments: list[str], tmp_path: Path) -> None:
    stopped = subprocess.run(
        [sys.executable, "-c", STOP_AT_LARGE, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert stopped.returncode == 77, stopped.stderr
    (line,) = stopped.stderr.splitlines()
    assert re.match(rf"bedside {arguments[0]}: (?!error)\w+", line)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_a_replay_logs_its_stream_reconnects_and_a_summary(mosquitto: Mosquitto, tmp_path: Path) -> None:
    log = tmp_path / "replay.log"
    with running("replay", "synthetic", "--start", "2", "--loop", env=environment(mosquitto.address), output=log):
        wait_until(lambda: len(lines_of(log)) >= 3, "the description")
        mosquitto.kill()
        wait_until(lambda: "lost" in log.read_text(), "the loss")
        time.sleep(0.5)
        mosquitto.start()
        wait_until(lambda: "restored after" in log.read_text(), "the reconnect")
    address = re.escape(str(mosquitto.address))
    expected = [
        r"loading synthetic",
        rf"streaming to {address}; Ctrl-C ends it",
        r"bed-1: synthetic \(MLII, V1; 360 Hz; 300\.0 s\), from 2\.0 s, at 1 times real time, in a loop, SYNTHETIC",
        rf"connection to {address} lost \(.*\); reconnecting",
        rf"connection to {address} restored after \d+\.\d s",
        r"bed-1: published \d+\.\d s of signal in \d+ chunks, 0 dropped; reconnects: 1",
    ]
    found = [line for line in lines_of(log) if "messages were not delivered" not in line]
    assert len(found) == len(expected), log.read_text()
    for line, pattern in zip(found, expected, strict=True):
        assert re.fullmatch(rf"bedside replay: {pattern}", line), line


def test_a_replay_logs_its_end(mosquitto: Mosquitto, tmp_path: Path) -> None:
    log = tmp_path / "replay.log"
    with running(
        "replay", "--bed", "a=synthetic/ecg", "--speed", "1000", env=environment(mosquitto.address), output=log
    ) as replay:
        assert replay.wait(60) == 0
    lines = lines_of(log)
    assert "bedside replay: a: record synthetic/ecg has ended" in lines
    assert lines[-1] == "bedside replay: a: published 300.0 s of signal in 3000 chunks, 0 dropped; reconnects: 0"
