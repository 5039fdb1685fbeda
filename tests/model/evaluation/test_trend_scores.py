"""Scores of the forecast of vitals: events and advisories by hand, targets, baselines, and a whole report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.evaluation.trend_alerts import AlertCounts, count, events_of
from model.evaluation.trend_courses import Patient, patient_of, run
from model.evaluation.trend_scores import TrendScores, score
from model.trends.forecaster import TrendForecaster
from model.trends.targets import hypotension, values_ahead
from model.trends.vital_inputs import CENTRE, MEAN_PRESSURE, VITALS, Floats
from monitor.cli import main
from stream.records.challenge2019 import parse


def pressures(*values: float) -> Floats:
    table = np.full((len(values), len(VITALS)), np.nan)
    table[:, MEAN_PRESSURE] = values
    return table


def test_what_follows_an_hour_is_asked_of_measured_values_alone() -> None:
    nan = np.nan
    followed = hypotension(pressures(80, nan, nan, 64, 70, 90, nan, nan)[None])[0]
    np.testing.assert_equal(followed[:, 0], [nan, nan, 1, 0, 0, nan, nan, nan])
    np.testing.assert_equal(followed[:, 1], [1, 1, 1, 0, 0, nan, nan, nan])
    np.testing.assert_equal(followed[:, 2], [1, 1, 1, 0, 0, nan, nan, nan])
    later = values_ahead(pressures(80, nan, nan, 64, 70, 90, nan, 75)[None])[0, :, MEAN_PRESSURE]
    np.testing.assert_equal(later[0], [nan, nan, 64, nan])
    np.testing.assert_equal(later[1], [nan, 64, 70, 75])


def test_events_alerts_and_lead_times_by_hand() -> None:
    pressure = np.full(40, 80.0)
    pressure[[10, 11, 20, 36]] = 60
    assert events_of(pressure).tolist() == [10, 20, 36]
    raised = np.zeros(40, bool)
    raised[[6, 13, 25]] = True  # 4 h before the first event; 7 h before the second; nothing follows the third
    found = count(pressure, raised)
    assert found == AlertCounts(hours=40, alerts=3, followed=1, events=3, foreseen=1, lead_h=(4,))
    report = (found + AlertCounts(hours=8)).to_dict()
    assert report["alerts_per_patient_day"] == 1.5
    assert (report["precision"], report["sensitivity"], report["lead_time_h_median"]) == (1 / 3, 1 / 3, 4)
    assert AlertCounts().to_dict()["precision"] is None


def test_baselines_and_errors_of_two_patients_by_hand() -> None:
    forecaster, scores = TrendForecaster.load(), TrendScores()
    patients = [Patient(pressures(80, 90, 60), np.array([0.0, 0, 1])), Patient(pressures(75), np.array([0.0]))]
    courses = run(forecaster, patients)
    scores.add(forecaster, courses)
    report = scores.to_dict()
    assert (report["patients"], report["hours"]) == (2, 4)
    assert report["mae"]["map"]["persistence"]["1"] == pytest.approx((10 + 30) / 2)
    expected = np.mean([abs(90 - courses.median[0, 0, 1, 0]), abs(60 - courses.median[0, 1, 1, 0])])
    assert report["mae"]["map"]["1"] == pytest.approx(expected)
    assert report["mae"]["map"]["population_median"]["2"] == pytest.approx(abs(60 - CENTRE[MEAN_PRESSURE]))
    low, high = courses.low[0, :2, 1, 0], courses.high[0, :2, 1, 0]
    outside = np.array([max(90 - high[0], 0), max(low[1] - 60, 0)])
    assert outside.any()
    assert report["interval_score"]["map"]["1"] == pytest.approx(np.mean(high - low + 10 * outside), rel=1e-5)
    assert report["mae"]["hr"]["1"] is None
    assert report["hypotension"]["1"]["n"] == 2
    assert report["hypotension"]["1"]["current_map"]["auroc"] == 0  # the higher of two pressures fell
    twice = TrendScores()
    twice.merge(scores)
    twice.merge(scores)
    assert twice.to_dict()["mae"] == report["mae"]
    assert twice.to_dict()["hours"] == 8


def test_the_command_scores_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    header = "HR|O2Sat|Temp|SBP|MAP|DBP|Resp|ICULOS|SepsisLabel\n"
    folder = tmp_path / "patients"
    folder.mkdir()
    for number in range(3):
        rows = rng.normal([85, 97, 37, 118, 72, 58, 18], [9, 1, 0.4, 14, 9, 8, 3], (30, 7)).round(1)
        text = "\n".join("|".join(map(str, [*row, k + 1, int(number == 2 and k > 20)])) for k, row in enumerate(rows))
        (folder / f"p00000{number}.psv").write_text(header + text)
    (folder / "p000009.psv").write_text("nothing")
    out = tmp_path / "report.json"
    assert main(["evaluate", "--trends", "--database", str(folder), "--json", str(out)]) == 0
    assert "not a diagnosis" in capsys.readouterr().out
    report = json.loads(out.read_text())
    patients = [
        patient_of(parse(path.read_text(), path.stem, "file")) for path in sorted(folder.glob("p00000[012].psv"))
    ]
    again = score(TrendForecaster.load(), patients).to_dict()
    assert {key: report[key] for key in again} == again
    assert report["skipped"] == 1
    assert set(report["hypotension"]["6"]) >= {"auroc", "ap", "logistic", "current_map", "news2"}
    assert set(report["mae"]["spo2"]["persistence"]) == {"1", "2", "3", "6"}
    assert report["sepsis"]["utility"] is not None
    assert report["alerts_per_patient_day"] is not None
    assert main(["evaluate", "--trends"]) == 2
    assert main(["evaluate", "--trends", "--database", str(tmp_path / "none")]) == 2
