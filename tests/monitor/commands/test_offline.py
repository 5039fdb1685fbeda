import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from model.evaluation.alarm_list_entries import ORDINARY_WARD, ListEntries
from model.forecast.config import NetworkConfig
from monitor.cli import main
from tests.reliability.signals import regular, write
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


def small_database(folder: Path, *names: str) -> None:
    for name in names:
        write(folder, name, regular(15))


def test_a_database_is_analysed_record_by_record(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    small_database(tmp_path / "small", "a", "b")
    (tmp_path / "small/numerics.hea").write_text("numerics 0 1 900\n")
    small_database(tmp_path / "elsewhere", "c")
    own = str(tmp_path / "elsewhere/c.hea")
    out = tmp_path / "out"
    assert main(["analyze", "small", own, "--data-dir", str(tmp_path), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    for name in ("small/a", "small/b", "c"):
        files = {path.name for path in (out / name).iterdir()}
        assert files == {"forecast.npz", "alarms.jsonl", "beats.atr", "vitals.csv", "derived.csv"}
    assert not (out / "small/numerics").exists()
    assert re.fullmatch(r"3 of 4 records: \d+ × real time", printed.out.splitlines()[-1])
    assert printed.out.count("15 s of signal in") == 3
    assert "left out: " in printed.err
    assert "analyzing 15.0 s of small/b (2 of 4)" in printed.err


def test_one_record_is_written_to_the_folder_itself(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    small_database(tmp_path, "a")
    assert main(["analyze", str(tmp_path / "a"), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out/forecast.npz").exists()
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 of 1 records: ")


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        (["one/a", "two/a"], "another record would also be written to out/a"),
        (["synthetic", "nope"], "unknown record nope"),
        (["numeric"], "numeric has no record with ECG: choose another one"),
    ],
)
def test_each_mistake_of_an_analysis_is_one_line(
    records: list[str], reason: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("model.serving.warm_up.compiled_models", lambda *_: "models")
    monkeypatch.setattr("model.serving.offline.analyze_all", lambda *_: [])
    small_database(tmp_path / "one", "a")
    small_database(tmp_path / "two", "a")
    (tmp_path / "numeric").mkdir()
    (tmp_path / "numeric/n.hea").write_text("n 0 1 900\n")
    given = [str(tmp_path / name) if "/" in name else name for name in records]
    assert main(["analyze", *given, "--data-dir", str(tmp_path), "--out", "out"]) == 2
    assert reason in error_line(capsys.readouterr().err)


def test_only_the_last_stage_of_training_starts_from_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--weights", "given.safetensors", "--out", "new.safetensors"]) == 2
    assert "--weights given.safetensors: only --what first-samples" in capsys.readouterr().err


def test_training_takes_the_size_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("model.training.train_forecaster.train", lambda *given: asked.append(given[-1]))
    assert main(["train", "--hidden", "96", "--layers", "1", "--out", "new.safetensors"]) == 0
    assert main(["train", "--out", "new.safetensors"]) == 0
    assert asked == [NetworkConfig(hidden=96, layers=1), NetworkConfig()]


@pytest.mark.parametrize("option", ["--hidden", "--layers"])
def test_a_network_without_units_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", option, "0", "--out", "new.safetensors"]) == 2
    assert f"{option} 0: give 1 or more" in error_line(capsys.readouterr().err)


@pytest.mark.parametrize("options", [["--vitals"], ["--vitals", "--alarms", "--database", "bidmc"]])
def test_vital_signs_are_scored_on_a_database_and_apart_from_alarms(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *options]) == 2
    assert "--vitals" in capsys.readouterr().err
