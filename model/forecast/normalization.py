"""Causal normalisation of ECG streams, with explicit state.

Each stream has a running baseline (mean) and a running scale (root mean square about the baseline). Both are
exponentially weighted and updated once per patch. Live and offline use share one function: a whole record is one long
call, and a signal cut at patch boundaries gives the same results.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.forecast.config import PATCH, ScalingConfig
from model.signal.arrays import FloatArray
from model.signal.compiled import compiled, compiled_part
from stream.timebase import FS


class ScalingState(NamedTuple):
    """State of each stream; arrays of float64, shape (streams,).

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


class Fading(NamedTuple):
    """Constants of the running averages.

    Attributes
    ----------
    baseline, scale : float
        Share of the baseline, and of the mean square, that is kept from patch to patch.
    floor_mv : float
        Smallest scale.
    """

    baseline: float
    scale: float
    floor_mv: float


def begin(streams: int, config: ScalingConfig) -> ScalingState:
    """Return the state before the first sample: no baseline, and the scale prior of ``config``."""
    return ScalingState(
        np.zeros(streams),
        np.zeros(streams),
        np.full(streams, config.prior_weight * config.prior_mv**2),
        np.full(streams, config.prior_weight),
    )


def fading(config: ScalingConfig, patch: int) -> Fading:
    """Return the constants for patches of so many samples."""
    seconds = patch / FS
    return Fading(math.exp(-seconds / config.baseline_s), math.exp(-seconds / config.scale_s), config.floor_mv)


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
    state = ScalingState(*(column.copy() for column in state))
    baseline, scale = np.empty(patches.shape[:2]), np.empty(patches.shape[:2])
    _advance(state, np.ascontiguousarray(patches), fading(config, patches.shape[2]), baseline, scale)
    return baseline, scale, state


@compiled
def _advance(state: ScalingState, patches: FloatArray, keep: Fading, baseline: FloatArray, scale: FloatArray) -> None:
    for i in range(len(patches)):
        for t in range(patches.shape[1]):
            baseline[i, t], scale[i, t] = push(state, i, patches[i, t], keep)


@compiled_part
def push(state: ScalingState, i: int, patch: FloatArray, keep: Fading) -> tuple[float, float]:
    """Update stream `i` with one patch, in place, and return its baseline and scale in mV."""
    total = 0.0
    for value in patch:
        total += value
    state.sum[i] = keep.baseline * state.sum[i] + (1 - keep.baseline) * total / len(patch)
    state.weight[i] = keep.baseline * state.weight[i] + (1 - keep.baseline)
    baseline = state.sum[i] / state.weight[i]
    square = 0.0
    for value in patch:
        square += (value - baseline) ** 2
    state.power[i] = keep.scale * state.power[i] + (1 - keep.scale) * square / len(patch)
    state.power_weight[i] = keep.scale * state.power_weight[i] + (1 - keep.scale)
    return baseline, max(math.sqrt(state.power[i] / state.power_weight[i]), keep.floor_mv)


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
