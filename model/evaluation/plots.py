"""The pictures of ``bedside evaluate``: what was forecast, how sure it was, and what the alarms find.

All are 1200 pixels wide. The colours are those of Okabe and Ito (2008), which people tell apart who see no red or no
green; lines differ in their dashes, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.evaluation import anomaly_report as alarms
from model.evaluation import forecast_report as forecasts
from model.evaluation.anomaly_report import OURS, THRESHOLDS, ResidualReport
from model.evaluation.evaluation import Evaluation
from model.evaluation.forecast_report import CURVE, LEVELS, Excerpt, Report, counted
from model.forecast.interval_calibration import Z90
from model.signal.arrays import FloatArray
from stream.errors import StorageError, UsageError
from stream.timebase import FS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLACK, GREY, SKY, BLUE = "black", "0.45", "#56B4E9", "#0072B2"
GREEN, VERMILION, PURPLE = "#009E73", "#D55E00", "#CC79A7"

FORECAST_STYLE: dict[str, dict[str, Any]] = {
    "lstm": {"color": BLUE, "lw": 2.5},
    "ar180": {"color": VERMILION, "ls": "--"},
    "last_beat": {"color": GREEN, "ls": "-."},
    "persistence": {"color": GREY, "ls": ":"},
}
ALARM_STYLE: dict[str, dict[str, Any]] = {
    OURS: {"color": BLUE, "lw": 2.5},
    "residual_ar180": {"color": VERMILION, "ls": "--"},
    "residual_amplitude": {"color": PURPLE, "ls": "-."},
    "residual_random": {"color": GREY, "ls": ":"},
}

WIDTH, DPI = 10.0, 120
AT_100_MS = CURVE.index(36)
NAMED = 3
"""Records whose reliability is furthest off are named, as many as this."""

APART = 0.05
"""Least distance of two labels at the right, as a share of the axis."""


def prepare(folder: Path) -> None:
    """See that pictures can be drawn at all, and make their folder.

    Raises
    ------
    UsageError
        Matplotlib is missing.
    StorageError
        The folder cannot be made.
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
    """Draw all pictures into a folder that `prepare` made, and return their paths.

    Raises
    ------
    StorageError
        A file cannot be written.
    """
    pictures = {
        "forecast.png": draw_forecast(evaluation.forecast),
        "horizons.png": draw_horizons(evaluation.forecast),
        "reliability.png": draw_reliability(evaluation.forecast),
        "residual.png": draw_residual(evaluation.residual),
    }
    paths = []
    for name, figure in pictures.items():
        path = folder / name
        try:
            figure.savefig(path, dpi=DPI)
        except OSError as error:
            raise StorageError(f"{path} cannot be written ({error.strerror}): choose another folder") from None
        paths.append(path)
    return paths


