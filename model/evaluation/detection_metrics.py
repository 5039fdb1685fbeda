"""Detection metrics from scores: ROC, average precision, F1, sensitivity, and alarm episodes.

Pure functions on arrays. A score of NaN is unknown and ranks below all others: no threshold reaches it. A threshold
includes all cases with an equal score or none of them. A metric that is undefined, because one class is empty, is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Counts:
    """True and false positives at each threshold, from the highest threshold to the lowest.

    Attributes
    ----------
    threshold : ndarray, shape (k,)
        The distinct scores, descending; −inf where the score was unknown.
    tp, fp : ndarray, shape (k,)
        Positive and negative cases that score at least the threshold.
    """

    threshold: FloatArray
    tp: FloatArray
    fp: FloatArray

    @property
    def positives(self) -> float:
        """Number of positive cases."""
        return float(self.tp[-1]) if len(self.tp) else 0.0

    @property
    def negatives(self) -> float:
        """Number of negative cases."""
        return float(self.fp[-1]) if len(self.fp) else 0.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """Cases sorted by score, which can be counted repeatedly with different weights.

    Attributes
    ----------
    order : ndarray of int64, shape (n,)
        The cases from the highest score to the lowest.
    last : ndarray of int64, shape (k,)
        Position in `order` of the last case with each distinct score.
    threshold : ndarray, shape (k,)
        The distinct scores.
    positive : ndarray of bool, shape (n,)
        In the original order of the cases.
    """

    order: IntArray
    last: IntArray
    threshold: FloatArray
    positive: BoolArray

    def counts(self, weight: FloatArray | None = None) -> Counts:
        """Count the cases with a weight each, 1 by default."""
        weight = np.ones(len(self.order)) if weight is None else weight
        tp = np.cumsum(np.where(self.positive, weight, 0.0)[self.order])[self.last]
        fp = np.cumsum(np.where(self.positive, 0.0, weight)[self.order])[self.last]
        return Counts(self.threshold, tp, fp)


def rank(score: FloatArray, positive: BoolArray) -> Ranking:
    """Sort cases by score.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Higher for a suspected positive; NaN if unknown.
    positive : ndarray of bool, shape (n,)
    """
    known = np.where(np.isnan(score), -np.inf, score)
    order = np.argsort(-known, kind="stable")
    descending = known[order]
    last = np.flatnonzero(np.append(descending[1:] != descending[:-1], True)) if len(order) else order
    return Ranking(order, last, descending[last], positive)


def count(score: FloatArray, positive: BoolArray) -> Counts:
    """Count each case once; parameters as in `rank`."""
    return rank(score, positive).counts()


def auroc(counts: Counts) -> float:
    """Return the area under the ROC curve: the probability that a positive outscores a negative, ties counting half."""
    if not counts.positives or not counts.negatives:
        return float("nan")
    tp = np.append(0.0, counts.tp)
    area = (np.diff(counts.fp, prepend=0.0) * (tp[1:] + tp[:-1]) / 2).sum()
    return float(area / (counts.positives * counts.negatives))


def average_precision(counts: Counts) -> float:
    """Return the average precision: the step-wise area under the precision-sensitivity curve."""
    if not counts.positives or not counts.negatives:
        return float("nan")
    # Weights of 0 can leave no case above a threshold; such a threshold adds nothing.
    precision = counts.tp / np.maximum(counts.tp + counts.fp, 1e-12)
    return float((np.diff(counts.tp, prepend=0.0) * precision).sum() / counts.positives)


def f1(counts: Counts, threshold: float) -> float:
    """Return the harmonic mean of sensitivity and precision at ``threshold``."""
    if not counts.positives:
        return float("nan")
    tp, fp = _at(counts, threshold)
    return 2 * tp / (tp + fp + counts.positives)


def sensitivity(counts: Counts, threshold: float) -> float:
    """Return the share of positives that score at least ``threshold``."""
    return _at(counts, threshold)[0] / counts.positives if counts.positives else float("nan")


def sensitivity_within(counts: Counts, fp: float) -> float:
    """Return the highest sensitivity with at most ``fp`` false positives."""
    if not counts.positives:
        return float("nan")
    allowed = (counts.fp <= fp) & (counts.threshold > -np.inf)
    return float(counts.tp[allowed].max(initial=0.0)) / counts.positives


def break_even(counts: Counts) -> float:
    """Return the threshold at which as many cases are detected as there are positives.

    Sensitivity, precision and F1 are equal there. With ties it is the highest threshold that detects at least as many.
    """
    if not counts.positives:
        return float("nan")
    enough = counts.tp + counts.fp >= counts.positives
    return float(counts.threshold[np.argmax(enough)])


def _at(counts: Counts, threshold: float) -> tuple[float, float]:
    """Return true and false positives at a threshold."""
    reached = int((counts.threshold >= threshold).sum())
    return (float(counts.tp[reached - 1]), float(counts.fp[reached - 1])) if reached else (0.0, 0.0)


def peak_in_windows(score: FloatArray, at: IntArray, first: IntArray, last: IntArray) -> FloatArray:
    """Return the highest score in each time window.

    Parameters
    ----------
    score : ndarray, shape (k,)
        NaN if unknown.
    at : ndarray of int64, shape (k,)
        The sample at which each score became known, rising.
    first, last : ndarray of int64, shape (n,)
        First and last sample of each window.

    Returns
    -------
    ndarray, shape (n,)
        NaN where the window contains no known score.
    """
    begin, end = np.searchsorted(at, first, side="left"), np.searchsorted(at, last, side="right")
    known = np.where(np.isnan(score), -np.inf, score)
    peaks = np.array([known[a:b].max(initial=-np.inf) for a, b in zip(begin, end, strict=True)], dtype=np.float64)
    return np.where(peaks == -np.inf, np.nan, peaks)


def episodes_above(score: FloatArray, at: IntArray, threshold: float, hold: int) -> tuple[IntArray, IntArray]:
    """Return the episodes in which a score reaches a threshold.

    Parameters
    ----------
    score, at
        As in `peak_in_windows`.
    threshold : float
    hold : int
        An episode ends when the score has been below the threshold for more than this many samples.

    Returns
    -------
    first, last : ndarray of int64, shape (episodes,)
        The samples at which the score first and last reached the threshold.
    """
    above = at[score >= threshold]
    if not len(above):
        return above, above
    new = np.diff(above) > hold
    return above[np.append(True, new)], above[np.append(new, True)]


def contains_none(first: IntArray, last: IntArray, at: IntArray, tolerance: int) -> BoolArray:
    """Return which episodes contain none of the given samples.

    Parameters
    ----------
    first, last : ndarray of int64, shape (episodes,)
        First and last sample of each episode.
    at : ndarray of int64, shape (k,)
        Rising.
    tolerance : int
        Samples before ``first`` and after ``last`` that count as part of the episode.

    Returns
    -------
    ndarray of bool, shape (episodes,)
    """
    begin = np.searchsorted(at, first - tolerance, side="left")
    end = np.searchsorted(at, last + tolerance, side="right")
    return np.asarray(begin == end)
