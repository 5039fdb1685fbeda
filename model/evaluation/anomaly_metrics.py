"""Beat-based metrics of anomaly alarms and of the baselines, by record and pooled over records.

Pooling puts the beats of all records into one list, which requires that a score means the same for every patient.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from model.anomaly.state import DEFAULT_CONFIG
from model.evaluation import detection_metrics
from model.evaluation.detection_metrics import Counts, Ranking
from model.evaluation.ec57_beats import SCORED_FROM
from model.evaluation.time_metrics import TimeResult
from model.signal.arrays import BoolArray, FloatArray, IntArray

ANOMALY = "residual"
"""Key of the shipped anomaly score among the methods."""

BREAK_EVEN: Mapping[str, float] = {
    ANOMALY: 2.437,
    "residual_ar180": 1.4252,
    "residual_amplitude": 1.3826,
    "residual_random": 0.99837,
}
"""Thresholds at which as many beats of DS1, without 201 and 208, are detected as are VEB. That of the anomaly score is
from cross-validation, as ``bedside train --what residual`` prints it (without alarm episodes, so all complexes enter
the template memory). Those of the baselines are the output of `anomaly_scores.break_even_thresholds` for the shipped
forecaster, about 3 minutes; its value for the anomaly score is of weights fitted to those patients."""

THRESHOLDS: Mapping[str, float] = {**BREAK_EVEN, ANOMALY: DEFAULT_CONFIG.threshold}
"""Alarm thresholds, fixed before scoring: the shipped one, and the break-even points of the baselines."""

METHODS = tuple(THRESHOLDS)

FALSE_PER_HOUR = 10.0
LEAST_VEB = 10
"""Records with fewer VEB are not considered for the worst AUROC, which would be unreliable."""


@dataclass(frozen=True)
class RecordResult:
    """Results of the methods on one record.

    Attributes
    ----------
    veb : ndarray of bool, shape (n,)
        Which beats are positive.
    hours : float
    score : dict of str to ndarray, shape (n,)
        Beat scores by method; NaN during the learning period.
    episodes, false_episodes : dict of str to int
        Numbers of alarms and of false alarms by method.
    time : TimeResult
        Scores of patches.
    scored_from : int
        First scored sample.
    """

    veb: BoolArray
    hours: float
    score: dict[str, FloatArray]
    episodes: dict[str, int]
    false_episodes: dict[str, int]
    time: TimeResult
    scored_from: int = SCORED_FROM

    def counts(self, method: str) -> Counts:
        """Return true and false positives at each threshold."""
        return detection_metrics.count(self.score[method], self.veb)


@dataclass(frozen=True)
class AnomalyMetrics:
    """Beat-based metrics of one method over all records; NaN if undefined.

    Attributes
    ----------
    auroc, ap : float
        Pooled.
    worst_auroc : float
        Lowest AUROC of the records with at least 10 VEB.
    f1, sensitivity : float
        At the alarm threshold, pooled.
    f1_break_even : float
        At the break-even threshold of DS1, pooled: the same rule for all methods.
    se_at_10_per_h : float
        Sensitivity at the common threshold with 10 false positive beats per hour.
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


METRICS = tuple(field.name for field in fields(AnomalyMetrics))


class PooledBeatScores:
    """Beat scores of one method, which can be pooled with weights.

    Parameters
    ----------
    records : mapping of str to RecordResult
    method : str
    """

    def __init__(self, records: Mapping[str, RecordResult], method: str) -> None:
        results = list(records.values())
        self._threshold = THRESHOLDS[method]
        self._break_even = BREAK_EVEN[method]
        self._ranking = pooled(records, method)
        self._record = np.repeat(np.arange(len(results)), [len(result.veb) for result in results])
        self._hours = np.array([result.hours for result in results])
        self._false_rate = np.array([result.false_episodes[method] for result in results]) / self._hours
        self._auroc = np.array(
            [
                detection_metrics.auroc(result.counts(method)) if result.veb.sum() >= LEAST_VEB else math.nan
                for result in results
            ]
        )

    def metrics(self, times: IntArray) -> AnomalyMetrics:
        """Return the metrics with each record repeated ``times``, shape (records,)."""
        counts = self._ranking.counts(times.astype(np.float64)[self._record])
        aurocs = self._auroc[(times > 0) & ~np.isnan(self._auroc)]
        return AnomalyMetrics(
            auroc=detection_metrics.auroc(counts),
            ap=detection_metrics.average_precision(counts),
            worst_auroc=float(aurocs.min()) if len(aurocs) else math.nan,
            f1=detection_metrics.f1(counts, self._threshold),
            sensitivity=detection_metrics.sensitivity(counts, self._threshold),
            f1_break_even=detection_metrics.f1(counts, self._break_even),
            se_at_10_per_h=detection_metrics.sensitivity_within(counts, FALSE_PER_HOUR * float(self._hours @ times)),
            false_episodes_per_h=float(np.median(np.repeat(self._false_rate, times))),
        )


def pooled(records: Mapping[str, RecordResult], method: str) -> Ranking:
    """Return the beats of all records, ranked by the score of a method."""
    return detection_metrics.rank(
        np.concatenate([record.score[method] for record in records.values()]),
        np.concatenate([record.veb for record in records.values()]),
    )
