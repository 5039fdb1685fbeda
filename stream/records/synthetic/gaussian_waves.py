"""Sums of many short Gaussian waves."""

from __future__ import annotations

import numpy as np

from stream.records.synthetic.patient import Array

REACH = 5.0
"""Widths from the centre beyond which a Gaussian is 0."""


def gaussian_waves(n: int, fs: float, centre: Array, width: Array, height: Array) -> Array:
    """Return the sum of Gaussians as ``n`` samples.

    Parameters
    ----------
    n : int
    fs : float
        Hz; sample 0 is at 0 s.
    centre, width, height : ndarray, shape (waves,)
        Time of the peak and standard deviation, s; value at the peak.
    """
    reach = int(np.ceil(REACH * width.max(initial=0) * fs))
    sample = np.rint(centre * fs).astype(np.int64)[:, np.newaxis] + np.arange(-reach, reach + 1)
    deviations = (sample / fs - centre[:, np.newaxis]) / width[:, np.newaxis]
    values = height[:, np.newaxis] * np.exp(-0.5 * deviations**2)
    inside = (sample >= 0) & (sample < n) & (np.abs(deviations) <= REACH)
    return np.bincount(sample[inside], values[inside], n).astype(np.float64, copy=False)[:n]
