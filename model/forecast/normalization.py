"""Causal normalisation of ECG streams, with explicit state.

Each stream has a running baseline (mean) and a running scale (root mean square about the baseline), both
exponentially weighted and both moved once per patch, on the fixed grid. Offline and live are one function: a whole
record is one long call, and any cut at the border of a patch gives the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from model.forecast.config import PATCH, ScalingConfig
from model.signal.arrays import FloatArray
from stream.timebase import FS

BLOCK = 90
"""Patches that are averaged by one matrix product: a second."""


@dataclass(frozen=True)
class ScalingState:
    """The state of each stream; arrays of shape (streams,).

    Attributes
    ----------
    sum, weight : ndarray
        Weighted sum of the patches' means, and the sum of the weights.
    power, power_weight : ndarray
        The same of the patches' mean squares about the baseline.
    """

    sum: FloatArray
    weight: FloatArray
    power: FloatArray
    power_weight: FloatArray


def begin(streams: int, config: ScalingConfig) -> ScalingState:
    """Return the state before the first sample: no baseline, and a weakly weighted prior scale."""
    return ScalingState(
        np.zeros(streams),
        np.zeros(streams),
        np.full(streams, config.prior_weight * config.prior_mv**2),
        np.full(streams, config.prior_weight),
    )


def advance(
    state: ScalingState, patches: FloatArray, config: ScalingConfig
) -> tuple[FloatArray, FloatArray, ScalingState]:
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
    seconds = patches.shape[2] / FS
    sums, weights = _leak(_means(patches), state.sum, state.weight, math.exp(-seconds / config.baseline_s))
    baseline = sums / weights
    deviation = patches - baseline[:, :, None]
    deviation *= deviation
    square = _means(deviation)
    powers, power_weights = _leak(square, state.power, state.power_weight, math.exp(-seconds / config.scale_s))
    scale = np.maximum(np.sqrt(powers / power_weights), config.floor_mv)
    last = (v[:, -1].copy() for v in (sums, weights, powers, power_weights))
    return baseline, scale, ScalingState(*last)


def _leak(values: FloatArray, last: FloatArray, weight: FloatArray, keep: float) -> tuple[FloatArray, FloatArray]:
    """Return y[t] = keep * y[t-1] + (1 - keep) * values[t] along axis 1, where y[-1] is `last`, and its weight.

    The weight goes the same way, with ones for values. Blocks go through one matrix product each.
    """
    y: list[FloatArray] = []
    weights: list[FloatArray] = []
    for first in range(0, values.shape[1], BLOCK):
        block = values[:, first : first + BLOCK]
        fading, mixing, faded = _decay(keep, block.shape[1])
        y.append(block @ mixing + last[:, None] * fading)
        weights.append(faded + weight[:, None] * fading)
        last, weight = y[-1][:, -1], weights[-1][:, -1]
    if len(y) == 1:
        return y[0], weights[0]
    return np.concatenate(y, axis=1), np.concatenate(weights, axis=1)


def _means(patches: FloatArray) -> FloatArray:
    """Return the mean of each patch, shape (streams, k), by a product, which is faster than a sum."""
    streams, k, patch = patches.shape
    return (patches.reshape(-1, patch) @ _equal_shares(patch)).reshape(streams, k)


@cache
def _equal_shares(n: int) -> FloatArray:
    return np.full(n, 1 / n)


@cache
def _decay(keep: float, n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what is left of the start after 1 to n steps, how n values mix into n leaking averages.

    The last is what is no longer left.
    """
    fading = keep ** np.arange(1.0, n + 1)
    since = np.arange(n) - np.arange(n)[:, None]
    mixing = np.where(since >= 0, (1 - keep) * keep ** np.maximum(since, 0), 0.0)
    return fading, mixing, 1 - fading


def windows(samples: FloatArray, window: int, patch: int = PATCH) -> FloatArray:
    """Return the last `window` samples at the end of each patch.

    Parameters
    ----------
    samples : ndarray, shape (streams, window - patch + k * patch)
        Contiguous; the ``window - patch`` samples before the first patch, then k patches.

    Returns
    -------
    ndarray, shape (streams, k, window)
        A read-only view.
    """
    streams, n = samples.shape
    stream, sample = samples.strides
    shape, strides = (streams, (n - window) // patch + 1, window), (stream, patch * sample, sample)
    view: FloatArray = np.ndarray(shape, samples.dtype, samples, strides=strides)
    view.flags.writeable = False
    return view


def history_of(first: FloatArray, length: int) -> FloatArray:
    """Return what stands in for the samples before the first one: that sample, held backwards.

    Parameters
    ----------
    first : ndarray, shape (streams,)

    Returns
    -------
    ndarray, shape (streams, length)
    """
    return np.repeat(first[:, None], length, axis=1)