def chosen(report: Report) -> list[str]:
    """Return the records with the smallest, the median and the largest NRMSE 100 ms ahead; fewer where there are."""
    order = sorted(report.records, key=lambda name: float(report.records[name].curve[0, AT_100_MS]))
    return list(dict.fromkeys((order[0], order[(len(order) - 1) // 2], order[-1])))


def draw_forecast(report: Report) -> Figure:
    """Draw forecast and truth: of the best, the median and the worst record, a typical and the worst 10 s."""
    names = chosen(report)
    figure = _figure(0.9 + 3.3 * len(names))
    axes = figure.subplots(2 * len(names), squeeze=False)[:, 0]
    for i, name in enumerate(names):
        score = report.records[name]
        _excerpt(axes[2 * i], score.typical, f"record {name}, typical")
        _excerpt(axes[2 * i + 1], score.worst, f"record {name}, worst")
    axes[0].legend(loc="lower right", ncols=3, bbox_to_anchor=(1, 1), frameon=False, borderaxespad=0.2)
    axes[-1].set_xlabel("seconds")
    _caption(
        figure,
        "Each sample against what was said of it 100 to 108 ms before. Records with the smallest, the median and the "
        "largest NRMSE at 100 ms;\nof all 10-s stretches from 5:00 on the one with the median error (typical) and the "
        "one with the largest (worst).",
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
    _light(axes)


def draw_horizons(report: Report) -> Figure:
    """Draw the error against how far ahead the forecast looks, for the network and its rivals."""
    figure = _figure(6.0)
    axes = figure.subplots()
    ms = 1000 * np.array(CURVE) / FS
    curve, (low, high) = report.curve, report.curve_interval
    axes.fill_between(ms, low[0], high[0], color=SKY, alpha=0.4, lw=0)
    for i, method in enumerate(forecasts.METHODS):
        axes.plot(ms, curve[i], marker="o", ms=4, **FORECAST_STYLE[method])
    axes.set_xlim(0, ms[-1])
    axes.set_ylim(0, 1.05 * max(curve.max(), high[0].max()))
    colours = [FORECAST_STYLE[method]["color"] for method in forecasts.METHODS]
    _label_right(axes, curve[:, -1], [forecasts.LABELS[method] for method in forecasts.METHODS], colours)
    axes.axhline(1, color=GREY, lw=0.8)
    axes.set_xlabel("ms ahead")
    axes.set_ylabel("NRMSE")
    axes.set_title(f"How far ahead? {counted(len(report.records))}, first lead, from 5:00", loc="left")
    _light(axes)
    _caption(
        figure,
        "RMSE over the standard deviation of the first 100 s, mean over records; 1 is about what the signal's "
        "mean would reach.\nBand: 95 % interval of the LSTM, bootstrap over patients.",
    )
    return figure


def draw_reliability(report: Report) -> Figure:
    """Draw how many samples lie within the predicted intervals against how many should, and the difference."""
    figure = _figure(5.6)
    whole, off = figure.subplots(1, 2)
    nominal = 100 * np.array(LEVELS)
    each = {name: 100 * score.coverage for name, score in report.records.items()}
    mean = np.mean(list(each.values()), axis=0)
    whole.plot([0, 100], [0, 100], color=GREY, lw=1, ls="--", label="as it should be")
    off.axhline(0, color=GREY, lw=1, ls="--")
    for i, observed in enumerate(each.values()):
        whole.plot(nominal, observed, color=SKY, lw=0.9, label="one record" if not i else None)
        off.plot(nominal, observed - nominal, color=SKY, lw=0.9)
    whole.plot(nominal, mean, color=BLUE, lw=2.5, marker="o", ms=4, label="mean over records")
    off.plot(nominal, mean - nominal, color=BLUE, lw=2.5, marker="o", ms=4)
    furthest = sorted(each, key=lambda name: -float(np.abs(each[name] - nominal).max()))[:NAMED]
    for name in furthest:
        at = int(np.abs(each[name] - nominal).argmax())
        off.annotate(name, (nominal[at], each[name][at] - nominal[at]), (4, 2), textcoords="offset points")
    whole.set_xlim(0, 100)
    whole.set_ylim(0, 100)
    off.set_xlim(0, 100)
    whole.set_ylabel("% of samples within")
    off.set_ylabel("observed less nominal, percentage points")
    whole.set_title(f"Does the interval hold? {counted(len(each))}", loc="left")
    off.set_title("The same, from near", loc="left")
    whole.legend(loc="upper left", frameon=False)
    for axes in (whole, off):
        axes.set_xlabel("nominal: central interval, %")
        _light(axes)
    _caption(figure, f"Over all horizons to 267 ms, first lead, from 5:00. Named: the {len(furthest)} furthest off.")
    return figure


def draw_residual(report: ResidualReport) -> Figure:
    """Draw ROC and precision against sensitivity of the residual alarms and of their rivals, per beat."""
    figure = _figure(6.0)
    roc, precision = figure.subplots(1, 2)
    for method in alarms.METHODS:
        counts, figures, style = report.counts(method), report.figures[method], ALARM_STYLE[method]
        if not counts.positives or not counts.negatives:
            continue
        found, false = 100 * counts.hits / counts.positives, 100 * counts.false / counts.negatives
        right = 100 * counts.hits / (counts.hits + counts.false)
        label = f"{alarms.LABELS[method]}: {figures.auroc:.3f}, {figures.ap:.3f}"
        roc.plot(np.append(0, false), np.append(0, found), label=label, **style)
        precision.plot(found, right, **style)
        at_alarm = int((counts.threshold >= THRESHOLDS[method]).sum()) - 1
        if at_alarm >= 0:
            dot = {"color": style["color"], "marker": "o", "ms": 8, "mec": "white", "zorder": 5, "clip_on": False}
            roc.plot(false[at_alarm], found[at_alarm], **dot)
            precision.plot(found[at_alarm], right[at_alarm], **dot)
    veb = sum(int(record.veb.sum()) for record in report.records.values())
    roc.set_title(f"ROC: {counted(len(report.records))} from 5:00, {veb} VEB", loc="left")
    roc.set_xlabel("other beats marked, %")
    roc.set_ylabel("VEB found, %")
    if roc.lines:
        roc.legend(loc="lower right", title="AUROC, average precision", frameon=False)
    precision.set_title("Precision against sensitivity", loc="left")
    precision.set_xlabel("VEB found, %")
    precision.set_ylabel("VEB among the marked beats, %")
    for axes in (roc, precision):
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 101)
        _light(axes)
    _caption(
        figure,
        "Ventricular ectopic beats against all others, all records together. Dots: the threshold at which an alarm is "
        "raised.",
    )
    return figure


def _figure(height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _light(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)


def _caption(figure: Figure, text: str) -> None:
    figure.supxlabel(text, x=0.01, ha="left", fontsize=9, color="0.25")


def _label_right(axes: Axes, y: FloatArray, labels: list[str], colours: list[str]) -> None:
    """Write labels beside the right ends of lines, none over another."""
    low, high = axes.get_ylim()
    order = np.argsort(y)
    place = y[order].copy()
    for i in range(1, len(place)):
        place[i] = max(place[i], place[i - 1] + APART * (high - low))
    for i, at in zip(order, place, strict=True):
        axes.annotate(
            labels[i],
            (1.01, at),
            xycoords=("axes fraction", "data"),
            va="center",
            color=colours[i],
            annotation_clip=False,
        )
