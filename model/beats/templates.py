"""Template families: clusters of the patient's beats with similar shapes, and which of them is the normal beat.

Each beat is assigned to the family whose mean shape (template) it matches best, or starts a new one. The weight of a
family decays over some minutes, so the normal beat follows changes of the patient. The normal family is not simply the
one with the largest weight: ectopic beats are early and mostly broad, so early or broad families need a larger weight.
This distinguishes the two families of a bigeminy, which have equal numbers of beats.

Lengths are in samples.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.compiled import compiled, compiled_part

SMOOTHING = np.convolve(np.ones(6) / 6, np.ones(2) / 2)
"""Smoothing filter, 7 taps (delay 3 samples, 8 ms): gain 0 at 60 Hz, about 0.2 at 50 Hz."""

SMOOTHING_HALF = len(SMOOTHING) // 2
"""Delay of the smoothing filter, samples."""

MAX_SHIFT = 12
"""Largest error of the R peak position that matching corrects, samples: 33 ms."""

SHIFTS = 2 * MAX_SHIFT + 1
"""Number of shifts at which a beat is compared with a template."""

BEFORE, AFTER = 88, 53
"""Extent of a beat's shape before and after the R peak, samples: 244 and 147 ms."""

CORE = BEFORE + AFTER + 1
"""Samples in a shape."""

PIECE_BEFORE, PIECE_AFTER = BEFORE + MAX_SHIFT + SMOOTHING_HALF, AFTER + MAX_SHIFT + SMOOTHING_HALF
"""Raw samples needed for a shape before and after the R peak: 286 and 189 ms."""

MAX_FAMILIES = 8
"""Largest number of families; a further one replaces that with the smallest weight."""

MATCH_CORRELATION, MIN_MATCH_CORRELATION = 0.9, 0.8
"""Correlation from which a beat belongs to a family: with clean leads, with noisy leads."""

MERGE_CORRELATION = 0.93
"""Correlation with the same beat from which two families are merged."""

WEIGHT_DECAY = math.exp(-1 / 200)
"""Factor of the weights of all families per beat."""

MIN_RATE = 0.04
"""Smallest share of a new beat in the means of its family."""

EARLY_POWER, BROAD_POWER = 4.0, 1.5
"""Exponents in the score weight * (RR / usual RR) ** EARLY_POWER / width ** BROAD_POWER; the normal family has the
highest score."""

TAPER = np.minimum(1.0, np.minimum(np.arange(CORE) + 8, np.arange(CORE)[::-1] + 20) / 64.0)
TAPER[BEFORE - 30 : BEFORE + 36] = 1.0
"""Weight of each sample in a correlation: 1 in the QRS complex, decreasing towards both ends."""

TAPER_SUM = float(TAPER.sum())
"""Sum of the weights."""


class Families(NamedTuple):
    """Template families of patients; columns over beds, and over families up to `MAX_FAMILIES`.

    Attributes
    ----------
    known : ndarray of int64, shape (beds,)
        Number of families: so many of the first ones of the other columns are in use.
    shape : ndarray of float64, shape (beds, families, leads, CORE)
        Templates: mean shapes, mV.
    filter : ndarray of float64, shape (beds, families, leads, CORE)
        Matched filter of each template, see `matched_filter`.
    weight : ndarray of float64, shape (beds, families)
        Number of beats, with exponential decay.
    tempo : ndarray of float64, shape (beds, families)
        Mean of log(preceding RR / usual RR).
    width : ndarray of float64, shape (beds, families)
        Mean width of the QRS complex, samples.
    """

    known: IntArray
    shape: FloatArray
    filter: FloatArray
    weight: FloatArray
    tempo: FloatArray
    width: FloatArray


def begin(leads: int) -> Families:
    """Return the state of one bed before the first beat: no families."""
    shapes, values = (1, MAX_FAMILIES, leads, CORE), (1, MAX_FAMILIES)
    return Families(
        np.zeros(1, np.int64), np.zeros(shapes), np.zeros(shapes), np.zeros(values), np.zeros(values), np.zeros(values)
    )


