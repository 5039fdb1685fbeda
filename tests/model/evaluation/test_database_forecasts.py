"""Forecasts and anomaly alarms on a folder of WFDB files, some of which cannot be scored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.evaluation import database_forecasts, patient_bootstrap
from model.evaluation.baseline_forecasts import AR, fit_ar
from model.evaluation.database import Database, find_database
from model.evaluation.database_forecast_report import DatabaseForecasts, print_database_forecasts
from model.evaluation.database_forecasts import evaluate_forecasts, scored_from
from model.pipeline.analysis import load_models
from monitor.cli import main
from stream.errors import RecordError
from stream.records.catalog import Catalog
from tests.model.evaluation import annotated_records as given
from tests.model.evaluation.wfdb_files import write
from tests.system.commands import error_line

REASONS = {
    "flat": "V5 is flat in its first 100 s",
    "detached": "V5 is flat in its scored part",
    "short": "it lasts 60 s, not 110 s or more",
    "truncated": "truncated",
}


def no_ar(*_: object) -> AR:
    """Fail as if MIT-BIH were not at hand."""
    raise RecordError("mitdb/101 cannot be found")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of records at odd rates, with and without types of beats, and of ones that cannot be scored."""
    folder = tmp_path_factory.mktemp("data") / "mixed"
    folder.mkdir()
    typed = [*given.beats(1, 110), (110.4, "V", ""), *given.beats(111.2, 129)]
    write(folder, "typed", 130, typed, fs=128, leads=("ECG1", "ECG2"))
    write(folder, "untyped", 120, [*given.beats(1, 110), (110, "[", ""), (119, "]", "")], fs=251, leads=("ECG",))
    write(folder, "plain", 120, given.beats(1, 119), leads=("II",))
    (folder / "plain.atr").unlink()
    write(folder, "short", 60, given.beats(1, 59), leads=("V5",))
    write(folder, "flat", 130, [], leads=("V5",))
    write(folder, "detached", 130, given.beats(1, 99), leads=("V5",))
    (folder / "truncated.hea").write_text("truncated 1 250 15000\ntruncated.dat 16 200 16 0 0 0 0 ECG\n")
    (folder / "truncated.dat").write_bytes(bytes(100))
    return folder


