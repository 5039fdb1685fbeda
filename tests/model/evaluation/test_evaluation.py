"""The whole evaluation: one pass, with and without the patient that is on both sides of the split."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from model.evaluation import baseline_forecasts
from model.evaluation import evaluation as report
from model.evaluation.evaluation import Evaluation, evaluate, print_evaluation
from model.forecast import forecaster
from model.forecast.forecaster import load_forecaster
from stream.errors import RecordError, UsageError
from stream.records import wfdb_reader as wfdb_records
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.wire.messages import INVALID

N = 360 * 330
"""Five minutes and a half, of which half a minute is scored."""

load_whole = wfdb_records.load


def load_short(name: str, catalog: Catalog | None = None) -> Record:
    record = load_whole(name, catalog)
    adu = record.adu[:N].copy()
    adu[110_000:110_050] = INVALID
    return replace(record, adu=adu)


@pytest.fixture(scope="module")
def catalog(mitdb_dir: Path) -> Catalog:
    return Catalog.from_environment(mitdb_dir)


@pytest.fixture(scope="module")
def passes() -> list[int]:
    """Hold, after the evaluation, how many samples of each bed were forecast from."""
    return []


@pytest.fixture(scope="module")
def evaluation(catalog: Catalog, passes: list[int]) -> Evaluation:
    """Score two records of DS1, the first as if its patient were on both sides; AR is fitted to one record only."""
    step = forecaster.step

    def counted(weights, states, chunks):  # type: ignore[no-untyped-def]
        passes.append(sum(len(chunk) for chunk in chunks))
        return step(weights, states, chunks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline_forecasts, "AR_RECORDS", ("101",))
        patch.setattr(wfdb_records, "load", load_short)
        patch.setattr(forecaster, "step", counted)
        return evaluate(("119", "116", "208"), exclude=("208",), forecaster=load_forecaster(), catalog=catalog)


@pytest.fixture
def shared(evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """Take 119 as the patient that is on both sides."""
    monkeypatch.setattr(report, "ON_BOTH_SIDES", ("119",))
    return Evaluation(evaluation.forecast, evaluation.residual)


def test_forecasts_are_made_once(evaluation: Evaluation, passes: list[int]) -> None:
    assert sum(passes) == 2 * N
    assert set(evaluation.forecast.records) == set(evaluation.residual.records) == {"119", "116"}


def test_json_without_a_shared_patient(evaluation: Evaluation) -> None:
    figures = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert set(figures) == {"forecast", "residual", "residual_ar180", "residual_amplitude", "residual_random"}


def test_json_with_and_without_the_shared_patient(shared: Evaluation) -> None:
    figures = json.loads(json.dumps(shared.to_dict(), allow_nan=False))
    rest = figures.pop("without_119")
    assert set(rest) == set(figures)
    own = figures["forecast"]["records"]["116"]
    assert rest["forecast"]["nrmse"] == own["nrmse"]
    assert figures["forecast"]["nrmse"] != own["nrmse"]
    assert rest["residual"]["auroc"] == figures["residual"]["records"]["116"]["auroc"]
    assert "records" not in rest["forecast"]
    assert "records" not in rest["residual"]


def test_the_shared_patient_alone_leaves_nothing_to_compare(shared: Evaluation) -> None:
    alone = Evaluation(shared.forecast.without(["116"]), shared.residual.without(["116"]))
    assert alone.strict is None


def test_print_shows_both(shared: Evaluation, evaluation: Evaluation) -> None:
    texts = []
    for shown in (shared, Evaluation(evaluation.forecast.without(["119"]), evaluation.residual.without(["119"]))):
        console = Console(record=True, width=80, file=StringIO())
        print_evaluation(shown, console)
        texts.append(console.export_text())
    assert texts[0].count("Forecast of") == texts[0].count("Residual alarms,") == 2
    assert "Without 119, whose patient is in DS1" in texts[0]
    assert "Forecast of 2 records" in texts[0]
    assert "Forecast of 1 record," in texts[0]
    assert texts[1].count("Forecast of") == texts[1].count("Residual alarms,") == 1
    assert "Without" not in texts[1]


def test_invalid_samples_hold_the_value_before(evaluation: Evaluation) -> None:
    for score in evaluation.forecast.records.values():
        assert np.isfinite(score.rmse).all()


def test_what_cannot_be_scored_is_said_before_any_work(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="excluded"):
        evaluate(("202",), exclude=("202",), forecaster=load_forecaster(), catalog=catalog)
    nowhere = Catalog(data_dir=tmp_path, cache_dir=tmp_path, progress=False, physionet="http://127.0.0.1:1/")
    with pytest.raises(RecordError):
        evaluate(("116",), forecaster=load_forecaster(), catalog=nowhere)
