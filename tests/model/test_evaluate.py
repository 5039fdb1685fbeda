"""Scores: counted as the definitions say, end to end."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from model import evaluate as scoring
from model.dataset import load_signals
from model.evaluate import HORIZONS, METHODS, MS, Report, evaluate, print_report, score_lstm
from model.forecaster import begin, load_forecaster, step
from stream.catalog import Catalog
from stream.errors import UsageError


@pytest.fixture(scope="module")
def report(mitdb_dir: Path) -> Report:
    """Score seven minutes of two records; AR is fitted to one record only."""
    catalog = Catalog.from_environment(mitdb_dir)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "AR_RECORDS", ("101",))
        patch.setattr(
            scoring, "load_signals", lambda *args: {k: v[: 360 * 420] for k, v in load_signals(*args).items()}
        )
        return evaluate(("100", "202", "233"), exclude=("202",), forecaster=load_forecaster(), catalog=catalog)


def test_keys_for_machines(report: Report) -> None:
    figures = json.loads(json.dumps(report.to_dict()))["forecast"]
    assert MS == ("3", "11", "50", "100", "200", "250")
    for key in ("nrmse", "mae_mv"):
        assert set(figures[key]) == set(METHODS)
        for method in METHODS:
            assert tuple(figures[key][method]) == MS
            assert all(value > 0 for value in figures[key][method].values())
    assert set(figures["coverage90"]) == {"min", "mean", "max"}
    assert set(figures["records"]) == {"100", "233"}
    nrmse = figures["nrmse"]
    assert figures["skill"]["persistence"]["50"] == pytest.approx(1 - nrmse["lstm"]["50"] / nrmse["persistence"]["50"])
    mean = np.mean([figures["records"][name]["nrmse"]["lstm"]["11"] for name in ("100", "233")])
    assert nrmse["lstm"]["11"] == pytest.approx(mean)


def test_network_beats_persistence(report: Report) -> None:
    assert (report.nrmse[0, 1:] < 0.9 * report.nrmse[2, 1:]).all()


def test_figures_by_hand(report: Report, mitdb_dir: Path) -> None:
    """The scores of record 100, counted a second time from whole-record forecasts."""
    x = load_signals(["100"], Catalog.from_environment(mitdb_dir))["100"][: 360 * 420, 0]
    forecaster = load_forecaster()
    ((forecasts, _),) = step(forecaster, [begin(forecaster, 1, 0, 0)], [x[:, None]])
    origins = np.arange(3, len(x) - 96, 4)
    origins = origins[origins >= 108_000]
    rows = (origins - 3) // 4
    score = report.records["100"]
    assert score.origins == len(origins)
    for i, h in enumerate(HORIZONS):
        error = forecasts.mean[rows, h - 1, 0] - x[origins + h]
        assert score.nrmse[0, i] == pytest.approx(np.sqrt((error**2).mean()) / x[:36_000].std(), rel=1e-4)
        assert score.mae[0, i] == pytest.approx(np.abs(error).mean(), rel=1e-4)
        still = x[origins] - x[origins + h]
        assert score.rmse[2, i] == pytest.approx(np.sqrt((still**2).mean()), rel=1e-9)
    ahead = x[origins[:, None] + 1 + np.arange(96)]
    inside = np.abs(ahead - forecasts.mean[rows, :, 0]) <= 1.6448536 * forecasts.scale[rows, :, 0]
    assert score.coverage90 == pytest.approx(inside.mean(), abs=1e-4)


def test_print(report: Report) -> None:
    console = Console(record=True, width=120, file=StringIO())
    print_report(report, console)
    text = console.export_text()
    for word in ("NRMSE lstm", "NRMSE ar180", "persistence", "250 ms", "233", "90 % interval"):
        assert word in text


def test_nothing_left_to_score() -> None:
    with pytest.raises(UsageError, match="excluded"):
        evaluate(("202",), exclude=("202",), forecaster=load_forecaster())


def test_too_short() -> None:
    with pytest.raises(UsageError, match="too short"):
        score_lstm({"x": np.zeros(1000)}, load_forecaster())
