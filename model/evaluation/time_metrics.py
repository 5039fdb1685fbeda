"""Time-based metrics of anomaly alarms: is the score high during ectopic beats, and low at all other times?

Beat-based metrics ignore the score between beats. Here every patch of 4 samples (11 ms) counts once:

- The score of a patch is the one known at its last sample. Patches are scored from 5:00 on.
- A patch is *positive* if its last sample lies in the window of a ventricular ectopic beat: from 150 ms before the R
  peak to 250 ms after it, both ends included.
- It is *excluded* if it lies in no such window, but in that of a fusion beat (F) or a flutter wave (``!``). All other
  patches are *negative*.
- *Time in false alarm* is the time from 5:00 on, sample by sample, within an alarm and outside all windows of V, E, F
  and ``!``. It includes the part of a true alarm that outlasts the window of its beat, so it is stricter than the
  number of false episodes.

The score averages over past samples and rises after the wave, so it cannot reach the start of a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from model.evaluation import detection_metrics
from model.evaluation.anomaly_targets import Windows, mark
from model.evaluation.detection_metrics import Counts
from model.signal.arrays import BoolArray, FloatArray, IntArray
from stream.timebase import FS

BINS = 2000
"""Number of positive patches, evenly spaced by score, that bound the histogram bins. Binned scores can be pooled
repeatedly. Metrics are exact up to this many positives, and accurate to three digits above."""


@dataclass(frozen=True)
class TimeResult:
    """Patch scores of all methods on one record, from 5:00.

    Attributes
    ----------
    positive : ndarray of bool, shape (k,)
        Excluded patches are left out.
    hours : float
        From 5:00 to the end.
    score : dict of str to ndarray, shape (k,)
        By method; NaN during the learning period.
    false_s : dict of str to float
        Seconds in false alarm, by method.
    """

    positive: BoolArray
    hours: float
    score: dict[str, FloatArray]
    false_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class TimeMetrics:
    """Time-based metrics of one method over all records; NaN if undefined.

    Attributes
    ----------
    auroc, ap : float
        Pooled over patches.
    false_alarm_s_per_h : float
        Seconds in false alarm per hour, all records together.
    median_false_alarm_s_per_h : float
        Seconds in false alarm per hour, median over records.
    """

    auroc: float
    ap: float
    false_alarm_s_per_h: float
    median_false_alarm_s_per_h: float


TIME_METRICS = tuple(field.name for field in fields(TimeMetrics))


def false_seconds(windows: Windows, first: IntArray, last: IntArray, scored_from: int) -> float:
    """Return the time in false alarm in seconds.

    Parameters
    ----------
    windows : Windows
    first, last : ndarray of int64, shape (episodes,)
        First and last sample of each alarm.
    scored_from : int
        First scored sample.
    """
    alarm = mark(first, last, len(windows.veb))
    return float((alarm & ~windows.veb & ~windows.excluded)[scored_from:].sum()) / FS


def scored_patches(windows: Windows, at: IntArray, scored_from: int) -> tuple[BoolArray, BoolArray]:
    """Return which patches are scored, and which of those are positive.

    Parameters
    ----------
    windows : Windows
    at : ndarray of int64, shape (k,)
        Last samples of the patches.
    scored_from : int
        First scored sample.

    Returns
    -------
    scored : ndarray of bool, shape (k,)
    positive : ndarray of bool, shape (number scored,)
    """
    scored = (at >= scored_from) & ~windows.excluded[at]
    return scored, windows.veb[at[scored]]


class PooledTimeScores:
    """Patch scores of one method as histograms by record, which can be pooled with weights.

    Parameters
    ----------
    results : sequence of TimeResult
        One for each record.
    method : str
    """

    def __init__(self, results: Sequence[TimeResult], method: str) -> None:
        scores = [np.where(np.isnan(r.score[method]), -np.inf, r.score[method]) for r in results]
        positive = np.concatenate([score[r.positive] for score, r in zip(scores, results, strict=True)])
        known = positive[positive > -np.inf]
        places = np.linspace(0, 1, min(BINS, len(known)))
        bounds = np.quantile(known, places, method="nearest") if len(known) else known
        # Each bound gets a bin of its own, so that scores equal to it are ties. Bin 0 holds unknown scores.
        self._edges = np.unique(np.concatenate([[np.finfo(np.float64).min], bounds, np.nextafter(bounds, np.inf)]))
        binned = [np.searchsorted(self._edges, score, side="right") for score in scores]
        size = len(self._edges) + 1
        pairs = list(zip(binned, results, strict=True))
        self._tp = np.stack([np.bincount(bins[r.positive], minlength=size) for bins, r in pairs])
        self._fp = np.stack([np.bincount(bins[~r.positive], minlength=size) for bins, r in pairs])
        self._seconds = np.array([r.false_s[method] for r in results])
        self._hours = np.array([r.hours for r in results])

    def counts(self, times: IntArray) -> Counts:
        """Return the counts with each record repeated ``times``, shape (records,)."""
        descending = np.append(self._edges[::-1], -np.inf)
        tp, fp = (np.cumsum((times @ kind)[::-1]).astype(np.float64) for kind in (self._tp, self._fp))
        return Counts(descending, tp, fp)

    def metrics(self, times: IntArray) -> TimeMetrics:
        """Return the metrics with each record repeated ``times``, shape (records,)."""
        counts = self.counts(times)
        rate = self._seconds / self._hours
        return TimeMetrics(
            auroc=detection_metrics.auroc(counts),
            ap=detection_metrics.average_precision(counts),
            false_alarm_s_per_h=float((self._seconds @ times) / (self._hours @ times)),
            median_false_alarm_s_per_h=float(np.median(np.repeat(rate, times))),
        )


def record_metrics(result: TimeResult, method: str) -> TimeMetrics:
    """Return the metrics of one record."""
    return PooledTimeScores([result], method).metrics(np.ones(1, dtype=np.int64))
