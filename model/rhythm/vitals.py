"""Vital signs, each second of signal: heart rate, ventricular ectopic beats, the name of the rhythm."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from model.rhythm.beat_history import AVERAGED, Recent, unevenness
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import AlarmKind
from stream.wire.messages import Rhythm

STRIDES: Final = FS // STRIDE
"""Strides in a second."""

LEAST_USABLE = 0.9
"""Share of the last minute that must have been usable for its ventricular beats to be counted."""

PAIRS, TRIPLES = 3, 3
"""Times that the pattern of a bigeminy or a trigeminy must have been repeated."""

EVEN = 0.1
"""Unevenness of the RR intervals below which they may come from the sinus node. In MIT-BIH DS1 without 201 and 208,
56 to 100 % of a record's beats lie below where there is no atrial fibrillation (the fewest in bigeminy), and 4 % in
record 203, which is full of it."""

MOSTLY_NORMAL = 9
"""Normal beats among the last 12 without which a rhythm is not called sinus."""

SINUS_RATES = (30, 180)
"""1/min; beyond, the rhythm is not called sinus."""


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """The patient at the end of a second of signal; None if unreliable. `stream.wire.messages.Vitals` has its fields.

    The rhythm detector makes it, and the analysis adds what forecast, anomaly score and technical conditions give.

    Attributes
    ----------
    index : int
        The last sample that was observed.
    heart_rate : float or None
        1/min.
    rr_ms : float or None
        The last RR interval.
    pvc_per_min : int or None
        Ventricular ectopic beats in the last minute.
    rhythm : str
    quality : float or None
        Signal quality, 0 to 1.
    score : float or None
        The highest anomaly score of the second.
    skill : float or None
        Of the forecast, over the last minute: see `model.forecast.skill`.
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
class Minute:
    """The last minute, second by second.

    Attributes
    ----------
    usable, ventricular : tuple of int
        Strides that were usable and ventricular beats that became known, of each of the last 60 whole seconds.
    usable_now, ventricular_now : int
        Of the second that is being filled.
    """

    usable: tuple[int, ...] = ()
    ventricular: tuple[int, ...] = ()
    usable_now: int = 0
    ventricular_now: int = 0


def close_second(minute: Minute) -> Minute:
    """End the second that was being filled."""
    return Minute((*minute.usable, minute.usable_now)[-60:], (*minute.ventricular, minute.ventricular_now)[-60:])


def pvc_per_min(minute: Minute) -> int | None:
    """Return the ventricular ectopic beats of the last minute; None if too little of it was usable."""
    if len(minute.usable) < 60 or sum(minute.usable) < LEAST_USABLE * 60 * STRIDES:
        return None
    return sum(minute.ventricular)


def name_rhythm(recent: Recent, heart_rate: float | None, holding: Collection[AlarmKind]) -> Rhythm:
    """Return the name of the rhythm, from the conditions that hold now and from the last beats.

    QRS complexes alone cannot tell a paced rhythm, nor the sinus node from another pacemaker above the ventricles
    that beats as evenly.
    """
    if "ventricular_fibrillation" in holding:
        return "ventricular fibrillation"
    if "asystole" in holding:
        return "asystole"
    if "ventricular_tachycardia" in holding:
        return "ventricular tachycardia"
    if heart_rate is None:
        return "unknown"
    if "atrial_fibrillation" in holding:
        return "atrial fibrillation"
    ventricular = "".join("V" if letter == "V" else "." for letter in recent.types)
    if ventricular.endswith((".V" * PAIRS, "V." * PAIRS)):
        return "bigeminy"
    if ventricular.endswith(("..V" * TRIPLES, ".V." * TRIPLES, "V.." * TRIPLES)):
        return "trigeminy"
    slowest, fastest = SINUS_RATES
    last = recent.types[-AVERAGED:]
    if last.count("N") < min(MOSTLY_NORMAL, len(last)) or not slowest <= heart_rate <= fastest:
        return "unknown"
    uneven = unevenness(recent)
    return "sinus" if uneven is not None and uneven < EVEN else "unknown"
