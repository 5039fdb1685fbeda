"""Amplitude range of a lane, in mV."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Range = tuple[float, float]
STEP_MV = 0.5
"""Grid of the limits, mV."""

MIN_RANGE_MV = 2.5
"""Smallest height of a fitted range, mV."""

_MARGIN_MV = 0.2


def fit_range(mv: npt.NDArray[np.float32]) -> Range | None:
    """Return a range that contains the samples, on a grid of 0.5 mV and at least 2.5 mV high; None without samples."""
    finite = mv[np.isfinite(mv)]
    if not len(finite):
        return None
    low = math.floor((float(finite.min()) - _MARGIN_MV) / STEP_MV) * STEP_MV
    high = math.ceil((float(finite.max()) + _MARGIN_MV) / STEP_MV) * STEP_MV
    while high - low < MIN_RANGE_MV:
        high += STEP_MV
        if high - low < MIN_RANGE_MV:
            low -= STEP_MV
    return low, high


def move_range(current: Range | None, mv: npt.NDArray[np.float32], height_mv: float, at_wrap: bool) -> Range | None:
    """Return the range of a lane of fixed height for the next samples.

    The lane moves if a sample would be clipped that a moved lane can hold, and at the start of a sweep if the signal is
    far from its centre.
    """
    finite = mv[np.isfinite(mv)]
    if not len(finite):
        return current
    low, high = float(finite.min()), float(finite.max())
    lower = round(((low + high) / 2 - height_mv / 2) / STEP_MV) * STEP_MV
    wanted = (lower, lower + height_mv)
    if current is None or abs(current[1] - current[0] - height_mv) > 1e-6:
        return wanted
    clipped = low < current[0] or high > current[1]
    if (clipped and high - low <= height_mv - STEP_MV) or (at_wrap and abs(lower - current[0]) > height_mv / 4):
        return wanted
    return current


def adapt_range(current: Range | None, mv: npt.NDArray[np.float32], at_wrap: bool) -> Range | None:
    """Return the range of a lane of variable height for the next samples.

    The range grows as soon as a sample would be clipped. It shrinks only at the start of a sweep, and only by more than
    a quarter: a trace whose gain changes often cannot be read.
    """
    wanted = fit_range(mv)
    if wanted is None or current is None:
        return current or wanted
    if wanted[0] < current[0] or wanted[1] > current[1]:
        finite = mv[np.isfinite(mv)]
        if finite.min() < current[0] or finite.max() > current[1]:
            return min(wanted[0], current[0]), max(wanted[1], current[1])
        return current
    if at_wrap and wanted[1] - wanted[0] < 0.75 * (current[1] - current[0]):
        return wanted
    return current
