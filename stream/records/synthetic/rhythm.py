"""The beats of a synthetic patient: when, of which kind, and in which rhythm.

RR intervals in sinus rhythm vary as in ECGSYN (McSharry et al. 2003, see `ecg`): with a slow oscillation at 0.1 Hz,
with respiration (faster during inspiration) and at random. The arrhythmias are defined by this module. Beats are drawn
one after another and depend on nothing later, so a longer record begins with the shorter one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, inf, pi, sin
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from stream.records.synthetic.breathing import GRID_HZ, MEAN_VOLUME, Breaths, lung_volume
from stream.records.synthetic.patient import Array, Patient, Segment, SimulatedRhythm, values_at

Kind = Literal["N", "S", "V"]

PULSELESS: frozenset[SimulatedRhythm] = frozenset({"ventricular fibrillation", "asystole"})
"""Rhythms without beats."""

SLOW, RESPIRATORY, RANDOM = 0.02, 0.05, 0.008
"""Amplitudes of the variation of RR, as shares of RR; the respiratory one for a whole mean breath."""

PVC_AT, PAC_AT = 0.62, 0.7
"""Coupling of premature beats, as a share of RR; a PVC is followed by a compensatory pause."""

AF_SPREAD, AF_SHORTEST_S = 0.22, 0.32
"""Standard deviation of the logarithm of RR in atrial fibrillation, and its shortest RR, s."""

RESUMES_S = 0.7
"""First beat after a rhythm without beats, s."""

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


def beats(patient: Patient, breathing: Breaths, seconds: float, rng: np.random.Generator) -> Beats:
    """Return the beats before ``seconds``."""
    grid = np.arange(0, seconds + 1, 1 / GRID_HZ)
    mean_rrs = (60 / values_at(patient.heart_rate, grid)).tolist()
    vt_rrs = (60 / values_at(patient.vt_rate, grid)).tolist()
    pvcs, pacs = (values_at(course, grid).tolist() for course in (patient.pvc_rate, patient.pac_rate))
    inspired = (lung_volume(breathing, grid) - MEAN_VOLUME).tolist()
    phase = rng.uniform(0, 2 * pi)
    found: list[tuple[float, Kind, float, float, bool]] = []
    kind: Kind = "N"
    at, last, adapted = 0.4, 0.4 - mean_rrs[0], mean_rrs[0]
    while at < seconds:
        rhythm, end = segment_at(patient.rhythm, at)
        if rhythm in PULSELESS:
            at, kind = end + RESUMES_S, "N"
            continue
        ventricular = rhythm == "ventricular tachycardia"
        kind = "V" if ventricular else kind
        adapted += ADAPTATION * (min(at - last, 2.0) - adapted)
        found.append((at, kind, at - last, adapted, kind != "V" and rhythm != "atrial fibrillation"))
        last, step = at, int(at * GRID_HZ)
        normal, (uniform, chance) = rng.standard_normal(), rng.random(2).tolist()
        mean = mean_rrs[step]
        rr = mean * (1 + SLOW * sin(2 * pi * 0.1 * at + phase) - RESPIRATORY * inspired[step] + RANDOM * normal)
        premature_ventricular = rhythm == "bigeminy" or (rhythm == "sinus" and uniform < pvcs[step] * rr / 60)
        if ventricular:
            at, kind = last + vt_rrs[step] * (1 + 0.02 * normal), "V"
            if at >= end:
                at, kind = end + 1.2 * mean, "N"
        elif rhythm == "atrial fibrillation":
            at, kind = last + max(AF_SHORTEST_S, mean * exp(AF_SPREAD * normal - AF_SPREAD**2 / 2)), "N"
        elif kind == "V":
            at, kind = last + (2 - PVC_AT) * rr, "N"
        elif premature_ventricular:
            at, kind = last + PVC_AT * rr, "V"
        elif rhythm == "sinus" and chance < pacs[step] * rr / 60:
            at, kind = last + PAC_AT * rr, "S"
        else:
            at, kind = last + rr, "N"
        if at >= end and not ventricular and segment_at(patient.rhythm, end)[0] == "ventricular tachycardia":
            at = max(end, last + PVC_AT * rr)
    time, kinds, rrs, means, atrial = zip(*found, strict=True) if found else ((), (), (), (), ())
    return Beats(np.array(time), np.array(kinds, "U1"), np.array(rrs), np.array(means), np.array(atrial, np.bool_))


def segment_at(segments: Sequence[Segment], at: float) -> tuple[SimulatedRhythm, float]:
    """Return the rhythm at a time, and when it ends."""
    number = bisect_right(segments, at, key=lambda segment: segment.start_s)
    return segments[number - 1].rhythm, segments[number].start_s if number < len(segments) else inf
