import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from model.evaluation.alarm_list_entries import ORDINARY_WARD, ListEntries
from monitor.cli import main
from tests.system.commands import error_line


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--plot", "x.png"], "--plots DIR"),
        (["--alarms", "--plot", "x.png"], "--plots DIR"),
        (["--json", "nowhere/figures.json"], "no such folder"),
        (["--alarms", "--json", "nowhere/figures.json"], "no such folder"),
        (["--entries", "--json", "nowhere/figures.json"], "no such folder"),
        (["--tutorial", "--json", "nowhere/figures.json"], "no such folder"),
        (["--plots", "/dev/null/pictures"], "choose another folder"),
    ],
)
def test_an_evaluation_with_an_invalid_output_path_does_not_start(
    options: list[str], expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for work in (
        "evaluation.evaluation.evaluate",
        "evaluation.alarm_scores.evaluate_alarms",
        "evaluation.alarm_list_entries.score_list_entries",
        "tutorial.tutorial.tutorial",
    ):
        monkeypatch.setattr(f"model.{work}", lambda *args, **kwargs: pytest.fail("it started"))
    assert main(["evaluate", "--records", "116", *options]) == 2
    assert expected in error_line(capsys.readouterr().err)


def test_the_records_of_alarm_lists_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def score(names: Sequence[str], *_: object) -> dict[str, ListEntries]:
        asked.append(tuple(names))
        return {name: ListEntries(0.5, {"pvc_run": 2}, 7) for name in names}

    monkeypatch.setattr("model.evaluation.alarm_list_entries.score_list_entries", score)
    file = tmp_path / "entries.json"
    assert main(["evaluate", "--entries", "--records", "mitdb/100, svdb/800", "--json", str(file)]) == 0
    assert main(["evaluate", "--entries"]) == 0
    assert asked == [("mitdb/100", "svdb/800"), ORDINARY_WARD]
    report = json.loads(file.read_text())
    assert (report["list_entries_per_h"], report["advisories_per_h"]) == (4, 14)
    assert "mitdb/100" in capsys.readouterr().out
    assert main(["evaluate", "--entries", "--records", " , "]) == 2
    assert "names no record" in error_line(capsys.readouterr().err)


def test_only_the_last_stage_of_training_starts_from_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--weights", "given.safetensors", "--out", "new.safetensors"]) == 2
    assert "--weights given.safetensors: only --what first-samples" in capsys.readouterr().err


def test_records_of_one_name_would_share_a_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["analyze", "mitdb/100", "other/100", "--out", str(tmp_path / "out")]) == 2
    assert "same name" in error_line(capsys.readouterr().err)
    assert not (tmp_path / "out").exists()
