"""Fills invalid samples with the last valid one."""

from __future__ import annotations

import numpy as np

from model.signal.arrays import FloatArray


def fill_gaps(samples: FloatArray, last: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Replace invalid samples by the last valid one of their lead.

    Parameters
    ----------
    samples : ndarray of float64, shape (n, leads)
        NaN where invalid.
    last : ndarray of float64, shape (leads,)
        Last valid sample before ``samples``; 0 where there was none.

    Returns
    -------
    held : ndarray of float64, shape (n, leads)
        Finite.
    last : ndarray of float64, shape (leads,)
        Last valid sample so far.
    """
    if not len(samples):
        return samples, last
    good = np.isfinite(samples)
    if good.all():
        return samples, samples[-1].copy()
    rows = np.where(good, np.arange(1, len(samples) + 1)[:, None], 0)
    rows = np.maximum.accumulate(rows, axis=0)
    held = np.take_along_axis(np.concatenate([last[None], samples]), rows, axis=0)
    return held, held[-1].copy()
