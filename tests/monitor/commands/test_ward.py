from pathlib import Path

import pytest

from monitor.cli import main
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
        (["--seconds", "0", "--from", "synthetic"], "--seconds 0: use 1 to 86400"),
        (["--from", "nope"], "unknown record nope"),
        (["--json", "missing/ward.json"], "no such folder"),
    ],
)
def test_each_mistake_of_a_measurement_is_one_line(
    options: list[str], reason: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "ward", *options]) == 2
    assert reason in error_line(capsys.readouterr().err)
