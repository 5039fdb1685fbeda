"""The patient's narrow beat, and features of a beat relative to it.

The template family that counts as normal (`model.beats.templates`) can be the wrong one: where ventricular beats are
frequent they become usual, or share a family with the normal ones. Here no family decides. Of the last beats, the half
that is narrowest and least early is conducted by the bundle branches, unless most beats are ventricular; only those
beats enter the mean shape and the usual RR interval.

Leads are compared one by one, and the features are the extremes over leads: a ventricular beat may look normal in one
lead. An RR interval is compared with that of the narrow beats and with the long ones of the last minutes, since during
a run or a bigeminy of early beats the recent median is itself early.

All functions are pure; lengths are in samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.beats import templates
from model.beats.shape_comparison import (
    MIN_QRS_MV,
    ONSET_WINDOW,
    P_BIN,
    P_WINDOW,
    PR_WINDOW,
    QRS_WINDOW,
    compare,
    correlation,
)
from model.beats.templates import CORE, Families
from model.signal.arrays import BoolArray, FloatArray

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


@dataclass(frozen=True)
class NarrowBeat:
    """Narrow beat of a patient.

    Attributes
    ----------
    beats : int
        Number of beats in the mean shape.
    template : Families
        One family: the mean shape; none before the first beat.
    usual, deviation : ndarray of float64, shape (len(SPREAD),)
        Mean of the features of SPREAD over the beats in the mean shape, and mean absolute deviation from it.
    costs : tuple of float
        Of the last beats, log width plus a penalty for early ones.
    rr : tuple of float
        Preceding RR interval of the same beats, samples; NaN where unknown.
    before : tuple of (float, float, float)
        Lowest and highest correlation of the QRS complex and largest width of the last two beats, latest first.
    """

    beats: int
    template: Families
    usual: FloatArray
    deviation: FloatArray
    costs: tuple[float, ...] = ()
    rr: tuple[float, ...] = ()
    before: tuple[tuple[float, float, float], ...] = ((1.0, 1.0, 0.0), (1.0, 1.0, 0.0))


def begin(leads: int) -> NarrowBeat:
    """Return the state before the first beat."""
    return NarrowBeat(0, templates.begin(leads), np.zeros(len(SPREAD)), np.full(len(SPREAD), FIRST_DEVIATION))


def step(
    state: NarrowBeat, smoothed: FloatArray, lead_weight: FloatArray, valid: BoolArray, rr: float | None
) -> tuple[FloatArray, NarrowBeat]:
    """Compare a beat with the narrow beat, and update it.

    Parameters
    ----------
    state : NarrowBeat
    smoothed : ndarray of float64, shape (leads, CORE + 2 * MAX_SHIFT), mV
    lead_weight : ndarray of float64, shape (leads,)
        Weight of each lead; the sum is 1.
    valid : ndarray of bool, shape (leads,)
        Leads to use; at least one.
    rr : float or None
        Preceding RR interval, samples; None if unknown.

    Returns
    -------
    features : ndarray of float64, shape (len(NAMES),)
    state : NarrowBeat
    """
    begin, by_lead = templates.MAX_SHIFT, np.ones(len(valid))
    reference = smoothed[:, begin : begin + CORE]
    if state.beats:
        matched = templates.match(state.template, smoothed, lead_weight)
        begin, by_lead, reference = int(matched.shift[0]), matched.by_lead[0], state.template.shape[0]
    beat = smoothed[:, begin : begin + CORE]
    pair = np.stack([beat, reference])
    shape, _, width = compare(pair, by_lead)
    measures = np.concatenate([shape[: len(BY_LEAD)], _own_measures(pair, width, shape)])[:, valid]
    lowest, highest = measures.min(axis=1), measures.max(axis=1)

    rhythm, known = _rhythm(state, rr)
    cost = math.log(float(lead_weight @ width) / WIDTH_UNIT)
    if known and rr is not None:
        cost += EARLY * max(0.0, -math.log(rr / _quantile(known, 0.5)) - TOLERANCE)
    costs = (*state.costs, cost)[-MEMORY:]
    limit = _quantile(costs, 0.5)
    measured = np.concatenate(
        [lowest, highest, rhythm, _p_wave(pair[:, valid]), state.before[0], state.before[1][:1], [cost - limit]]
    )
    spread = measured[SPREAD_AT]
    spread[CORRELATION] = np.log(1.01 - np.minimum(spread[CORRELATION], 1.0))
    usual, deviation = state.usual if state.beats else spread, state.deviation
    distance = spread - usual
    unusual = np.clip(distance / (deviation + MIN_DEVIATION), -MAX_UNUSUAL, MAX_UNUSUAL)

    beats, template = state.beats, state.template
    if cost <= limit:
        beats += 1
        mean = reference + max(1 / beats, MIN_RATE) * np.where(valid[:, None], beat - reference, 0.0)
        one = np.ones(1)
        template = Families(mean[None], templates.matched_filter(mean)[None], one, one, one)
        largest = MAX_STEP * (deviation + MIN_DEVIATION)
        distance, rate = np.clip(distance, -largest, largest), max(1 / (beats + 1), MIN_SPREAD_RATE)
        usual, deviation = usual + rate * distance, deviation + rate * (np.abs(distance) - deviation)
    qrs, widened = BY_LEAD.index("qrs"), BY_LEAD.index("width")
    last = (float(lowest[qrs]), float(highest[qrs]), float(highest[widened]))
    rrs = (*state.rr, math.nan if rr is None else float(rr))[-MEMORY:]
    after = NarrowBeat(beats, template, usual, deviation, costs, rrs, (last, state.before[0]))
    return np.concatenate([measured, unusual]), after


def _own_measures(pair: FloatArray, width: FloatArray, shape: FloatArray) -> FloatArray:
    """Return the measures of OWN_BY_LEAD, shape (4, leads)."""
    qrs = pair[:, :, QRS_WINDOW]
    height = np.maximum(np.ptp(qrs[1], axis=1), MIN_QRS_MV)
    area = (qrs.mean(axis=2) - pair[:, :, PR_WINDOW].mean(axis=2)) / height
    own = np.log(width / WIDTH_UNIT)
    return np.stack(
        [area[0] - area[1], correlation(pair[:, :, ONSET_WINDOW]), own, own - shape[BY_LEAD.index("width")]]
    )


def _rhythm(state: NarrowBeat, rr: float | None) -> tuple[tuple[float, ...], list[float]]:
    """Return the features of RHYTHM, and the known RR intervals of the last beats."""
    known = [x for x in state.rr if not math.isnan(x)]
    if rr is None or not known:
        return (0.0,) * len(RHYTHM), known
    limit = _quantile(state.costs, 0.5)
    usual = _quantile(
        [x for x, cost in zip(state.rr, state.costs, strict=True) if cost <= limit and not math.isnan(x)] or known, 0.5
    )
    last = [*known[-3:], rr]
    before, before2 = known[-1], known[-2] if len(known) > 1 else known[-1]
    return (
        _log(rr / usual),
        _log(rr / _quantile(known, LONG_QUANTILE)),
        _log((rr + before) / (2 * usual)),
        _log(before / usual),
        _log(before2 / usual),
        _log(sum(last) / (len(last) * usual)),
    ), known


def _p_wave(pair: FloatArray) -> tuple[float, float]:
    """Return the features of P_WAVE; ``pair`` holds the valid leads."""
    bins = pair[:, :, P_WINDOW].reshape(2, pair.shape[1], -1, P_BIN).mean(axis=3)
    time = np.arange(bins.shape[2]) - (bins.shape[2] - 1) / 2
    bins = bins - bins.mean(axis=2, keepdims=True)
    bins = bins - (bins @ time / (time @ time))[:, :, None] * time
    height = np.maximum(np.ptp(pair[1][:, QRS_WINDOW], axis=1), MIN_QRS_MV)
    power = (bins[1] * bins[1]).sum()
    share = float((bins[0] * bins[1]).sum() / (power + bins.shape[2] * ((0.01 * height) ** 2).sum()))
    size = math.log(float((np.sqrt((bins[1] * bins[1]).mean(axis=1)) / height).max()) + 0.003)
    return max(-2.0, min(2.0, share)), size


def _quantile(values: tuple[float, ...] | list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


def _log(x: float) -> float:
    return max(-1.5, min(1.5, math.log(x)))
