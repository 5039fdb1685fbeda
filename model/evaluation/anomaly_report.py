"""The figures of residual alarms and of their rivals, over all records and by record, with intervals over patients.

Pooled figures put the beats of all records into one list, so that a score must mean the same for every patient.
Thresholds are frozen before anything is scored: ours is the shipped one, those of the rivals are from DS1. Intervals
are 95 % bootstrap intervals over patients. What is counted by time instead of by beat is in
`model.evaluation.time_metrics`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from model.anomaly.state import ANOMALY
from model.datasets.mitdb import without
from model.evaluation import detection_metrics, patient_bootstrap
from model.evaluation.detection_metrics import Counts
from model.evaluation.forecast_report import NARROW, counted
from model.evaluation.time_metrics import TIME_FIGURES, TimeFigures, TimeResult, TimeSummary, record_figures
from model.signal.arrays import BoolArray, FloatArray, IntArray

OURS = "residual"
BREAK_EVEN: Mapping[str, float] = {
    OURS: 2.437,
    "residual_ar180": 1.4252,
    "residual_amplitude": 1.3826,
    "residual_random": 0.99837,
}
"""Score that marks as many beats of DS1, without 201 and 208, as are VEB. Ours is that of patients who were left out of
the fit, as ``bedside train --what residual`` prints it (no alarm is followed there, so all complexes are remembered).
Those of the rivals are what ``evaluate_residual.break_even_thresholds(forecaster.load_forecaster())`` gives in about 3
minutes (both from ``model``); what it gives for ours is of weights that have seen those patients."""

THRESHOLDS: Mapping[str, float] = {**BREAK_EVEN, OURS: ANOMALY.threshold}
"""Score at which an alarm is raised: the shipped threshold, and the break-even points of the rivals."""

METHODS = tuple(THRESHOLDS)
LABELS = {
    OURS: "ours",
    "residual_ar180": "AR(180)",
    "residual_amplitude": "amplitude",
    "residual_random": "random",
}

FALSE_PER_HOUR = 10.0
LEAST_VEB = 10
"""A record with fewer VEB says little about its own AUROC, and does not count as the worst."""

Intervals = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class RecordResult:
    """What all methods made of one record, from 5:00.

    Attributes
    ----------
    veb : ndarray of bool, shape (n,)
        Which beats are positive.
    hours : float
    score : dict of str to ndarray, shape (n,)
        By method, one for each beat; NaN where it was still learning.
    episodes, false_episodes : dict of str to int
        By method.
    time : TimeResult
        The same record, moment by moment.
    """

    veb: BoolArray
    hours: float
    score: dict[str, FloatArray]
    episodes: dict[str, int]
    false_episodes: dict[str, int]
    time: TimeResult

    def counts(self, method: str) -> Counts:
        """Return what each threshold marks."""
        return detection_metrics.count(self.score[method], self.veb)


@dataclass(frozen=True)
class Figures:
    """The figures of one method over all records; NaN where they have no meaning.

    Attributes
    ----------
    auroc, ap : float
        Pooled.
    worst_auroc : float
        The lowest over records with at least 10 VEB.
    f1, sensitivity : float
        At the threshold of alarms, pooled.
    f1_break_even : float
        At the break-even point of DS1, pooled: one rule for all methods.
    se_at_10_per_h : float
        Sensitivity at the threshold, one for all, that marks 10 false beats an hour.
    false_episodes_per_h : float
        Median over records.
    """

    auroc: float
    ap: float
    worst_auroc: float
    f1: float
    sensitivity: float
    f1_break_even: float
    se_at_10_per_h: float
    false_episodes_per_h: float


FIGURES = tuple(field.name for field in fields(Figures))


@dataclass(frozen=True)
class ResidualReport:
    """Scores of all methods.

    Attributes
    ----------
    records : dict of str to RecordResult
    figures : dict of str to Figures
        By method.
    intervals : dict of str to dict of str to (float, float)
        By method and figure.
    time, time_intervals
        The same by time.
    """

    records: dict[str, RecordResult]
    figures: dict[str, Figures]
    intervals: dict[str, Intervals]
    time: dict[str, TimeFigures]
    time_intervals: dict[str, Intervals]

    def without(self, names: Iterable[str]) -> ResidualReport:
        """Return the report on the other records, without a new run.

        Raises
        ------
        UsageError
            No record is left.
        """
        return report_of({name: self.records[name] for name in without(list(self.records), list(names))})

    def counts(self, method: str) -> Counts:
        """Return what each threshold marks over all records: ROC and precision against sensitivity."""
        return _pooled(self.records, method).counts()

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON, one key a method; None where a figure has no meaning."""
        return {method: self._method(method) for method in METHODS}

    def _method(self, method: str) -> dict[str, Any]:
        records = {}
        for name, record in self.records.items():
            counts = record.counts(method)
            time = record_figures(record.time, method)
            own = {
                "auroc": detection_metrics.auroc(counts),
                "ap": detection_metrics.average_precision(counts),
                "f1": detection_metrics.f1(counts, THRESHOLDS[method]),
                "sensitivity": detection_metrics.sensitivity(counts, THRESHOLDS[method]),
                "false_episodes_per_h": record.false_episodes[method] / record.hours,
            }
            of_time = {"auroc": time.auroc, "ap": time.ap, "false_alarm_s_per_h": time.false_alarm_s_per_h}
            records[name] = {
                **_or_none(own),
                "beats": len(record.veb),
                "veb": int(record.veb.sum()),
                "episodes": record.episodes[method],
                "by_time": _or_none(of_time),
            }
        return {
            **_or_none(asdict(self.figures[method])),
            "threshold": THRESHOLDS[method],
            "break_even": BREAK_EVEN[method],
            "intervals": _for_json(self.intervals[method]),
            "by_time": {**_or_none(asdict(self.time[method])), "intervals": _for_json(self.time_intervals[method])},
            "records": records,
        }


