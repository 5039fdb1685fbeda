"""How well a score finds what it should: counted per beat and per episode, with intervals over patients.

Pure functions on arrays. A score of NaN says "unknown" and ranks below all others: no threshold reaches it. Equal
scores are never told apart: a threshold takes all of them or none. Where a figure has no meaning, because one of the
two classes is empty, it is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Counts:
    """What each threshold marks, from the highest threshold to the lowest.

    Attributes
    ----------
    threshold : ndarray, shape (k,)
        The distinct scores, falling; −inf where the score was unknown.
    hits, false : ndarray, shape (k,)
        Positives and negatives that score at least the threshold.
    """

    threshold: FloatArray
    hits: FloatArray
    false: FloatArray

    @property
    def positives(self) -> float:
        """Number of positives."""
        return float(self.hits[-1]) if len(self.hits) else 0.0

    @property
    def negatives(self) -> float:
        """Number of negatives."""
        return float(self.false[-1]) if len(self.false) else 0.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """Scored cases in order, so that they can be counted again and again with other weights.

    Attributes
    ----------
    order : ndarray of int64, shape (n,)
        The cases from the highest score to the lowest.
    last : ndarray of int64, shape (k,)
        Place in `order` of the last case of each distinct score.
    threshold : ndarray, shape (k,)
    positive : ndarray of bool, shape (n,)
        In the order of the cases.
    """

    order: IntArray
    last: IntArray
    threshold: FloatArray
    positive: BoolArray

    def counts(self, weight: FloatArray | None = None) -> Counts:
        """Count the cases, each as often as its weight says (once by default)."""
        weight = np.ones(len(self.order)) if weight is None else weight
        hits = np.cumsum(np.where(self.positive, weight, 0.0)[self.order])[self.last]
        false = np.cumsum(np.where(self.positive, 0.0, weight)[self.order])[self.last]
        return Counts(self.threshold, hits, false)


def rank(score: FloatArray, positive: BoolArray) -> Ranking:
    """Sort cases by their score.

    Parameters
    ----------
    score : ndarray, shape (n,)
        High where a positive is suspected; NaN where unknown.
    positive : ndarray of bool, shape (n,)
    """
    known = np.where(np.isnan(score), -np.inf, score)
    order = np.argsort(-known, kind="stable")
    falling = known[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True)) if len(order) else order
    return Ranking(order, last, falling[last], positive)


def count(score: FloatArray, positive: BoolArray) -> Counts:
    """Count each case once; the arguments are those of `rank`."""
    return rank(score, positive).counts()


def auroc(counts: Counts) -> float:
    """Return the chance that a random positive scores above a random negative, ties counting half."""
    if not counts.positives or not counts.negatives:
        return float("nan")
    hits = np.append(0.0, counts.hits)
    area = (np.diff(counts.false, prepend=0.0) * (hits[1:] + hits[:-1]) / 2).sum()
    return float(area / (counts.positives * counts.negatives))


def average_precision(counts: Counts) -> float:
    """Return the mean precision over the positives: the step-wise area under precision against sensitivity."""
    if not counts.positives or not counts.negatives:
        return float("nan")
    # A weight of 0 may leave nothing above a threshold; nothing is gained there either.
    precision = counts.hits / np.maximum(counts.hits + counts.false, 1e-12)
    return float((np.diff(counts.hits, prepend=0.0) * precision).sum() / counts.positives)


def f1(counts: Counts, threshold: float) -> float:
    """Return the harmonic mean of sensitivity and precision of what scores at least ``threshold``."""
    if not counts.positives:
        return float("nan")
    hits, false = _at(counts, threshold)
    return 2 * hits / (hits + false + counts.positives)


def sensitivity(counts: Counts, threshold: float) -> float:
    """Return the share of positives that score at least ``threshold``."""
    return _at(counts, threshold)[0] / counts.positives if counts.positives else float("nan")


def sensitivity_within(counts: Counts, false: float) -> float:
    """Return the highest sensitivity that marks at most ``false`` negatives, as 10 an hour times the hours."""
    if not counts.positives:
        return float("nan")
    allowed = (counts.false <= false) & (counts.threshold > -np.inf)
    return float(counts.hits[allowed].max(initial=0.0)) / counts.positives


def break_even(counts: Counts) -> float:
    """Return the threshold that marks as many cases as there are positives: sensitivity, precision and F1 are equal.

    With ties, the highest threshold that marks at least as many. NaN where nothing is positive.
    """
    if not counts.positives:
        return float("nan")
    enough = counts.hits + counts.false >= counts.positives
    return float(counts.threshold[np.argmax(enough)])


def _at(counts: Counts, threshold: float) -> tuple[float, float]:
    """Return hits and false at a threshold."""
    marked = int((counts.threshold >= threshold).sum())
    return (float(counts.hits[marked - 1]), float(counts.false[marked - 1])) if marked else (0.0, 0.0)


def highest_within(score: FloatArray, at: IntArray, first: IntArray, last: IntArray) -> FloatArray:
    """Return the highest score in windows of time.

    Parameters
    ----------
    score : ndarray, shape (k,)
        NaN where unknown.
    at : ndarray of int64, shape (k,)
        The sample at which each score was known, rising.
    first, last : ndarray of int64, shape (n,)
        First and last sample of each window.

    Returns
    -------
    ndarray, shape (n,)
        NaN where the window holds no known score.
    """
    begin, end = np.searchsorted(at, first, side="left"), np.searchsorted(at, last, side="right")
    known = np.where(np.isnan(score), -np.inf, score)
    peaks = np.array([known[a:b].max(initial=-np.inf) for a, b in zip(begin, end, strict=True)], dtype=np.float64)
    return np.where(peaks == -np.inf, np.nan, peaks)


def runs_above(score: FloatArray, at: IntArray, threshold: float, hold: int) -> tuple[IntArray, IntArray]:
    """Find the stretches in which a score reaches a threshold.

    Parameters
    ----------
    score, at
        As in `highest_within`.
    threshold : float
    hold : int
        A stretch goes on until the score has stayed below for this many samples.

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


def without_any(first: IntArray, last: IntArray, at: IntArray, tolerance: int) -> BoolArray:
    """Tell which episodes hold none of the given samples.

    Parameters
    ----------
    first, last : ndarray of int64, shape (episodes,)
        First and last sample of each.
    at : ndarray of int64, shape (k,)
        Rising.
    tolerance : int
        Samples by which a sample may lie before ``first`` or after ``last`` and still count.

    Returns
    -------
    ndarray of bool, shape (episodes,)
    """
    begin = np.searchsorted(at, first - tolerance, side="left")
    end = np.searchsorted(at, last + tolerance, side="right")
    return np.asarray(begin == end)


def draw_patients(patients: Sequence[str], draws: int, seed: int) -> IntArray:
    """Draw as many patients as there are, with replacement, again and again: the bootstrap over patients.

    Beats of one patient resemble each other, so the patients are what is sampled.

    Parameters
    ----------
    patients : sequence of str
        One for each record; records of one patient are drawn together.
    draws, seed : int

    Returns
    -------
    ndarray of int64, shape (draws, records)
        How often each record was drawn.
    """
    names, which = np.unique(np.array(patients), return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return drawn[:, which].astype(np.int64)


def interval95(values: Sequence[float]) -> tuple[float, float]:
    """Return the 2.5th and the 97.5th percentile of the values that are not NaN; NaN where there is none."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)
