"""The whole evaluation in one pass, with and without patients who are in both DS1 and DS2."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from model.evaluation import baseline_forecasts
from model.evaluation import evaluation as module
from model.evaluation.evaluation import Evaluation, evaluate, print_evaluation
from model.forecast import forecaster
from model.forecast.forecaster import load_forecaster
from stream.errors import RecordError, UsageError
from stream.records import wfdb_reader as wfdb_records
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.wire.messages import INVALID

N = 360 * 330
"""Five and a half minutes; the last half minute is scored."""

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
    """Collect the number of samples in each call of the forecaster."""
    return []


@pytest.fixture(scope="module")
def evaluation(catalog: Catalog, passes: list[int]) -> Evaluation:
    """Score two records of DS1; AR is fitted to one record only, which is faster."""
    step = forecaster.step

    def counted(weights, states, strides):  # type: ignore[no-untyped-def]
        passes.append(sum(len(own.mv) for own in strides))
        return step(weights, states, strides)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline_forecasts, "AR_RECORDS", ("101",))
        patch.setattr(wfdb_records, "load", load_short)
        patch.setattr(forecaster, "step", counted)
        return evaluate(("119", "116", "208"), exclude=("208",), forecaster=load_forecaster(), catalog=catalog)


@pytest.fixture
def shared(evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """Treat the patient of 119 as one who is in both sets."""
    monkeypatch.setattr(module, "ON_BOTH_SIDES", ("119",))
    return Evaluation(evaluation.forecast, evaluation.personal, evaluation.anomaly)


def test_forecasts_are_computed_once(evaluation: Evaluation, passes: list[int]) -> None:
    assert sum(passes) == 2 * (N // 36 * 36)
    assert set(evaluation.forecast.records) == set(evaluation.anomaly.records) == {"119", "116"}


def test_json_without_a_shared_patient(evaluation: Evaluation) -> None:
    values = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert set(values) == {"forecast", "residual", "residual_ar180", "residual_amplitude", "residual_random"}


def test_json_with_and_without_the_shared_patient(shared: Evaluation) -> None:
    values = json.loads(json.dumps(shared.to_dict(), allow_nan=False))
    rest = values.pop("without_119")
    assert set(rest) == set(values)
    own = values["forecast"]["records"]["116"]
    assert rest["forecast"]["nrmse"] == own["nrmse"]
    assert set(own["nrmse"]["personal"]) == {"3", "11", "50", "100", "200", "500", "1000"}
    assert values["forecast"]["nrmse"] != own["nrmse"]
    personal = values["forecast"]["personal"]
    assert all(value > 0 for value in personal["nrmse_by_minute"]["personal"]["50"].values())
    assert rest["forecast"]["personal"]["coverage90_by_phase"] != personal["coverage90_by_phase"]
    assert rest["residual"]["auroc"] == values["residual"]["records"]["116"]["auroc"]
    assert "records" not in rest["forecast"]
    assert "records" not in rest["residual"]


def test_strict_is_none_if_no_other_record_remains(shared: Evaluation) -> None:
    alone = Evaluation(*(part.without(["116"]) for part in (shared.forecast, shared.personal, shared.anomaly)))
    assert alone.strict is None


def test_tables_with_and_without_the_shared_patient(shared: Evaluation, evaluation: Evaluation) -> None:
    texts = []
    parts = evaluation.forecast, evaluation.personal, evaluation.anomaly
    for shown in (shared, Evaluation(*(part.without(["119"]) for part in parts))):
        console = Console(record=True, width=80, file=StringIO())
        print_evaluation(shown, console)
        texts.append(console.export_text())
    assert texts[0].count("Forecast,") == texts[0].count("Anomaly alarms,") == 2
    assert "Without 119, whose patient is also in DS1" in texts[0]
    assert "Forecast, 2 records" in texts[0]
    assert "Forecast, 1 record:" in texts[0]
    assert texts[1].count("Forecast,") == texts[1].count("Anomaly alarms,") == 1
    assert "Without" not in texts[1]


def test_invalid_samples_do_not_affect_the_scores(evaluation: Evaluation) -> None:
    for score in evaluation.forecast.records.values():
        assert np.isfinite(score.rmse).all()


def test_records_that_cannot_be_scored_are_errors(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="excluded"):
        evaluate(("202",), exclude=("202",), forecaster=load_forecaster(), catalog=catalog)
    nowhere = Catalog(data_dir=tmp_path, cache_dir=tmp_path, progress=False, physionet="http://127.0.0.1:1/")
    with pytest.raises(RecordError):
        evaluate(("116",), forecaster=load_forecaster(), catalog=nowhere)
