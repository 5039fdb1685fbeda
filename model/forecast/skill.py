"""Skill of the forecast against persistence, over the last minute, 100 ms ahead.

Strides are 100 ms apart, so the sample that ends one stride was forecast, 100 ms ahead, at the end of the stride
before: two differences a stride give both errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from stream.timebase import STRIDE

SECONDS = 60
"""Length of the memory."""

AHEAD = STRIDE - 1
"""Place in a forecast of the sample that ends the next stride."""


@dataclass(frozen=True, slots=True)
class SkillState:
    """What is carried from stride to stride; mV.

    Attributes
    ----------
    expected : float
        The last forecast of the sample that ends the next stride; NaN before the first.
    last : float
        The sample that ended the last stride.
    forecast, persistence : float
        Sums of absolute errors in the second that is being filled.
    seconds : tuple of (float, float)
        The same of the last full seconds, oldest first.
    """

    expected: float = math.nan
    last: float = math.nan
    forecast: float = 0.0
    persistence: float = 0.0
    seconds: tuple[tuple[float, float], ...] = ()


def compare(state: SkillState, observed: float, expected: float) -> SkillState:
    """Push the sample that ends a stride, and the forecast of the one that ends the next.

    Parameters
    ----------
    observed, expected : float
        mV; an invalid sample, NaN, is compared with nothing.
    """
    forecast, persistence = state.forecast, state.persistence
    if not math.isnan(state.expected + state.last + observed):
        forecast += abs(observed - state.expected)
        persistence += abs(observed - state.last)
    return replace(state, forecast=forecast, persistence=persistence, expected=expected, last=observed)


def end_second(state: SkillState) -> tuple[float | None, SkillState]:
    """Return 1 − error of the forecast / error of persistence over the last minute; None where there is none yet."""
    seconds = (*state.seconds, (state.forecast, state.persistence))[-SECONDS:]
    persistence = sum(second[1] for second in seconds)
    skill = 1 - sum(second[0] for second in seconds) / persistence if persistence > 0 else None
    return skill, replace(state, forecast=0.0, persistence=0.0, seconds=seconds)
