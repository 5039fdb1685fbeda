"""What a beat looks like, in numbers that mean the same for every patient.

Every number is a ratio or a correlation: with the patient's own normal beat, with the patient's own usual RR interval,
or with how much the patient's own beats differ from each other as a rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from model.beats import templates as shapes
from model.beats.templates import BEFORE, CORE, Families
from model.signal.arrays import BoolArray, FloatArray

P = slice(BEFORE - 84, BEFORE - 24)
"""−233 to −67 ms: where the P wave is."""
QRS = slice(BEFORE - 26, BEFORE + 32)
"""−72 to +89 ms."""

PR = slice(BEFORE - 40, BEFORE - 22)
"""−111 to −61 ms: the level from which heights are measured."""

BIN = 6
"""Samples that are averaged where the small P wave is compared."""

RECENT, LONG = 20, 150
"""RR intervals that are remembered: for irregularity, and for the usual RR."""

RR_RATE, USUAL_RATE = 0.05, 0.02
"""The least share of a new beat in the normal RR, and in how much beats differ as a rule."""

LEAST_SWING = 0.02
"""mV; a smaller QRS complex counts as this."""

LAST = 8
"""Beats whose families are remembered."""

EARLY = -0.12
"""Log of RR / usual RR below which a beat does not teach how much the patient's beats differ."""

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
NAMES = (*RHYTHM, *CONTEXT, *FAMILY, *SHAPE, *LEVELS)
"""The features, in order. What a beat is in itself, as its width in milliseconds, is not among them: twenty patients
taught it badly, and a patient with a broad normal beat was typed worse with it than without."""


@dataclass(frozen=True)
class Patient:
    """What is remembered of the patient's beats.

    Attributes
    ----------
    beats : int
    families : Families
    rr : tuple of float
        The last RR intervals, in samples.
    normal_rr : float
        Mean RR interval between two normal beats; NaN before the first.
    usual : ndarray of float64, shape (4, leads)
        How much beats differ from the normal beat as a rule: logs, of likeness, QRS, ST, P.
    before : tuple of float
        Of the last beat: log of RR / normal RR, likeness to the normal beat, width; log of RR / normal RR of the
        beat before it.
    joined : tuple of int
        Families of the last beats.
    was_normal : bool
        Of the last beat.
    """

    beats: int
    families: Families
    rr: tuple[float, ...]
    normal_rr: float
    usual: FloatArray
    before: tuple[float, float, float, float]
    joined: tuple[int, ...]
    was_normal: bool


def begin(leads: int) -> Patient:
    """Return a patient of whom nothing is known."""
    usual = np.repeat(np.array([[-3.5], [-2.5], [-2.2], [-3.0]]), leads, axis=1)
    return Patient(0, shapes.begin(leads), (), math.nan, usual, (0.0, 1.0, 0.0, 0.0), (), False)


@dataclass(frozen=True, slots=True)
class Measured:
    """A beat in numbers.

    Attributes
    ----------
    features : ndarray of float64, shape (len(NAMES),)
    joined : int
        The beat's family.
    founded : bool
        Whether the beat founded it, in place of any that was there.
    """

    features: FloatArray
    joined: int
    founded: bool


