"""Completes the vital signs of each second with anomaly score, forecast skill and technical conditions.

A second covers all its strides, including the one that ends it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.conditions.changes import Began, Change
from model.forecast import skill
from model.forecast.skill import SkillState
from model.rhythm.vitals import VitalSigns
from model.signal.arrays import FloatArray, IntArray
from model.signal.compiled import compiled


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
    personal_mean, personal_scale : ndarray of float32, shape (offsets, leads)
        The forecast that knows the patient, mV, ``model.forecast.personal_forecast.OFFSETS`` samples after the origin.
    """

    origin: int
    observed: float
    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    score: float
    personal_mean: npt.NDArray[np.float32]
    personal_scale: npt.NDArray[np.float32]


class SecondState(NamedTuple):
    """State of the current second; columns over beds.

    Attributes
    ----------
    skill : SkillState
    score : ndarray, shape (beds,)
        The highest score so far; NaN if there is none.
    """

    skill: SkillState
    score: FloatArray


class StrideRows(NamedTuple):
    """What the forecaster and the anomaly detector found at the end of each stride of some beds, on the first lead.

    Attributes
    ----------
    at : ndarray of int64, shape (beds, strides)
        Index of the last sample.
    observed : ndarray, shape (beds, strides), mV
        That sample; NaN where invalid.
    expected : ndarray, shape (beds, strides), mV
        Forecast of the sample that ends the next stride, see `model.forecast.skill.NEXT_STRIDE_END`.
    score : ndarray, shape (beds, strides)
        The highest anomaly score of the stride; NaN while learning.
    """

    at: IntArray
    observed: FloatArray
    expected: FloatArray
    score: FloatArray


class SecondRows(NamedTuple):
    """What the seconds are completed with.

    Attributes
    ----------
    score : ndarray, shape (seconds,)
        Highest anomaly score of the second; NaN if there is none.
    skill : ndarray, shape (seconds,)
        Forecast skill over the last minute; NaN if there is none.
    """

    score: FloatArray
    skill: FloatArray


def begin() -> SecondState:
    """Return the state of one bed before the first stride."""
    return SecondState(skill.begin(), np.full(1, np.nan))


def after_gap(state: SecondState) -> SecondState:
    """Return the state of one bed after lost samples: the skill over the last minute is kept."""
    return begin()._replace(skill=skill.after_gap(state.skill))


def advance(columns: SecondState, slots: IntArray, strides: StrideRows, bed: IntArray, index: IntArray) -> SecondRows:
    """Push strides of some beds, change their slots of ``columns``, and return the values of the seconds that end.

    Parameters
    ----------
    columns : SecondState
    slots : ndarray of int64, shape (beds,)
        Slot of each bed.
    strides : StrideRows
    bed, index : ndarray of int64, shape (seconds,)
        Bed and last sample of each second that ends in these strides: bed by bed, in order.
    """
    rows = SecondRows(np.empty(len(bed)), np.empty(len(bed)))
    _advance(columns, slots, strides, bed, index, rows)
    return rows


@compiled
def _advance(
    state: SecondState, slots: IntArray, strides: StrideRows, bed: IntArray, index: IntArray, rows: SecondRows
) -> None:
    """Push strides of some beds, in place, and fill ``rows``."""
    second = 0
    for i in range(len(slots)):
        slot = slots[i]
        for stride in range(strides.at.shape[1]):
            skill.compare(state.skill, slot, strides.observed[i, stride], strides.expected[i, stride])
            state.score[slot] = np.fmax(state.score[slot], strides.score[i, stride])
            if second < len(bed) and bed[second] == i and index[second] == strides.at[i, stride]:
                rows.score[second] = state.score[slot]
                rows.skill[second] = skill.end_second(state.skill, slot)
                state.score[slot] = np.nan
                second += 1


def complete(
    vitals: Sequence[VitalSigns], rows: SecondRows, technical: Sequence[tuple[Began, ...]]
) -> tuple[VitalSigns, ...]:
    """Return the vital signs of the seconds of ``rows`` with score, skill and the technical conditions that hold."""
    return tuple(
        replace(
            second,
            score=None if math.isnan(score) else score,
            skill=None if math.isnan(skill) else skill,
            inops=tuple(began.kind for began in holding),
        )
        for second, score, skill, holding in zip(
            vitals, rows.score.tolist(), rows.skill.tolist(), technical, strict=True
        )
    )


def technical_conditions(
    holding: list[tuple[Began, ...]],
    slots: IntArray,
    changes: Sequence[tuple[int, Change]],
    bed: IntArray,
    index: IntArray,
) -> list[tuple[Began, ...]]:
    """Return the technical conditions that hold at the end of each second.

    Parameters
    ----------
    holding : list of tuple of Began
        The technical conditions that hold in each slot, oldest first; changed in place.
    slots, bed, index
        As for `advance`.
    changes : sequence of (int, Began or Ended)
        Beds, and technical conditions that begin or end in these strides: bed by bed, in order.
    """
    waiting = {own: [change for _, change in found] for own, found in groupby(changes, key=itemgetter(0))}
    slot_of, at_seconds = slots.tolist(), []
    for own, at in zip(bed.tolist(), index.tolist(), strict=True):
        slot = slot_of[own]
        while (found := waiting.get(own)) and found[0].at <= at:
            holding[slot] = _after(holding[slot], found.pop(0))
        at_seconds.append(holding[slot])
    for own, found in waiting.items():
        for change in found:
            holding[slot_of[own]] = _after(holding[slot_of[own]], change)
    return at_seconds


def _after(holding: tuple[Began, ...], change: Change) -> tuple[Began, ...]:
    """Return the technical conditions that hold after a change; those of one kind are one condition."""
    others = tuple(began for began in holding if began.kind != change.kind)
    return (*others, change) if isinstance(change, Began) else others
