"""Plots of an evaluation: size, colours, small evaluations, errors."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from model.evaluation import anomaly_metrics, anomaly_plots, forecast_plots, forecast_report, patient_bootstrap
from model.evaluation.anomaly_metrics import RecordResult
from model.evaluation.anomaly_report import report_of
from model.evaluation.evaluation import Evaluation
from model.evaluation.forecast_plots import select_records
from model.evaluation.forecast_report import CURVE, LEVELS, Excerpt, ForecastReport, RecordForecast
from model.evaluation.personal_report import PersonalReport
from model.evaluation.plots import draw, prepare
from model.evaluation.time_metrics import TimeResult
from stream.errors import StorageError, UsageError

BLUE, VERMILION, GREEN, PURPLE = (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167)


def forecast(error: float) -> RecordForecast:
    t = np.arange(3600)
    truth = np.exp(-0.5 * ((t % 300 - 100) / 5) ** 2)
    mean = (0.9 * truth).astype(np.float32)
    excerpt = Excerpt(360 * 400, error, truth, mean, np.full(3600, 0.1, np.float32))
    curve = error * np.log(1 + np.array(CURVE)) * np.array([[1], [1.2], [1.8], [1.4]])
    return RecordForecast(curve, curve / 2, 1.0, np.array(LEVELS) - error / 10, 1000, excerpt, excerpt)


def result(seed: int, *, veb: float) -> RecordResult:
    rng = np.random.default_rng(seed)
    positive = rng.random(500) < veb
    scores = {method: rng.normal(size=500) + i * positive for i, method in enumerate(anomaly_metrics.METHODS)}
    zero = dict.fromkeys(anomaly_metrics.METHODS, 0)
    return RecordResult(positive, 0.5, scores, zero, zero, TimeResult(positive, 0.5, scores, zero))


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speed up the bootstrap; the intervals are not tested here."""
    monkeypatch.setattr(patient_bootstrap, "DRAWS", 20)


def evaluation(n: int, *, veb: float = 0.2) -> Evaluation:
    names = [str(100 + i) for i in range(n)]
    return Evaluation(
        ForecastReport({name: forecast(0.1 + 0.02 * i) for i, name in enumerate(names)}),
        PersonalReport({}),
        report_of({name: result(i, veb=veb) for i, name in enumerate(names)}),
    )


def test_plots_have_size_and_colours(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    folder = tmp_path / "new" / "plots"
    prepare(folder)
    paths = draw(evaluation(5), folder)
    assert [path.name for path in paths] == ["forecast.png", "horizons.png", "reliability.png", "residual.png"]
    for path, colours in zip(paths, ((VERMILION,), (BLUE, VERMILION, GREEN), (BLUE,), (BLUE, PURPLE)), strict=True):
        image = imread(path)[:, :, :3]
        assert image.shape[1] == 1200
        for colour in colours:
            assert (np.abs(255 * image - colour).max(axis=2) < 8).sum() > 100, path


@pytest.mark.parametrize(("records", "veb"), [(1, 0.2), (2, 0.0)])
def test_plots_of_few_records_without_ectopic_beats(records: int, veb: float, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert len(draw(evaluation(records, veb=veb), tmp_path)) == 4


def test_records_are_selected_by_their_error() -> None:
    assert select_records(evaluation(5).forecast) == ["100", "102", "104"]
    assert select_records(evaluation(2).forecast) == ["100", "101"]
    assert select_records(evaluation(1).forecast) == ["100"]


def test_every_method_has_a_line_style() -> None:
    assert set(forecast_plots.STYLE) == set(forecast_report.METHODS)
    assert set(anomaly_plots.STYLE) == set(anomaly_metrics.METHODS)


def test_missing_matplotlib_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"pip install 'bedside\[plots\]'"):
        prepare(tmp_path)


def test_unwritable_folder_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StorageError, match="choose another folder"):
        prepare(file)
    (tmp_path / "forecast.png").mkdir()
    with pytest.raises(StorageError, match=r"forecast\.png cannot be written"):
        draw(evaluation(1), tmp_path)
