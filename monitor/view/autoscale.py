"""The millivolts that a lane of the monitor spans."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Range = tuple[float, float]
STEP_MV = 0.5
LEAST_MV = 2.5


def fit(mv: npt.NDArray[np.float32]) -> Range | None:
    """Return a range, on a grid of 0.5 mV and at least 2.5 mV wide, that holds the samples; None without any."""
    finite = mv[np.isfinite(mv)]
    if not len(finite):
        return None
    low = math.floor((float(finite.min()) - 0.2) / STEP_MV) * STEP_MV
    high = math.ceil((float(finite.max()) + 0.2) / STEP_MV) * STEP_MV
    while high - low < LEAST_MV:
        high += STEP_MV
        if high - low < LEAST_MV:
            low -= STEP_MV
    return low, high


def place(current: Range | None, mv: npt.NDArray[np.float32], tall: float, at_wrap: bool) -> Range | None:
    """Return the range of a lane of fixed height, in mV, for the next samples.

    The lane moves when a sample would be cut off and need not be, and where the sweep starts anew far off its middle.
    """
    finite = mv[np.isfinite(mv)]
    if not len(finite):
        return current
    low, high = float(finite.min()), float(finite.max())
    foot = round(((low + high) / 2 - tall / 2) / STEP_MV) * STEP_MV
    wanted = (foot, foot + tall)
    if current is None or abs(current[1] - current[0] - tall) > 1e-6:
        return wanted
    cut = low < current[0] or high > current[1]
    if (cut and high - low <= tall - STEP_MV) or (at_wrap and abs(foot - current[0]) > tall / 4):
        return wanted
    return current


def adapt(current: Range | None, mv: npt.NDArray[np.float32], at_wrap: bool) -> Range | None:
    """Return the range for the next samples.

    A lane grows as soon as a sample would be cut off, and shrinks only where the sweep starts anew and much room was
    unused: a trace whose gain changes all the time cannot be read.
    """
    wanted = fit(mv)
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
