"""Causal normalisation of ECG streams, with explicit state.

Each stream has a running baseline (mean) and a running scale (root mean square about the baseline), both
exponentially weighted and both moved once per patch, on the fixed grid. Offline and live are one function: a whole
record is one long call, and any cutting at patch borders gives the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from model.config import PATCH, ScalingConfig
from stream.messages import FS

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScalingState:
    """What is remembered of each stream; arrays of shape (streams,).

    Attributes
    ----------
    sum, weight : ndarray
        Weighted sum of the patches' means, and the sum of the weights.
    power, power_weight : ndarray
        The same of the patches' mean squares about the baseline.
    """

    sum: Array
    weight: Array
    power: Array
    power_weight: Array


def begin(streams: int, config: ScalingConfig) -> ScalingState:
    """Return the state before the first sample: no baseline, and a weak belief in the scale."""
    return ScalingState(
        np.zeros(streams),
        np.zeros(streams),
        np.full(streams, config.prior_weight * config.prior_mv**2),
        np.full(streams, config.prior_weight),
    )


def advance(state: ScalingState, patches: Array, config: ScalingConfig) -> tuple[Array, Array, ScalingState]:
    """Move the state over whole patches.

    Parameters
    ----------
    state : ScalingState
    patches : ndarray of float64, shape (streams, k, patch)
        Finite samples in mV.
    config : ScalingConfig

    Returns
    -------
    baseline, scale : ndarray of float64, shape (streams, k)
        In mV, as known at the last sample of each patch.
    state : ScalingState
        After the last patch.
    """
    patch = patches.shape[2]
    keep_sum = np.exp(-patch / (FS * config.baseline_s))
    keep_power = np.exp(-patch / (FS * config.scale_s))
    ones = np.ones(patches.shape[:2])
    sums = _leak(patches.mean(axis=2), state.sum, keep_sum)
    weights = _leak(ones, state.weight, keep_sum)
    baseline = sums / weights
    square = ((patches - baseline[:, :, None]) ** 2).mean(axis=2)
    powers = _leak(square, state.power, keep_power)
    power_weights = _leak(ones, state.power_weight, keep_power)
    scale = np.maximum(np.sqrt(powers / power_weights), config.floor_mv)
    return (
        baseline,
        scale,
        ScalingState(sums[:, -1], weights[:, -1], powers[:, -1], power_weights[:, -1]),
    )


def _leak(values: Array, last: Array, keep: float) -> Array:
    """Return y[t] = keep * y[t-1] + (1 - keep) * values[t] along axis 1, where y[-1] is `last`."""
    y, _ = lfilter([1 - keep], [1, -keep], values, axis=1, zi=keep * last[:, None])
    return np.asarray(y)


def hold(samples: Array, last: Array) -> tuple[Array, Array]:
    """Replace invalid samples by the last valid one of their lead.

    Parameters
    ----------
    samples : ndarray of float64, shape (n, leads)
        NaN where invalid.
    last : ndarray of float64, shape (leads,)
        The last valid sample before; 0 where there was none.

    Returns
    -------
    held : ndarray of float64, shape (n, leads)
        Finite.
    last : ndarray of float64, shape (leads,)
    """
    bad = ~np.isfinite(samples)
    if not len(samples):
        return samples, last
    if not bad.any():
        return samples, samples[-1].copy()
    rows = np.where(bad, 0, np.arange(1, len(samples) + 1)[:, None])
    rows = np.maximum.accumulate(rows, axis=0)
    held = np.take_along_axis(np.concatenate([last[None], samples]), rows, axis=0)
    return held, held[-1].copy()


def windows(samples: Array, window: int, patch: int = PATCH) -> Array:
    """Return the last `window` samples at the end of each patch.

    Parameters
    ----------
    samples : ndarray, shape (streams, window - patch + k * patch)
        The ``window - patch`` samples before the first patch, then k patches.

    Returns
    -------
    ndarray, shape (streams, k, window)
        A read-only view.
    """
    return np.lib.stride_tricks.sliding_window_view(samples, window, axis=1)[:, ::patch]


def history_of(first: Array, length: int) -> Array:
    """Return what stands in for the samples before the first one: that sample, held backwards.

    Parameters
    ----------
    first : ndarray, shape (streams,)

    Returns
    -------
    ndarray, shape (streams, length)
    """
    return np.repeat(first[:, None], length, axis=1)