@compiled
def smooth(piece: FloatArray) -> FloatArray:
    """Return the samples of a beat with mains hum and most muscle artefact removed.

    Parameters
    ----------
    piece : ndarray of float64, shape (n, leads), mV
        Finite. For a beat that is matched, n is PIECE_BEFORE + 1 + PIECE_AFTER, with the R peak at PIECE_BEFORE.

    Returns
    -------
    ndarray of float64, shape (leads, n - 2 * SMOOTHING_HALF), mV
        For a beat that is matched, CORE + 2 * MAX_SHIFT samples.
    """
    smoothed = np.empty((piece.shape[1], len(piece) - 2 * SMOOTHING_HALF))
    for lead in range(len(smoothed)):
        for i in range(smoothed.shape[1]):
            total = 0.0
            for k in range(len(SMOOTHING)):
                total += SMOOTHING[k] * piece[i + k, lead]
            smoothed[lead, i] = total
    return smoothed


@compiled
def window_norms(smoothed: FloatArray) -> FloatArray:
    """Return the norm of a beat at each shift, tapered and about its mean, shape (leads, SHIFTS), mV."""
    norms = np.empty((len(smoothed), SHIFTS))
    for lead in range(len(smoothed)):
        mean, power = np.zeros(SHIFTS), np.zeros(SHIFTS)
        for i in range(CORE):
            for shift in range(SHIFTS):
                sample = smoothed[lead, i + shift]
                mean[shift] += TAPER[i] * sample
                power[shift] += TAPER[i] * sample * sample
        for shift in range(SHIFTS):
            norms[lead, shift] = math.sqrt(max(power[shift] - mean[shift] * mean[shift] / TAPER_SUM, 1e-9))
    return norms


@compiled
def match(
    template_filter: FloatArray, smoothed: FloatArray, norms: FloatArray, lead_weight: FloatArray, by_lead: FloatArray
) -> tuple[float, int]:
    """Correlate a beat with a template at all shifts.

    Parameters
    ----------
    template_filter : ndarray of float64, shape (leads, CORE)
    smoothed : ndarray of float64, shape (leads, CORE + 2 * MAX_SHIFT), mV
    norms : ndarray of float64, shape (leads, SHIFTS), mV
        Of the beat, from `window_norms`.
    lead_weight : ndarray of float64, shape (leads,)
        Weight of each lead in the mean; the sum is 1.
    by_lead : ndarray of float64, shape (leads,)
        Receives the correlation of each lead at the best shift.

    Returns
    -------
    correlation : float
        Weighted mean of the leads at the best shift.
    shift : int
        First sample of the matching shape in the smoothed beat; ``MAX_SHIFT`` if the R peak positions agree.
    """
    correlation, mean = np.zeros((len(smoothed), SHIFTS)), np.zeros(SHIFTS)
    for lead in range(len(smoothed)):
        _correlate(template_filter[lead], smoothed[lead], correlation[lead])
        for shift in range(SHIFTS):
            correlation[lead, shift] /= norms[lead, shift]
            mean[shift] += lead_weight[lead] * correlation[lead, shift]
    best = int(mean.argmax())
    for lead in range(len(smoothed)):
        by_lead[lead] = correlation[lead, best]
    return float(mean[best]), best


@compiled_part
def _correlate(weight: FloatArray, samples: FloatArray, total: FloatArray) -> None:
    """Add the products of weights and samples at all shifts to the totals, in one lead.

    Four weights at a time: each total is read and written less often, and its sum has the same order.
    """
    for i in range(0, CORE - 3, 4):
        a, b, c, d = weight[i], weight[i + 1], weight[i + 2], weight[i + 3]
        for k in range(i, i + SHIFTS):
            total[k - i] = total[k - i] + a * samples[k] + b * samples[k + 1] + c * samples[k + 2] + d * samples[k + 3]
    for i in range(CORE - CORE % 4, CORE):
        for shift in range(SHIFTS):
            total[shift] += weight[i] * samples[i + shift]


@compiled_part
def matched_filter(shape: FloatArray, template_filter: FloatArray) -> None:
    """Compute the matched filter of a shape, (leads, CORE): tapered, with zero mean and unit norm per lead."""
    for lead in range(len(shape)):
        mean = 0.0
        for i in range(CORE):
            mean += shape[lead, i] * TAPER[i]
        mean /= TAPER_SUM
        power = 0.0
        for i in range(CORE):
            centred = shape[lead, i] - mean
            template_filter[lead, i] = centred * TAPER[i]
            power += template_filter[lead, i] * centred
        norm = math.sqrt(max(power, 1e-9))
        for i in range(CORE):
            template_filter[lead, i] /= norm


