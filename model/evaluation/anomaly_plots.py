"""Plots of the anomaly alarms: ROC and precision-sensitivity curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from model.evaluation.anomaly_metrics import ANOMALY, THRESHOLDS
from model.evaluation.anomaly_report import AnomalyReport
from model.evaluation.anomaly_tables import LABELS
from model.evaluation.plot_style import BLUE, GREY, PURPLE, VERMILION, add_caption, new_figure, plain
from model.evaluation.tables import counted, starts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: dict[str, dict[str, Any]] = {
    ANOMALY: {"color": BLUE, "lw": 2.5},
    "residual_ar180": {"color": VERMILION, "ls": "--"},
    "residual_amplitude": {"color": PURPLE, "ls": "-."},
    "residual_random": {"color": GREY, "ls": ":"},
}


def draw_detection(report: AnomalyReport) -> Figure:
    """Draw ROC and precision against sensitivity of the anomaly score and the baselines, per beat."""
    figure = new_figure(6.0)
    roc, precision = figure.subplots(1, 2)
    for method in report.metrics:
        counts, metrics, style = report.counts(method), report.metrics[method], STYLE[method]
        if not counts.positives or not counts.negatives:
            continue
        sensitivity, false = 100 * counts.tp / counts.positives, 100 * counts.fp / counts.negatives
        ppv = 100 * counts.tp / (counts.tp + counts.fp)
        label = f"{LABELS[method]}: {metrics.auroc:.3f}, {metrics.ap:.3f}"
        roc.plot(np.append(0, false), np.append(0, sensitivity), label=label, **style)
        precision.plot(sensitivity, ppv, **style)
        at_alarm = int((counts.threshold >= THRESHOLDS[method]).sum()) - 1
        if at_alarm >= 0:
            dot = {"color": style["color"], "marker": "o", "ms": 8, "mec": "white", "zorder": 5, "clip_on": False}
            roc.plot(false[at_alarm], sensitivity[at_alarm], **dot)
            precision.plot(sensitivity[at_alarm], ppv[at_alarm], **dot)
    veb = sum(int(record.veb.sum()) for record in report.records.values())
    since = starts(record.scored_from for record in report.records.values())
    roc.set_title(f"ROC: {counted(len(report.records))} from {since}, {veb} VEB", loc="left")
    roc.set_xlabel("false positive rate, %")
    roc.set_ylabel("sensitivity, %")
    if roc.lines:
        roc.legend(loc="lower right", title="AUROC, average precision", frameon=False)
    precision.set_title("Precision-sensitivity curve", loc="left")
    precision.set_xlabel("sensitivity, %")
    precision.set_ylabel("positive predictive value, %")
    for axes in (roc, precision):
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 101)
        plain(axes)
    add_caption(
        figure,
        "Ventricular ectopic beats against all others, pooled over records. Dots: the threshold at which an alarm is "
        "raised.",
    )
    return figure
