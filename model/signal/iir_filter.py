"""Streaming IIR filters in second-order sections: of a chunk, and of single samples in compiled loops."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from model.signal.arrays import FloatArray
from model.signal.compiled import compiled


@compiled
def filter_sample(sos: FloatArray, state: FloatArray, x: float) -> float:
    """Filter one sample of one lead, in direct form II transposed.

    Parameters
    ----------
    sos : ndarray, shape (sections, 6)
        Normalised: the fourth column is 1.
    state : ndarray, shape (sections, 2)
        Changed in place; zeros before the first sample.
    x : float

    Returns
    -------
    float
    """
    for i in range(len(sos)):
        y = state[i, 0] + sos[i, 0] * x
        state[i, 0] = state[i, 1] + sos[i, 1] * x - sos[i, 4] * y
        state[i, 1] = sos[i, 2] * x - sos[i, 5] * y
        x = y
    return x


def sosfilt(sos: FloatArray, samples: FloatArray, state: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Filter along the first axis, as ``scipy.signal.sosfilt`` does, in a third of its time for a short chunk.

    Parameters
    ----------
    sos : ndarray, shape (sections, 6)
    samples : ndarray, shape (n, leads)
    state : ndarray, shape (sections, 2, leads)
        Filter state after the previous chunk; zeros before the first.

    Returns
    -------
    filtered : ndarray, shape (n, leads)
    state : ndarray, shape (sections, 2, leads)
    """
    if not len(samples):
        return samples, state  # lfilter returns an empty state for no samples
    after = np.empty_like(state)
    for i, section in enumerate(sos):
        samples, after[i] = lfilter(section[:3], section[3:], samples, axis=0, zi=state[i])
    return samples, after
