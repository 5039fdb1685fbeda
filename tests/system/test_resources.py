"""Commands without the files, the disk or the memory that they need: one line and status 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.system.commands import environment, error_line


def limited(limit: str, *arguments: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command in a shell after ``ulimit``."""
    return subprocess.run(
        ["bash", "-c", f'ulimit {limit} && exec "$0" -m monitor.cli "$@"', sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
        check=False,
    )


@pytest.mark.parametrize("files", [8, 10, 14])
@pytest.mark.parametrize(
    "arguments",
    [
        ["broker", "--port", "1"],
        ["replay", "synthetic"],
        ["worker"],
        ["alarms", "--db", "a.sqlite"],
        ["tap"],
        ["data", "list"],
        ["demo", "--headless"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_few_file_descriptors(arguments: list[str], files: int) -> None:
    ended = limited(f"-n {files}", *arguments, env=environment())
    assert ended.returncode == 2, ended.stderr
    assert error_line(ended.stderr).endswith(
        "error: Too many open files: allow this process more open files, as with 'ulimit -n 256'"
    )


@pytest.mark.parametrize("command", ["replay", "worker"])
def test_a_ledger_on_a_full_disk(command: str, mosquitto: Mosquitto) -> None:
    arguments = ["replay", "synthetic"] if command == "replay" else ["worker"]
    ended = limited("-n 256", *arguments, "--ledger", "/dev/full", env=environment(mosquitto.address))
    assert ended.returncode == 2, ended.stderr
    assert "ledger full cannot be written (No space left on device): make room" in error_line(ended.stderr)


def test_a_disk_that_becomes_full_while_a_ledger_is_written(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """A maximum file size of 1 KiB stands for the disk."""
    path = tmp_path / "ledger.csv"
    arguments = ["replay", "synthetic", "--speed", "50", "--ledger", str(path)]
    ended = limited("-f 1", *arguments, env=environment(mosquitto.address))
    assert ended.returncode == 2, ended.stderr
    assert "ledger.csv cannot be written (File too large): make room" in error_line(ended.stderr)
    assert path.stat().st_size == 1024


def test_a_header_that_asks_for_more_memory_than_there_is(tmp_path: Path) -> None:
    (tmp_path / "slow.hea").write_text("slow 1 1 10000000\nslow.dat 16 200/mV 16 0 0 0 0 MLII\n")
    (tmp_path / "slow.dat").write_bytes(b"\1\0" * 10_000_000)
    ended = limited("-n 256", "analyze", str(tmp_path / "slow"), "--out", str(tmp_path / "out"), env=environment())
    assert ended.returncode == 2, ended.stderr
    assert "slow lasts 2,778 h at 1 Hz, at most 48 h are read" in error_line(ended.stderr)