def report_of(records: Mapping[str, RecordResult]) -> ResidualReport:
    """Return the figures over records, of which there must be one, with intervals."""
    once = np.ones(len(records), dtype=np.int64)
    drawn = patient_bootstrap.drawn(records)
    figures, intervals, time, time_intervals = {}, {}, {}, {}
    for method in METHODS:
        summary = _Summary(records, method)
        figures[method] = summary.figures(once)
        intervals[method] = _intervals([summary.figures(times) for times in drawn], FIGURES)
        by_time = TimeSummary([record.time for record in records.values()], method)
        time[method] = by_time.figures(once)
        time_intervals[method] = _intervals([by_time.figures(times) for times in drawn], TIME_FIGURES)
    return ResidualReport(dict(records), figures, intervals, time, time_intervals)


def _intervals(samples: Sequence[Any], names: Sequence[str]) -> Intervals:
    return {name: detection_metrics.interval95([getattr(sample, name) for sample in samples]) for name in names}


class _Summary:
    """One method's results, ready to be weighted by how often each record was drawn."""

    def __init__(self, records: Mapping[str, RecordResult], method: str) -> None:
        results = list(records.values())
        self._threshold = THRESHOLDS[method]
        self._break_even = BREAK_EVEN[method]
        self._ranking = _pooled(records, method)
        self._record = np.repeat(np.arange(len(results)), [len(result.veb) for result in results])
        self._hours = np.array([result.hours for result in results])
        self._false_rate = np.array([result.false_episodes[method] for result in results]) / self._hours
        self._auroc = np.array(
            [
                detection_metrics.auroc(result.counts(method)) if result.veb.sum() >= LEAST_VEB else math.nan
                for result in results
            ]
        )

    def figures(self, times: IntArray) -> Figures:
        """Return the figures with each record taken so many times."""
        counts = self._ranking.counts(times.astype(np.float64)[self._record])
        aurocs = self._auroc[(times > 0) & ~np.isnan(self._auroc)]
        return Figures(
            auroc=detection_metrics.auroc(counts),
            ap=detection_metrics.average_precision(counts),
            worst_auroc=float(aurocs.min()) if len(aurocs) else math.nan,
            f1=detection_metrics.f1(counts, self._threshold),
            sensitivity=detection_metrics.sensitivity(counts, self._threshold),
            f1_break_even=detection_metrics.f1(counts, self._break_even),
            se_at_10_per_h=detection_metrics.sensitivity_within(counts, FALSE_PER_HOUR * float(self._hours @ times)),
            false_episodes_per_h=float(np.median(np.repeat(self._false_rate, times))),
        )