def measure(patient: Patient, piece: FloatArray, valid: BoolArray, rr: float | None) -> tuple[Measured, Patient]:
    """Measure a beat against what is known of its patient, and learn from it.

    Parameters
    ----------
    patient : Patient
    piece : ndarray of float64, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads)
        The samples around the R peak in mV, finite.
    valid : ndarray of bool, shape (leads,)
        The leads that count; one at least.
    rr : float or None
        Samples since the R peak before.
    """
    families, usual = patient.families, patient.usual
    smoothed = shapes.smooth(piece)
    trust = _trust(families, usual, valid)
    off = float(trust @ np.exp(usual[0]))
    matched = shapes.match(families, smoothed, trust)
    if len(families.weight):
        normal = families.normal
        to_normal, by_lead = float(matched.likeness[normal]), matched.by_lead[normal]
        begin, ref = int(matched.shift[normal]), families.shape[normal]
    else:
        to_normal, by_lead = 1.0, np.ones(len(trust))
        begin, ref = shapes.SHIFT, smoothed[:, shapes.SHIFT : shapes.SHIFT + CORE]
    shape, differs, width = _compare(np.stack([smoothed[:, begin : begin + CORE], ref]), by_lead)

    rhythm = _rhythm(patient, rr)
    to_usual = rhythm[RHYTHM.index("rr/normal")]
    mean_width = float(trust @ width)
    alike = max(shapes.LEAST_ALIKE, min(shapes.ALIKE, 1 - 2.5 * off))
    joined, founded, families = shapes.learn(families, smoothed, matched, valid, alike, to_usual, mean_width)
    normal = families.normal
    features = np.concatenate(
        [
            rhythm,
            patient.before,
            _family(patient, families, joined, trust, matched.likeness, to_normal),
            np.concatenate([shape, differs - usual]) @ trust,
            usual @ trust,
        ]
    )

    is_normal = joined == normal
    normal_rr, quick = patient.normal_rr, 1 / (patient.beats + 2)
    if rr is not None and is_normal and patient.was_normal:
        normal_rr = float(rr) if math.isnan(normal_rr) else normal_rr + max(RR_RATE, quick) * (rr - normal_rr)
    if is_normal or to_usual > EARLY:
        step = max(USUAL_RATE, quick) * np.clip(differs - usual, -0.5, 0.5)
        usual = usual + np.where(valid, step, 0.0)
    return Measured(features, joined, founded), Patient(
        beats=patient.beats + 1,
        families=families,
        rr=patient.rr if rr is None else (*patient.rr, float(rr))[-LONG:],
        normal_rr=normal_rr,
        usual=usual,
        before=(to_usual, to_normal, math.log(mean_width / 30), patient.before[0]),
        joined=(*patient.joined, joined)[-LAST:],
        was_normal=is_normal,
    )


def _trust(families: Families, usual: FloatArray, valid: BoolArray) -> FloatArray:
    """Return the weight of each lead: the large and steady ones say more."""
    trust = valid / (0.03 + np.exp(usual[0]))
    if len(families.weight):
        qrs = families.shape[families.normal][:, QRS]
        trust = trust * (qrs.max(axis=1) - qrs.min(axis=1) + LEAST_SWING)
    return np.asarray(trust / trust.sum())


