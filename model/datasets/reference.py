"""Reference beats and flutter intervals of a record, from its annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from model.datasets.beat_codes import AAMI_CLASS, FLUTTER_WAVE
from model.signal.arrays import BoolArray, IntArray

Intervals = tuple[tuple[int, int], ...]
"""First sample and end of each interval."""


def _no_samples() -> IntArray:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Reference:
    """Reference beats and flutter intervals of a record.

    Attributes
    ----------
    sample : ndarray of int64, shape (k,)
        R peaks, ascending.
    label : tuple of str
        AAMI class of each beat: N, S, V, F or Q.
    flutter : tuple of (int, int)
        First sample and end (exclusive) of each interval of ventricular flutter.
    flutter_waves : ndarray of int64
        Samples of the annotated flutter waves.
    """

    sample: IntArray
    label: tuple[str, ...]
    flutter: Intervals = ()
    flutter_waves: IntArray = field(default_factory=_no_samples)

    def is_label(self, *labels: str) -> BoolArray:
        """Return a mask of the beats of the given AAMI classes, shape (k,)."""
        return np.array([label in labels for label in self.label], np.bool_)

    def outside_flutter(self) -> Reference:
        """Return the reference without beats in flutter intervals, where beat annotations are unreliable."""
        kept = [i for i, at in enumerate(self.sample.tolist()) if not within(at, self.flutter)]
        return Reference(self.sample[kept], tuple(self.label[i] for i in kept), self.flutter, self.flutter_waves)


def reference_of(sample: IntArray, symbol: Sequence[str], n: int) -> Reference:
    """Return the reference of a record from its annotations.

    Parameters
    ----------
    sample : ndarray of int, shape (m,)
        Positions of the annotations.
    symbol : sequence of str
        WFDB codes of the annotations.
    n : int
        Length of the record in samples; later annotations are ignored.
    """
    order = np.argsort(sample, kind="stable")
    order = order[sample[order] < n]
    at = sample[order].astype(np.int64)
    codes = [symbol[i] for i in order]
    beat = np.array([code in AAMI_CLASS for code in codes], np.bool_)
    wave = np.array([code == FLUTTER_WAVE for code in codes], np.bool_)
    labels = tuple(AAMI_CLASS[code] for code in codes if code in AAMI_CLASS)
    return Reference(at[beat], labels, _flutter_intervals(at, codes, n), at[wave])


def _flutter_intervals(sample: IntArray, symbol: Sequence[str], n: int) -> Intervals:
    """Return the intervals between ``[`` and ``]``; an open one ends with the record."""
    found = []
    begin = None
    for at, code in zip(sample.tolist(), symbol, strict=True):
        if code == "[":
            begin = at
        elif code == "]" and begin is not None:
            found.append((begin, at))
            begin = None
    if begin is not None:
        found.append((begin, n))
    return tuple(found)


def within(at: int, intervals: Intervals) -> bool:
    """Return whether a sample lies in one of the intervals, both ends included."""
    return any(first <= at <= stop for first, stop in intervals)