def _pooled(records: Mapping[str, RecordResult], method: str) -> detection_metrics.Ranking:
    return detection_metrics.rank(
        np.concatenate([record.score[method] for record in records.values()]),
        np.concatenate([record.veb for record in records.values()]),
    )


def _or_none(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Return figures for JSON, which knows no NaN."""
    return {name: None if math.isnan(value) else value for name, value in figures.items()}


def _for_json(intervals: Intervals) -> dict[str, list[float | None]]:
    return {name: [None if math.isnan(end) else end for end in ends] for name, ends in intervals.items()}


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
    ("s/h in false alarm", "false_alarm_s_per_h"),
    ("the same, median", "median_false_alarm_s_per_h"),
)


def print_residual(report: ResidualReport, console: Console) -> None:
    """Print the figures over all records; a dash where a figure has no meaning."""
    veb = sum(int(record.veb.sum()) for record in report.records.values())
    beats = sum(len(record.veb) for record in report.records.values())
    table = Table(
        title=f"Residual alarms, {counted(len(report.records))} from 5:00: {veb} VEB, {beats - veb} other beats",
        caption="F1 and sensitivity at the threshold of alarms; break-even: where on DS1 as many beats are marked as "
        "are VEB; below each figure its 95 % interval, "
        "bootstrap over patients; median and worst: over records",
        **NARROW,
    )
    table.add_column("")
    for method in METHODS:
        table.add_column(LABELS[method], justify="right")
    for heading, rows, figures, intervals in (
        ("by beat", ROWS, report.figures, report.intervals),
        ("by time", TIME_ROWS, report.time, report.time_intervals),
    ):
        table.add_section()
        table.add_row(heading, style="bold")
        for label, name in rows:
            table.add_row(label, *(_text(getattr(figures[method], name), name) for method in METHODS))
            ends = ("–".join(_text(end, name) for end in intervals[method][name]) for method in METHODS)
            table.add_row("", *ends, style="dim")
    console.print(table)


def print_residual_by_record(report: ResidualReport, console: Console) -> None:
    """Print what our alarms reach on each record, and the AUROC of AR(180)."""
    each = Table(title="Residual alarms by record, at the shipped threshold; last: AUROC of AR(180)", **NARROW)
    for head in ("record", "VEB", "beats", "AUROC", "AP", "F1", "alarms", "false/h", "false s/h", "AR(180)"):
        each.add_column(head, justify="right" if head != "record" else "left")
    for name, record in report.records.items():
        counts = record.counts(OURS)
        each.add_row(
            name,
            str(int(record.veb.sum())),
            str(len(record.veb)),
            _text(detection_metrics.auroc(counts)),
            _text(detection_metrics.average_precision(counts)),
            _text(detection_metrics.f1(counts, THRESHOLDS[OURS])),
            str(record.episodes[OURS]),
            f"{record.false_episodes[OURS] / record.hours:.1f}",
            f"{record.time.false_s[OURS] / record.hours:.0f}",
            _text(detection_metrics.auroc(record.counts("residual_ar180"))),
        )
    console.print(each)


def _text(value: float, name: str = "") -> str:
    if math.isnan(value):
        return "-"
    if name.endswith(("episodes_per_h", "_s_per_h")):
        return f"{value:.{0 if value >= 100 else 1}f}"
    return f"{value:.3f}"
