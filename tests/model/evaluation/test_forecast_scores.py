"""Scores of the forecast: counted as the definitions say, end to end."""

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
    CURVE,
    HORIZONS,
    IN_TABLE,
    LEVELS,
    METHODS,
    MS,
    RIVALS,
    Report,
    print_forecast,
    print_forecast_by_record,
)
from model.evaluation.forecast_scores import ForecastScores, excerpts
from model.forecast.forecaster import begin, load_forecaster, step
from stream.errors import UsageError
from stream.records.catalog import Catalog

N = 360 * 420
"""Seven minutes, of which two are scored."""


@pytest.fixture(scope="module")
def leads(mitdb_dir: Path) -> MappingProxyType[str, np.ndarray]:
    signals = load_signals(["116", "223"], Catalog.from_environment(mitdb_dir))
    return MappingProxyType({name: mv[:N, 0] for name, mv in signals.items()})


@pytest.fixture(scope="module")
def report(leads: MappingProxyType[str, np.ndarray]) -> Report:
    """Score the first lead alone; AR is fitted to the five minutes before."""
    scores = ForecastScores(leads)
    forecaster = load_forecaster()
    for name, x in leads.items():
        state = begin(forecaster, 1, 0, 0)
        for i in range(0, len(x), 5000):
            [(made, state)] = step(forecaster, [state], [x[i : i + 5000, None]])
            scores.take(name, made)
    return scores.report(fit_ar([leads["116"][:100_000]], 180, CURVE))


def test_keys_for_machines(report: Report) -> None:
    figures = json.loads(json.dumps(report.to_dict()))["forecast"]
    assert MS == ("3", "11", "50", "100", "200", "250")
    assert set(METHODS) == {"lstm", "ar180", "persistence", "last_beat"}
    for key in ("nrmse", "mae_mv"):
        assert set(figures[key]) == set(METHODS)
        for method in METHODS:
            assert tuple(figures[key][method]) == MS
            assert all(value > 0 for value in figures[key][method].values())
    assert set(figures["coverage90"]) == {"min", "mean", "max"}
    assert figures["coverage"]["observed"][LEVELS.index(0.9)] == pytest.approx(figures["coverage90"]["mean"])
    assert set(figures["records"]) == {"116", "223"}
    nrmse = figures["nrmse"]
    assert set(figures["skill"]) == {"ar180", "persistence", "last_beat"}
    for over, skill in figures["skill"].items():
        assert skill["50"] == pytest.approx(1 - nrmse["lstm"]["50"] / nrmse[over]["50"])
    mean = np.mean([figures["records"][name]["nrmse"]["lstm"]["11"] for name in ("116", "223")])
    assert nrmse["lstm"]["11"] == pytest.approx(mean)
    assert len(figures["curve"]["ms"]) == len(figures["curve"]["nrmse"]["last_beat"]) == len(CURVE)
    assert figures["curve"]["nrmse"]["ar180"][-1] == nrmse["ar180"]["250"]


def test_intervals_are_over_patients(report: Report) -> None:
    """Of two patients a draw holds one, both, or the other: the interval runs from record to record."""
    intervals = report.to_dict()["forecast"]["intervals"]
    each = np.stack([score.nrmse for score in report.records.values()])
    for i, method in enumerate(METHODS):
        low, high = np.array([intervals["nrmse"][method][ms] for ms in MS]).T
        np.testing.assert_allclose(low, each[:, i].min(axis=0))
        np.testing.assert_allclose(high, each[:, i].max(axis=0))
    for i, rival in enumerate(RIVALS):
        skills = 1 - each[:, 0] / each[:, i + 1]
        low, high = np.array([intervals["skill"][rival][ms] for ms in MS]).T
        np.testing.assert_allclose((low, high), (skills.min(axis=0), skills.max(axis=0)))


def test_records_of_one_patient_are_drawn_together(report: Report) -> None:
    one, other = report.records.values()
    together = Report({"201": one, "202": other})
    np.testing.assert_allclose(together.nrmse_interval, [together.nrmse] * 2)


def test_without(report: Report) -> None:
    alone = report.without(["223"])
    np.testing.assert_array_equal(alone.nrmse, report.records["116"].nrmse)
    with pytest.raises(UsageError, match="excluded"):
        report.without(["116", "223"])


def test_network_beats_all_others(report: Report) -> None:
    assert (report.skill[:2, 1:] > 0.2).all()
    assert (report.skill[2] > 0).all()


