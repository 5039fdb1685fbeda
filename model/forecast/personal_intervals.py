"""The 90 % interval of the personal forecast, at each horizon.

The scale combines two deviations: of what followed the similar moments, and of the recent errors. A factor of each
horizon follows the share of samples outside, as in `model.forecast.interval_calibration`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.forecast.interval_calibration import EDGE_POWER, EXPECTED_OUTSIDE, MAX_RATIO, MIN_ERROR_MV, Z90
from model.signal.arrays import FloatArray
from model.signal.compiled import compiled
from stream.timebase import FS, STRIDE

KEPT = math.exp(-STRIDE / (30 * FS))
"""Share of the sum of squared errors that is kept from stride to stride."""

PRIOR_WEIGHT = 20.0
"""Strides that the network's scale, or the stream's deviation, counts as at first."""

ADAPTATION_RATE = 0.01
"""Step of the log factor per stride."""

MAX_LOG_FACTOR = 1.4
"""Largest absolute log factor: a quarter to four times the combined scale."""


class IntervalState(NamedTuple):
    """State of each stream.

    Attributes
    ----------
    square : ndarray of float64, shape (streams, horizons)
        Fading sum of squared errors, in squared deviations of the stream.
    weight : ndarray of float64, shape (streams,)
        Its weight.
    log_factor : ndarray of float64, shape (streams, horizons)
    """

    square: FloatArray
    weight: FloatArray
    log_factor: FloatArray


def begin(streams: int, horizons: int) -> IntervalState:
    """Return the state before the first error."""
    return IntervalState(np.zeros((streams, horizons)), np.zeros(streams), np.zeros((streams, horizons)))


@compiled
def learn(state: IntervalState, i: int, mean: FloatArray, scale: FloatArray, target: FloatArray) -> None:
    """Compare a forecast of stream `i`, with its calibrated scale, with what followed; shapes (horizons,)."""
    state.weight[i] = KEPT * state.weight[i] + 1
    for h in range(len(target)):
        error = abs(target[h] - mean[h])
        state.square[i, h] = KEPT * state.square[i, h] + error * error
        ratio = min(Z90 * scale[h] / (error + MIN_ERROR_MV), MAX_RATIO)
        power = ratio**EDGE_POWER
        outside = 1 / (power + 1)
        moved = state.log_factor[i, h] + ADAPTATION_RATE * (outside - EXPECTED_OUTSIDE)
        state.log_factor[i, h] = min(max(moved, -MAX_LOG_FACTOR), MAX_LOG_FACTOR)


@compiled
def scale_of(state: IntervalState, i: int, prior: FloatArray, spread: FloatArray, out: FloatArray) -> None:
    """Write the calibrated scale of a forecast of stream `i`.

    Parameters
    ----------
    state : IntervalState
    i : int
    prior : ndarray of float64, shape (horizons,)
        The scale before there are errors.
    spread : ndarray of float64, shape (horizons,)
        Standard deviation of what followed the moments; the prior if there are none.
    out : ndarray of float64, shape (horizons,)
    """
    weight = state.weight[i] + PRIOR_WEIGHT
    for h in range(len(out)):
        error = (state.square[i, h] + PRIOR_WEIGHT * prior[h] * prior[h]) / weight
        out[h] = math.sqrt(0.5 * (error + spread[h] * spread[h])) * math.exp(state.log_factor[i, h])
