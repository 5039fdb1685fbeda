"""End-tidal carbon dioxide: the highest partial pressure of each expiration."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from model.signal.arrays import FloatArray, IntArray

BREATHS = 4
"""Breaths of which the value is the median."""

MIN_SWING_MMHG = 5.0
"""Smallest difference between expiration and inspiration, mmHg: below, the sampling line draws no breath."""


def end_tidal(wave: FloatArray, breaths: IntArray) -> float | None:
    """Return the end-tidal carbon dioxide of the last breaths, mmHg; None without breaths.

    Parameters
    ----------
    wave : ndarray, shape (n,), mmHg
        NaN where invalid.
    breaths : ndarray of int64, shape (k,)
        Samples of the maxima of the breaths, after a filter.
    """
    highest = []
    for first, stop in pairwise(breaths[-BREATHS - 1 :].tolist()):
        values = wave[first:stop]
        values = values[np.isfinite(values)]
        if len(values) and np.ptp(values) >= MIN_SWING_MMHG:
            highest.append(float(values.max()))
    return float(np.median(highest)) if highest else None
