"""Intervals of samples: first sample and end, exclusive."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from model.datasets.reference import Intervals
from model.signal.arrays import BoolArray


def union(*parts: Iterable[tuple[int, int]]) -> Intervals:
    """Return all intervals in ascending order; those that overlap or touch are one, empty ones are dropped."""
    merged: list[tuple[int, int]] = []
    for first, stop in sorted(interval for part in parts for interval in part):
        if stop <= first:
            continue
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((first, stop))
    return tuple(merged)


def widened(intervals: Iterable[tuple[int, int]], before: int, after: int) -> Intervals:
    """Return the intervals with samples added at both sides, none below sample 0."""
    return union((max(first - before, 0), stop + after) for first, stop in intervals)


def mask(intervals: Iterable[tuple[int, int]], n: int) -> BoolArray:
    """Return which of ``n`` samples lie in an interval, shape (n,)."""
    marked = np.zeros(n, np.bool_)
    for first, stop in intervals:
        marked[max(first, 0) : max(stop, 0)] = True
    return marked
