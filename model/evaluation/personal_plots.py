"""Plot of the personal forecast: the next second, second after second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from model.evaluation.personal_report import HORIZONS, PersonalReport
from model.evaluation.plot_style import BLACK, GREY, SKY, VERMILION, add_caption, best_median_worst, new_figure, plain
from model.evaluation.second_ahead import BETTER, SecondAhead
from model.forecast.interval_calibration import Z90
from model.forecast.personal_forecast import OFFSETS
from model.signal.arrays import FloatArray
from stream.timebase import FS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AT_100_MS = HORIZONS.index(36)

_KNOWN = np.array((0, *OFFSETS))


def select_records(report: PersonalReport) -> list[str]:
    """Return the records with the smallest, the median and the largest NRMSE 100 ms ahead; fewer if there are fewer."""
    return best_median_worst({name: float(one.nrmse[0, AT_100_MS]) for name, one in report.records.items()})


def draw_second_ahead(report: PersonalReport) -> Figure:
    """Draw truth and forecast of a typical and a hard interval of the best, the median and the worst record."""
    names = select_records(report)
    figure = new_figure(0.9 + 2.1 * len(names))
    axes = figure.subplots(len(names), len(BETTER), squeeze=False)
    for row, name in zip(axes, names, strict=True):
        for own, shown, kind in zip(row, report.records[name].excerpts, ("typical", "hard"), strict=True):
            _draw(own, shown, f"{name}, {kind}")
        row[0].set_ylabel("mV")
    for own in axes[-1]:
        own.set_xlabel("seconds")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3, frameon=False)
    add_caption(
        figure,
        "Each second is forecast at its beginning (grey line). Records with the smallest, the median and the largest "
        "NRMSE at 100 ms;\nof each the four seconds whose error exceeds that of half of the record (typical), and of "
        "nine tenths of it (hard).",
    )
    return figure


def _draw(axes: Axes, shown: SecondAhead, title: str) -> None:
    for second, (mean, scale) in enumerate(zip(shown.mean, shown.scale, strict=True)):
        first = second == 0
        at, line, half = curves(float(shown.truth[second * FS]), mean, scale)
        at = second + at / FS
        axes.fill_between(
            at, line - half, line + half, color=SKY, alpha=0.45, lw=0, label="90 % interval" if first else None
        )
        axes.plot(at, line, color=VERMILION, lw=1.4, label="forecast" if first else None)
        axes.axvline(second, color=GREY, lw=0.8)
    axes.plot(np.arange(len(shown.truth)) / FS, shown.truth, color=BLACK, lw=0.9, label="truth")
    axes.set_xlim(0, len(shown.mean))
    second = shown.start // FS
    axes.set_title(f"{title}: from {second // 60}:{second % 60:02d}, RMSE {shown.rmse:.2f} mV", loc="left", fontsize=10)
    plain(axes)


def curves(observed: float, mean: FloatArray, scale: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean and half of the 90 % interval at each sample from the origin on, as the window draws them.

    Parameters
    ----------
    observed : float
        The sample at the origin, mV.
    mean, scale : ndarray, shape (offsets,)
        mV.

    Returns
    -------
    at, mean, half : ndarray of float64, shape (OFFSETS[-1] + 1,)
        Samples after the origin, and mV.
    """
    at, known = np.arange(OFFSETS[-1] + 1), np.append(observed, mean).astype(np.float64)
    line = CubicHermiteSpline(_KNOWN, known, np.gradient(known, _KNOWN))(at)
    return at, line, Z90 * np.interp(at, _KNOWN, np.append(0.0, scale))
