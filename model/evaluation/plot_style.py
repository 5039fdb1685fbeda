"""Colours, sizes and helpers of the plots.

All plots are 1200 pixels wide. The colours are those of Okabe and Ito (2008), distinguishable with red-green colour
blindness; lines also differ in their dashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from model.signal.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLACK, GREY, SKY, BLUE = "black", "0.45", "#56B4E9", "#0072B2"
GREEN, VERMILION, PURPLE = "#009E73", "#D55E00", "#CC79A7"

WIDTH, DPI = 10.0, 120
"""Width in inches, and dots per inch."""

LABEL_DISTANCE = 0.05
"""Least distance of two labels beside the right edge, as a share of the axis."""


def new_figure(height: float) -> Figure:
    """Return an empty figure of ``height`` inches that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes) -> None:
    """Remove the upper and right spine and add a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)


def add_caption(figure: Figure, text: str) -> None:
    """Write a caption below the axes."""
    figure.supxlabel(text, x=0.01, ha="left", fontsize=9, color="0.25")


def label_right(axes: Axes, y: FloatArray, labels: list[str], colours: list[str]) -> None:
    """Write labels beside the right ends of lines, without overlap."""
    low, high = axes.get_ylim()
    order = np.argsort(y)
    place = y[order].copy()
    for i in range(1, len(place)):
        place[i] = max(place[i], place[i - 1] + LABEL_DISTANCE * (high - low))
    for i, at in zip(order, place, strict=True):
        axes.annotate(
            labels[i],
            (1.01, at),
            xycoords=("axes fraction", "data"),
            va="center",
            color=colours[i],
            annotation_clip=False,
        )


def best_median_worst(errors: Mapping[str, float]) -> list[str]:
    """Return the records with the smallest, the median and the largest error; fewer if there are fewer."""
    order = sorted(errors, key=lambda name: errors[name])
    return list(dict.fromkeys((order[0], order[(len(order) - 1) // 2], order[-1])))
