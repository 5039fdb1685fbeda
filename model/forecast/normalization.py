"""Causal normalisation of ECG streams, with explicit state.

Each stream has a running baseline (mean) and a running scale (root mean square about the baseline). Both are
exponentially weighted and updated once per patch. Live and offline use share one function: a whole record is one long
call, and a signal cut at patch boundaries gives the same results.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from model.forecast.config import PATCH, ScalingConfig
from model.signal.arrays import FloatArray
from stream.timebase import FS

PATCHES_PER_PRODUCT = 90
"""Patches averaged by one matrix product; one second."""


@dataclass(frozen=True)
class ScalingState:
    """State of each stream; arrays of shape (streams,).

    Attributes
    ----------
    sum, weight : ndarray
        Weighted sum of the patch means in mV, and sum of the weights.
    power, power_weight : ndarray
        Weighted sum of the patch mean squares about the baseline in mV², and sum of the weights.
    """

    sum: FloatArray
    weight: FloatArray
    power: FloatArray
    power_weight: FloatArray


def begin(streams: int, config: ScalingConfig) -> ScalingState:
    """Return the state before the first sample: no baseline, and the scale prior of ``config``."""
    return ScalingState(
        np.zeros(streams),
        np.zeros(streams),
        np.full(streams, config.prior_weight * config.prior_mv**2),
        np.full(streams, config.prior_weight),
    )


def advance(
    state: ScalingState, patches: FloatArray, config: ScalingConfig
) -> tuple[FloatArray, FloatArray, ScalingState]:
    """Update the state with whole patches.

    Parameters
    ----------
    state : ScalingState
    patches : ndarray of float64, shape (streams, k, patch)
        Finite samples in mV.
    config : ScalingConfig

    Returns
    -------
    baseline, scale : ndarray of float64, shape (streams, k)
        mV, as known at the last sample of each patch.
    state : ScalingState
        After the last patch.
    """
    seconds = patches.shape[2] / FS
    sums, weights = _leaky_mean(_patch_means(patches), state.sum, state.weight, math.exp(-seconds / config.baseline_s))
    baseline = sums / weights
    deviation = patches - baseline[:, :, None]
    deviation *= deviation
    square = _patch_means(deviation)
    powers, power_weights = _leaky_mean(square, state.power, state.power_weight, math.exp(-seconds / config.scale_s))
    scale = np.maximum(np.sqrt(powers / power_weights), config.floor_mv)
    last = (v[:, -1].copy() for v in (sums, weights, powers, power_weights))
    return baseline, scale, ScalingState(*last)


def _leaky_mean(values: FloatArray, last: FloatArray, weight: FloatArray, keep: float) -> tuple[FloatArray, FloatArray]:
    """Return the leaky average y[t] = keep * y[t-1] + (1 - keep) * values[t] along axis 1, and its weight.

    ``last`` is y[-1]. The weight is the leaky average of ones. Each block of patches is one matrix product.
    """
    y: list[FloatArray] = []
    weights: list[FloatArray] = []
    for first in range(0, values.shape[1], PATCHES_PER_PRODUCT):
        block = values[:, first : first + PATCHES_PER_PRODUCT]
        fading, mixing, faded = _leaky_weights(keep, block.shape[1])
        y.append(block @ mixing + last[:, None] * fading)
        weights.append(faded + weight[:, None] * fading)
        last, weight = y[-1][:, -1], weights[-1][:, -1]
    if len(y) == 1:
        return y[0], weights[0]
    return np.concatenate(y, axis=1), np.concatenate(weights, axis=1)


def _patch_means(patches: FloatArray) -> FloatArray:
    """Return the mean of each patch, shape (streams, k), as a matrix product, which is faster than a sum."""
    streams, k, patch = patches.shape
    return (patches.reshape(-1, patch) @ _mean_weights(patch)).reshape(streams, k)


@cache
def _mean_weights(n: int) -> FloatArray:
    return np.full(n, 1 / n)


@cache
def _leaky_weights(keep: float, n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the weights of a leaky average over n steps.

    Returns
    -------
    fading : ndarray, shape (n,)
        Weight of the initial value after 1 to n steps.
    mixing : ndarray, shape (n, n)
        Weight of value i (row) in average j (column).
    faded : ndarray, shape (n,)
        ``1 - fading``.
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
        Contiguous: the ``window - patch`` samples before the first patch, then k patches.

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


def initial_history(first: FloatArray, length: int) -> FloatArray:
    """Return the samples assumed before the first one: the first sample, repeated.

    Parameters
    ----------
    first : ndarray, shape (streams,)

    Returns
    -------
    ndarray, shape (streams, length)
    """
    return np.repeat(first[:, None], length, axis=1)
