"""Printed tables of the anomaly metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from model.evaluation import detection_metrics
from model.evaluation.anomaly_metrics import ANOMALY, THRESHOLDS
from model.evaluation.anomaly_report import AnomalyReport, Intervals
from model.evaluation.tables import NARROW, counted, number, starts

AR = "residual_ar180"
LABELS = {
    ANOMALY: "bedside",
    AR: "AR(180)",
    "residual_amplitude": "amplitude",
    "residual_random": "random",
}

ROWS = (
    ("AUROC", "auroc"),
    ("AP", "ap"),
    ("worst AUROC", "worst_auroc"),
    ("F1", "f1"),
    ("sensitivity", "sensitivity"),
    ("F1 at break-even", "f1_break_even"),
    ("Se at 10 false/h", "se_at_10_per_h"),
    ("false episodes/h, median", "false_episodes_per_h"),
)
TIME_ROWS = (
    ("AUROC", "auroc"),
    ("AP", "ap"),
    ("false alarm s/h", "false_alarm_s_per_h"),
    ("false alarm s/h, median", "median_false_alarm_s_per_h"),
)


def print_anomalies(report: AnomalyReport, console: Console) -> None:
    """Print the metrics over all records; a dash marks an undefined one."""
    veb = sum(int(record.veb.sum()) for record in report.records.values())
    beats = sum(len(record.veb) for record in report.records.values())
    since = starts(record.scored_from for record in report.records.values())
    table = Table(
        title=f"Anomaly alarms, {counted(len(report.records))} from {since}: {veb} VEB, {beats - veb} other beats",
        caption="F1 and sensitivity at the alarm threshold; break-even: threshold at which as many beats of DS1 are "
        "detected as are VEB; below each value its 95 % interval, bootstrap over patients; median and worst: over "
        "records",
        **NARROW,
    )
    table.add_column("")
    for method in report.metrics:
        table.add_column(LABELS[method], justify="right")
    _add_rows(table, "beat-based", ROWS, report.metrics, report.intervals)
    _add_rows(table, "time-based", TIME_ROWS, report.time, report.time_intervals)
    console.print(table)


def _add_rows(
    table: Table,
    heading: str,
    rows: tuple[tuple[str, str], ...],
    metrics: Mapping[str, Any],
    intervals: Mapping[str, Intervals],
) -> None:
    table.add_section()
    table.add_row(heading, style="bold")
    for label, name in rows:
        table.add_row(label, *(_text(getattr(own, name), name) for own in metrics.values()))
        ends = ("–".join(_text(end, name) for end in intervals[method][name]) for method in metrics)
        table.add_row("", *ends, style="dim")


def print_anomalies_by_record(report: AnomalyReport, console: Console) -> None:
    """Print the metrics of the anomaly score on each record, and the AUROC of AR(180)."""
    with_ar = AR in report.metrics
    title = "Anomaly alarms by record, at the alarm threshold"
    table = Table(title=f"{title}; last: AUROC of AR(180)" if with_ar else title, **NARROW)
    heads = ("record", "VEB", "beats", "AUROC", "AP", "F1", "alarms", "false/h", "false s/h")
    for head in (*heads, "AR(180)") if with_ar else heads:
        table.add_column(head, justify="right" if head != "record" else "left")
    for name, record in report.records.items():
        counts = record.counts(ANOMALY)
        table.add_row(
            name,
            str(int(record.veb.sum())),
            str(len(record.veb)),
            number(detection_metrics.auroc(counts), 3),
            number(detection_metrics.average_precision(counts), 3),
            number(detection_metrics.f1(counts, THRESHOLDS[ANOMALY]), 3),
            str(record.episodes[ANOMALY]),
            f"{record.false_episodes[ANOMALY] / record.hours:.1f}",
            f"{record.time.false_s[ANOMALY] / record.hours:.0f}",
            *([number(detection_metrics.auroc(record.counts(AR)), 3)] if with_ar else []),
        )
    console.print(table)


def _text(value: float, name: str) -> str:
    if name.endswith(("episodes_per_h", "_s_per_h")):
        return number(value, 0 if value >= 100 else 1)
    return number(value, 3)
