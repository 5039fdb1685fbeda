"""Vital signs per second of signal: heart rate, ventricular ectopic beats, name of the rhythm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from model.beats.beat import NORMAL, VENTRICULAR
from model.conditions.precedence import (
    ASYSTOLE,
    ATRIAL_FIBRILLATION,
    VENTRICULAR_FIBRILLATION,
    VENTRICULAR_TACHYCARDIA,
)
from model.rhythm.beat_history import AVERAGED_RR, rr_variability
from model.signal import columns
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.compiled import compiled, compiled_part
from stream.timebase import FS, STRIDE
from stream.wire.messages import Rhythm

STRIDES_PER_SECOND: Final = FS // STRIDE
"""Strides per second."""

RHYTHMS: Final[tuple[Rhythm, ...]] = get_args(Rhythm)
"""Names of rhythms, in the order of their codes."""

IN_SINUS, IN_ATRIAL_FIBRILLATION, IN_BIGEMINY, IN_TRIGEMINY, IN_VENTRICULAR_TACHYCARDIA = (
    RHYTHMS.index(name) for name in ("sinus", "atrial fibrillation", "bigeminy", "trigeminy", "ventricular tachycardia")
)
IN_VENTRICULAR_FIBRILLATION, IN_ASYSTOLE, UNKNOWN = (
    RHYTHMS.index(name) for name in ("ventricular fibrillation", "asystole", "unknown")
)
"""Codes of the rhythms that are recognized."""

MIN_USABLE = 0.9
"""Smallest usable share of the last minute for a count of its ventricular beats."""

BIGEMINY_REPEATS, TRIGEMINY_REPEATS = 3, 3
"""Repetitions of the pattern required for bigeminy and for trigeminy."""

MAX_SINUS_VARIABILITY = 0.1
"""Upper limit of the RR variability of a sinus rhythm. In MIT-BIH DS1 without 201 and 208, outside atrial fibrillation,
56 to 100 % of a record's beats are below (the fewest in bigeminy); in record 203, mostly atrial fibrillation, 4 %."""

MIN_NORMAL_BEATS = 9
"""Smallest number of normal beats among the last 12 in a sinus rhythm."""

MIN_NORMAL_BEATS_WITH_P_WAVE = 6
"""The same while the P wave is consistent: then the rhythm is a sinus rhythm, however irregular ectopic beats make it.
In bigeminy they are half of the beats."""

SINUS_RATE_RANGE = (30, 180)
"""Lowest and highest rate of a sinus rhythm, 1/min."""


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """Vital signs at the end of a second of signal; None if unreliable. Same fields as `stream.wire.messages.Vitals`.

    The rhythm detector fills ``index`` to ``quality``; the analysis adds the rest.

    Attributes
    ----------
    index : int
        Last sample of the second.
    heart_rate : float or None
        Heart rate, 1/min.
    rr_ms : float or None
        Last RR interval, ms.
    pvc_per_min : int or None
        Number of ventricular ectopic beats in the last minute.
    rhythm : str
        Name of the rhythm.
    quality : float or None
        Signal quality, 0 to 1.
    score : float or None
        Highest anomaly score of the second.
    skill : float or None
        Forecast skill over the last minute, see `model.forecast.skill`.
    inops : tuple of str
        Technical conditions that hold.
    """

    index: int
    heart_rate: float | None
    rr_ms: float | None
    pvc_per_min: int | None
    rhythm: Rhythm
    quality: float | None = None
    score: float | None = None
    skill: float | None = None
    inops: tuple[str, ...] = ()


LAST_MINUTE: Final = np.dtype(
    [
        ("seconds", "i8"),
        ("usable", "i8", (60,)),
        ("ventricular", "i8", (60,)),
        ("usable_now", "i8"),
        ("ventricular_now", "i8"),
    ],
    align=True,
)
"""Counts per second of a bed over the last minute.

seconds
    Number of seconds in the next two fields, oldest first.
usable, ventricular
    Usable strides without fibrillation, and the ventricular beats reported in them, in each of the last complete
    seconds.
usable_now, ventricular_now
    The same counts for the current, incomplete second.
"""

VITALS: Final = np.dtype(
    [
        ("bed", "i8"),
        ("at", "i8"),
        ("heart_rate", "f8"),
        ("rr_ms", "f8"),
        ("pvc_per_min", "i8"),
        ("rhythm", "i8"),
        ("quality", "f8"),
    ],
    align=True,
)
"""A row of `VitalRows`."""


class VitalRows(NamedTuple):
    """Vital signs of some beds, bed by bed, a row for each second.

    Attributes
    ----------
    bed : ndarray of int64, shape (rows,)
        Place of the bed in the batch.
    at : ndarray of int64, shape (rows,)
        Last sample of the second.
    heart_rate, rr_ms : ndarray of float64, shape (rows,)
        NaN for None.
    pvc_per_min : ndarray of int64, shape (rows,)
        -1 for None.
    rhythm : ndarray of int64, shape (rows,)
        Index in `RHYTHMS`.
    quality : ndarray of float64, shape (rows,)
    """

    bed: IntArray
    at: IntArray
    heart_rate: FloatArray
    rr_ms: FloatArray
    pvc_per_min: IntArray
    rhythm: IntArray
    quality: FloatArray


