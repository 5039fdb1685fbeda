"""Sums of many short Gaussian waves."""

from __future__ import annotations

import numpy as np

from stream.records.synthetic.patient import Array

REACH = 5.0
"""Widths from the centre beyond which a Gaussian is 0."""


def gaussian_waves(first: int, stop: int, fs: float, centre: Array, width: Array, height: Array) -> Array:
    """Return the sum of Gaussians at the samples from ``first`` on, before ``stop``.

    Parameters
    ----------
    first, stop : int
    fs : float
        Hz; sample 0 is at 0 s.
    centre, width, height : ndarray, shape (waves,)
        Time of the peak and standard deviation, s; value at the peak.
    """
    reach = int(np.ceil(REACH * width.max(initial=0) * fs))
    middle = np.rint(centre * fs).astype(np.int64)
    near = (middle >= first - reach) & (middle < stop + reach)
    if not near.any():
        return np.zeros(stop - first)
    middle, centre, width, height = middle[near], centre[near], width[near], height[near]
    sample = middle[:, np.newaxis] + np.arange(-reach, reach + 1)
    deviations = (sample / fs - centre[:, np.newaxis]) / width[:, np.newaxis]
    values = height[:, np.newaxis] * np.exp(-0.5 * deviations**2)
    inside = (sample >= first) & (sample < stop) & (np.abs(deviations) <= REACH)
    return np.bincount(sample[inside] - first, values[inside], stop - first).astype(np.float64, copy=False)
