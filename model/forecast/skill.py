"""Skill of the forecast against persistence, 100 ms ahead, over the last minute.

The sample that ends a stride is forecast at the end of the previous stride, 100 ms earlier. Its difference from that
forecast is the forecast error; its difference from the last sample of the previous stride is the persistence error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from stream.timebase import STRIDE

WINDOW_S = 60
"""Seconds over which the errors are summed."""

NEXT_STRIDE_END = STRIDE - 1
"""Index, along the horizon of a forecast, of the sample that ends the next stride."""


@dataclass(frozen=True, slots=True)
class SkillState:
    """State carried from stride to stride; all values in mV.

    Attributes
    ----------
    expected : float
        Latest forecast of the sample that ends the next stride; NaN before the first.
    last : float
        The sample that ended the last stride.
    forecast, persistence : float
        Sums of absolute errors in the current second.
    seconds : tuple of (float, float)
        The same sums for the last full seconds, oldest first.
    """

    expected: float = math.nan
    last: float = math.nan
    forecast: float = 0.0
    persistence: float = 0.0
    seconds: tuple[tuple[float, float], ...] = ()


def after_gap(state: SkillState) -> SkillState:
    """Return the state after lost samples: the next sample is compared with none before."""
    return replace(state, expected=math.nan, last=math.nan)


def compare(state: SkillState, observed: float, expected: float) -> SkillState:
    """Push the last sample of a stride and the forecast of the last sample of the next stride.

    Parameters
    ----------
    observed, expected : float
        mV; an invalid sample is NaN and adds to no error.
    """
    forecast, persistence = state.forecast, state.persistence
    if not math.isnan(state.expected + state.last + observed):
        forecast += abs(observed - state.expected)
        persistence += abs(observed - state.last)
    return replace(state, forecast=forecast, persistence=persistence, expected=expected, last=observed)


def end_second(state: SkillState) -> tuple[float | None, SkillState]:
    """End a second and return the skill: 1 − forecast error / persistence error over the last minute.

    None if the persistence error is zero: nothing was compared yet, or the signal is constant.
    """
    seconds = (*state.seconds, (state.forecast, state.persistence))[-WINDOW_S:]
    persistence = sum(second[1] for second in seconds)
    skill = 1 - sum(second[0] for second in seconds) / persistence if persistence > 0 else None
    return skill, replace(state, forecast=0.0, persistence=0.0, seconds=seconds)
