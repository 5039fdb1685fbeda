"""Ctrl-C while a command imports its libraries: status 130, and no traceback."""

import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.commands import environment

COMMANDS = {
    "broker": ["broker", "--port", "1"],
    "replay": ["replay", "synthetic"],
    "worker": ["worker"],
    "monitor": ["monitor"],
    "alarms": ["alarms", "--db", "alarms.sqlite"],
    "export": ["alarms", "export", "--db", "a.sqlite", "--format", "csv", "--out", "a.csv"],
    "tap": ["tap"],
    "data": ["data", "list"],
    "analyze": ["analyze", "synthetic", "--out", "out"],
    "train": ["train", "--out", "weights"],
    "evaluate": ["evaluate", "--records", "100"],
    "demo": ["demo", "--headless"],
    "ward": ["ward", "--from", "synthetic"],
    "bench": ["bench", "model"],
}


@pytest.mark.parametrize("entry", ["import monitor.entry; sys.exit(monitor.entry.main())", "module"])
@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_during_the_imports_ends_a_command_without_a_traceback(
    name: str, entry: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The interrupt comes with a random import after that of `monitor.interrupt`, whatever the machine's speed."""
    rng = random.Random(f"{name} {entry}")
    command = ["-m", "monitor.cli"] if entry == "module" else ["-c", f"import sys; {entry}"]
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", *command, *COMMANDS[name]],
        cwd=tmp_path,
        env={**environment(), "BEDSIDE_BROKER": "mqtt://127.0.0.1:1", "PYTHONPATH": str(request.config.rootpath)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    imported, interrupt_at, lines = -1, rng.randrange(2, 60), []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("import time:"):
                imported += imported >= 0 or line.rstrip().endswith(" monitor.interrupt")
                if imported == interrupt_at:
                    os.kill(process.pid, signal.SIGINT)
            else:
                lines.append(line)
        process.wait()
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, "".join(lines)
    assert not [line for line in lines if not re.match(r"bedside \w+: (?!error)", line)]