def test_figures_by_hand(report: Report, leads: MappingProxyType[str, np.ndarray]) -> None:
    """The scores of record 223, counted a second time from whole-record forecasts."""
    x = leads["223"]
    forecaster = load_forecaster()
    ((forecasts, _),) = step(forecaster, [begin(forecaster, 1, 0, 0)], [x[:, None]])
    origins = np.arange(3, len(x) - 96, 4)
    origins = origins[origins >= 108_000]
    rows = (origins - 3) // 4
    score = report.records["223"]
    assert score.origins == len(origins)
    again = last_beat(x, origins, HORIZONS)
    for i, h in enumerate(HORIZONS):
        error = forecasts.mean[rows, h - 1, 0] - x[origins + h]
        assert score.nrmse[0, i] == pytest.approx(np.sqrt((error**2).mean()) / x[:36_000].std(), rel=1e-4)
        assert score.mae[0, IN_TABLE[i]] == pytest.approx(np.abs(error).mean(), rel=1e-4)
        still = x[origins] - x[origins + h]
        assert score.rmse[2, IN_TABLE[i]] == pytest.approx(np.sqrt((still**2).mean()), rel=1e-9)
        assert score.mae[3, IN_TABLE[i]] == pytest.approx(np.abs(again[:, i] - x[origins + h]).mean(), rel=1e-9)
    ahead = x[origins[:, None] + 1 + np.arange(96)]
    distance = np.abs(ahead - forecasts.mean[rows, :, 0]) / forecasts.scale[rows, :, 0]
    assert score.coverage90 == pytest.approx((distance <= 1.6448536).mean(), abs=1e-4)
    assert score.coverage[LEVELS.index(0.5)] == pytest.approx((distance <= 0.6744898).mean(), abs=1e-4)


def test_excerpts_show_what_was_said_100_ms_before(report: Report, leads: MappingProxyType[str, np.ndarray]) -> None:
    x = leads["223"]
    forecaster = load_forecaster()
    ((forecasts, _),) = step(forecaster, [begin(forecaster, 1, 0, 0)], [x[:, None]])
    score = report.records["223"]
    for shown in (score.typical, score.worst):
        np.testing.assert_array_equal(shown.truth, x[shown.start : shown.start + 3600])
        for i in (0, 5, 3599):
            sample = shown.start + i
            row = np.searchsorted(forecasts.origin, sample - 36, side="right") - 1  # the last that is 100 ms old
            ahead = sample - forecasts.origin[row] - 1
            assert 35 <= ahead <= 38
            assert shown.mean[i] == pytest.approx(forecasts.mean[row, ahead, 0], abs=1e-4)
            assert shown.scale[i] == pytest.approx(forecasts.scale[row, ahead, 0], rel=1e-3)
    assert score.worst.rmse > score.typical.rmse


def test_excerpts_are_chosen_by_their_error() -> None:
    x = np.zeros(scoring.SCORED_FROM + 4 * 3600 + 100)
    mean = np.full(len(x), 9.0, np.float32)
    for i, error in enumerate((3.0, 1.0, 4.0, 2.0)):
        first = scoring.SCORED_FROM + 3600 * i
        mean[first : first + 3600] = error
    typical, worst = excerpts(x, mean, mean)
    assert (typical.rmse, typical.start) == (2.0, scoring.SCORED_FROM + 3 * 3600)
    assert (worst.rmse, worst.start) == (4.0, scoring.SCORED_FROM + 2 * 3600)


def test_the_second_lead_does_not_change_the_scores_of_the_first(mitdb_dir: Path) -> None:
    mv = load_signals(["116"], Catalog.from_environment(mitdb_dir))["116"][:20_000]
    forecaster = load_forecaster()
    states = [begin(forecaster, leads, 0, 0) for leads in (1, 2)]
    (one, _), (both, _) = step(forecaster, states, [mv[:, :1], mv])
    np.testing.assert_allclose(one.mean[:, :, 0], both.mean[:, :, 0], atol=1e-5)


def test_print(report: Report) -> None:
    console = Console(record=True, width=80, file=StringIO())
    print_forecast(report, console)
    print_forecast_by_record(report, console)
    text = console.export_text()
    for word in ("NRMSE", "LSTM", "AR(180)", "persistence", "last beat", "skill", "250 ms", "223", "90 % interval"):
        assert word in text
    assert f"{report.nrmse[3, 5]:.3f}" in text
    assert "…" not in text, "nothing is cut off on a narrow terminal"
