"""Completes the vital signs of each second with anomaly score, forecast skill and technical conditions.

A second covers all its strides, including the one that ends it.
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
        The highest anomaly score of the stride, ``-log10`` of a probability per second; NaN while learning.
    """

    origin: int
    observed: float
    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    score: float


@dataclass(frozen=True, slots=True)
class SecondState:
    """State of the current second.

    Attributes
    ----------
    skill : SkillState
    score : float
        The highest score so far; NaN if there is none.
    technical : tuple of Began
        The technical conditions that hold, oldest first.
    """

    skill: SkillState = field(default_factory=SkillState)
    score: float = math.nan
    technical: tuple[Began, ...] = ()


def after_gap(state: SecondState) -> SecondState:
    """Return the state after lost samples: the skill over the last minute is kept."""
    return SecondState(skill.after_gap(state.skill))


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
        From the rhythm detector.
    forecasts : sequence of StrideForecast
        One for each stride of the step, in order.
    technical : sequence of Began or Ended
        Begins and ends of technical conditions in the step, in order.

    Returns
    -------
    tuple of VitalSigns, SecondState
    """
    pending, changes = list(forecasts), list(technical)
    completed = []
    for second in vitals:
        state = _until(state, second.index, pending, changes)
        second_skill, skill_state = skill.end_second(state.skill)
        completed.append(
            replace(
                second,
                score=None if math.isnan(state.score) else state.score,
                skill=second_skill,
                inops=tuple(began.kind for began in state.technical),
            )
        )
        state = replace(state, skill=skill_state, score=math.nan)
    last = max([*(forecast.origin for forecast in pending), *(change.at for change in changes)], default=0)
    return tuple(completed), _until(state, last, pending, changes)


def _until(state: SecondState, at: int, forecasts: list[StrideForecast], changes: list[Change]) -> SecondState:
    """Process what became known up to and including sample ``at``, and remove it from the lists."""
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
