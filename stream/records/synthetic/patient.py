"""The parameters of a synthetic patient."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from stream.errors import UsageError

Array = npt.NDArray[np.float64]

Course = float | tuple[tuple[float, float], ...]
"""A parameter over time: a constant, or points (time in s, value), linear between them and constant outside. Two points
at one time are a step."""

SimulatedRhythm = Literal[
    "sinus",
    "sinus bradycardia",
    "bigeminy",
    "trigeminy",
    "atrial fibrillation",
    "supraventricular tachycardia",
    "ventricular tachycardia",
    "ventricular flutter",
    "ventricular fibrillation",
    "asystole",
]

NOTES: dict[SimulatedRhythm, str] = {
    "sinus": "(N",
    "sinus bradycardia": "(SBR",
    "bigeminy": "(B",
    "trigeminy": "(T",
    "atrial fibrillation": "(AFIB",
    "supraventricular tachycardia": "(SVTA",
    "ventricular tachycardia": "(VT",
    "ventricular flutter": "(VFL",
    "ventricular fibrillation": "(VF",
    "asystole": "(ASYS",
}
"""Rhythm notes, as in MIT-BIH's databases."""

RANGES: dict[str, tuple[float, float]] = {
    "heart_rate": (20, 250),
    "svt_rate": (100, 280),
    "vt_rate": (100, 280),
    "pvc_rate": (0, 60),
    "pac_rate": (0, 60),
    "respiration_rate": (0, 60),
    "spo2": (0, 100),
    "abp_systolic": (20, 300),
    "abp_diastolic": (15, 200),
    "cvp_mean": (-5, 40),
    "etco2": (0, 120),
    "temperature": (20, 45),
    "pulse_arrival_s": (0.1, 0.5),
}
"""Accepted values of each parameter, in its unit."""


@dataclass(frozen=True)
class Segment:
    """A rhythm from a time on, until the next segment or the end."""

    start_s: float
    rhythm: SimulatedRhythm


@dataclass(frozen=True)
class Patient:
    """Parameters of a synthetic patient; what is of type `Course` may change over time.

    Attributes
    ----------
    rhythm : tuple of Segment
        In ascending order; the first starts at 0.
    heart_rate : Course
        Mean rate in sinus rhythm, sinus bradycardia (which differs by its name only), bigeminy, trigeminy and atrial
        fibrillation, 1/min.
    svt_rate : Course
        Rate of supraventricular tachycardia, 1/min.
    vt_rate : Course
        Rate of ventricular tachycardia and flutter, 1/min; from about 180/min on, the broad complexes resemble flutter.
    pvc_rate, pac_rate : Course
        Premature ventricular and atrial beats in sinus rhythm, per min.
    respiration_rate : Course
        1/min; below 2 no breath begins: apnoea.
    spo2 : Course
        Saturation of the arterial blood in the lungs, %; the oximeter at the finger follows later.
    abp_systolic, abp_diastolic : Course
        Pressure in sinus rhythm, mmHg. In other rhythms it follows from the filling of each beat.
    cvp_mean, etco2 : Course
        mmHg, while the blood circulates.
    temperature : Course
        °C.
    pulse_arrival_s : Course
        From the R peak to the foot of the pulse at the finger, s.

    Raises
    ------
    UsageError
        A value is out of range, or times are not ascending.
    """

    rhythm: tuple[Segment, ...] = (Segment(0.0, "sinus"),)
    heart_rate: Course = 72.0
    svt_rate: Course = 180.0
    vt_rate: Course = 150.0
    pvc_rate: Course = 0.0
    pac_rate: Course = 0.0
    respiration_rate: Course = 15.0
    spo2: Course = 97.0
    abp_systolic: Course = 122.0
    abp_diastolic: Course = 76.0
    cvp_mean: Course = 7.0
    etco2: Course = 38.0
    temperature: Course = 36.8
    pulse_arrival_s: Course = 0.22

    def __post_init__(self) -> None:
        starts = [segment.start_s for segment in self.rhythm]
        if not starts or starts[0] != 0 or any(b <= a for a, b in pairwise(starts)):
            raise UsageError(f"rhythm segments start at {starts} s: start the first at 0, each later than the last")
        for name, (low, high) in RANGES.items():
            course: Course = getattr(self, name)
            points = course if isinstance(course, tuple) else ((0.0, course),)
            if not points or any(b[0] < a[0] for a, b in pairwise(points)):
                raise UsageError(f"{name} has points at {[at for at, _ in points]} s: give ascending times")
            if wrong := [value for _, value in points if not low <= value <= high]:
                raise UsageError(f"{name} of {wrong[0]:g}: use {low:g} to {high:g}")


def values_at(course: Course, seconds: Array) -> Array:
    """Return the values of a parameter at some times."""
    if not isinstance(course, tuple):
        return np.full(seconds.shape, float(course))
    times, values = zip(*course, strict=True)
    found: Array = np.interp(seconds, times, values)
    return found


def value_at(course: Course, seconds: float) -> float:
    """Return the value of a parameter at one time."""
    return float(values_at(course, np.array([seconds]))[0]) if isinstance(course, tuple) else float(course)
