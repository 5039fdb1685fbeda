"""The patient's narrow beat, and features of a beat relative to it.

The template family that counts as normal (`model.beats.templates`) can be the wrong one: where ventricular beats are
frequent they become usual, or share a family with the normal ones. Here no family decides. Of the last beats, the half
that is narrowest and least early is conducted by the bundle branches, unless most beats are ventricular; only those
beats enter the mean shape and the usual RR interval.

Leads are compared one by one, and the features are the extremes over leads: a ventricular beat may look normal in one
lead. An RR interval is compared with that of the narrow beats and with the long ones of the last minutes, since during
a run or a bigeminy of early beats the recent median is itself early.

Lengths are in samples.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.beats import beat_network, templates
from model.beats.rr_features import log_ratio
from model.beats.shape_comparison import (
    DIFFERENCES,
    MEASURES,
    ONSET_WINDOW,
    P_BIN,
    P_WINDOW,
    PR_WINDOW,
    QRS_WINDOW,
    bin_means,
    compare,
    correlation,
    qrs_height,
    subtract_trend,
)
from model.beats.templates import CORE, MAX_SHIFT
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.columns import push
from model.signal.compiled import compiled, compiled_part
from model.signal.small_arrays import kth_smallest

MEMORY = 128
"""Beats of which the narrow half is taken: one to two minutes."""

MIN_RATE = 1 / 24
"""Smallest share of a new beat in the mean shape."""

EARLY, TOLERANCE = 2.0, 0.06
"""A beat early by more than TOLERANCE counts as wider: log width + EARLY * (-log(RR / median RR) - TOLERANCE)."""

WIDTH_UNIT = 30.0
"""Width whose logarithm is 0, samples: 83 ms."""

LONG_QUANTILE = 0.75
"""Quantile of the last RR intervals that counts as long."""

BY_LEAD = ("amplitude", "qrs", "qrs.difference", "st.difference", "p.difference", "p", "slope", "width", "extent")
"""Measures by lead, relative to the narrow beat, as `compare` returns them; ``qrs`` and ``p`` are correlations."""

BY_LEAD_WIDTH = BY_LEAD.index("width")

OWN_BY_LEAD = ("area", "onset", "own.width", "narrow.width")
"""More measures by lead: difference of the mean height of the QRS complex, correlation of its onset, absolute width of
the beat and of the narrow beat."""

RHYTHM = ("rr/narrow", "rr/long", "rr.two/narrow", "before.rr/narrow", "before2.rr/narrow", "rr.four/narrow")
"""RR interval, mean of the last two, the two before, and mean of the last four, relative to the usual or a long one."""

P_WAVE = ("p.share", "p.size")
"""Share of the P wave of the narrow beat that is present, and size of that P wave."""

BEFORE_BEAT = ("before.qrs.min", "before.qrs.max", "before.width.max", "before2.qrs.min", "cost")
"""QRS complexes of the two beats before, and whether this beat belongs to the narrow half."""

EXTREMES = tuple(f"{name}.{end}" for end in ("min", "max") for name in (*BY_LEAD, *OWN_BY_LEAD))
"""Lowest and highest of the measures over the valid leads."""

MEASURED = (*EXTREMES, *RHYTHM, *P_WAVE, *BEFORE_BEAT)
"""Features that compare a beat with the narrow beat."""

RHYTHM_AT, P_WAVE_AT, BEFORE_AT = (MEASURED.index(names[0]) for names in (RHYTHM, P_WAVE, BEFORE_BEAT))
"""Positions of the groups in MEASURED."""

LAST_BEAT = tuple(MEASURED.index(name) for name in ("qrs.min", "qrs.max", "width.max"))
"""Positions in MEASURED of what is kept of the last beats."""

SPREAD = (*(name for name in EXTREMES if not name.startswith(("own.", "narrow."))), "rr/narrow", "p.share")
"""Features that are compared with their usual value, too: a change that is small in others is large in a patient whose
beats are all alike."""

NAMES = (*(f"narrow.{name}" for name in MEASURED), *(f"narrow.{name}.unusual" for name in SPREAD))
"""Names of the features, in order; ``unusual`` is the distance from the usual value, in usual deviations."""

SPREAD_AT = np.array([MEASURED.index(name) for name in SPREAD])
CORRELATION = np.array([name in EXTREMES and name[:-4] in ("qrs", "p", "onset") for name in SPREAD])
"""Positions of SPREAD in MEASURED, and which of them are correlations, whose distance from 1 is compared."""

MIN_SPREAD_RATE, MIN_DEVIATION, FIRST_DEVIATION, MAX_UNUSUAL = 1 / 48, 0.05, 0.25, 6.0
"""Smallest share of a new beat in the usual values; amount added to a deviation; deviation before the second beat; and
limit of a distance in deviations."""

MAX_STEP = 3.0
"""Limit of the distance by which one beat changes the usual value, in deviations."""


class NarrowBeat(NamedTuple):
    """Narrow beats of patients; columns over beds.

    Attributes
    ----------
    beats : ndarray of int64, shape (beds,)
        Number of beats in the mean shape.
    shape, filter : ndarray of float64, shape (beds, leads, CORE)
        Mean shape, mV, and its matched filter, see `model.beats.templates`.
    usual, deviation : ndarray of float64, shape (beds, len(SPREAD))
        Mean of the features of SPREAD over the beats in the mean shape, NaN before the first, and mean absolute
        deviation from it.
    known : ndarray of int64, shape (beds,)
        Number of last beats in ``costs`` and ``rr``.
    costs : ndarray of float64, shape (beds, MEMORY)
        Of the last beats, log width plus a penalty for early ones; oldest first.
    rr : ndarray of float64, shape (beds, MEMORY)
        Preceding RR interval of the same beats, samples; NaN if unknown.
    before : ndarray of float64, shape (beds, 2, 3)
        Lowest and highest correlation of the QRS complex and largest width of the last two beats, latest first.
    """

    beats: IntArray
    shape: FloatArray
    filter: FloatArray
    usual: FloatArray
    deviation: FloatArray
    known: IntArray
    costs: FloatArray
    rr: FloatArray
    before: FloatArray


def begin(leads: int) -> NarrowBeat:
    """Return the state of one bed before the first beat."""
    return NarrowBeat(
        beats=np.zeros(1, np.int64),
        shape=np.zeros((1, leads, CORE)),
        filter=np.zeros((1, leads, CORE)),
        usual=np.full((1, len(SPREAD)), np.nan),
        deviation=np.full((1, len(SPREAD)), FIRST_DEVIATION),
        known=np.zeros(1, np.int64),
        costs=np.zeros((1, MEMORY)),
        rr=np.full((1, MEMORY), np.nan),
        before=np.tile([1.0, 1.0, 0.0], (1, 2, 1)),
    )


@compiled
def push_beat(
    narrow: NarrowBeat,
    slot: int,
    smoothed: FloatArray,
    norms: FloatArray,
    lead_weight: FloatArray,
    valid: BoolArray,
    rr: float,
    features: FloatArray,
    shapes: FloatArray,
) -> None:
    """Compare a beat with the narrow beat, and update it in place.

    Parameters
    ----------
    narrow : NarrowBeat
    slot : int
    smoothed : ndarray of float64, shape (leads, CORE + 2 * MAX_SHIFT), mV
    norms : ndarray of float64, shape (leads, SHIFTS), mV
        Of the beat, from `model.beats.templates.window_norms`.
    lead_weight : ndarray of float64, shape (leads,)
        Weight of each lead; the sum is 1.
    valid : ndarray of bool, shape (leads,)
        Leads to use; at least one.
    rr : float
        Preceding RR interval, samples; NaN if unknown.
    features : ndarray of float64, shape (len(NAMES),)
        Receives the features.
    shapes : ndarray of float64, shape (leads, 2, BINS)
        Receives the shapes of the beat and of the narrow beat, see `model.beats.beat_network`; 0 in leads that are not
        valid.
    """
    shift, by_lead = MAX_SHIFT, np.ones(len(valid))
    if narrow.beats[slot]:
        _, shift = templates.match(narrow.filter[slot], smoothed, norms, lead_weight, by_lead)
    beat = smoothed[:, shift : shift + CORE].copy()
    reference = narrow.shape[slot] if narrow.beats[slot] else beat
    shapes[:] = 0.0
    for lead in range(len(valid)):
        if valid[lead]:
            beat_network.condense(beat[lead], reference[lead], shapes[lead])
    measured, unusual = features[: len(MEASURED)], features[len(MEASURED) :]
    width = _compare_leads(beat, reference, by_lead, lead_weight, valid, measured)
    known, costs = int(narrow.known[slot]), narrow.costs[slot]
    rhythm = measured[RHYTHM_AT : RHYTHM_AT + len(RHYTHM)]
    cost = math.log(width / WIDTH_UNIT) + _compare_rr(narrow.rr[slot, :known], costs[:known], rr, rhythm)
    push(narrow.rr[slot], known, rr)
    narrow.known[slot] = push(costs, known, cost)
    cost -= _quantile(costs[: narrow.known[slot]], 0.5)
    _p_wave(beat, reference, valid, measured[P_WAVE_AT : P_WAVE_AT + len(P_WAVE)])
    before = narrow.before[slot]
    measured[BEFORE_AT + 3] = before[1, 0]
    measured[BEFORE_AT + 4] = cost
    for i in range(3):
        measured[BEFORE_AT + i] = before[0, i]
        before[1, i] = before[0, i]
        before[0, i] = measured[LAST_BEAT[i]]

    learnt = cost <= 0
    if learnt:
        narrow.beats[slot] += 1
        rate = max(1 / narrow.beats[slot], MIN_RATE)
        templates.move(narrow.shape[slot], smoothed, shift, valid, rate)
        templates.matched_filter(narrow.shape[slot], narrow.filter[slot])
    rate = max(1 / (narrow.beats[slot] + 1), MIN_SPREAD_RATE) if learnt else 0.0
    _compare_spread(narrow.usual[slot], narrow.deviation[slot], rate, measured, unusual)


@compiled_part
def _compare_leads(
    beat: FloatArray,
    reference: FloatArray,
    by_lead: FloatArray,
    lead_weight: FloatArray,
    valid: BoolArray,
    extremes: FloatArray,
) -> float:
    """Compute the features of EXTREMES, and return the mean width of the beat over leads."""
    n = len(BY_LEAD) + len(OWN_BY_LEAD)
    measures, differences, mean_width = np.empty(n), np.empty(DIFFERENCES), 0.0
    for i in range(n):
        extremes[i], extremes[n + i] = math.inf, -math.inf
    for lead in range(len(valid)):
        if not valid[lead]:
            continue
        own, normal = beat[lead], reference[lead]
        # The last of the measures, the trend, is not used here.
        width = compare(own, normal, by_lead[lead], measures[:MEASURES], differences)
        own_width = math.log(width / WIDTH_UNIT)
        normal_width = own_width - measures[BY_LEAD_WIDTH]
        area = own[QRS_WINDOW].mean() - own[PR_WINDOW].mean()
        normal_area = normal[QRS_WINDOW].mean() - normal[PR_WINDOW].mean()
        measures[len(BY_LEAD)] = (area - normal_area) / qrs_height(normal)
        measures[len(BY_LEAD) + 1] = correlation(own[ONSET_WINDOW], normal[ONSET_WINDOW])
        measures[len(BY_LEAD) + 2] = own_width
        measures[len(BY_LEAD) + 3] = normal_width
        for i in range(n):
            extremes[i] = min(extremes[i], measures[i])
            extremes[n + i] = max(extremes[n + i], measures[i])
        mean_width += lead_weight[lead] * width
    return mean_width


@compiled_part
def _compare_rr(last_rr: FloatArray, costs: FloatArray, rr: float, features: FloatArray) -> float:
    """Compute the features of RHYTHM from those of the last beats, and return the cost of being early."""
    known, narrow = np.empty(len(last_rr)), np.empty(len(last_rr))
    n, n_narrow, limit = 0, 0, _quantile(costs, 0.5)
    for i in range(len(last_rr)):
        if not math.isnan(last_rr[i]):
            n = push(known, n, last_rr[i])
            if costs[i] <= limit:
                n_narrow = push(narrow, n_narrow, last_rr[i])
    if n == 0 or math.isnan(rr):
        for i in range(len(RHYTHM)):
            features[i] = 0.0
        return 0.0
    usual = _quantile(narrow[:n_narrow], 0.5) if n_narrow else _quantile(known[:n], 0.5)
    before, before2, last = known[n - 1], known[max(n - 2, 0)], known[max(n - 3, 0) : n]
    features[0] = log_ratio(rr / usual)
    features[1] = log_ratio(rr / _quantile(known[:n], LONG_QUANTILE))
    features[2] = log_ratio((rr + before) / (2 * usual))
    features[3] = log_ratio(before / usual)
    features[4] = log_ratio(before2 / usual)
    features[5] = log_ratio((last.sum() + rr) / ((len(last) + 1) * usual))
    return EARLY * max(0.0, -math.log(rr / _quantile(known[:n], 0.5)) - TOLERANCE)


@compiled_part
def _p_wave(beat: FloatArray, reference: FloatArray, valid: BoolArray, features: FloatArray) -> None:
    """Compute the features of P_WAVE."""
    product, power, noise, size = 0.0, 0.0, 0.0, 0.0
    for lead in range(len(valid)):
        if valid[lead]:
            own, normal = bin_means(beat[lead, P_WINDOW], P_BIN), bin_means(reference[lead, P_WINDOW], P_BIN)
            subtract_trend(own)
            subtract_trend(normal)
            height = qrs_height(reference[lead])
            own_power = 0.0
            for i in range(len(own)):
                product += own[i] * normal[i]
                own_power += normal[i] * normal[i]
            power += own_power
            noise += len(normal) * (0.01 * height) ** 2
            size = max(size, math.sqrt(own_power / len(normal)) / height)
    features[0] = max(-2.0, min(2.0, product / (power + noise)))
    features[1] = math.log(size + 0.003)


@compiled_part
def _compare_spread(
    usual: FloatArray, deviation: FloatArray, rate: float, measured: FloatArray, unusual: FloatArray
) -> None:
    """Compute the features named ``unusual``; a beat that is learnt, at a rate above 0, updates the usual values."""
    for i in range(len(SPREAD)):
        value = measured[SPREAD_AT[i]]
        if CORRELATION[i]:
            value = math.log(1.01 - min(value, 1.0))
        if math.isnan(usual[i]):
            usual[i] = value
        distance, unit = value - usual[i], deviation[i] + MIN_DEVIATION
        unusual[i] = max(-MAX_UNUSUAL, min(MAX_UNUSUAL, distance / unit))
        step = max(-MAX_STEP * unit, min(MAX_STEP * unit, distance))
        usual[i] += rate * step
        deviation[i] += rate * (abs(step) - deviation[i])


@compiled_part
def _quantile(values: FloatArray, share: float) -> float:
    """Return a quantile, rounded down to one of the values; NaN if there are none."""
    return kth_smallest(values.copy(), int(share * (len(values) - 1))) if len(values) else math.nan
