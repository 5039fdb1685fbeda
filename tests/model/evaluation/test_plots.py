"""Plots of an evaluation: size, colours, small evaluations, errors."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from model.evaluation import (
    anomaly_metrics,
    anomaly_plots,
    forecast_plots,
    forecast_report,
    patient_bootstrap,
    personal_plots,
)
from model.evaluation.anomaly_metrics import RecordResult
from model.evaluation.anomaly_report import report_of
from model.evaluation.beat_surroundings import PLACES
from model.evaluation.evaluation import Evaluation
from model.evaluation.forecast_report import CURVE, LEVELS, Excerpt, ForecastReport, RecordForecast
from model.evaluation.personal_conditions import MINUTES
from model.evaluation.personal_report import HORIZONS, METHODS, PersonalRecord, PersonalReport
from model.evaluation.plots import draw, prepare
from model.evaluation.second_ahead import SECONDS, SecondAhead
from model.evaluation.time_metrics import TimeResult
from model.forecast.personal_forecast import OFFSETS
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


def personal(error: float) -> PersonalRecord:
    truth = np.exp(-0.5 * ((np.arange(SECONDS * 360 + 1) % 300 - 100) / 5) ** 2)
    mean = np.stack([0.9 * truth[360 * second + np.array(OFFSETS)] for second in range(SECONDS)]).astype(np.float32)
    excerpt = SecondAhead(360 * 400, error, truth, mean, np.full(mean.shape, 0.1, np.float32))
    return PersonalRecord(
        nrmse=np.full((len(METHODS), len(HORIZONS)), error),
        coverage=np.full(len(OFFSETS), 0.9),
        origins=1000,
        by_minute=np.full((2, 2, len(MINUTES)), error),
        by_phase=np.full((2, len(OFFSETS)), 0.9),
        by_place=np.full((2, 2, len(PLACES)), error),
        veb_auroc=np.full(3, 0.8),
        excerpts=(excerpt, excerpt),
    )


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speed up the bootstrap; the intervals are not tested here."""
    monkeypatch.setattr(patient_bootstrap, "DRAWS", 20)


def evaluation(n: int, *, veb: float = 0.2) -> Evaluation:
    names = [str(100 + i) for i in range(n)]
    return Evaluation(
        ForecastReport({name: forecast(0.1 + 0.02 * i) for i, name in enumerate(names)}),
        PersonalReport({name: personal(0.1 + 0.02 * i) for i, name in enumerate(names)}),
        report_of({name: result(i, veb=veb) for i, name in enumerate(names)}),
    )


def test_plots_have_size_and_colours(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    folder = tmp_path / "new" / "plots"
    prepare(folder)
    paths = draw(evaluation(5), folder)
    expected = {
        "forecast.png": (VERMILION,),
        "horizons.png": (BLUE, VERMILION, GREEN),
        "reliability.png": (BLUE,),
        "second_ahead.png": (VERMILION,),
        "residual.png": (BLUE, PURPLE),
    }
    assert [path.name for path in paths] == list(expected)
    for path, colours in zip(paths, expected.values(), strict=True):
        image = imread(path)[:, :, :3]
        assert image.shape[1] == 1200
        for colour in colours:
            assert (np.abs(255 * image - colour).max(axis=2) < 8).sum() > 100, path


@pytest.mark.parametrize(("records", "veb"), [(1, 0.2), (2, 0.0)])
def test_plots_of_few_records_without_ectopic_beats(records: int, veb: float, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert len(draw(evaluation(records, veb=veb), tmp_path)) == 5


@pytest.mark.parametrize(("records", "selected"), [(5, ["100", "102", "104"]), (2, ["100", "101"]), (1, ["100"])])
def test_records_are_selected_by_their_error(records: int, selected: list[str]) -> None:
    own = evaluation(records)
    assert forecast_plots.select_records(own.forecast) == selected
    assert personal_plots.select_records(own.personal) == selected


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
