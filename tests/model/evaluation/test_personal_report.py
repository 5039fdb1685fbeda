"""The report of the personal forecast: means over the records of which something is known."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from model.evaluation.beat_surroundings import PLACES
from model.evaluation.personal_conditions import MINUTES
from model.evaluation.personal_report import HORIZONS, METHODS, PersonalRecord, PersonalReport
from model.evaluation.personal_tables import print_personal
from model.forecast.personal_forecast import OFFSETS


def record(error: float, *, minutes: int = len(MINUTES), beats: bool = True) -> PersonalRecord:
    by_minute = np.full((2, 2, len(MINUTES)), np.nan)
    by_minute[:, :, :minutes] = error
    known = 1.0 if beats else np.nan
    return PersonalRecord(
        nrmse=np.full((len(METHODS), len(HORIZONS)), error),
        coverage=np.full(len(OFFSETS), 1 - error),
        origins=10,
        by_minute=by_minute,
        by_phase=known * (1 - error) * np.array([[0.5], [1]]).repeat(len(OFFSETS), axis=1),
        by_place=known * error * np.ones((2, 2, len(PLACES))),
        veb_auroc=known * np.array([0.7, 0.8, 0.9]),
        excerpts=(),
    )


@pytest.fixture
def report() -> PersonalReport:
    return PersonalReport({"a": record(0.1), "b": record(0.3, minutes=2), "c": record(0.5, minutes=2, beats=False)})


def test_means_are_over_the_records_of_which_something_is_known(report: PersonalReport) -> None:
    assert report.with_beats == report.with_veb == ["a", "b"]
    np.testing.assert_allclose(report.by_minute[0, 0], [0.3, 0.3, 0.1, 0.1, 0.1])
    assert report.by_phase is not None
    np.testing.assert_allclose(report.by_phase[:, :, 0], [[0.35, 0.7], [0.4, 0.8], [0.45, 0.9]])
    assert report.by_place is not None
    np.testing.assert_allclose(report.by_place, 0.2)


def test_json_has_no_number_for_what_is_not_known(report: PersonalReport) -> None:
    metrics = {"forecast": {"nrmse": {}, "records": {name: {"nrmse": {}} for name in report.records}}}
    PersonalReport({"c": report.records["c"]}).add_to(metrics)
    found = json.loads(json.dumps(metrics, allow_nan=False))["forecast"]["personal"]
    assert found["nrmse_by_minute"]["lstm"]["50"] == {"0-1": 0.5, "1-2": 0.5, "2-3": None, "3-5": None, "5-10": None}
    assert found["coverage90_by_phase"] is None
    assert found["nrmse_after_veb"] is None
    assert found["veb_auroc"] == {}


def test_tables_name_their_records(report: PersonalReport) -> None:
    texts = []
    for shown in (report, report.without(["a", "b"])):
        console = Console(record=True, width=80, file=StringIO())
        print_personal(shown, console)
        texts.append(" ".join(console.export_text().split()))
    assert "After a ventricular ectopic beat (VEB), 2 records with 10 beats or more in each column (a, b)" in texts[0]
    assert "phase of the beat, 2 records" in texts[0]
    assert "AUROC by record" in texts[0]
    for title in ("After a", "phase of the beat", "AUROC"):
        assert title not in texts[1]
