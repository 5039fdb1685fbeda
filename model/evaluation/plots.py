"""Plots of an evaluation as PNG files: ``bedside evaluate --plots``."""

from __future__ import annotations

from pathlib import Path

from model.evaluation.anomaly_plots import draw_detection
from model.evaluation.evaluation import Evaluation
from model.evaluation.forecast_plots import draw_excerpts, draw_horizons, draw_reliability
from model.evaluation.personal_plots import draw_second_ahead
from model.evaluation.plot_style import DPI
from stream.errors import StorageError, UsageError


def prepare(folder: Path) -> None:
    """Check that plots can be drawn, and create their folder.

    Raises
    ------
    UsageError
        Matplotlib is missing.
    StorageError
        The folder cannot be created.
    """
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        raise UsageError("--plots needs matplotlib, which is not installed: pip install 'bedside[plots]'") from None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"--plots {folder} cannot be made ({error.strerror}): choose another folder") from None


def draw(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Draw all plots into a folder that `prepare` created, and return their paths.

    Raises
    ------
    StorageError
        A file cannot be written.
    """
    figures = {
        "forecast.png": draw_excerpts(evaluation.forecast),
        "horizons.png": draw_horizons(evaluation.forecast),
        "reliability.png": draw_reliability(evaluation.forecast),
        "second_ahead.png": draw_second_ahead(evaluation.personal),
        "residual.png": draw_detection(evaluation.anomaly),
    }
    paths = []
    for name, figure in figures.items():
        path = folder / name
        try:
            figure.savefig(path, dpi=DPI)
        except OSError as error:
            raise StorageError(f"{path} cannot be written ({error.strerror}): choose another folder") from None
        paths.append(path)
    return paths
