"""Vital signs per second of signal: heart rate, ventricular ectopic beats, name of the rhythm."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from model.rhythm.beat_history import AVERAGED_RR, BeatHistory, rr_variability
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import AlarmKind
from stream.wire.messages import Rhythm

STRIDES_PER_SECOND: Final = FS // STRIDE
"""Strides per second."""

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


@dataclass(frozen=True, slots=True)
class LastMinute:
    """Counts per second over the last minute.

    Attributes
    ----------
    usable, ventricular : tuple of int
        Usable strides and reported ventricular beats in each of the last 60 complete seconds.
    usable_now, ventricular_now : int
        The same counts for the current, incomplete second.
    """

    usable: tuple[int, ...] = ()
    ventricular: tuple[int, ...] = ()
    usable_now: int = 0
    ventricular_now: int = 0


def close_second(last_minute: LastMinute) -> LastMinute:
    """Complete the current second."""
    return LastMinute(
        (*last_minute.usable, last_minute.usable_now)[-60:],
        (*last_minute.ventricular, last_minute.ventricular_now)[-60:],
    )


def after_gap(last_minute: LastMinute, seconds: int) -> LastMinute:
    """Complete the current second and append lost ones."""
    last_minute = close_second(last_minute)
    for _ in range(min(max(seconds - 1, 0), 60)):
        last_minute = close_second(last_minute)
    return last_minute


def pvc_per_min(last_minute: LastMinute) -> int | None:
    """Return the number of ventricular ectopic beats in the last minute; None if too little of it was usable."""
    if len(last_minute.usable) < 60 or sum(last_minute.usable) < MIN_USABLE * 60 * STRIDES_PER_SECOND:
        return None
    return sum(last_minute.ventricular)


def rhythm_name(
    history: BeatHistory, heart_rate: float | None, active: Collection[AlarmKind], p_wave_present: bool
) -> Rhythm:
    """Return the name of the rhythm from the active conditions, the last beats, and whether their P wave is consistent.

    QRS complexes alone do not identify a paced rhythm, nor do they distinguish a sinus rhythm from another regular
    supraventricular rhythm.
    """
    if "ventricular_fibrillation" in active:
        return "ventricular fibrillation"
    if "asystole" in active:
        return "asystole"
    if "ventricular_tachycardia" in active:
        return "ventricular tachycardia"
    if heart_rate is None:
        return "unknown"
    if "atrial_fibrillation" in active:
        return "atrial fibrillation"
    ventricular = "".join("V" if letter == "V" else "." for letter in history.types)
    if ventricular.endswith((".V" * BIGEMINY_REPEATS, "V." * BIGEMINY_REPEATS)):
        return "bigeminy"
    if ventricular.endswith(("..V" * TRIGEMINY_REPEATS, ".V." * TRIGEMINY_REPEATS, "V.." * TRIGEMINY_REPEATS)):
        return "trigeminy"
    slowest, fastest = SINUS_RATE_RANGE
    last = history.types[-AVERAGED_RR:]
    if not slowest <= heart_rate <= fastest:
        return "unknown"
    if p_wave_present and last.count("N") >= MIN_NORMAL_BEATS_WITH_P_WAVE:
        return "sinus"
    if last.count("N") < min(MIN_NORMAL_BEATS, len(last)):
        return "unknown"
    variability = rr_variability(history)
    return "sinus" if variability is not None and variability < MAX_SINUS_VARIABILITY else "unknown"
