"""Features of a beat, normalized to the patient.

Every feature is a ratio or a correlation: relative to the patient's normal beat, to the patient's usual RR interval, or
to the usual difference between the patient's beats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from model.beats import narrow_beat, templates
from model.beats.narrow_beat import NarrowBeat
from model.beats.shape_comparison import MIN_QRS_MV, ONSET_WINDOW, QRS_WINDOW, compare, correlation
from model.beats.templates import CORE, Families
from model.signal.arrays import BoolArray, FloatArray

RECENT_RR, LONG_RR = 20, 150
"""Number of RR intervals used for the irregularity, and for the long-term mean."""

MIN_RR_RATE, MIN_DIFFERENCE_RATE = 0.05, 0.02
"""Smallest share of a new beat in the normal RR interval, and in the usual differences."""

WIDTH_UNIT = 30.0
"""Width whose logarithm is 0, samples: 83 ms."""

FAMILY_MEMORY = 8
"""Number of beats whose families are kept."""

EARLY_LOG_RR = -0.12
"""log(RR / usual RR) below which a beat outside the normal family does not update the usual differences."""

MAX_LATE = 0.25
"""Limit of log(RR / usual RR) in the tempo of a family: a beat after a pause or a gap is no more normal than others.
Without it, the first beat after some seconds of bad signal became the normal one."""

RHYTHM = (
    "rr/median20", "rr/mean10", "rr/mean150", "rr/normal", "rr/before", "step", "spread", "rr_z", "early_share",
    "unpredictable", "rank150", "spread150",
)  # fmt: skip
CONTEXT = ("before.rr/normal", "before.likeness", "before.width", "before2.rr/normal")
FAMILY = (
    "likeness", "likeness.normal", "share", "is_normal", "tempo", "family.width/normal", "family.likeness", "weight",
    "recent",
)  # fmt: skip
SHAPE = (
    "amplitude", "qrs.likeness", "qrs.difference", "st.difference", "p.difference", "p.likeness", "slope",
    "width/normal", "extent/normal", "trend", "likeness.usual", "qrs.usual", "st.usual", "p.usual",
)  # fmt: skip
LEVELS = ("level.likeness", "level.qrs", "level.st", "level.p")
"""Feature names by group, as stored in the header of the weights file; ``likeness`` stands for a correlation, ``usual``
for a difference minus its usual value, and ``level`` for that usual value."""

FORM = ("width", "normal.width", "widest", "qrs.worst", "qrs.best", "onset.likeness")
"""Absolute width of the QRS complex, of this beat and of the normal family; the largest width relative to the normal
beat, and the lowest and highest correlation of the QRS complex with it, over leads; correlation of its onset."""

FAMILY_NAMES = (*RHYTHM, *CONTEXT, *FAMILY, *SHAPE, *LEVELS, *FORM)
"""Features relative to the normal family and to the recent rhythm."""

NAMES = (*FAMILY_NAMES, *narrow_beat.NAMES)
"""Names of the features, in order."""


@dataclass(frozen=True)
class Patient:
    """Statistics of a patient's earlier beats.

    Attributes
    ----------
    beats : int
        Number of beats.
    families : Families
    rr : tuple of float
        Last RR intervals, samples.
    normal_rr : float
        Mean RR interval between two normal beats, samples; NaN before the first.
    usual_difference : ndarray of float64, shape (4, leads)
        Usual differences from the normal beat: logarithms, for correlation, QRS, ST and P.
    previous : tuple of float
        log(RR / normal RR), correlation with the normal beat and log width of the last beat; log(RR / normal RR) of the
        beat before it.
    recent_families : tuple of int
        Families of the last beats.
    last_was_normal : bool
        Whether the last beat belongs to the normal family.
    narrow : NarrowBeat
    """

    beats: int
    families: Families
    rr: tuple[float, ...]
    normal_rr: float
    usual_difference: FloatArray
    previous: tuple[float, float, float, float]
    recent_families: tuple[int, ...]
    last_was_normal: bool
    narrow: NarrowBeat


def begin(leads: int) -> Patient:
    """Return the state before the first beat of a patient."""
    usual_difference = np.repeat(np.array([[-3.5], [-2.5], [-2.2], [-3.0]]), leads, axis=1)
    before = (0.0, 1.0, 0.0, 0.0)
    return Patient(
        0, templates.begin(leads), (), math.nan, usual_difference, before, (), False, narrow_beat.begin(leads)
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """Features and family of a beat.

    Attributes
    ----------
    features : ndarray of float64, shape (len(NAMES),)
    family : int
        Index of the beat's family.
    new_family : bool
        Whether the beat started the family; it may replace an earlier one of the same index.
    """

    features: FloatArray
    family: int
    new_family: bool


def measure(patient: Patient, piece: FloatArray, valid: BoolArray, rr: float | None) -> tuple[Measured, Patient]:
    """Return the features of a beat relative to its patient, and the updated patient.

    Parameters
    ----------
    patient : Patient
    piece : ndarray of float64, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads), mV
        Samples around the R peak, finite.
    valid : ndarray of bool, shape (leads,)
        Leads to use; at least one.
    rr : float or None
        Preceding RR interval, samples; None if unknown.
    """
    families, usual_difference = patient.families, patient.usual_difference
    smoothed = templates.smooth(piece)
    lead_weight = _lead_weights(families, usual_difference, valid)
    typical_difference = float(lead_weight @ np.exp(usual_difference[0]))
    matched = templates.match(families, smoothed, lead_weight)
    if len(families.weight):
        normal = families.normal
        to_normal, by_lead = float(matched.correlation[normal]), matched.by_lead[normal]
        begin, reference = int(matched.shift[normal]), families.shape[normal]
    else:
        to_normal, by_lead = 1.0, np.ones(len(lead_weight))
        begin, reference = templates.MAX_SHIFT, smoothed[:, templates.MAX_SHIFT : templates.MAX_SHIFT + CORE]
    pair = np.stack([smoothed[:, begin : begin + CORE], reference])
    shape, differences, width = compare(pair, by_lead)

    rhythm = _rhythm(patient, rr)
    to_usual = rhythm[RHYTHM.index("rr/normal")]
    mean_width = float(lead_weight @ width)
    threshold = max(templates.MIN_MATCH_CORRELATION, min(templates.MATCH_CORRELATION, 1 - 2.5 * typical_difference))
    family, new_family, families = templates.add_beat(
        families, smoothed, matched, valid, threshold, min(to_usual, MAX_LATE), mean_width
    )
    normal = families.normal
    relative_to_narrow, narrow = narrow_beat.step(patient.narrow, smoothed, lead_weight, valid, rr)
    features = np.concatenate(
        [
            rhythm,
            patient.previous,
            _family(patient, families, family, lead_weight, matched.correlation, to_normal),
            np.concatenate([shape, differences - usual_difference]) @ lead_weight,
            usual_difference @ lead_weight,
            _form(families, shape[:, valid], mean_width, float(correlation(pair[:, :, ONSET_WINDOW]) @ lead_weight)),
            relative_to_narrow,
        ]
    )

    is_normal = family == normal
    normal_rr, initial_rate = patient.normal_rr, 1 / (patient.beats + 2)
    if rr is not None and is_normal and patient.last_was_normal:
        normal_rr = (
            float(rr) if math.isnan(normal_rr) else normal_rr + max(MIN_RR_RATE, initial_rate) * (rr - normal_rr)
        )
    if is_normal or to_usual > EARLY_LOG_RR:
        step = max(MIN_DIFFERENCE_RATE, initial_rate) * np.clip(differences - usual_difference, -0.5, 0.5)
        usual_difference = usual_difference + np.where(valid, step, 0.0)
    return Measured(features, family, new_family), Patient(
        beats=patient.beats + 1,
        families=families,
        rr=patient.rr if rr is None else (*patient.rr, float(rr))[-LONG_RR:],
        normal_rr=normal_rr,
        usual_difference=usual_difference,
        previous=(to_usual, to_normal, math.log(mean_width / WIDTH_UNIT), patient.previous[0]),
        recent_families=(*patient.recent_families, family)[-FAMILY_MEMORY:],
        last_was_normal=is_normal,
        narrow=narrow,
    )


def _lead_weights(families: Families, usual_difference: FloatArray, valid: BoolArray) -> FloatArray:
    """Return the weights of the leads: larger for leads with high and reproducible QRS complexes."""
    lead_weight = valid / (0.03 + np.exp(usual_difference[0]))
    if len(families.weight):
        qrs = families.shape[families.normal][:, QRS_WINDOW]
        lead_weight = lead_weight * (qrs.max(axis=1) - qrs.min(axis=1) + MIN_QRS_MV)
    return np.asarray(lead_weight / lead_weight.sum())


def _family(
    patient: Patient,
    families: Families,
    family: int,
    lead_weight: FloatArray,
    correlation: FloatArray,
    to_normal: float,
) -> tuple[float, ...]:
    """Return the features of the beat's family relative to the others, in the order of FAMILY."""
    normal = families.normal
    weight = float(families.weight[family])
    return (
        float(correlation.max()) if len(correlation) else 1.0,
        to_normal,
        weight / float(families.weight.sum()),
        float(family == normal),
        float(families.tempo[family]),
        math.log(families.width[family] / families.width[normal]),
        templates.correlation(families, family, normal, lead_weight),
        math.log(weight + 1),
        patient.recent_families.count(family) / max(len(patient.recent_families), 1),
    )


