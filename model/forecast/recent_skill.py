"""How much a forecast is better than a simpler one, from the errors of the last two minutes, at each horizon.

The forecast that is used lies between both: at the share that would have had the least squared error.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.forecast.personal_head import KEPT
from model.signal.arrays import FloatArray
from model.signal.compiled import compiled

PRIOR = 5.0
"""Squared difference of the forecasts, in squared deviations of the stream, that keeps the share at 0 at first."""


class SkillShare(NamedTuple):
    """State of each stream.

    Attributes
    ----------
    product, square : ndarray of float64, shape (streams, horizons)
        Fading sums: difference of the forecasts times error of the simpler one, and squared difference.
    """

    product: FloatArray
    square: FloatArray


def begin(streams: int, horizons: int) -> SkillShare:
    """Return the state before the first error: the simpler forecast is used."""
    return SkillShare(np.zeros((streams, horizons)), np.zeros((streams, horizons)))


@compiled
def learn(state: SkillShare, i: int, simple: FloatArray, other: FloatArray, target: FloatArray, weight: float) -> None:
    """Compare two forecasts of stream `i` with what followed; shapes (horizons,), in deviations of the stream."""
    product, square = state.product[i], state.square[i]
    for h in range(len(target)):
        step = other[h] - simple[h]
        product[h] = KEPT * product[h] + weight * step * (target[h] - simple[h])
        square[h] = KEPT * square[h] + weight * step * step


@compiled
def blend(state: SkillShare, i: int, simple: FloatArray, other: FloatArray, out: FloatArray) -> None:
    """Write the forecast of stream `i` that is used."""
    for h in range(len(out)):
        share = min(max(state.product[i, h] / (state.square[i, h] + PRIOR), 0.0), 1.0)
        out[h] = simple[h] + share * (other[h] - simple[h])
