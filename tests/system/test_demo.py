"""The whole demonstration, as a user starts it."""

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

from tests.system.commands import environment, processes_with, wait_until

pytestmark = [pytest.mark.timeout(180), pytest.mark.usefixtures("excerpt")]


class Demo:
    """A headless demonstration that runs."""

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

    def family(self) -> list[int]:
        """Return the ids of the demonstration and all its processes."""
        return processes_with(self.mark)

    def streams(self) -> bool:
        """Return whether all processes run: broker, worker, alarms, monitor, replay and the demonstration itself."""
        return len(self.family()) == 6 and self.process.poll() is None

    def child(self, command: str) -> int:
        """Return the id of a child by its command."""
        for pid in self.family():
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if command.encode() in arguments[4:5]:
                return pid
        raise AssertionError(f"no {command} among {self.family()}")

    def end(self, timeout_s: float = 60) -> str:
        """Wait for its end, and return what it printed."""
        output, _ = self.process.communicate(timeout=timeout_s)
        return output


@pytest.fixture
def demo(tmp_path: Path, request: pytest.FixtureRequest):
    started = []

    def start(*arguments: str, **variables: str) -> Demo:
        started.append(Demo(tmp_path / "out", *arguments, **variables))
        return started[-1]

    yield start
    for one in started:
        for pid in one.family():
            os.kill(pid, signal.SIGKILL)
        one.process.communicate()


def test_ten_seconds_of_real_ecg(demo) -> None:
    show = demo("--seconds", "10")
    output = show.end()
    assert show.process.returncode == 0, output
    assert not show.family()
    summary = json.loads((show.out / "summary.json").read_text())
    assert summary["synthetic"] is False
    assert summary["samples_published"] >= 3600
    assert 0 <= summary["samples_published"] - summary["samples_forecast"] <= 72
    assert (summary["gaps"], summary["duplicates"], summary["rejected"]) == (0, 0, 0)
    assert summary["forecast_skill"] > 0
    assert summary["forced_ends"] == []
    assert summary["latency_ms"]["p50"] > 0
    assert (show.out / "monitor.png").read_bytes().startswith(b"\x89PNG")
    with sqlite3.connect(show.out / "alarms.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_without_a_record_a_synthetic_patient_is_shown_and_labelled(demo, tmp_path: Path) -> None:
    closed = {"https_proxy": "http://127.0.0.1:1", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    empty = {"BEDSIDE_DATA": "", "XDG_CACHE_HOME": str(tmp_path / "cache"), "PIP_FIND_LINKS": ""}
    show = demo("--seconds", "3", **closed, **empty)
    output = show.end()
    assert show.process.returncode == 0, output
    assert "SYNTHETIC patient" in output
    summary = json.loads((show.out / "summary.json").read_text())
    assert (summary["synthetic"], summary["record"]) == (True, "synthetic")
    assert summary["samples_published"] > 0


def test_ctrl_c_ends_every_process_and_keeps_the_results(demo) -> None:
    show = demo()
    wait_until(show.streams, "all six processes")
    time.sleep(3)
    os.kill(show.process.pid, signal.SIGINT)
    output = show.end(20)
    assert show.process.returncode == 0, output
    assert not show.family()
    assert json.loads((show.out / "summary.json").read_text())["samples_published"] > 0
    assert (show.out / "monitor.png").exists()


def test_a_child_that_does_not_terminate_is_killed_and_reported(demo) -> None:
    show = demo("--seconds", "5")
    wait_until(show.streams, "all six processes")
    os.kill(show.child("alarms"), signal.SIGSTOP)
    output = show.end(90)
    assert show.process.returncode == 0, output
    assert "alarms did not end within 10 s and was killed" in output
    assert not show.family()
    summary = json.loads((show.out / "summary.json").read_text())
    assert summary["forced_ends"] == ["alarms did not end within 10 s and was killed"]
    assert summary["samples_published"] > 0
    assert summary["samples_forecast"] > 0


@pytest.mark.parametrize("command", ["worker", "broker", "replay", "alarms", "monitor"])
def test_a_child_that_dies_ends_the_demonstration(demo, command: str) -> None:
    show = demo()
    wait_until(show.streams, "all six processes")
    os.kill(show.child(command), signal.SIGKILL)
    output = show.end()
    assert show.process.returncode == 1, output
    assert f"{command} ended with status -9" in output
    assert (show.out / "summary.json").exists()
    assert "Traceback" not in output
    assert not show.family()


def test_a_killed_demonstration_leaves_no_process(demo) -> None:
    show = demo()
    wait_until(show.streams, "all six processes")
    show.process.kill()
    show.end()
    wait_until(lambda: not show.family(), "the end of all children", 20)
