"""Features of an RR interval relative to the earlier ones of the patient."""

from __future__ import annotations

import math

import numpy as np

from model.signal.arrays import FloatArray
from model.signal.compiled import compiled, compiled_part
from model.signal.small_arrays import kth_smallest

RECENT_RR, LONG_RR = 20, 150
"""Number of RR intervals used for the irregularity, and for the long-term mean."""

NAMES = (
    "rr/median20", "rr/mean10", "rr/mean150", "rr/normal", "rr/before", "step", "spread", "rr_z", "early_share",
    "unpredictable", "rank150", "spread150",
)  # fmt: skip
"""Names of the features, in order."""

UNKNOWN = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.05, 0.0, 0.0, 0.02, 0.5, 0.05])
"""The features without an RR interval or without an earlier one."""


@compiled
def measure(past: FloatArray, rr: float, normal_rr: float, features: FloatArray) -> None:
    """Compare an RR interval with earlier ones.

    Parameters
    ----------
    past : ndarray of float64, shape (up to LONG_RR,), samples
        The last RR intervals, oldest first.
    rr : float
        RR interval, samples; NaN if unknown.
    normal_rr : float
        Mean RR interval between two normal beats, samples; NaN before the first.
    features : ndarray of float64, shape (len(NAMES),)
        Receives the features.
    """
    if math.isnan(rr) or len(past) == 0:
        for i in range(len(features)):
            features[i] = UNKNOWN[i]
        return
    recent, tail, n = past[-RECENT_RR:], past[-10:], len(past)
    median = upper_median(recent)
    logs, steps, early = np.empty(len(recent)), np.empty(len(recent) - 1), 0
    for i in range(len(recent)):
        logs[i] = math.log(recent[i])
        early += recent[i] < 0.85 * median
    for i in range(len(steps)):
        steps[i] = abs(logs[i + 1] - logs[i])
    step = upper_median(steps) if len(steps) else 0.05
    to_median = log_ratio(rr / median)
    total, square, shorter = 0.0, 0.0, 0
    for earlier in past:
        total += earlier
        square += earlier * earlier
        shorter += earlier < rr
    features[0] = to_median
    features[1] = log_ratio(rr * len(tail) / tail.sum())
    features[2] = log_ratio(rr * n / total)
    features[3] = log_ratio(rr / (median if math.isnan(normal_rr) else normal_rr))
    features[4] = log_ratio(rr / past[-1])
    features[5] = min(step, 0.5)
    features[6] = min(deviation(logs), 0.7)
    features[7] = max(-4.0, min(4.0, to_median / (2 * step + 0.05)))
    features[8] = early / len(recent)
    features[9] = unpredictability(logs)
    features[10] = (shorter + 0.5) / (n + 1)
    features[11] = min(math.sqrt(max(square * n / (total * total) - 1, 0.0)), 0.7)


@compiled_part
def deviation(values: FloatArray) -> float:
    """Return the standard deviation."""
    mean, square = values.mean(), 0.0
    for value in values:
        square += (value - mean) * (value - mean)
    return math.sqrt(square / len(values))


@compiled
def unpredictability(logs: FloatArray) -> float:
    """Return the median distance of each log RR interval to the nearest of the three before.

    Small in repeating rhythms, including bigeminy and trigeminy; large in atrial fibrillation.
    """
    if len(logs) < 4:
        return 0.02
    distances = np.empty(len(logs) - 3)
    for i in range(len(distances)):
        last = logs[i + 3]
        distances[i] = min(abs(last - logs[i + 2]), abs(last - logs[i + 1]), abs(last - logs[i]))
    return min(upper_median(distances), 0.5)


@compiled_part
def upper_median(values: FloatArray) -> float:
    """Return the median; of an even number of values, the upper one."""
    return kth_smallest(values.copy(), len(values) // 2)


@compiled_part
def log_ratio(x: float) -> float:
    """Return the logarithm of a ratio of RR intervals, limited to ±1.5: a factor of 4.5."""
    return max(-1.5, min(1.5, math.log(x)))
