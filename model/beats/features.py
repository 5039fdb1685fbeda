"""Features of a beat, normalized to the patient.

Every feature is a ratio or a correlation: relative to the patient's normal beat, to the patient's usual RR interval, or
to the usual difference between the patient's beats.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.beats import narrow_beat, rr_features, templates
from model.beats.beat_network import BINS
from model.beats.narrow_beat import NarrowBeat
from model.beats.rr_features import LONG_RR
from model.beats.shape_comparison import (
    DIFFERENCES,
    MEASURES,
    MIN_QRS_MV,
    ONSET_WINDOW,
    QRS_WINDOW,
    compare,
    correlation,
)
from model.beats.templates import (
    CORE,
    MATCH_CORRELATION,
    MAX_FAMILIES,
    MAX_SHIFT,
    MIN_MATCH_CORRELATION,
    Families,
)
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.columns import copied, push
from model.signal.compiled import compiled, compiled_part

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

RHYTHM = rr_features.NAMES
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

CONTEXT_AT, FAMILY_AT, SHAPE_AT, LEVELS_AT, FORM_AT = (
    NAMES.index(names[0]) for names in (CONTEXT, FAMILY, SHAPE, LEVELS, FORM)
)
"""Positions of the groups in NAMES."""

QRS_LIKENESS, RELATIVE_WIDTH = SHAPE.index("qrs.likeness"), SHAPE.index("width/normal")
RR_TO_NORMAL = RHYTHM.index("rr/normal")


class Patient(NamedTuple):
    """Statistics of the earlier beats of patients; columns over beds.

    Attributes
    ----------
    beats : ndarray of int64, shape (beds,)
        Number of beats.
    families : Families
    intervals : ndarray of int64, shape (beds,)
        Number of known values in ``rr``.
    rr : ndarray of float64, shape (beds, LONG_RR)
        Last RR intervals, samples, oldest first.
    normal_rr : ndarray of float64, shape (beds,)
        Mean RR interval between two normal beats, samples; NaN before the first.
    usual_difference : ndarray of float64, shape (beds, leads, DIFFERENCES)
        Usual differences from the normal beat: logarithms, for correlation, QRS, ST and P.
    previous : ndarray of float64, shape (beds, len(CONTEXT))
        log(RR / normal RR), correlation with the normal beat and log width of the last beat; log(RR / normal RR) of the
        beat before it.
    recent_families : ndarray of int64, shape (beds, FAMILY_MEMORY)
        Families of the last beats, oldest first; as many as ``beats``.
    last_was_normal : ndarray of bool, shape (beds,)
        Whether the last beat belongs to the normal family.
    narrow : NarrowBeat
    """

    beats: IntArray
    families: Families
    intervals: IntArray
    rr: FloatArray
    normal_rr: FloatArray
    usual_difference: FloatArray
    previous: FloatArray
    recent_families: IntArray
    last_was_normal: BoolArray
    narrow: NarrowBeat


def begin(leads: int) -> Patient:
    """Return the state of one bed before the first beat of a patient."""
    return Patient(
        beats=np.zeros(1, np.int64),
        families=templates.begin(leads),
        intervals=np.zeros(1, np.int64),
        rr=np.zeros((1, LONG_RR)),
        normal_rr=np.full(1, np.nan),
        usual_difference=np.tile([-3.5, -2.5, -2.2, -3.0], (1, leads, 1)),
        previous=np.array([[0.0, 1.0, 0.0, 0.0]]),
        recent_families=np.zeros((1, FAMILY_MEMORY), np.int64),
        last_was_normal=np.zeros(1, np.bool_),
        narrow=narrow_beat.begin(leads),
    )


class Measured(NamedTuple):
    """Features and shapes of beats.

    Attributes
    ----------
    features : ndarray of float64, shape (n, len(NAMES))
    shapes : ndarray of float64, shape (n, leads, 2, BINS)
        Of the beat and of the narrow beat, see `model.beats.beat_network.condense`; 0 in leads that are not valid.
    beats : ndarray of int64, shape (n,)
        Number of beats of the patient, with this one; 0 for a beat that was left out, whose other fields are undefined.
    """

    features: FloatArray
    shapes: FloatArray
    beats: IntArray


def measure(patient: Patient, piece: FloatArray, valid: BoolArray, rr: float | None) -> tuple[Measured, Patient]:
    """Return the features of one beat, and the updated patient.

    Parameters
    ----------
    patient : Patient
        Of one bed.
    piece : ndarray of float64, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads), mV
        Samples around the R peak, finite.
    valid : ndarray of bool, shape (leads,)
        Leads to use; at least one.
    rr : float or None
        Preceding RR interval, samples; None if unknown.
    """
    patient, pieces = copied(patient), np.ascontiguousarray(piece)[None]
    interval = math.nan if rr is None else float(rr)
    return push_beats(patient, np.zeros(1, np.int64), pieces, valid[None], np.array([interval])), patient


def push_beats(patient: Patient, slots: IntArray, piece: FloatArray, valid: BoolArray, rr: FloatArray) -> Measured:
    """Measure beats relative to their patients, and update these in place.

    Parameters
    ----------
    patient : Patient
    slots : ndarray of int64, shape (n,)
        Slot of the patient of each beat; the beats of a patient are in order.
    piece : ndarray of float64, shape (n, PIECE_BEFORE + 1 + PIECE_AFTER, leads), mV
        Samples around the R peak, finite.
    valid : ndarray of bool, shape (n, leads)
        Leads to use. A beat without one is left out.
    rr : ndarray of float64, shape (n,)
        Preceding RR interval, samples; NaN if unknown.
    """
    n, leads = valid.shape
    measured = Measured(np.empty((n, len(NAMES))), np.empty((n, leads, 2, BINS)), np.zeros(n, np.int64))
    _push_beats(patient, slots, piece, valid, rr, measured)
    return measured


@compiled
def _push_beats(
    patient: Patient, slots: IntArray, pieces: FloatArray, all_valid: BoolArray, all_rr: FloatArray, measured: Measured
) -> None:
    """Measure beats, in place; see `push_beats`."""
    for row in range(len(slots)):
        slot, piece, valid, rr, features = slots[row], pieces[row], all_valid[row], all_rr[row], measured.features[row]
        if not valid.any():
            continue
        leads, families, known = len(valid), patient.families, int(patient.families.known[slot])
        normal = templates.normal_family(families, slot)
        usual_difference, reference = patient.usual_difference[slot], families.shape[slot, normal]
        lead_weight = _lead_weights(usual_difference, reference, valid, known > 0)
        smoothed = templates.smooth(piece)
        norms = templates.window_norms(smoothed)
        likeness, by_lead = np.ones(MAX_FAMILIES), np.ones((MAX_FAMILIES, leads))
        shift = np.full(MAX_FAMILIES, MAX_SHIFT)
        for k in range(known):
            likeness[k], shift[k] = templates.match(families.filter[slot, k], smoothed, norms, lead_weight, by_lead[k])
        to_normal = likeness[normal]
        beat = smoothed[:, shift[normal] : shift[normal] + CORE].copy()
        if not known:
            reference = beat

        # The normal beat of before is the reference; the families are then updated, and the beat's family compared.
        past = patient.rr[slot, : patient.intervals[slot]]
        rr_features.measure(past, rr, patient.normal_rr[slot], features[: len(RHYTHM)])
        to_usual = features[RR_TO_NORMAL]
        previous = patient.previous[slot]
        for i in range(len(CONTEXT)):
            features[CONTEXT_AT + i] = previous[i]
        differences = np.empty((leads, DIFFERENCES))
        width = _compare_leads(
            beat, reference, by_lead[normal], lead_weight, valid, usual_difference, differences, features
        )
        threshold, tempo = _match_threshold(usual_difference, lead_weight), min(to_usual, MAX_LATE)
        family, _ = templates.add_beat(families, slot, smoothed, likeness, shift, valid, threshold, tempo, width)
        normal = templates.normal_family(families, slot)
        features[FORM_AT] = math.log(width / WIDTH_UNIT)
        features[FORM_AT + 1] = math.log(families.width[slot, normal] / WIDTH_UNIT)
        features[FAMILY_AT] = likeness[: max(known, 1)].max()
        features[FAMILY_AT + 1] = to_normal
        _compare_families(families, slot, family, normal, lead_weight, features)
        remembered = min(int(patient.beats[slot]), FAMILY_MEMORY)
        features[FAMILY_AT + 8] = _share(patient.recent_families[slot, :remembered], family)
        to_narrow = features[len(FAMILY_NAMES) :]
        shapes = measured.shapes[row]
        narrow_beat.push_beat(patient.narrow, slot, smoothed, norms, lead_weight, valid, rr, to_narrow, shapes)

        # What the next beats are compared with.
        is_normal, initial_rate = family == normal, 1 / (patient.beats[slot] + 2)
        if not math.isnan(rr):
            if is_normal and patient.last_was_normal[slot]:
                before = patient.normal_rr[slot]
                moved = before + max(MIN_RR_RATE, initial_rate) * (rr - before)
                patient.normal_rr[slot] = rr if math.isnan(before) else moved
            patient.intervals[slot] = push(patient.rr[slot], int(patient.intervals[slot]), rr)
        if is_normal or to_usual > EARLY_LOG_RR:
            _update_differences(usual_difference, differences, valid, max(MIN_DIFFERENCE_RATE, initial_rate))
        push(patient.recent_families[slot], remembered, family)
        patient.last_was_normal[slot] = is_normal
        patient.beats[slot] += 1
        measured.beats[row] = patient.beats[slot]
        previous[3] = previous[0]
        previous[0], previous[1], previous[2] = to_usual, to_normal, features[FORM_AT]


@compiled_part
def _lead_weights(
    usual_difference: FloatArray, reference: FloatArray, valid: BoolArray, compare_heights: bool
) -> FloatArray:
    """Return the weights of the leads: larger for leads with high and reproducible QRS complexes."""
    lead_weight, total = np.zeros(len(valid)), 0.0
    for lead in range(len(valid)):
        if valid[lead]:
            lead_weight[lead] = 1 / (0.03 + math.exp(usual_difference[lead, 0]))
            if compare_heights:
                qrs = reference[lead, QRS_WINDOW]
                lead_weight[lead] *= qrs.max() - qrs.min() + MIN_QRS_MV
            total += lead_weight[lead]
    for lead in range(len(valid)):
        lead_weight[lead] /= total
    return lead_weight


@compiled_part
def _match_threshold(usual_difference: FloatArray, lead_weight: FloatArray) -> float:
    """Return the correlation from which a beat belongs to a family: lower where beats usually differ much."""
    typical_difference = 0.0
    for lead in range(len(lead_weight)):
        typical_difference += lead_weight[lead] * math.exp(usual_difference[lead, 0])
    return max(MIN_MATCH_CORRELATION, min(MATCH_CORRELATION, 1 - 2.5 * typical_difference))


@compiled_part
def _compare_leads(
    beat: FloatArray,
    reference: FloatArray,
    by_lead: FloatArray,
    lead_weight: FloatArray,
    valid: BoolArray,
    usual_difference: FloatArray,
    differences: FloatArray,
    features: FloatArray,
) -> float:
    """Compute the features of SHAPE and LEVELS, and those of FORM that compare leads.

    Returns
    -------
    float
        Mean width of the beat over leads.
    """
    for i in range(len(SHAPE)):
        features[SHAPE_AT + i] = 0.0
    for i in range(DIFFERENCES):
        features[LEVELS_AT + i] = 0.0
    widest, worst, best, onset, mean_width = -math.inf, math.inf, -math.inf, 0.0, 0.0
    measures = np.empty(MEASURES)
    for lead in range(len(valid)):
        if not valid[lead]:
            continue
        width = compare(beat[lead], reference[lead], by_lead[lead], measures, differences[lead])
        weight = lead_weight[lead]
        for i in range(MEASURES):
            features[SHAPE_AT + i] += weight * measures[i]
        for i in range(DIFFERENCES):
            features[SHAPE_AT + MEASURES + i] += weight * (differences[lead, i] - usual_difference[lead, i])
            features[LEVELS_AT + i] += weight * usual_difference[lead, i]
        widest = max(widest, measures[RELATIVE_WIDTH])
        worst, best = min(worst, measures[QRS_LIKENESS]), max(best, measures[QRS_LIKENESS])
        onset += weight * correlation(beat[lead, ONSET_WINDOW], reference[lead, ONSET_WINDOW])
        mean_width += weight * width
    features[FORM_AT + 2], features[FORM_AT + 3], features[FORM_AT + 4] = widest, worst, best
    features[FORM_AT + 5] = onset
    return mean_width


@compiled_part
def _compare_families(
    families: Families, slot: int, family: int, normal: int, lead_weight: FloatArray, features: FloatArray
) -> None:
    """Compute the features of FAMILY that compare the beat's family with the others."""
    weight, width, filters = families.weight[slot], families.width[slot], families.filter[slot]
    likeness = 1.0 if family == normal else templates.correlation(filters[family], filters[normal], lead_weight)
    features[FAMILY_AT + 2] = weight[family] / weight[: families.known[slot]].sum()
    features[FAMILY_AT + 3] = 1.0 if family == normal else 0.0
    features[FAMILY_AT + 4] = families.tempo[slot, family]
    features[FAMILY_AT + 5] = math.log(width[family] / width[normal])
    features[FAMILY_AT + 6] = likeness
    features[FAMILY_AT + 7] = math.log(weight[family] + 1)


@compiled_part
def _share(families: IntArray, family: int) -> float:
    """Return the share of a family in the families of the last beats; 0 if there are none."""
    count = 0
    for other in families:
        count += other == family
    return count / max(len(families), 1)


@compiled_part
def _update_differences(usual_difference: FloatArray, differences: FloatArray, valid: BoolArray, rate: float) -> None:
    """Move the usual differences towards those of a beat, in the valid leads."""
    for lead in range(len(valid)):
        if valid[lead]:
            for i in range(DIFFERENCES):
                step = max(-0.5, min(0.5, differences[lead, i] - usual_difference[lead, i]))
                usual_difference[lead, i] += rate * step