@compiled
def normal_family(families: Families, slot: int) -> int:
    """Return the index of the family of the patient's normal beat; 0 if there are no families."""
    weight, tempo, width = families.weight[slot], families.tempo[slot], families.width[slot]
    normal, highest = 0, -1.0
    for k in range(families.known[slot]):
        score = weight[k] * math.exp(EARLY_POWER * tempo[k]) * width[k] ** -BROAD_POWER
        if score > highest:
            normal, highest = k, score
    return normal


@compiled_part
def correlation(a: FloatArray, b: FloatArray, lead_weight: FloatArray) -> float:
    """Return the weighted mean correlation of two templates, from their matched filters, shape (leads, CORE)."""
    mean = 0.0
    for lead in range(len(lead_weight)):
        product = 0.0
        for i in range(CORE):
            product += a[lead, i] * b[lead, i] / TAPER[i]
        mean += lead_weight[lead] * product
    return mean


@compiled
def move(shape: FloatArray, smoothed: FloatArray, begin: int, valid: BoolArray, rate: float) -> None:
    """Move a mean shape, (leads, CORE), towards the beat that begins at a sample, in the valid leads."""
    for lead in range(len(shape)):
        if valid[lead]:
            for i in range(CORE):
                shape[lead, i] += rate * (smoothed[lead, begin + i] - shape[lead, i])


@compiled_part
def _merge(families: Families, slot: int, matched: FloatArray, best: int) -> None:
    """Merge the families that the same beat matches as well into `best`, by adding their weights."""
    limit = max(MERGE_CORRELATION, matched[best] - 0.02)
    for k in range(families.known[slot]):
        if k != best and matched[k] >= limit:
            families.weight[slot, best] += families.weight[slot, k]
            families.weight[slot, k] = 0.0
            families.filter[slot, k].fill(0.0)  # no beat matches it any more


@compiled
def add_beat(
    families: Families,
    slot: int,
    smoothed: FloatArray,
    matched: FloatArray,
    shift: IntArray,
    valid: BoolArray,
    threshold: float,
    tempo: float,
    width: float,
) -> tuple[int, bool]:
    """Assign a beat to a family, and update the families in place.

    Parameters
    ----------
    families : Families
    slot : int
    smoothed : ndarray of float64, shape (leads, CORE + 2 * MAX_SHIFT), mV
    matched, shift : ndarray of float64 and of int64, shape (MAX_FAMILIES,)
        Correlation of this beat with each family, and the best shift, from `match`.
    valid : ndarray of bool, shape (leads,)
        Leads whose templates are updated.
    threshold : float
        Correlation from which the beat belongs to a family.
    tempo, width : float
        log(preceding RR / usual RR), and width of the QRS complex, samples.

    Returns
    -------
    family : int
        Index of the beat's family.
    new_family : bool
        Whether the beat started it.
    """
    known, weight = int(families.known[slot]), families.weight[slot]
    for k in range(known):
        weight[k] *= WEIGHT_DECAY
    best = int(matched[:known].argmax()) if known else -1
    new_family = best < 0 or matched[best] < threshold
    if new_family:
        if known < MAX_FAMILIES:
            best = known
            families.known[slot] += 1
        else:
            best = int(weight.argmin())
        weight[best] = 1.0
        for lead in range(len(smoothed)):
            for i in range(CORE):
                families.shape[slot, best, lead, i] = smoothed[lead, MAX_SHIFT + i]
        families.tempo[slot, best], families.width[slot, best] = tempo, width
    else:
        _merge(families, slot, matched, best)
        weight[best] += 1
        rate = max(1 / weight[best], MIN_RATE)
        move(families.shape[slot, best], smoothed, int(shift[best]), valid, rate)
        families.tempo[slot, best] = families.tempo[slot, best] * (1 - rate) + rate * tempo
        families.width[slot, best] = families.width[slot, best] * (1 - rate) + rate * width
    matched_filter(families.shape[slot, best], families.filter[slot, best])
    return best, new_family
