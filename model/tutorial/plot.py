"""Plot of the tutorial: truth, training span, and forecasts of the two networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.signal.arrays import FloatArray
from model.tutorial import lecture_model
from stream.errors import StorageError
from stream.timebase import FS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from model.tutorial.tutorial import Tutorial

GREY, BLUE, RED, GREEN, ORANGE = "0.55", "tab:blue", "tab:red", "tab:green", "tab:orange"
NETWORKS = (("lecture", RED, "lecture's LSTM"), ("bedside", GREEN, "bedside network"))
CLOSE = 0.11
"""Seconds shown on either side of the steepest beat in the close-up."""


def draw(report: Tutorial, path: Path) -> None:
    """Draw the whole trace, a close-up of the steepest test beat, and the error of every test sample.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 10), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(3, 1, height_ratios=(3, 3, 2))
    panels = [figure.add_subplot(grid[i]) for i in range(3)]
    for axes, draw_panel in zip(panels, (_whole, _close_up, _errors), strict=True):
        draw_panel(axes, report)
        axes.set_ylabel("mV")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    try:
        figure.savefig(path, dpi=130)
    except (OSError, ValueError) as error:  # matplotlib raises ValueError for an unknown file name extension
        raise StorageError(f"the plot cannot be written to {path} ({error}): give a .png, .pdf or .svg") from None


def _whole(axes: Axes, report: Tutorial) -> None:
    t, mv = _trace(report)
    training = lecture_model.TRAINING
    axes.plot(t, mv, color=GREY, lw=3.5, label="truth")
    axes.plot(t[:training], mv[:training], color=BLUE, lw=1.2, label="training span")
    _networks(axes, report, t)
    axes.set_title("One step ahead, all forecasts look accurate")
    axes.set_xlim(0, t[-1])
    axes.set_ylim(mv.min() - 0.6, mv.max() + 0.1)
    axes.legend(loc="lower left", ncols=4, frameon=False)


def _close_up(axes: Axes, report: Tutorial) -> None:
    t, mv = _trace(report)
    ahead, truth = t[-_forecast_samples() :], mv[-_forecast_samples() :]
    steepest = int(np.abs(np.diff(truth)).argmax())
    axes.plot(ahead, truth, color=GREY, lw=5, label="truth")
    axes.plot(ahead, _forecast(report, "linear"), color=ORANGE, lw=1.2, ls="--", label="linear extrapolation")
    _networks(axes, report, t, marker="o", ms=3.5)
    axes.set_xlim(ahead[steepest] - CLOSE, ahead[steepest] + CLOSE)
    axes.set_title("Close-up of the steepest test beat")
    axes.legend(loc="upper left", frameon=False)


def _errors(axes: Axes, report: Tutorial) -> None:
    t, mv = _trace(report)
    ahead, truth = t[-_forecast_samples() :], mv[-_forecast_samples() :]
    lecture, bedside = NETWORKS
    for name, colour, label in (lecture, ("linear", ORANGE, "linear extrapolation"), bedside):
        label = f"{label}, MSE {report.results[name].test_mse:.2e}"
        axes.plot(ahead, np.abs(_forecast(report, name) - truth), color=colour, lw=1.2, label=label)
    axes.set_xlim(ahead[0], ahead[-1])
    axes.set_ylim(bottom=0)
    axes.set_title("Absolute error of each test sample (MSE in normalised units)")
    axes.set_xlabel("seconds")
    axes.legend(loc="upper left", frameon=False)


def _networks(axes: Axes, report: Tutorial, t: FloatArray, **style: Any) -> None:
    for name, colour, label in NETWORKS:
        axes.plot(t[-_forecast_samples() :], _forecast(report, name), color=colour, lw=1.2, label=label, **style)


def _trace(report: Tutorial) -> tuple[FloatArray, FloatArray]:
    """Return times in seconds and the whole trace in mV."""
    return np.arange(len(report.trace.x)) / FS, report.trace.mv(report.trace.x)


def _forecast(report: Tutorial, name: str) -> FloatArray:
    return report.trace.mv(report.results[name].forecast)


def _forecast_samples() -> int:
    return lecture_model.SAMPLES - lecture_model.TRAINING - lecture_model.WINDOW
