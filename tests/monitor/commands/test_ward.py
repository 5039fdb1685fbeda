import os
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.commands.shared import worker_count
from tests.system.commands import error_line


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--ward", "0"], "a ward of 0 beds: use 1 to 4096; for more, start several publishers"),
        (["--ward", "2", "--from", "nope"], "unknown record nope"),
        (["--ward", "2", "--from", ","], "names no record: write --from mitdb,svdb/800"),
        (["--ward", "2", "--prefix", "_"], "bed name '_002' cannot be used"),
        (["--ward", "2", "--bed", "bed-1=synthetic"], "--bed bed-1=synthetic does not belong to a ward"),
        (["--ward", "2", "synthetic"], "RECORD synthetic does not belong to a ward"),
        (["--ward", "2", "--start", "5"], "--start 5.0 does not belong to a ward"),
        (["--ward", "2", "--json", "missing/totals.json"], "no such folder"),
        (["--ward", "2", "--from", "synthetic", "--chunk", "0"], "chunk of 0 samples"),
        (["synthetic", "--seed", "3"], "--seed 3 belongs to a ward: add --ward N, or leave it out"),
        (["synthetic", "--from", "mitdb"], "--from mitdb belongs to a ward"),
    ],
)
def test_each_mistake_is_one_line(
    options: list[str], reason: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["replay", *options]) == 2
    assert reason in error_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--beds", "0"], "a ward of 0 beds"),
        (["--beds", "5000"], "a ward of 5000 beds: use 1 to 4096"),
        (["--seconds", "0", "--from", "synthetic"], "--seconds 0: use 1 to 86400"),
        (["--from", "nope"], "unknown record nope"),
        (["--workers", "0"], "--workers '0': use 1 to "),
        (["--workers", "all"], "or 'auto'"),
    ],
)
@pytest.mark.parametrize("command", [["ward"], ["bench", "ward"]], ids=" ".join)
def test_each_mistake_of_a_whole_ward_is_one_line(
    command: list[str],
    options: list[str],
    reason: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*command, *options]) == 2
    assert reason in error_line(capsys.readouterr().err)


def test_a_measurement_that_could_not_be_written_does_not_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "ward", "--json", "missing/ward.json"]) == 2
    assert "no such folder" in error_line(capsys.readouterr().err)


def test_auto_is_one_worker_per_processor_core() -> None:
    assert worker_count("auto") == os.cpu_count()
    assert worker_count("3") == 3