@pytest.fixture
def database(folder: Path) -> Database:
    """Return the folder as a database."""
    return find_database("mixed", Catalog(data_dir=folder.parent))


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speed up the bootstrap; the intervals are not tested here."""
    monkeypatch.setattr(patient_bootstrap, "DRAWS", 20)


def with_ar(database: Database, monkeypatch: pytest.MonkeyPatch, leads: int | None = None) -> DatabaseForecasts:
    """Score the folder with an AR model of noise in place of that of MIT-BIH."""
    noise = np.random.default_rng(0).normal(size=5000)
    monkeypatch.setattr(database_forecasts, "ar180", lambda horizons, _: fit_ar([noise], 180, horizons))
    return evaluate_forecasts(database, database.records, load_models(), leads=leads)


def test_the_command_prints_tables_and_writes_numbers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(database_forecasts, "ar180", no_ar)
    out = tmp_path / "scores.json"
    assert main(["evaluate", "--database", str(folder), "--exclude", "plain", "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    found = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert set(found["skipped"]["reasons"]) == set(REASONS)
    for name, reason in REASONS.items():
        assert reason in found["skipped"]["reasons"][name]
        assert f"skipped {name}" in printed
    assert found["styles"] == {"typed beats": 1, "untyped beats": 1}
    assert set(found["forecast"]["records"]) == set(found["records"]) == {"typed", "untyped"}
    assert set(found["residual"]["records"]) == {"typed"}
    assert found["residual"]["records"]["typed"]["veb"] == 1
    own = {name: record["list_entries_per_h"] for name, record in found["records"].items()}
    assert found["list_entries_per_h"] == pytest.approx((own["typed"] * 130 + own["untyped"] * 120) / 250)
    assert found["list_entries_per_h"] == pytest.approx(sum(found["list_entries_per_h_by_kind"].values()))
    assert "entries in the alarm list" in printed
    assert found["records"]["typed"] == {
        "list_entries_per_h": own["typed"],
        "style": "typed beats",
        "leads": ["ECG1", "ECG2"],
        "scored_from_s": 100,
        "seconds": 130,
    }
    assert set(found["forecast"]["nrmse"]) == {"lstm", "persistence", "last_beat", "personal"}
    personal = found["forecast"]["personal"]
    assert set(personal["nrmse"]["personal"]) == {"3", "11", "50", "100", "200", "500", "1000"}
    assert found["forecast"]["nrmse"]["personal"] == personal["nrmse"]["personal"]
    assert set(personal["nrmse"]["ar180"].values()) == {None}
    assert set(personal["nrmse_by_minute"]["personal"]["50"]) == {"0-1", "1-2", "2-3", "3-5", "5-10"}
    assert personal["nrmse_by_minute"]["lstm"]["200"]["3-5"] is None
    assert personal["records"] == {"with_beats": ["typed", "untyped"], "after_veb": []}
    assert set(personal["coverage90_by_phase"]) == {"qrs", "rest"}
    assert personal["nrmse_after_veb"] is None
    assert "Personal forecast, 2 records: first lead, from 1:40" in printed
    assert "After a ventricular ectopic beat" not in printed
    assert "residual_ar180" not in found
    assert "mitdb/101 cannot be found" in found["without_ar180"]
    assert "AR(180) is left out" in printed
    assert "Forecast, 2 records: first lead, from 1:40" in printed
    assert "Anomaly alarms, 1 record from 1:40: 1 VEB" in printed


def test_scores_do_not_depend_on_how_many_records_are_read_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = with_ar(database, monkeypatch).to_dict()
    monkeypatch.setattr(database_forecasts, "TOGETHER", 1)
    cut = with_ar(database, monkeypatch).to_dict()
    assert set(whole["forecast"]["records"]) == {"typed", "untyped", "plain"}
    for method in ("personal", "lstm", "ar180", "persistence", "last_beat"):
        assert cut["forecast"]["nrmse"][method] == pytest.approx(whole["forecast"]["nrmse"][method], rel=1e-4)
    assert cut["residual_ar180"] == whole["residual_ar180"]
    assert cut["residual"]["auroc"] == pytest.approx(whole["residual"]["auroc"], abs=0.01)
    assert whole["without_ar180"] is None


def test_short_records_are_scored_after_the_seconds_that_scale_the_error(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = with_ar(database, monkeypatch, leads=1)
    x = database.example("plain").record.mv()[:, 0]
    origins = np.arange(3, len(x) - 96, 4)
    origins = origins[origins >= 36_000]
    assert found.forecast is not None
    own = found.forecast.records["plain"]
    assert (own.scored_from, own.origins) == (36_000, len(origins))
    error = x[origins] - x[origins + 36]
    assert found.forecast.to_dict()["forecast"]["records"]["plain"]["nrmse"]["persistence"]["100"] == pytest.approx(
        np.sqrt((error**2).mean()) / x[:36_000].std()
    )
    assert found.records["typed"].leads == ("ECG1",)
    assert scored_from(600 * 360) == 300 * 360
    assert scored_from(600 * 360 - 1) == 100 * 360


def test_without_types_or_records_the_parts_are_empty(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(database_forecasts, "ar180", no_ar)
    for names, empty, text in (
        (("plain",), {"residual"}, "Anomaly alarms are not scored: 1 record without types of beats"),
        (("short", "flat"), {"residual", "forecast"}, "mixed: no record can be scored"),
    ):
        report = evaluate_forecasts(database, names, load_models())
        print_database_forecasts(report)
        assert text in capsys.readouterr().out
        found = report.to_dict()
        assert {key for key in ("forecast", "residual") if found[key] is None} == empty


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--exclude", "short,x9"], "x9"),
        (["--records", "short", "--exclude", "short"], "excluded"),
        (["--plots", "pictures"], "--plots pictures"),
    ],
)
def test_impossible_options_are_a_line_of_advice(
    options: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--database", str(folder), *options]) == 2
    assert expected in error_line(capsys.readouterr().err)
