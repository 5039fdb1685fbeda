"""The demonstration, started as by a user."""

import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.signal.machine_code import cache_folder
from tests.system.commands import environment, processes_with, wait_until

pytestmark = [pytest.mark.timeout(180), pytest.mark.usefixtures("excerpt")]


class Demo:
    """A headless demonstration process."""

    def __init__(self, out: Path, *arguments: str, **variables: str) -> None:
        self.out = out
        self.mark = f"BEDSIDE_TEST_MARK={secrets.token_hex(8)}"
        name, _, value = self.mark.partition("=")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "monitor.cli", "demo", "--headless", "--out", str(out), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(**{name: value, **variables}),
        )

    def process_ids(self) -> list[int]:
        """Return the process ids of the demonstration and its children."""
        return processes_with(self.mark)

    def is_running(self) -> bool:
        """Return whether all processes run: broker, worker, alarms, monitor, replay and the demonstration."""
        return len(self.process_ids()) == 6 and self.process.poll() is None

    def child_id(self, command: str) -> int:
        """Return the process id of the child with a command."""
        for pid in self.process_ids():
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if command.encode() in arguments[4:5]:
                return pid
        raise AssertionError(f"no {command} among {self.process_ids()}")

    def wait(self, timeout_s: float = 60) -> str:
        """Wait until the process ends; return its output."""
        output, _ = self.process.communicate(timeout=timeout_s)
        return output


@pytest.fixture
def demo(tmp_path: Path, request: pytest.FixtureRequest):
    started = []

    def start(*arguments: str, **variables: str) -> Demo:
        started.append(Demo(tmp_path / "out", *arguments, **variables))
        return started[-1]

    yield start
    for demonstration in started:
        for pid in demonstration.process_ids():
            os.kill(pid, signal.SIGKILL)
        demonstration.process.communicate()


def test_ten_seconds_of_real_ecg(demo) -> None:
    demonstration = demo("--seconds", "10")
    output = demonstration.wait()
    assert demonstration.process.returncode == 0, output
    assert not demonstration.process_ids()
    summary = json.loads((demonstration.out / "summary.json").read_text())
    assert summary["synthetic"] is False
    assert summary["samples_published"] >= 3600
    assert 0 <= summary["samples_published"] - summary["samples_forecast"] <= 72
    assert (summary["gaps"], summary["duplicates"], summary["rejected"]) == (0, 0, 0)
    assert summary["forecast_skill"] > 0
    assert summary["forced_ends"] == []
    assert summary["latency_ms"]["p50"] > 0
    assert (demonstration.out / "monitor.png").read_bytes().startswith(b"\x89PNG")
    with sqlite3.connect(demonstration.out / "alarms.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_without_a_record_a_synthetic_patient_is_shown_and_labelled(demo, tmp_path: Path) -> None:
    closed = {"https_proxy": "http://127.0.0.1:1", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    empty = {"BEDSIDE_DATA": "", "XDG_CACHE_HOME": str(tmp_path / "cache"), "PIP_FIND_LINKS": ""}
    kept = {"NUMBA_CACHE_DIR": str(cache_folder().parent)}  # without machine code, the worker would compile for minutes
    demonstration = demo("--seconds", "3", **closed, **empty, **kept)
    output = demonstration.wait()
    assert demonstration.process.returncode == 0, output
    assert "SYNTHETIC patient" in output
    summary = json.loads((demonstration.out / "summary.json").read_text())
    assert (summary["synthetic"], summary["record"]) == (True, "synthetic")
    assert summary["samples_published"] > 0


def test_ctrl_c_ends_every_process_and_keeps_the_results(demo) -> None:
    demonstration = demo()
    wait_until(demonstration.is_running, "all six processes")
    time.sleep(3)
    os.kill(demonstration.process.pid, signal.SIGINT)
    output = demonstration.wait(20)
    assert demonstration.process.returncode == 0, output
    assert not demonstration.process_ids()
    assert json.loads((demonstration.out / "summary.json").read_text())["samples_published"] > 0
    assert (demonstration.out / "monitor.png").exists()


def test_a_child_that_does_not_terminate_is_killed_and_reported(demo) -> None:
    demonstration = demo("--seconds", "5")
    wait_until(demonstration.is_running, "all six processes")
    os.kill(demonstration.child_id("alarms"), signal.SIGSTOP)
    output = demonstration.wait(90)
    assert demonstration.process.returncode == 0, output
    assert "alarms did not end within 10 s and was killed" in output
    assert not demonstration.process_ids()
    summary = json.loads((demonstration.out / "summary.json").read_text())
    assert summary["forced_ends"] == ["alarms did not end within 10 s and was killed"]
    assert summary["samples_published"] > 0
    assert summary["samples_forecast"] > 0


@pytest.mark.parametrize("command", ["worker", "broker", "replay", "alarms", "monitor"])
def test_a_child_that_dies_ends_the_demonstration(demo, command: str) -> None:
    demonstration = demo()
    wait_until(demonstration.is_running, "all six processes")
    os.kill(demonstration.child_id(command), signal.SIGKILL)
    output = demonstration.wait()
    assert demonstration.process.returncode == 1, output
    assert f"{command} ended with status -9" in output
    assert (demonstration.out / "summary.json").exists()
    assert "Traceback" not in output
    assert not demonstration.process_ids()


def test_a_killed_demonstration_leaves_no_process(demo) -> None:
    demonstration = demo()
    wait_until(demonstration.is_running, "all six processes")
    demonstration.process.kill()
    demonstration.wait()
    wait_until(lambda: not demonstration.process_ids(), "the end of all children", 20)
