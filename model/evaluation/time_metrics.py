"""Residual alarms by time: is the score high while an ectopic beat lasts, and low all the rest of the time?

Counted per beat, a score that is high between the beats costs nothing. Here every moment counts once:

- A **moment** is a patch of 4 samples (11 ms), and its score the one that became known at the patch's last sample; it
  is scored when that sample lies at 5:00 or later.
- A moment is **positive** when that sample lies in the window of a ventricular ectopic beat (V or E): from 150 ms
  before its R peak to 250 ms after it, both ends included, the window by which beats are scored.
- It is **left out** when it lies in no such window, but in the same window about a fusion beat (F) or a wave of
  ventricular flutter (``!``): those are neither hit nor miss. All other moments are **negative**.
- **Time in false alarm** is the time from 5:00 on, sample by sample, within an alarm and within no window of a V, E, F
  or ``!``. It counts also where the alarm is about an ectopic beat and lasts longer than its window, so it asks more
  than the count of false episodes does.

A score averages over the last samples, so it rises after the wave does: the start of a window is partly out of reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from model.evaluation import detection_metrics
from model.evaluation.detection_metrics import Counts
from model.signal.arrays import BoolArray, FloatArray, IntArray
from stream.timebase import FS

BEFORE_R, AFTER_R = 54, 90
"""The window of a beat in samples: 150 ms before R to 250 ms after it."""

BINS = 2000
"""So many positive moments, spread evenly over their scores, bound the bins in which all scores are counted, so that
they can be pooled again and again. Figures are exact up to so many positives, and right to three digits above."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Which samples of a record lie where; shape (n,).

    Attributes
    ----------
    ectopic : ndarray of bool
        In the window of a V or E.
    excused : ndarray of bool
        In that of an F or ``!`` alone.
    """

    ectopic: BoolArray
    excused: BoolArray


@dataclass(frozen=True)
class TimeResult:
    """What all methods made of one record, moment by moment from 5:00.

    Attributes
    ----------
    positive : ndarray of bool, shape (k,)
        Those left out are not among them.
    hours : float
        From 5:00 to the end.
    score : dict of str to ndarray, shape (k,)
        By method; NaN where it was still learning.
    false_s : dict of str to float
        Seconds in false alarm, by method.
    """

    positive: BoolArray
    hours: float
    score: dict[str, FloatArray]
    false_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class TimeFigures:
    """The figures of one method over all records; NaN where they have no meaning.

    Attributes
    ----------
    auroc, ap : float
        Pooled over moments.
    false_alarm_s_per_h : float
        Seconds in false alarm per hour, all records together.
    median_false_alarm_s_per_h : float
        The same, median over records.
    """

    auroc: float
    ap: float
    false_alarm_s_per_h: float
    median_false_alarm_s_per_h: float


TIME_FIGURES = tuple(field.name for field in fields(TimeFigures))


def windows(ectopic: IntArray, excused: IntArray, n: int) -> Windows:
    """Mark the windows of beats.

    Parameters
    ----------
    ectopic, excused : ndarray of int64
        Samples of V and E, and of F and ``!``.
    n : int
        Samples of the record.
    """
    own = _within(ectopic - BEFORE_R, ectopic + AFTER_R, n)
    return Windows(own, _within(excused - BEFORE_R, excused + AFTER_R, n) & ~own)


def false_seconds(marked: Windows, first: IntArray, last: IntArray, scored_from: int) -> float:
    """Return the time in false alarm.

    Parameters
    ----------
    marked : Windows
    first, last : ndarray of int64, shape (episodes,)
        First and last sample of each alarm.
    scored_from : int
        Sample before which nothing counts.
    """
    alarm = _within(first, last, len(marked.ectopic))
    return float((alarm & ~marked.ectopic & ~marked.excused)[scored_from:].sum()) / FS


def moments(marked: Windows, at: IntArray, scored_from: int) -> tuple[BoolArray, BoolArray]:
    """Tell which moments count, and which of those are positive.

    Parameters
    ----------
    marked : Windows
    at : ndarray of int64, shape (k,)
        Last samples of patches.
    scored_from : int

    Returns
    -------
    counted : ndarray of bool, shape (k,)
    positive : ndarray of bool, shape (number counted,)
    """
    counted = (at >= scored_from) & ~marked.excused[at]
    return counted, marked.ectopic[at[counted]]


def _within(first: IntArray, last: IntArray, n: int) -> BoolArray:
    """Return which of n samples lie within stretches."""
    steps = np.zeros(n + 1, dtype=np.int64)
    np.add.at(steps, first.clip(0, n), 1)
    np.add.at(steps, (last + 1).clip(0, n), -1)
    return np.asarray(np.cumsum(steps[:n]) > 0)


class TimeSummary:
    """One method's moments, counted by record and bin, ready to be weighted by how often each record was drawn."""

    def __init__(self, results: Sequence[TimeResult], method: str) -> None:
        scores = [np.where(np.isnan(r.score[method]), -np.inf, r.score[method]) for r in results]
        ectopic = np.concatenate([score[r.positive] for score, r in zip(scores, results, strict=True)])
        known = ectopic[ectopic > -np.inf]
        places = np.linspace(0, 1, min(BINS, len(known)))
        bounds = np.quantile(known, places, method="nearest") if len(known) else known
        # A bound is a bin of its own, for what lies above it beats it. Bin 0 is for what is unknown.
        self._edges = np.unique(np.concatenate([[np.finfo(np.float64).min], bounds, np.nextafter(bounds, np.inf)]))
        counted = [np.searchsorted(self._edges, score, side="right") for score in scores]
        size = len(self._edges) + 1
        pairs = list(zip(counted, results, strict=True))
        self._hits = np.stack([np.bincount(bins[r.positive], minlength=size) for bins, r in pairs])
        self._false = np.stack([np.bincount(bins[~r.positive], minlength=size) for bins, r in pairs])
        self._seconds = np.array([r.false_s[method] for r in results])
        self._hours = np.array([r.hours for r in results])

    def counts(self, times: IntArray) -> Counts:
        """Return what each threshold marks with each record taken so many times."""
        falling = np.append(self._edges[::-1], -np.inf)
        hits, false = (np.cumsum((times @ kind)[::-1]).astype(np.float64) for kind in (self._hits, self._false))
        return Counts(falling, hits, false)

    def figures(self, times: IntArray) -> TimeFigures:
        """Return the figures with each record taken so many times."""
        counts = self.counts(times)
        rate = self._seconds / self._hours
        return TimeFigures(
            auroc=detection_metrics.auroc(counts),
            ap=detection_metrics.average_precision(counts),
            false_alarm_s_per_h=float((self._seconds @ times) / (self._hours @ times)),
            median_false_alarm_s_per_h=float(np.median(np.repeat(rate, times))),
        )


def record_figures(result: TimeResult, method: str) -> TimeFigures:
    """Return the figures of one record."""
    return TimeSummary([result], method).figures(np.ones(1, dtype=np.int64))