def _form(families: Families, shape: FloatArray, width: float, onset: float) -> tuple[float, ...]:
    """Return the features of FORM; ``shape`` holds the features of SHAPE by valid lead."""
    qrs = shape[SHAPE.index("qrs.likeness")]
    return (
        math.log(width / WIDTH_UNIT),
        math.log(families.width[families.normal] / WIDTH_UNIT),
        float(shape[SHAPE.index("width/normal")].max()),
        float(qrs.min()),
        float(qrs.max()),
        onset,
    )


def _rhythm(patient: Patient, rr: float | None) -> tuple[float, ...]:
    """Return the features of this RR interval relative to the earlier ones, in the order of RHYTHM."""
    past = patient.rr
    if rr is None or not past:
        return (*(0.0,) * 5, 0.05, 0.05, 0.0, 0.0, 0.02, 0.5, 0.05)
    recent, tail, n = past[-RECENT_RR:], past[-10:], len(past)
    median = sorted(recent)[len(recent) // 2]
    usual_rr = median if math.isnan(patient.normal_rr) else patient.normal_rr
    logs = [math.log(x) for x in recent]
    steps = sorted(abs(b - a) for a, b in pairwise(logs)) or [0.05]
    step = steps[len(steps) // 2]
    mean = sum(logs) / len(logs)
    spread = math.sqrt(sum((x - mean) ** 2 for x in logs) / len(logs))
    to_median = _log(rr / median)
    total, square = sum(past), sum(x * x for x in past)
    return (
        to_median,
        _log(rr * len(tail) / sum(tail)),
        _log(rr * n / total),
        _log(rr / usual_rr),
        _log(rr / past[-1]),
        min(step, 0.5),
        min(spread, 0.7),
        max(-4.0, min(4.0, to_median / (2 * step + 0.05))),
        sum(x < 0.85 * median for x in recent) / len(recent),
        unpredictability(logs),
        (sum(x < rr for x in past) + 0.5) / (n + 1),
        min(math.sqrt(max(square * n / (total * total) - 1, 0.0)), 0.7),
    )


def unpredictability(logs: list[float]) -> float:
    """Return the median distance of each log RR interval to the nearest of the three before.

    Small in repeating rhythms, including bigeminy and trigeminy; large in atrial fibrillation.
    """
    quadruples = zip(logs, logs[1:], logs[2:], logs[3:], strict=False)
    deviations = sorted(min(abs(d - c), abs(d - b), abs(d - a)) for a, b, c, d in quadruples)
    return min(deviations[len(deviations) // 2], 0.5) if deviations else 0.02


def _log(x: float) -> float:
    return max(-1.5, min(1.5, math.log(x)))
