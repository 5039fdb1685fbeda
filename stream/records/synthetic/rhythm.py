"""The beats of a synthetic patient: when, of which kind, and in which rhythm.

RR intervals in sinus rhythm vary as in ECGSYN (McSharry et al. 2003, see `ecg`): with a slow oscillation at 0.1 Hz,
with respiration (faster during inspiration) and at random. The arrhythmias are defined by this module. Beats are drawn
one after another and depend on nothing later, so a longer record begins with the shorter one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, pi, sin
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from stream.records.synthetic.breathing import MEAN_VOLUME, Breaths, lung_volume
from stream.records.synthetic.patient import Array, Patient, Segment, SimulatedRhythm, value_at

Kind = Literal["N", "S", "V"]

PULSELESS: frozenset[SimulatedRhythm] = frozenset({"ventricular fibrillation", "asystole"})
"""Rhythms without beats."""

VENTRICULAR: frozenset[SimulatedRhythm] = frozenset({"ventricular tachycardia", "ventricular flutter"})
"""Rhythms of ventricular beats alone."""

WITHOUT_P: frozenset[SimulatedRhythm] = frozenset({"atrial fibrillation", "supraventricular tachycardia"})
"""Rhythms whose narrow beats have no P wave: in supraventricular tachycardia it lies within the QRS complex."""

SINUS: frozenset[SimulatedRhythm] = frozenset({"sinus", "sinus bradycardia"})
"""Rhythms in which premature beats come at random."""

SLOW, RESPIRATORY, RANDOM = 0.02, 0.05, 0.008
"""Amplitudes of the variation of RR, as shares of RR; the respiratory one for a whole mean breath."""

PVC_AT, PAC_AT = 0.62, 0.7
"""Coupling of premature beats, as a share of RR; a PVC is followed by a compensatory pause."""

AF_SPREAD, AF_SHORTEST_S = 0.22, 0.32
"""Standard deviation of the logarithm of RR in atrial fibrillation, and its shortest RR, s."""

VT_SPREAD, SVT_SPREAD = 0.02, 0.005
"""Standard deviation of RR in ventricular and supraventricular tachycardia, as a share of RR."""

FIRST_S, RESUMES_S = 0.4, 0.7
"""First beat of a patient, and first beat after a rhythm without beats, s."""

ADAPTATION = 0.1
"""Share of the last RR in the mean RR to which repolarisation adapts."""


class Beats(NamedTuple):
    """Beats, in order.

    Attributes
    ----------
    time : ndarray, shape (beats,)
        R peaks, s.
    kind : ndarray of str, shape (beats,)
        N, S (premature atrial) or V.
    rr, mean_rr : ndarray, shape (beats,)
        Interval before the beat, and its moving mean, s.
    atrial : ndarray of bool, shape (beats,)
        Whether the atria contract before the beat.
    """

    time: Array
    kind: npt.NDArray[np.str_]
    rr: Array
    mean_rr: Array
    atrial: npt.NDArray[np.bool_]


class _Beat(NamedTuple):
    """The last beat, and what decides on the next one.

    Attributes
    ----------
    at : float
        s.
    kind : str
    since_ventricular : int
        Beats since the last ventricular one, with this one; 0 if it is ventricular itself.
    inspired : float
        Volume of the lung above its mean.
    normal, uniform, chance : float
        Random numbers for the next beat.
    """

    at: float
    kind: Kind
    since_ventricular: int
    inspired: float
    normal: float
    uniform: float
    chance: float


@dataclass
class BeatSource:
    """Draws beats, one after another.

    Attributes
    ----------
    rng : Generator
    phase : float
        Of the slow oscillation of RR.
    last : _Beat or None
    adapted : float
        Moving mean of RR, s; 0 before the first beat.
    """

    rng: np.random.Generator
    phase: float
    last: _Beat | None = None
    adapted: float = 0.0

    def until(self, patient: Patient, breathing: Breaths, stop_s: float) -> Beats:
        """Return the next beats, those before ``stop_s``.

        When the beat after them comes is left open: until its time, the patient's rhythm may change.
        """
        found: list[tuple[float, Kind, float, float, bool]] = []
        while (following := self._next(patient))[0] < stop_s:
            at, kind = following
            rhythm, _ = segment_at(patient.rhythm, at)
            if rhythm in VENTRICULAR:
                kind = "V"
            if self.last is None:
                self.adapted = 60 / value_at(patient.heart_rate, at)
            rr = at - (FIRST_S - self.adapted if self.last is None else self.last.at)
            self.adapted += ADAPTATION * (min(rr, 2.0) - self.adapted)
            found.append((at, kind, rr, self.adapted, kind != "V" and rhythm not in WITHOUT_P))
            since = 0 if kind == "V" else self.last.since_ventricular + 1 if self.last is not None else 1
            inspired = float(lung_volume(breathing, np.array([at]))[0]) - MEAN_VOLUME
            self.last = _Beat(at, kind, since, inspired, self.rng.standard_normal(), *self.rng.random(2).tolist())
        time, kinds, rrs, means, atrial = zip(*found, strict=True) if found else ((), (), (), (), ())
        return Beats(np.array(time), np.array(kinds, "U1"), np.array(rrs), np.array(means), np.array(atrial, np.bool_))

    def _next(self, patient: Patient) -> tuple[float, Kind]:
        """Return the time and the kind of the next beat, as far as the rhythm is known; never if it has none."""
        first: tuple[float, Kind] = FIRST_S, "N"
        at, kind = first if self.last is None else self._after(self.last, patient)
        while at < inf:
            rhythm, end = segment_at(patient.rhythm, at)
            if rhythm not in PULSELESS:
                break
            at, kind = end + RESUMES_S, "N"
        return at, kind

    def _after(self, last: _Beat, patient: Patient) -> tuple[float, Kind]:
        """Return the time and the kind of the beat after another one, in whose rhythm it follows."""
        rhythm, end = segment_at(patient.rhythm, last.at)
        mean = 60 / value_at(patient.heart_rate, last.at)
        if rhythm in VENTRICULAR:
            at = last.at + 60 / value_at(patient.vt_rate, last.at) * (1 + VT_SPREAD * last.normal)
            return (at, "V") if at < end else _after_ventricular(patient, at, end, mean)
        oscillation = SLOW * sin(2 * pi * 0.1 * last.at + self.phase)
        rr = mean * (1 + oscillation - RESPIRATORY * last.inspired + RANDOM * last.normal)
        at = last.at + rr
        kind: Kind = "N"
        if rhythm == "atrial fibrillation":
            at = last.at + max(AF_SHORTEST_S, mean * exp(AF_SPREAD * last.normal - AF_SPREAD**2 / 2))
        elif rhythm == "supraventricular tachycardia":
            at = last.at + 60 / value_at(patient.svt_rate, last.at) * (1 + SVT_SPREAD * last.normal)
        elif last.kind == "V":
            at = last.at + (2 - PVC_AT) * rr
        elif _is_premature_ventricular(rhythm, last, rr, patient):
            at, kind = last.at + PVC_AT * rr, "V"
        elif rhythm in SINUS and last.chance < value_at(patient.pac_rate, last.at) * rr / 60:
            at, kind = last.at + PAC_AT * rr, "S"
        if at >= end and segment_at(patient.rhythm, end)[0] in VENTRICULAR:
            at = max(end, last.at + PVC_AT * rr)
        return at, kind


def _after_ventricular(patient: Patient, at: float, end: float, mean: float) -> tuple[float, Kind]:
    """Return the beat after a ventricular rhythm, which may go on as another one."""
    return (at, "V") if segment_at(patient.rhythm, end)[0] in VENTRICULAR else (end + 1.2 * mean, "N")


def _is_premature_ventricular(rhythm: SimulatedRhythm, last: _Beat, rr: float, patient: Patient) -> bool:
    if rhythm == "bigeminy" or (rhythm == "trigeminy" and last.since_ventricular >= 2):
        return True
    return rhythm in SINUS and last.uniform < value_at(patient.pvc_rate, last.at) * rr / 60


def segment_at(segments: Sequence[Segment], at: float) -> tuple[SimulatedRhythm, float]:
    """Return the rhythm at a time, and when it ends."""
    number = bisect_right(segments, at, key=lambda segment: segment.start_s)
    return segments[number - 1].rhythm, segments[number].start_s if number < len(segments) else inf
