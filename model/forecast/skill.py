"""Skill of the forecast against persistence, 100 ms ahead, over the last minute.

The sample that ends a stride is forecast at the end of the previous stride, 100 ms earlier. Its difference from that
forecast is the forecast error; its difference from the last sample of the previous stride is the persistence error.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.signal.arrays import FloatArray, IntArray
from model.signal.columns import push
from model.signal.compiled import compiled
from stream.timebase import STRIDE

WINDOW_S = 60
"""Seconds over which the errors are summed."""

NEXT_STRIDE_END = STRIDE - 1
"""Index, along the horizon of a forecast, of the sample that ends the next stride."""


class SkillState(NamedTuple):
    """State carried from stride to stride, all values but ``seconds`` in mV; columns over beds.

    Attributes
    ----------
    expected : ndarray, shape (beds,)
        Latest forecast of the sample that ends the next stride; NaN before the first.
    last : ndarray, shape (beds,)
        The sample that ended the last stride.
    forecast, persistence : ndarray, shape (beds,)
        Sums of absolute errors in the current second.
    forecasts, persistences : ndarray, shape (beds, WINDOW_S)
        The same sums for the last full seconds, oldest first; ``seconds`` of them.
    seconds : ndarray of int64, shape (beds,)
    """

    expected: FloatArray
    last: FloatArray
    forecast: FloatArray
    persistence: FloatArray
    forecasts: FloatArray
    persistences: FloatArray
    seconds: IntArray


def begin() -> SkillState:
    """Return the state of one bed before the first stride."""
    return SkillState(
        expected=np.full(1, np.nan),
        last=np.full(1, np.nan),
        forecast=np.zeros(1),
        persistence=np.zeros(1),
        forecasts=np.zeros((1, WINDOW_S)),
        persistences=np.zeros((1, WINDOW_S)),
        seconds=np.zeros(1, np.int64),
    )


def after_gap(state: SkillState) -> SkillState:
    """Return the state after lost samples: the next sample is compared with none before."""
    return state._replace(expected=np.full(1, np.nan), last=np.full(1, np.nan))


@compiled
def compare(state: SkillState, slot: int, observed: float, expected: float) -> None:
    """Push the last sample of a stride and the forecast of the last sample of the next stride.

    Parameters
    ----------
    observed, expected : float
        mV; an invalid sample is NaN and adds to no error.
    """
    if not np.isnan(state.expected[slot] + state.last[slot] + observed):
        state.forecast[slot] += abs(observed - state.expected[slot])
        state.persistence[slot] += abs(observed - state.last[slot])
    state.expected[slot], state.last[slot] = expected, observed


@compiled
def end_second(state: SkillState, slot: int) -> float:
    """End a second and return the skill: 1 − forecast error / persistence error over the last minute.

    NaN if the persistence error is zero: nothing was compared yet, or the signal is constant.
    """
    push(state.forecasts[slot], state.seconds[slot], state.forecast[slot])
    seconds = push(state.persistences[slot], state.seconds[slot], state.persistence[slot])
    state.seconds[slot] = seconds
    state.forecast[slot] = state.persistence[slot] = 0.0
    forecast = persistence = 0.0
    for second in range(seconds):
        forecast += state.forecasts[slot, second]
        persistence += state.persistences[slot, second]
    return 1 - forecast / persistence if persistence > 0 else np.nan
