"""ST level of each lead against the isoelectric level before its QRS complex, and its change since the first beats.

Each normal beat is measured on its own: the isoelectric level is that of the flattest 20 ms between P wave and QRS
complex, the J point the first after the R peak at which the steep part of the complex has ended, and the level the
mean of 20 ms around 80 ms after it, 60 ms above 120/min, as in the European ST-T database (Taddei et al., Eur Heart J
1992; 13:1164-72). Reported is the median of the normal beats of the last 15 s; the patient's baseline is that of the
first 30.

It is shown, never alarmed: the filters of the recording, the position of the patient and other leads change it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.compiled import compiled, compiled_part
from stream.timebase import FS
from stream.wire.numerics_message import Numeric

EVERY_S: Final = 5
"""Seconds between two measurements; a level changes slowly."""

WINDOW_S: Final = 15
"""Seconds whose beats are used."""

MIN_BEATS: Final = 5
"""Smallest number of normal beats for a level."""

BASELINE_BEATS: Final = 30
"""Normal beats of the baseline."""

AGREEMENT_MV: Final = 0.05
"""A beat agrees with the others if its level is within half a millimetre of paper of their median."""

MIN_QUALITY: Final = 0.5
"""Smallest share of all beats of the window, ventricular ones included, that are normal and agree; and smallest signal
quality of a beat."""

BEFORE_R, AFTER_R = 40, 68
"""Samples before and after the R peak that a measurement needs."""

_MS: Final = FS / 1000
_SPAN: Final = round(20 * _MS)
_ISO_FIRST, _ISO_LAST = BEFORE_R - round(110 * _MS), BEFORE_R - round(43 * _MS)
_J_FIRST, _J_LAST = BEFORE_R + round(40 * _MS), BEFORE_R + round(94 * _MS)
_AFTER_J, _AFTER_J_FAST = round(80 * _MS), round(60 * _MS)
_QRS_HALF: Final = round(50 * _MS)
_FAST_RR: Final = FS // 2
_STEP: Final = round(11 * _MS)
_STEEP: Final = 0.08
"""Share of the steepest part of the complex below which the signal is no longer part of it."""


@dataclass(frozen=True, slots=True)
class StState:
    """What is kept of the beats of a bed.

    Attributes
    ----------
    at : ndarray of int64, shape (n,)
        Last sample on which each of the last beats depends, in order.
    levels : ndarray, shape (n, leads), mV
        NaN of a beat that is not normal, and of a lead in which it cannot be measured.
    early : ndarray, shape (m, leads), mV
        Levels of the first normal beats of the patient, at most `BASELINE_BEATS`.
    begun, used : int
        First sample, and the last one up to which beats are among the early ones.
    found : tuple of Numeric
        The last values.
    found_at : int
        Their sample.
    measured : ndarray of int64, shape (leads,)
        Sample at which each lead was measured last.
    """

    at: IntArray
    levels: FloatArray
    early: FloatArray
    begun: int
    used: int
    found: tuple[Numeric, ...]
    found_at: int
    measured: IntArray

    def __post_init__(self) -> None:
        leads = self.measured.shape
        if self.levels.shape != (*self.at.shape, *leads) or self.early.shape[1:] != leads:
            raise ValueError("the ST levels of a bed do not fit together")


def begin(start: int, leads: int) -> StState:
    """Return the state before the first sample, which has index ``start``."""
    empty = np.empty((0, leads))
    return StState(np.empty(0, np.int64), empty, empty, start, start - 1, (), start, np.full(leads, start))


def after_gap(state: StState) -> StState:
    """Return the state after lost samples: the baseline is kept."""
    return replace(state, at=state.at[:0], levels=state.levels[:0], found=())


def levels_of(samples: FloatArray, invalid: BoolArray, r: int, rr: IntArray) -> FloatArray:
    """Return the ST level of beats, shape (beats, leads), mV; NaN where a sample that it needs is invalid.

    Parameters
    ----------
    samples : ndarray, shape (beats, n, leads), mV
        Around each R peak: at least `BEFORE_R` samples before it and `AFTER_R` after it.
    invalid : ndarray of bool, of the same shape
    r : int
        Row of the R peak.
    rr : ndarray of int64, shape (beats,)
        RR interval before each beat, samples; negative if it is unknown.
    """
    needed = slice(r - BEFORE_R, r + AFTER_R + 1)
    levels = np.empty((len(samples), samples.shape[2]))
    _fill_levels(np.ascontiguousarray(samples[:, needed]), np.ascontiguousarray(invalid[:, needed]), rr, levels)
    return levels


@compiled
def _fill_levels(samples: FloatArray, invalid: BoolArray, rr: IntArray, levels: FloatArray) -> None:
    """Write the level of each beat and lead; the samples begin `BEFORE_R` before the R peak."""
    n = samples.shape[1]
    mv, sums = np.empty(n), np.zeros(n + 1)
    for beat in range(len(samples)):
        after_j = _AFTER_J_FAST if 0 <= rr[beat] < _FAST_RR else _AFTER_J
        for lead in range(samples.shape[2]):
            known = True
            for i in range(n):
                mv[i] = samples[beat, i, lead]
                sums[i + 1] = sums[i] + mv[i]
                if _ISO_FIRST <= i < _J_LAST + _AFTER_J + _SPAN // 2:
                    known &= not invalid[beat, i, lead]
            level = _mean(sums, _j_point(mv) + after_j - _SPAN // 2) - _mean(sums, _flattest(mv))
            levels[beat, lead] = level if known else np.nan


@compiled_part
def _mean(sums: FloatArray, first: int) -> float:
    """Return the mean of `_SPAN` samples from ``first`` on, from the sums of all samples before each one."""
    mean: float = (sums[first + _SPAN] - sums[first]) / _SPAN
    return mean


@compiled_part
def _flattest(mv: FloatArray) -> int:
    """Return where the flattest `_SPAN` samples between P wave and QRS complex begin."""
    flattest, smallest = _ISO_FIRST, np.inf
    for first in range(_ISO_FIRST, _ISO_LAST - _SPAN + 1):
        low = high = mv[first]
        for i in range(first + 1, first + _SPAN):
            low, high = min(low, mv[i]), max(high, mv[i])
        if high - low < smallest:
            flattest, smallest = first, high - low
    return flattest


@compiled_part
def _j_point(mv: FloatArray) -> int:
    """Return the J point, at latest `_J_LAST`."""
    steepest = 0.0
    for i in range(BEFORE_R - _STEP - _QRS_HALF, BEFORE_R + _QRS_HALF):
        steepest = max(steepest, abs(mv[i + _STEP] - mv[i]))
    for i in range(_J_FIRST, _J_LAST):
        if abs(mv[i + _STEP] - mv[i]) < _STEEP * steepest:
            return i
    return _J_LAST


def receive(state: StState, at: IntArray, normal: BoolArray, levels: FloatArray) -> StState:
    """Return the state after further beats.

    Parameters
    ----------
    state : StState
    at : ndarray of int64, shape (beats,)
        Last sample on which each depends, in order.
    normal : ndarray of bool, shape (beats,)
        Whether it is a normal beat with a good signal.
    levels : ndarray, shape (beats, leads), mV
        See `levels_of`.
    """
    own = np.where(normal[:, None], levels, np.nan)
    return replace(state, at=np.concatenate([state.at, at]), levels=np.concatenate([state.levels, own]))


def is_due(end: int) -> bool:
    """Return whether levels are measured in the second that ends with sample ``end``."""
    return (end + 1) // FS % EVERY_S == 0


def advance(state: StState, leads: Sequence[str], ends: Sequence[int]) -> tuple[list[tuple[Numeric, ...]], StState]:
    """Return the values at the ends of seconds, given by their last samples; empty before the first measurement.

    Two values of each lead, one after the other: ``st``, and ``st_change`` since the baseline. Of leads with the same
    name only the first is measured.
    """
    values = []
    for end in ends:
        if is_due(end):
            state = _measure(state, leads, end)
        age_s = (end - state.found_at) / FS
        values.append(tuple(_older(one, age_s) for one in state.found))
    return values, state


def _measure(state: StState, leads: Sequence[str], end: int) -> StState:
    """Return the state with the values of a second that ends with sample ``end``."""
    new = (state.at > state.used) & (state.at <= end)
    normal = state.levels[new & np.isfinite(state.levels).any(axis=1)]
    early = np.concatenate([state.early, normal])[:BASELINE_BEATS]
    recent = (state.at <= end) & (state.at > end - WINDOW_S * FS)
    levels, values, measured = state.levels[recent], [], state.measured.copy()
    for number, lead in enumerate(leads):
        if lead in leads[:number]:
            continue  # some records, such as those of vfdb, call all leads the same: then the first one is measured
        level, quality = _median(levels[:, number])
        known = _known(early[:, number])
        change = None if level is None or len(known) < BASELINE_BEATS // 2 else level - float(np.median(known))
        if level is not None:
            measured[number] = end
        age_s = (end - int(measured[number])) / FS
        for name, value in (("st", level), ("st_change", change)):
            own = None if value is None else quality
            rounded = None if value is None else round(value, 4)
            values.append(
                Numeric(name=name, value=rounded, unit="mV", source="measured", age_s=age_s, quality=own, lead=lead)  # type: ignore[arg-type]
            )
    kept = state.at > end - WINDOW_S * FS
    return replace(
        state,
        at=state.at[kept],
        levels=state.levels[kept],
        early=early,
        used=end,
        found=tuple(values),
        found_at=end,
        measured=measured,
    )


def _median(levels: FloatArray) -> tuple[float | None, float]:
    """Return the level of the beats of a lead, and the share of all beats that agree; None if it is not reliable."""
    known = _known(levels)
    if len(known) < MIN_BEATS:
        return None, 0.0
    median = float(np.median(known))
    quality = float(np.count_nonzero(np.abs(known - median) <= AGREEMENT_MV)) / len(levels)
    return (median if quality >= MIN_QUALITY else None), quality


def _known(levels: FloatArray) -> npt.NDArray[np.float64]:
    return levels[np.isfinite(levels)]


def _older(value: Numeric, by_s: float) -> Numeric:
    if not by_s:
        return value
    return Numeric(
        name=value.name,
        value=value.value,
        unit=value.unit,
        source=value.source,
        age_s=value.age_s + by_s,
        quality=value.quality,
        lead=value.lead,
    )
