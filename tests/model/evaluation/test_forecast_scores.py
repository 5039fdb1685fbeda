"""Forecast scores against an independent computation from their definitions."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from rich.console import Console

from model.datasets.mitdb import load_signals
from model.evaluation import forecast_scores as scoring
from model.evaluation.baseline_forecasts import fit_ar, last_beat
from model.evaluation.forecast_report import (
    BASELINES,
    CURVE,
    HORIZONS,
    IN_TABLE,
    LEVELS,
    METHODS,
    MS,
    ForecastReport,
)
from model.evaluation.forecast_scores import ForecastScores, excerpts
from model.evaluation.forecast_tables import print_forecast, print_forecast_by_record
from model.forecast.forecaster import begin, load_forecaster, step
from model.signal import intake
from model.signal.intake import strides_of
from stream.errors import UsageError
from stream.records.catalog import Catalog

N = 360 * 420
"""Seven minutes; the last two are scored."""


@pytest.fixture(scope="module")
def leads(mitdb_dir: Path) -> MappingProxyType[str, np.ndarray]:
    signals = load_signals(["116", "223"], Catalog.from_environment(mitdb_dir))
    return MappingProxyType({name: mv[:N, 0] for name, mv in signals.items()})


@pytest.fixture(scope="module")
def report(leads: MappingProxyType[str, np.ndarray]) -> ForecastReport:
    """Score the first lead; AR is fitted to the five minutes before."""
    scores = ForecastScores(leads)
    forecaster = load_forecaster()
    for name, x in leads.items():
        state, gaps = begin(forecaster, 1), intake.begin(1, 0, 0)
        for i in range(0, len(x), 5000):
            strides, gaps = intake.step(gaps, x[i : i + 5000, None])
            [(forecasts, state)] = step(forecaster, [state], [strides])
            scores.add(name, forecasts)
    return scores.report(fit_ar([leads["116"][:100_000]], 180, CURVE))


def test_json_keys(report: ForecastReport) -> None:
    values = json.loads(json.dumps(report.to_dict()))["forecast"]
    assert MS == ("3", "11", "50", "100", "200", "250")
    assert set(METHODS) == {"lstm", "ar180", "persistence", "last_beat"}
    for key in ("nrmse", "mae_mv"):
        assert set(values[key]) == set(METHODS)
        for method in METHODS:
            assert tuple(values[key][method]) == MS
            assert all(value > 0 for value in values[key][method].values())
    assert set(values["coverage90"]) == {"min", "mean", "max"}
    assert values["coverage"]["observed"][LEVELS.index(0.9)] == pytest.approx(values["coverage90"]["mean"])
    assert set(values["records"]) == {"116", "223"}
    nrmse = values["nrmse"]
    assert set(values["skill"]) == {"ar180", "persistence", "last_beat"}
    for over, skill in values["skill"].items():
        assert skill["50"] == pytest.approx(1 - nrmse["lstm"]["50"] / nrmse[over]["50"])
    mean = np.mean([values["records"][name]["nrmse"]["lstm"]["11"] for name in ("116", "223")])
    assert nrmse["lstm"]["11"] == pytest.approx(mean)
    assert len(values["curve"]["ms"]) == len(values["curve"]["nrmse"]["last_beat"]) == len(CURVE)
    assert values["curve"]["nrmse"]["ar180"][-1] == nrmse["ar180"]["250"]


def test_interval_of_two_patients_is_their_range(report: ForecastReport) -> None:
    """A draw of two patients contains one, both, or the other, so the interval extends from record to record."""
    intervals = report.to_dict()["forecast"]["intervals"]
    each = np.stack([score.nrmse for score in report.records.values()])
    for i, method in enumerate(METHODS):
        low, high = np.array([intervals["nrmse"][method][ms] for ms in MS]).T
        np.testing.assert_allclose(low, each[:, i].min(axis=0))
        np.testing.assert_allclose(high, each[:, i].max(axis=0))
    for i, baseline in enumerate(BASELINES):
        skills = 1 - each[:, 0] / each[:, i + 1]
        low, high = np.array([intervals["skill"][baseline][ms] for ms in MS]).T
        np.testing.assert_allclose((low, high), (skills.min(axis=0), skills.max(axis=0)))


def test_records_of_one_patient_are_drawn_together(report: ForecastReport) -> None:
    one, other = report.records.values()
    together = ForecastReport({"201": one, "202": other})
    np.testing.assert_allclose(together.nrmse_interval, [together.nrmse] * 2)


def test_report_without_a_record(report: ForecastReport) -> None:
    alone = report.without(["223"])
    np.testing.assert_array_equal(alone.nrmse, report.records["116"].nrmse)
    with pytest.raises(UsageError, match="excluded"):
        report.without(["116", "223"])


def test_network_is_better_than_the_baselines(report: ForecastReport) -> None:
    assert (report.skill[:2, 1:] > 0.2).all()
    assert (report.skill[2] > 0).all()


def test_scores_equal_an_independent_computation(
    report: ForecastReport, leads: MappingProxyType[str, np.ndarray]
) -> None:
    """Scores of record 223 from whole-record forecasts."""
    x = leads["223"]
    forecaster = load_forecaster()
    ((forecasts, _),) = step(forecaster, [begin(forecaster, 1)], [strides_of(x[:, None])])
    origins = np.arange(3, len(x) - 96, 4)
    origins = origins[origins >= 108_000]
    rows = (origins - 3) // 4
    score = report.records["223"]
    assert score.origins == len(origins)
    repeated = last_beat(x, origins, HORIZONS)
    for i, h in enumerate(HORIZONS):
        error = forecasts.mean[rows, h - 1, 0] - x[origins + h]
        assert score.nrmse[0, i] == pytest.approx(np.sqrt((error**2).mean()) / x[:36_000].std(), rel=1e-4)
        assert score.mae[0, IN_TABLE[i]] == pytest.approx(np.abs(error).mean(), rel=1e-4)
        unchanged = x[origins] - x[origins + h]
        assert score.rmse[2, IN_TABLE[i]] == pytest.approx(np.sqrt((unchanged**2).mean()), rel=1e-9)
        assert score.mae[3, IN_TABLE[i]] == pytest.approx(np.abs(repeated[:, i] - x[origins + h]).mean(), rel=1e-9)
    ahead = x[origins[:, None] + 1 + np.arange(96)]
    distance = np.abs(ahead - forecasts.mean[rows, :, 0]) / forecasts.scale[rows, :, 0]
    assert score.coverage90 == pytest.approx((distance <= 1.6448536).mean(), abs=1e-4)
    assert score.coverage[LEVELS.index(0.5)] == pytest.approx((distance <= 0.6744898).mean(), abs=1e-4)


def test_excerpts_show_forecasts_100_ms_ahead(report: ForecastReport, leads: MappingProxyType[str, np.ndarray]) -> None:
    x = leads["223"]
    forecaster = load_forecaster()
    ((forecasts, _),) = step(forecaster, [begin(forecaster, 1)], [strides_of(x[:, None])])
    score = report.records["223"]
    for shown in (score.typical, score.worst):
        np.testing.assert_array_equal(shown.truth, x[shown.start : shown.start + 3600])
        for i in (0, 5, 3599):
            sample = shown.start + i
            row = np.searchsorted(forecasts.origin, sample - 36, side="right") - 1  # the last one at least 100 ms old
            ahead = sample - forecasts.origin[row] - 1
            assert 35 <= ahead <= 38
            assert shown.mean[i] == pytest.approx(forecasts.mean[row, ahead, 0], abs=1e-4)
            assert shown.scale[i] == pytest.approx(forecasts.scale[row, ahead, 0], rel=1e-3)
    assert score.worst.rmse > score.typical.rmse


def test_excerpts_are_selected_by_their_error() -> None:
    x = np.zeros(scoring.SCORED_FROM + 4 * 3600 + 100)
    mean = np.full(len(x), 9.0, np.float32)
    for i, error in enumerate((3.0, 1.0, 4.0, 2.0)):
        first = scoring.SCORED_FROM + 3600 * i
        mean[first : first + 3600] = error
    typical, worst = excerpts(x, mean, mean)
    assert (typical.rmse, typical.start) == (2.0, scoring.SCORED_FROM + 3 * 3600)
    assert (worst.rmse, worst.start) == (4.0, scoring.SCORED_FROM + 2 * 3600)


def test_forecast_of_the_first_lead_does_not_depend_on_the_second(mitdb_dir: Path) -> None:
    mv = load_signals(["116"], Catalog.from_environment(mitdb_dir))["116"][:20_000]
    forecaster = load_forecaster()
    states = [begin(forecaster, leads) for leads in (1, 2)]
    (one, _), (both, _) = step(forecaster, states, [strides_of(mv[:, :1]), strides_of(mv)])
    np.testing.assert_allclose(one.mean[:, :, 0], both.mean[:, :, 0], atol=1e-5)


def test_tables(report: ForecastReport) -> None:
    console = Console(record=True, width=80, file=StringIO())
    print_forecast(report, console)
    print_forecast_by_record(report, console)
    text = console.export_text()
    for word in ("NRMSE", "LSTM", "AR(180)", "persistence", "last beat", "skill", "250 ms", "223", "90 % interval"):
        assert word in text
    assert f"{report.nrmse[3, 5]:.3f}" in text
    assert "…" not in text, "no text may be cut off at 80 columns"