def _compare(both: FloatArray, by_lead: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compare a beat with the normal one.

    Parameters
    ----------
    both : ndarray, shape (2, leads, CORE)
        The beat and the normal beat.
    by_lead : ndarray, shape (leads,)
        Their correlation.

    Returns
    -------
    shape : ndarray, shape (10, leads)
        The features of SHAPE but for the last four.
    differs : ndarray, shape (4, leads)
        How much they differ: logs, of likeness, QRS, ST, P.
    width : ndarray, shape (leads,)
        Of the beat's QRS complex: samples over which its slopes spread.
    """
    qrs, around = both[:, :, QRS], both[:, :, BEFORE - 50 :]
    swing = np.maximum(qrs.max(axis=2) - qrs.min(axis=2), LEAST_SWING)
    scale = swing[1]
    slope = np.abs(around[:, :, 1:] - around[:, :, :-1])
    steepest = slope.max(axis=2) + 0.005
    width = slope.sum(axis=2) ** 2 / ((slope * slope).sum(axis=2) + 1e-6) + 1
    height = np.abs(around - both[:, :, PR].sum(axis=2, keepdims=True) / (PR.stop - PR.start))
    extent = (height > 0.3 * height.max(axis=2, keepdims=True)).sum(axis=2) + 1
    p = both[:, :, P].reshape(2, both.shape[1], -1, BIN).sum(axis=3) / BIN
    difference = both[0] - both[1]
    ends = np.abs(difference[:, :20].sum(axis=1) / 20 - difference[:, -12:].sum(axis=1) / 12)
    amplitude, qrs_off, st_off, p_off, sloped, widened, extended, trend, likeness_off = np.log(
        np.stack(
            [
                swing[0] / scale,
                _rms(difference[:, QRS]) / scale + 0.01,
                _rms(difference[:, QRS.start :]) / scale + 0.01,
                _rms(p[0] - p[1]) / scale + 0.003,
                steepest[0] / steepest[1],
                width[0] / width[1],
                extent[0] / extent[1],
                ends / scale + 0.02,
                1.01 - np.minimum(by_lead, 1.0),
            ]
        )
    )
    shape = [amplitude, _like(qrs), qrs_off, st_off, p_off, _like(p), sloped, widened, extended, trend]
    return np.stack(shape), np.stack([likeness_off, qrs_off, st_off, p_off]), width[0]


def _like(both: FloatArray) -> FloatArray:
    """Return the correlation of two stretches, by lead."""
    both = both - both.sum(axis=2, keepdims=True) / both.shape[2]
    power = (both * both).sum(axis=2)
    return np.asarray((both[0] * both[1]).sum(axis=1) / np.sqrt(power[0] * power[1] + 1e-9))


def _rms(stretch: FloatArray) -> FloatArray:
    """Return the root mean square about the mean, by lead."""
    n = stretch.shape[1]
    mean = stretch.sum(axis=1) / n
    return np.asarray(np.sqrt((stretch * stretch).sum(axis=1) / n - mean * mean + 1e-9))


def _family(
    patient: Patient, families: Families, joined: int, trust: FloatArray, likeness: FloatArray, to_normal: float
) -> tuple[float, ...]:
    """Return what the beat's family is among the others; in the order of FAMILY."""
    normal = families.normal
    weight = float(families.weight[joined])
    return (
        float(likeness.max()) if len(likeness) else 1.0,
        to_normal,
        weight / float(families.weight.sum()),
        float(joined == normal),
        float(families.tempo[joined]),
        math.log(families.width[joined] / families.width[normal]),
        shapes.likeness(families, joined, normal, trust),
        math.log(weight + 1),
        patient.joined.count(joined) / max(len(patient.joined), 1),
    )


def _rhythm(patient: Patient, rr: float | None) -> tuple[float, ...]:
    """Return how this RR interval compares with those before; in the order of RHYTHM."""
    past = patient.rr
    if rr is None or not past:
        return (*(0.0,) * 5, 0.05, 0.05, 0.0, 0.0, 0.02, 0.5, 0.05)
    recent, tail, n = past[-RECENT:], past[-10:], len(past)
    median = sorted(recent)[len(recent) // 2]
    usual = median if math.isnan(patient.normal_rr) else patient.normal_rr
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
        _log(rr / usual),
        _log(rr / past[-1]),
        min(step, 0.5),
        min(spread, 0.7),
        max(-4.0, min(4.0, to_median / (2 * step + 0.05))),
        sum(x < 0.85 * median for x in recent) / len(recent),
        unpredictable(logs),
        (sum(x < rr for x in past) + 0.5) / (n + 1),
        min(math.sqrt(max(square * n / (total * total) - 1, 0.0)), 0.7),
    )


def unpredictable(logs: list[float]) -> float:
    """Return the median of how far each RR is from the nearest of the three before, as a log ratio.

    Small in any rhythm that repeats, bigeminy and trigeminy too; large in atrial fibrillation.
    """
    fours = zip(logs, logs[1:], logs[2:], logs[3:], strict=False)
    off = sorted(min(abs(d - c), abs(d - b), abs(d - a)) for a, b, c, d in fours)
    return min(off[len(off) // 2], 0.5) if off else 0.02


def _log(x: float) -> float:
    return max(-1.5, min(1.5, math.log(x)))
