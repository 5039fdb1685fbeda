"""The picture of the tutorial: truth, training span, and what two networks say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from model.tutorial import lecture_model
from stream.errors import StorageError
from stream.timebase import FS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from model.tutorial.tutorial import Tutorial

GREY, BLUE, RED, GREEN, ORANGE = "0.55", "tab:blue", "tab:red", "tab:green", "tab:orange"
CLOSE = 0.11
"""Seconds to either side of the steepest beat in the close-up."""


def draw(report: Tutorial, path: Path) -> None:
    """Draw the whole trace, the steepest test beat from near, and the error of every test sample.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    trace = report.trace
    t = np.arange(len(trace.x)) / FS
    mv = trace.mv(trace.x)
    start = lecture_model.TRAINING + lecture_model.WINDOW
    ahead, truth = t[start:], mv[start:]
    said = {name: trace.mv(result.forecast) for name, result in report.results.items()}

    figure = Figure(figsize=(11, 10), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(3, 1, height_ratios=(3, 3, 2))

    whole = figure.add_subplot(grid[0])
    whole.plot(t, mv, color=GREY, lw=3.5, label="truth")
    whole.plot(t[: lecture_model.TRAINING], mv[: lecture_model.TRAINING], color=BLUE, lw=1.2, label="training span")
    _networks(whole, report, ahead)
    whole.set_title("One step ahead looks learnt, whoever says it")
    whole.set_xlim(0, t[-1])
    whole.set_ylim(mv.min() - 0.6, mv.max() + 0.1)
    whole.legend(loc="lower left", ncols=4, frameon=False)

    steepest = int(np.abs(np.diff(truth)).argmax())
    near = figure.add_subplot(grid[1])
    near.plot(ahead, truth, color=GREY, lw=5, label="truth")
    near.plot(ahead, said["linear"], color=ORANGE, lw=1.2, ls="--", label="straight line through two samples")
    _networks(near, report, ahead, marker="o", ms=3.5)
    near.set_xlim(ahead[steepest] - CLOSE, ahead[steepest] + CLOSE)
    near.set_title("The steepest test beat from near")
    near.legend(loc="upper left", frameon=False)

    wrong = figure.add_subplot(grid[2])
    for name, colour, label in (
        ("lecture", RED, "the lecture's LSTM"),
        ("linear", ORANGE, "straight line"),
        ("bedside", GREEN, "our network"),
    ):
        mse = report.results[name].test_mse
        wrong.plot(ahead, np.abs(said[name] - truth), color=colour, lw=1.2, label=f"{label}, MSE {mse:.2e}")
    wrong.set_xlim(ahead[0], ahead[-1])
    wrong.set_ylim(bottom=0)
    wrong.set_title("Absolute error of each test sample (mean squared errors in normalised units)")
    wrong.set_xlabel("seconds")
    wrong.legend(loc="upper left", frameon=False)
    for axes in (whole, near, wrong):
        axes.set_ylabel("mV")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    try:
        figure.savefig(path, dpi=130)
    except (OSError, ValueError) as error:  # matplotlib refuses an unknown ending with a ValueError
        raise StorageError(f"the plot cannot be written to {path} ({error}): give a .png, .pdf or .svg") from None


def _networks(axes: Axes, report: Tutorial, ahead: npt.NDArray[np.float64], **style: Any) -> None:
    for name, colour, label in (("lecture", RED, "the lecture's LSTM"), ("bedside", GREEN, "our network")):
        forecast = report.trace.mv(report.results[name].forecast)
        axes.plot(ahead, forecast, color=colour, lw=1.2, label=f"{label}, next sample", **style)