def to_rows(records: npt.NDArray[Any]) -> VitalRows:
    """Return records of `VITALS` as arrays."""
    return VitalRows(*(np.ascontiguousarray(records[name]) for name in VitalRows._fields))


def vital_signs(rows: VitalRows) -> list[VitalSigns]:
    """Return the vital signs of each row."""
    return [
        VitalSigns(
            index,
            None if math.isnan(heart_rate) else heart_rate,
            None if math.isnan(rr_ms) else rr_ms,
            None if pvc_per_min < 0 else pvc_per_min,
            RHYTHMS[rhythm],
            quality,
        )
        for index, heart_rate, rr_ms, pvc_per_min, rhythm, quality in zip(
            *(column.tolist() for column in rows[1:]), strict=True
        )
    ]


@compiled
def close_second(last_minute: Any) -> None:
    """Complete the current second."""
    seconds = last_minute.seconds
    columns.push(last_minute.usable, seconds, last_minute.usable_now)
    last_minute.seconds = columns.push(last_minute.ventricular, seconds, last_minute.ventricular_now)
    last_minute.usable_now, last_minute.ventricular_now = 0, 0


def after_gap(last_minute: Any, seconds: int) -> None:
    """Complete the current second and append lost ones."""
    for _ in range(1 + min(max(seconds - 1, 0), 60)):
        close_second(last_minute)


@compiled_part
def pvc_per_min(last_minute: Any) -> int:
    """Return the number of ventricular ectopic beats in the last minute; -1 if too little of it was usable."""
    usable, ventricular = 0, 0
    for second in range(60):
        usable += last_minute.usable[second]
        ventricular += last_minute.ventricular[second]
    enough = last_minute.seconds == 60 and usable >= MIN_USABLE * 60 * STRIDES_PER_SECOND
    return ventricular if enough else -1


@compiled_part
def rhythm_name(history: Any, heart_rate: float, active: BoolArray, p_wave_present: bool) -> int:
    """Return the rhythm, index in `RHYTHMS`.

    QRS complexes alone do not identify a paced rhythm, nor do they distinguish a sinus rhythm from another regular
    supraventricular rhythm.

    Parameters
    ----------
    history : record
    heart_rate : float
        NaN if it is unknown.
    active : ndarray of bool, shape (kinds,)
        Which rhythm conditions are met.
    p_wave_present : bool
        Whether the P wave of the last beats is consistent.
    """
    if active[VENTRICULAR_FIBRILLATION]:
        return IN_VENTRICULAR_FIBRILLATION
    if active[ASYSTOLE]:
        return IN_ASYSTOLE
    if active[VENTRICULAR_TACHYCARDIA]:
        return IN_VENTRICULAR_TACHYCARDIA
    if math.isnan(heart_rate):
        return UNKNOWN
    if active[ATRIAL_FIBRILLATION]:
        return IN_ATRIAL_FIBRILLATION
    if _one_ventricular_of(2, BIGEMINY_REPEATS, history):
        return IN_BIGEMINY
    if _one_ventricular_of(3, TRIGEMINY_REPEATS, history):
        return IN_TRIGEMINY
    return IN_SINUS if _is_sinus(history, heart_rate, p_wave_present) else UNKNOWN


@compiled_part
def _one_ventricular_of(beats: int, repeats: int, history: Any) -> bool:
    """Return whether the last beats repeat a pattern in which one of two, or of three, is ventricular."""
    kinds, first, ventricular = history.kinds, history.known - beats * repeats, 0
    if first < 0:
        return False
    for i in range(first, history.known):
        is_ventricular = kinds[i] == VENTRICULAR
        ventricular += is_ventricular
        if i >= first + beats and is_ventricular != (kinds[i - beats] == VENTRICULAR):
            return False
    return ventricular == repeats


@compiled_part
def _is_sinus(history: Any, heart_rate: float, p_wave_present: bool) -> bool:
    """Return whether the rhythm is a sinus rhythm, or another regular one that looks alike."""
    slowest, fastest = SINUS_RATE_RANGE
    if not slowest <= heart_rate <= fastest:
        return False
    counted, normal = min(history.known, AVERAGED_RR), 0
    for i in range(history.known - counted, history.known):
        normal += history.kinds[i] == NORMAL
    if p_wave_present and normal >= MIN_NORMAL_BEATS_WITH_P_WAVE:
        return True
    return normal >= min(MIN_NORMAL_BEATS, counted) and rr_variability(history) < MAX_SINUS_VARIABILITY
