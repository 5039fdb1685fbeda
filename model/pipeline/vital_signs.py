"""The vital signs of each second, completed: anomaly score, forecast skill and technical conditions.

All strides of a second count, including the one that ends it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from model.conditions.changes import Began, Change
from model.forecast import skill
from model.forecast.skill import NEXT_STRIDE_END, SkillState
from model.rhythm.vitals import VitalSigns


@dataclass(frozen=True, slots=True)
class StrideForecast:
    """The forecast at the end of a stride.

    Attributes
    ----------
    origin : int
        Index of the last observed sample; ``mean[i]`` is for sample ``origin + 1 + i``.
    observed : float
        That sample on the first lead, mV; NaN where invalid.
    mean, scale : ndarray of float32, shape (horizon, leads)
        mV; ``scale`` is the predicted standard deviation.
    score : float
        The highest anomaly score of the stride, ``-log10`` of a chance per second; NaN while learning.
    """

    origin: int
    observed: float
    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    score: float


@dataclass(frozen=True, slots=True)
class SecondState:
    """The second that is being filled.

    Attributes
    ----------
    skill : SkillState
    score : float
        The highest so far; NaN where there was none.
    technical : tuple of Began
        The technical conditions that hold.
    """

    skill: SkillState = field(default_factory=SkillState)
    score: float = math.nan
    technical: tuple[Began, ...] = ()


def step(
    state: SecondState,
    vitals: Sequence[VitalSigns],
    forecasts: Sequence[StrideForecast],
    technical: Sequence[Change],
) -> tuple[tuple[VitalSigns, ...], SecondState]:
    """Complete the vital signs of one step.

    Parameters
    ----------
    state : SecondState
    vitals : sequence of VitalSigns
        As the rhythm detector gives them.
    forecasts : sequence of StrideForecast
        Of all strides of the step, in order.
    technical : sequence of Began or Ended
        Technical conditions of the step, in order.

    Returns
    -------
    tuple of VitalSigns, SecondState
    """
    coming, changes = list(forecasts), list(technical)
    completed = []
    for second in vitals:
        state = _until(state, second.index, coming, changes)
        gain, skill_state = skill.end_second(state.skill)
        completed.append(
            replace(
                second,
                score=None if math.isnan(state.score) else state.score,
                skill=gain,
                inops=tuple(began.kind for began in state.technical),
            )
        )
        state = replace(state, skill=skill_state, score=math.nan)
    last = max([*(forecast.origin for forecast in coming), *(change.at for change in changes)], default=0)
    return tuple(completed), _until(state, last, coming, changes)


def _until(state: SecondState, at: int, forecasts: list[StrideForecast], changes: list[Change]) -> SecondState:
    """Push what became known up to and with sample ``at``, and remove it from the lists."""
    compared, highest, holding = state.skill, state.score, state.technical
    while forecasts and forecasts[0].origin <= at:
        forecast = forecasts.pop(0)
        compared = skill.compare(compared, forecast.observed, float(forecast.mean[NEXT_STRIDE_END, 0]))
        if math.isnan(highest) or forecast.score > highest:
            highest = forecast.score
    while changes and changes[0].at <= at:
        change = changes.pop(0)
        holding = tuple(began for began in holding if began.kind != change.kind)
        if isinstance(change, Began):
            holding = (*holding, change)
    return SecondState(compared, highest, holding)
