"""Invalid samples in a piece of a wave."""

from __future__ import annotations

import numpy as np

from model.signal.arrays import BoolArray, FloatArray


def filled(wave: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return a wave in which each invalid sample repeats the last valid one (the first ones the next), and which were.

    Parameters
    ----------
    wave : ndarray, shape (n,)
        NaN where invalid. If all are, they stay.
    """
    invalid = ~np.isfinite(wave)
    if not invalid.any() or invalid.all():
        return wave, invalid
    last_valid = np.maximum.accumulate(np.where(invalid, -1, np.arange(len(wave))))
    first = int(np.argmin(invalid))
    values: FloatArray = wave[np.where(last_valid < 0, first, last_valid)]
    return values, invalid
