"""The figures of residual alarms and of their rivals, over all records and by record, with intervals over patients.

Pooled figures put the beats of all records into one list, so that a score must mean the same for every patient.
Thresholds are frozen before anything is scored: ours is the shipped one, those of the rivals are from DS1. Intervals
are 95 % bootstrap intervals over patients.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from model import detection
from model.detection import Counts
from model.pipeline import RESIDUAL
from stream.errors import UsageError

OURS = "residual"
BREAK_EVEN: Mapping[str, float] = {
    OURS: 2.206,
    "residual_ar180": 1.4252,
    "residual_amplitude": 1.3826,
    "residual_random": 0.99837,
}
"""Score that marks as many beats of DS1, without 201 and 208, as are VEB; ours belongs to the shipped weights. In about
3 minutes ``from model import evaluate_residual, forecaster`` and
``evaluate_residual.break_even_thresholds(forecaster.load_forecaster())`` give them all."""

THRESHOLDS: Mapping[str, float] = {**BREAK_EVEN, OURS: RESIDUAL.threshold}
"""Score at which an alarm is raised: the shipped threshold, and the break-even points of the rivals."""

METHODS = tuple(THRESHOLDS)
PATIENT = {"202": "201"}
"""Records of a patient that has another one."""

FALSE_PER_HOUR = 10.0
LEAST_VEB = 10
"""A record with fewer VEB says little about its own AUROC, and does not count as the worst."""

DRAWS, SEED = 1000, 0

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


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
    """

    veb: Bools
    hours: float
    score: dict[str, Array]
    episodes: dict[str, int]
    false_episodes: dict[str, int]

    def counts(self, method: str) -> Counts:
        """Return what each threshold marks."""
        return detection.count(self.score[method], self.veb)


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
    """

    records: dict[str, RecordResult]
    figures: dict[str, Figures]
    intervals: dict[str, dict[str, tuple[float, float]]]

    def without(self, names: Iterable[str]) -> ResidualReport:
        """Return the report on the other records, without a new run.

        Raises
        ------
        UsageError
            No record is left.
        """
        left_out = set(names)
        return report_of({name: record for name, record in self.records.items() if name not in left_out})

    def counts(self, method: str) -> Counts:
        """Return what each threshold marks over all records: ROC and precision against sensitivity."""
        return _pooled(self.records, method).counts()

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON, one key a method; None where a figure has no meaning."""
        return {method: self._method(method) for method in METHODS}

    def _method(self, method: str) -> dict[str, Any]:
        figures = self.figures[method]
        records = {}
        for name, record in self.records.items():
            counts = record.counts(method)
            records[name] = {
                "auroc": _or_none(detection.auroc(counts)),
                "ap": _or_none(detection.average_precision(counts)),
                "f1": _or_none(detection.f1(counts, THRESHOLDS[method])),
                "sensitivity": _or_none(detection.sensitivity(counts, THRESHOLDS[method])),
                "beats": len(record.veb),
                "veb": int(record.veb.sum()),
                "episodes": record.episodes[method],
                "false_episodes_per_h": record.false_episodes[method] / record.hours,
            }
        return {
            **{name: _or_none(getattr(figures, name)) for name in FIGURES},
            "threshold": THRESHOLDS[method],
            "break_even": BREAK_EVEN[method],
            "intervals": {name: [_or_none(v) for v in ends] for name, ends in self.intervals[method].items()},
            "records": records,
        }


def report_of(records: Mapping[str, RecordResult]) -> ResidualReport:
    """Return the figures over records, with intervals.

    Raises
    ------
    UsageError
        There is no record.
    """
    if not records:
        raise UsageError("every record named is excluded: name at least one that is not")
    drawn = detection.draw_patients([PATIENT.get(name, name) for name in records], DRAWS, SEED)
    figures, intervals = {}, {}
    for method in METHODS:
        summary = _Summary(records, method)
        figures[method] = summary.figures(np.ones(len(records), dtype=np.int64))
        samples = [summary.figures(times) for times in drawn]
        intervals[method] = {
            name: detection.interval95([getattr(sample, name) for sample in samples]) for name in FIGURES
        }
    return ResidualReport(dict(records), figures, intervals)


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
                detection.auroc(result.counts(method)) if result.veb.sum() >= LEAST_VEB else math.nan
                for result in results
            ]
        )

    def figures(self, times: Ints) -> Figures:
        """Return the figures with each record taken so many times."""
        counts = self._ranking.counts(times.astype(np.float64)[self._record])
        aurocs = self._auroc[(times > 0) & ~np.isnan(self._auroc)]
        return Figures(
            auroc=detection.auroc(counts),
            ap=detection.average_precision(counts),
            worst_auroc=float(aurocs.min()) if len(aurocs) else math.nan,
            f1=detection.f1(counts, self._threshold),
            sensitivity=detection.sensitivity(counts, self._threshold),
            f1_break_even=detection.f1(counts, self._break_even),
            se_at_10_per_h=detection.sensitivity_within(counts, FALSE_PER_HOUR * float(self._hours @ times)),
            false_episodes_per_h=float(np.median(np.repeat(self._false_rate, times))),
        )


def _pooled(records: Mapping[str, RecordResult], method: str) -> detection.Ranking:
    return detection.rank(
        np.concatenate([record.score[method] for record in records.values()]),
        np.concatenate([record.veb for record in records.values()]),
    )


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def print_residual(report: ResidualReport, console: Console | None = None) -> None:
    """Print the figures as tables; a dash where a figure has no meaning."""
    console = console or Console()
    veb = sum(int(record.veb.sum()) for record in report.records.values())
    beats = sum(len(record.veb) for record in report.records.values())
    table = Table(
        title=f"VEB against the other beats, {len(report.records)} records from 5:00, {veb} VEB of {beats} beats",
        caption="F1 and Se at the threshold of alarms, F1 even at the break-even point of DS1; "
        "below each figure its 95 % interval, bootstrap over patients",
    )
    heads = ("AUROC", "AP", "worst AUROC", "F1", "Se", "F1 even", "Se at 10 false/h", "false episodes/h")
    for head in ("", *heads):
        table.add_column(head, justify="right" if head else "left")
    for method in METHODS:
        figures, intervals = report.figures[method], report.intervals[method]
        table.add_row(method, *(_text(getattr(figures, name), name) for name in FIGURES))
        table.add_row("", *("–".join(_text(end, name) for end in intervals[name]) for name in FIGURES), style="dim")
    console.print(table)
    each = Table(title="Residual alarms by record, at the shipped threshold")
    for head in ("record", "VEB", "beats", "AUROC", "AP", "F1", "episodes", "false/h", "AUROC of AR(180)"):
        each.add_column(head, justify="right" if head != "record" else "left")
    for name, record in report.records.items():
        counts = record.counts(OURS)
        each.add_row(
            name,
            str(int(record.veb.sum())),
            str(len(record.veb)),
            _text(detection.auroc(counts)),
            _text(detection.average_precision(counts)),
            _text(detection.f1(counts, THRESHOLDS[OURS])),
            str(record.episodes[OURS]),
            f"{record.false_episodes[OURS] / record.hours:.1f}",
            _text(detection.auroc(record.counts("residual_ar180"))),
        )
    console.print(each)


def _text(value: float, name: str = "") -> str:
    return "-" if math.isnan(value) else f"{value:.1f}" if name.endswith("episodes_per_h") else f"{value:.3f}"
