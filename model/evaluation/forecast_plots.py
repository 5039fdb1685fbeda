"""Plots of the forecast: excerpts, error by horizon, reliability of the predicted intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from model.evaluation.forecast_report import CURVE, LABELS, LEVELS, Excerpt, ForecastReport
from model.evaluation.plot_style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    SKY,
    VERMILION,
    add_caption,
    best_median_worst,
    label_right,
    new_figure,
    plain,
)
from model.evaluation.tables import counted
from model.forecast.interval_calibration import Z90
from stream.timebase import FS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE: dict[str, dict[str, Any]] = {
    "lstm": {"color": BLUE, "lw": 2.5},
    "ar180": {"color": VERMILION, "ls": "--"},
    "last_beat": {"color": GREEN, "ls": "-."},
    "persistence": {"color": GREY, "ls": ":"},
}

AT_100_MS = CURVE.index(36)
NAMED = 3
"""Number of records with the least reliable intervals that are named in the plot."""


def select_records(report: ForecastReport) -> list[str]:
    """Return the records with the smallest, the median and the largest NRMSE 100 ms ahead; fewer if there are fewer."""
    return best_median_worst({name: float(one.curve[0, AT_100_MS]) for name, one in report.records.items()})


def draw_excerpts(report: ForecastReport) -> Figure:
    """Draw forecast and truth: a typical and the worst 10 s of the best, the median and the worst record."""
    names = select_records(report)
    figure = new_figure(0.9 + 3.3 * len(names))
    axes = figure.subplots(2 * len(names), squeeze=False)[:, 0]
    for i, name in enumerate(names):
        record = report.records[name]
        _excerpt(axes[2 * i], record.typical, f"record {name}, typical")
        _excerpt(axes[2 * i + 1], record.worst, f"record {name}, worst")
    axes[0].legend(loc="lower right", ncols=3, bbox_to_anchor=(1, 1), frameon=False, borderaxespad=0.2)
    axes[-1].set_xlabel("seconds")
    add_caption(
        figure,
        "Each sample with its forecast, 100 to 108 ms ahead. Records with the smallest, the median and the largest "
        "NRMSE at 100 ms;\n10-s segments from 5:00 on with the median error (typical) and the largest error (worst).",
    )
    return figure


def _excerpt(axes: Axes, shown: Excerpt, title: str) -> None:
    t = np.arange(len(shown.truth)) / FS
    half = Z90 * shown.scale
    axes.fill_between(t, shown.mean - half, shown.mean + half, color=SKY, alpha=0.45, lw=0, label="90 % interval")
    axes.plot(t, shown.truth, color=BLACK, lw=1.3, label="truth")
    axes.plot(t, shown.mean, color=VERMILION, lw=1.1, label="forecast, 100 ms ahead")
    drawn = np.concatenate([shown.truth, shown.mean])
    low, high = float(drawn.min()), float(drawn.max())
    axes.set_ylim(low - 0.15 * (high - low), high + 0.15 * (high - low))
    axes.set_xlim(0, t[-1])
    second = shown.start // FS
    axes.set_title(f"{title}: from {second // 60}:{second % 60:02d}, RMSE {shown.rmse:.2f} mV", loc="left")
    axes.set_ylabel("mV")
    plain(axes)


def draw_horizons(report: ForecastReport) -> Figure:
    """Draw the error of network and baselines against the horizon."""
    figure = new_figure(6.0)
    axes = figure.subplots()
    ms = 1000 * np.array(CURVE) / FS
    curve, (low, high) = report.curve, report.curve_interval
    axes.fill_between(ms, low[0], high[0], color=SKY, alpha=0.4, lw=0)
    for i, method in enumerate(report.methods):
        axes.plot(ms, curve[i], marker="o", ms=4, **STYLE[method])
    axes.set_xlim(0, ms[-1])
    axes.set_ylim(0, 1.05 * max(curve.max(), high[0].max()))
    colours = [STYLE[method]["color"] for method in report.methods]
    label_right(axes, curve[:, -1], [LABELS[method] for method in report.methods], colours)
    axes.axhline(1, color=GREY, lw=0.8)
    axes.set_xlabel("horizon, ms")
    axes.set_ylabel("NRMSE")
    axes.set_title(f"Error by horizon: {counted(len(report.records))}, first lead, from 5:00", loc="left")
    plain(axes)
    add_caption(
        figure,
        "RMSE / standard deviation of the first 100 s, mean over records; 1 is about the error of the signal's mean."
        "\nBand: 95 % interval of the LSTM, bootstrap over patients.",
    )
    return figure


def draw_reliability(report: ForecastReport) -> Figure:
    """Draw the observed against the nominal coverage of the predicted intervals, and the difference."""
    figure = new_figure(5.6)
    whole, difference = figure.subplots(1, 2)
    nominal = 100 * np.array(LEVELS)
    each = {name: 100 * record.coverage for name, record in report.records.items()}
    mean = np.mean(list(each.values()), axis=0)
    whole.plot([0, 100], [0, 100], color=GREY, lw=1, ls="--", label="ideal")
    difference.axhline(0, color=GREY, lw=1, ls="--")
    for i, observed in enumerate(each.values()):
        whole.plot(nominal, observed, color=SKY, lw=0.9, label="one record" if not i else None)
        difference.plot(nominal, observed - nominal, color=SKY, lw=0.9)
    whole.plot(nominal, mean, color=BLUE, lw=2.5, marker="o", ms=4, label="mean over records")
    difference.plot(nominal, mean - nominal, color=BLUE, lw=2.5, marker="o", ms=4)
    furthest = sorted(each, key=lambda name: -float(np.abs(each[name] - nominal).max()))[:NAMED]
    for name in furthest:
        at = int(np.abs(each[name] - nominal).argmax())
        difference.annotate(name, (nominal[at], each[name][at] - nominal[at]), (4, 2), textcoords="offset points")
    whole.set_xlim(0, 100)
    whole.set_ylim(0, 100)
    difference.set_xlim(0, 100)
    whole.set_ylabel("observed coverage, %")
    difference.set_ylabel("observed − nominal, percentage points")
    whole.set_title(f"Reliability of the intervals: {counted(len(each))}", loc="left")
    difference.set_title("Difference", loc="left")
    whole.legend(loc="upper left", frameon=False)
    for axes in (whole, difference):
        axes.set_xlabel("nominal coverage of the central interval, %")
        plain(axes)
    add_caption(
        figure,
        f"All horizons up to 267 ms, first lead, from 5:00. Named: the {len(furthest)} records furthest from nominal.",
    )
    return figure
