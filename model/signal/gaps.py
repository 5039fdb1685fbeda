"""Fills invalid samples with the last valid one."""

from __future__ import annotations

import numpy as np

from model.signal.arrays import FloatArray
from model.signal.compiled import compiled, compiled_part


@compiled_part
def hold(sample: float, last: FloatArray, lead: int) -> float:
    """Return a sample of a lead, or the last valid one if it is invalid.

    Parameters
    ----------
    sample : float
        NaN if invalid.
    last : ndarray, shape (leads,)
        Last valid sample before this one, changed in place; 0 where there was none.
    lead : int

    Returns
    -------
    float
        Finite.
    """
    if np.isfinite(sample):
        last[lead] = sample
    return float(last[lead])


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
    held, last = np.array(samples, np.float64, order="C"), np.array(last, np.float64)
    _fill(held, last)
    return held, last


@compiled
def _fill(samples: FloatArray, last: FloatArray) -> None:
    for row in range(samples.shape[0]):
        for lead in range(samples.shape[1]):
            samples[row, lead] = hold(samples[row, lead], last, lead)
