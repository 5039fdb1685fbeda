"""Changes of a synthetic patient from a time on: numbers that run to a target, and rhythms."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from stream.errors import UsageError
from stream.records.synthetic.patient import NOTES, RANGES, Course, Patient, Segment, SimulatedRhythm, value_at
from stream.records.synthetic.rhythm import segment_at
from stream.wire.replay_actions import RhythmCode, VitalName

KEPT_S = 60.0
"""Points of a course are kept for so long after their time: the saturation at the finger is that of the past."""

RHYTHMS_KEPT_S = 60.0
"""So are rhythms, and longer where there has been no beat since."""

LEAST_PULSE_PRESSURE = 5.0
"""Least difference of systolic and diastolic targets, mmHg."""

RHYTHMS: dict[str, SimulatedRhythm] = {note[1:]: rhythm for rhythm, note in NOTES.items()}
"""Rhythms by their codes, those of the WFDB annotations."""

USUAL_RATE: dict[RhythmCode, float] = {
    "N": 75,
    "SBR": 40,
    "B": 75,
    "T": 75,
    "AFIB": 110,
    "SVTA": 180,
    "VT": 160,
    "VFL": 240,
}
"""Rate of each rhythm that has one if none is given, 1/min."""

RATE_OF: dict[str, str] = {"SVTA": "svt_rate", "VT": "vt_rate", "VFL": "vt_rate"}
"""The parameter that is the rate of a rhythm; of others it is ``heart_rate``."""


def with_vitals(patient: Patient, values: Mapping[VitalName, float], seconds: float, at_s: float) -> Patient:
    """Return the patient with some numbers that run to their targets, linearly.

    Parameters
    ----------
    patient : Patient
    values : mapping of str to float
        Targets; ``abp_mean`` moves systolic and diastolic pressure alike.
    seconds : float
        Duration of the change; 0: at once.
    at_s : float
        Its begin.

    Raises
    ------
    UsageError
        A target is out of range, or the pressures contradict each other.
    """
    targets: dict[str, float] = {str(name): value for name, value in values.items()}
    mean = targets.pop("abp_mean", None)
    if mean is not None:
        if "abp_systolic" in targets or "abp_diastolic" in targets:
            raise UsageError("abp_mean moves systolic and diastolic pressure: give either it or these")
        low, high = (_final(course) for course in (patient.abp_diastolic, patient.abp_systolic))
        by = mean - (low + (high - low) / 3)
        targets |= {"abp_diastolic": low + by, "abp_systolic": high + by}
    for name, target in targets.items():
        low, high = RANGES[name]
        if not low <= target <= high:
            raise UsageError(f"{name} of {target:g}: use {low:g} to {high:g}")
    courses = {name: _steered(getattr(patient, name), target, seconds, at_s) for name, target in targets.items()}
    changed = _with(patient, courses)
    if "abp_systolic" in targets or "abp_diastolic" in targets:
        systolic, diastolic = _final(changed.abp_systolic), _final(changed.abp_diastolic)
        if systolic < diastolic + LEAST_PULSE_PRESSURE:
            raise UsageError(
                f"abp_systolic of {systolic:g} with abp_diastolic of {diastolic:g}: give a systolic pressure that is "
                f"at least {LEAST_PULSE_PRESSURE:g} mmHg higher"
            )
    return changed


def with_rhythm(patient: Patient, code: RhythmCode, rate: float | None, at_s: float) -> Patient:
    """Return the patient with another rhythm from a time on.

    Parameters
    ----------
    patient : Patient
    code : str
    rate : float or None
        1/min; None: the usual one. Fibrillation of the ventricles and asystole have none.
    at_s : float

    Raises
    ------
    UsageError
        The rate is out of range, or the rhythm has none.
    """
    if rate is None:
        rate = USUAL_RATE.get(code)
    elif code not in USUAL_RATE:
        raise UsageError(f"{code} with a rate of {rate:g}: this rhythm has none, leave it out")
    if rate is not None:
        name = RATE_OF.get(code, "heart_rate")
        low, high = RANGES[name]
        if not low <= rate <= high:
            raise UsageError(f"{code} with a rate of {rate:g}: use {low:g} to {high:g}")
        patient = _with(patient, {name: _steered(getattr(patient, name), rate, 0.0, at_s)})
    before = tuple(segment for segment in patient.rhythm if segment.start_s < at_s)
    if before and before[-1].rhythm == RHYTHMS[code]:
        return replace(patient, rhythm=before)
    return replace(patient, rhythm=(*before, Segment(at_s, RHYTHMS[code])))


def without_past(patient: Patient, at_s: float, last_beat_s: float) -> Patient:
    """Return the patient without the rhythms that no sample from a time on depends on.

    The next beat follows from the last one and from all rhythms since, however long ago that was. The first rhythm is
    that in which the circulation began.

    Parameters
    ----------
    patient : Patient
    at_s : float
        All before has been generated.
    last_beat_s : float
        Time of the last beat; 0 if there was none.
    """
    rhythm, since_s = patient.rhythm, min(at_s - RHYTHMS_KEPT_S, last_beat_s)
    kept = rhythm[max(bisect_right(rhythm, since_s, key=lambda segment: segment.start_s) - 1, 0) :]
    return replace(patient, rhythm=kept if kept[0] == rhythm[0] else (rhythm[0], *kept))


def shifted(patient: Patient, by_s: float) -> Patient:
    """Return the patient as it goes on from a time on, which becomes 0 s."""
    moved: dict[str, Course] = {}
    for name in RANGES:
        course: Course = getattr(patient, name)
        moved[name] = tuple((at - by_s, value) for at, value in course) if isinstance(course, tuple) else course
    later = tuple(Segment(one.start_s - by_s, one.rhythm) for one in patient.rhythm if one.start_s > by_s)
    now, _ = segment_at(patient.rhythm, by_s)
    return replace(_with(patient, moved), rhythm=(Segment(0.0, now), *later))


def _with(patient: Patient, courses: Mapping[str, Course]) -> Patient:
    return replace(patient, **courses)  # type: ignore[arg-type]  # its rhythm is none of them


def _final(course: Course) -> float:
    return course[-1][1] if isinstance(course, tuple) else course


def _steered(course: Course, target: float, seconds: float, at_s: float) -> Course:
    """Return a course that is the same up to a time, and then runs to a target."""
    now = value_at(course, at_s)
    points = course if isinstance(course, tuple) else ((at_s, now),)
    known = tuple(point for point in points if point[0] <= at_s)
    old = sum(at <= at_s - KEPT_S for at, _ in known)
    return (*known[max(old - 1, 0) :], (at_s, now), (at_s + seconds, target))


assert set(RHYTHMS) == set(get_args(RhythmCode)), "each simulated rhythm has its code"
