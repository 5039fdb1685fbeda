"""Template families: clusters of the patient's beats with similar shapes, and which of them is the normal beat.

Each beat is assigned to the family whose mean shape (template) it matches best, or starts a new one. The weight of a
family decays over some minutes, so the normal beat follows changes of the patient. The normal family is not simply the
one with the largest weight: ectopic beats are early and mostly broad, so early or broad families need a larger weight.
This distinguishes the two families of a bigeminy, which have equal numbers of beats.

All functions are pure; lengths are in samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray

SMOOTHING = np.convolve(np.ones(6) / 6, np.ones(2) / 2)
"""Smoothing filter, 7 taps (delay 3 samples, 8 ms): gain 0 at 60 Hz, about 0.2 at 50 Hz."""

SMOOTHING_HALF = len(SMOOTHING) // 2
"""Delay of the smoothing filter, samples."""

MAX_SHIFT = 12
"""Largest error of the R peak position that matching corrects, samples: 33 ms."""

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


@dataclass(frozen=True)
class Families:
    """Template families of a patient; arrays over k families.

    Attributes
    ----------
    shape : ndarray of float64, shape (k, leads, CORE)
        Templates: mean shapes, mV.
    filter : ndarray of float64, shape (k, leads, CORE)
        Matched filter of each template, see `matched_filter`.
    weight : ndarray of float64, shape (k,)
        Number of beats, with exponential decay.
    tempo : ndarray of float64, shape (k,)
        Mean of log(preceding RR / usual RR).
    width : ndarray of float64, shape (k,)
        Mean width of the QRS complex, samples.
    """

    shape: FloatArray
    filter: FloatArray
    weight: FloatArray
    tempo: FloatArray
    width: FloatArray

    @property
    def normal(self) -> int:
        """Index of the family of the patient's normal beat."""
        return int((self.weight * np.exp(EARLY_POWER * self.tempo) * self.width**-BROAD_POWER).argmax())


FIELDS = tuple(field.name for field in fields(Families))
"""Names of the arrays in `Families`."""


@dataclass(frozen=True, slots=True)
class Match:
    """Match of a beat with k families.

    Attributes
    ----------
    correlation : ndarray of float64, shape (k,)
        Weighted mean correlation of the leads at the best shift.
    by_lead : ndarray of float64, shape (k, leads)
        Correlation of each lead at that shift.
    shift : ndarray of int64, shape (k,)
        First sample of the matching shape in the smoothed piece; ``MAX_SHIFT`` if the R peak positions agree.
    """

    correlation: FloatArray
    by_lead: FloatArray
    shift: IntArray


def begin(leads: int) -> Families:
    """Return the state before the first beat: no families."""
    empty, no_shapes = np.zeros(0), np.zeros((0, leads, CORE))
    return Families(no_shapes, no_shapes, empty, empty, empty)


def smooth(piece: FloatArray) -> FloatArray:
    """Return the samples of a beat with mains hum and most muscle artefact removed.

    Parameters
    ----------
    piece : ndarray of float64, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads), mV
        Finite, with the R peak at PIECE_BEFORE.

    Returns
    -------
    ndarray of float64, shape (leads, CORE + 2 * MAX_SHIFT), mV
    """
    return np.stack([np.convolve(lead, SMOOTHING, "valid") for lead in piece.T])


def match(families: Families, smoothed: FloatArray, lead_weight: FloatArray) -> Match:
    """Correlate a beat with all families at all shifts.

    Parameters
    ----------
    families : Families
    smoothed : ndarray of float64, shape (leads, CORE + 2 * MAX_SHIFT), mV
    lead_weight : ndarray of float64, shape (leads,)
        Weight of each lead in the mean; the sum is 1.
    """
    beats = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(smoothed, CORE, axis=1))
    mean = beats @ TAPER
    power = (beats * beats) @ TAPER - mean * mean / TAPER_SUM
    by_lead = beats @ families.filter.transpose(1, 2, 0)
    by_lead /= np.sqrt(np.maximum(power, 1e-9))[:, :, None]
    combined = lead_weight @ by_lead.reshape(len(lead_weight), -1)
    combined = combined.reshape(by_lead.shape[1:])
    shift = combined.argmax(axis=0)
    index = np.arange(len(shift))
    return Match(combined[shift, index], by_lead[:, shift, index].T, shift)


def matched_filter(shape: FloatArray) -> FloatArray:
    """Return the matched filter of a shape: tapered, with zero mean and unit norm per lead."""
    centred = shape - (shape @ TAPER / TAPER_SUM)[:, None]
    tapered = centred * TAPER
    return np.asarray(tapered / np.sqrt(np.maximum((tapered * centred).sum(axis=1), 1e-9))[:, None])


def correlation(families: Families, a: int, b: int, lead_weight: FloatArray) -> float:
    """Return the weighted mean correlation of two templates."""
    if a == b:
        return 1.0
    return float(lead_weight @ (families.filter[a] * families.filter[b] / TAPER).sum(axis=1))


def add_beat(
    families: Families,
    smoothed: FloatArray,
    matched: Match,
    valid: BoolArray,
    threshold: float,
    tempo: float,
    width: float,
) -> tuple[int, bool, Families]:
    """Assign a beat to a family, and update the families.

    Parameters
    ----------
    families : Families
    smoothed : ndarray of float64, shape (leads, CORE + 2 * MAX_SHIFT), mV
    matched : Match
        Match of this beat with these families.
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
    families : Families
    """
    weight = families.weight * WEIGHT_DECAY
    best = int(matched.correlation.argmax()) if len(weight) else -1
    if best >= 0 and matched.correlation[best] >= threshold:
        families = _merge(families, matched, best, weight)
        weight[best] += 1
        rate = max(1 / float(weight[best]), MIN_RATE)
        begin = int(matched.shift[best])
        mean = families.shape[best]
        shape = mean + rate * np.where(valid[:, None], smoothed[:, begin : begin + CORE] - mean, 0.0)
        tempo = float(families.tempo[best]) * (1 - rate) + rate * tempo
        width = float(families.width[best]) * (1 - rate) + rate * width
        return best, False, _replace_family(families, best, weight, shape, tempo, width)
    if len(weight) < MAX_FAMILIES:
        best, weight = len(weight), np.append(weight, 1.0)
        old_arrays = (getattr(families, name) for name in FIELDS)
        families = Families(*(np.concatenate([value, np.zeros((1, *value.shape[1:]))]) for value in old_arrays))
    else:
        best = int(weight.argmin())
        weight[best] = 1.0
    return best, True, _replace_family(families, best, weight, smoothed[:, MAX_SHIFT : MAX_SHIFT + CORE], tempo, width)


def _merge(families: Families, matched: Match, best: int, weight: FloatArray) -> Families:
    """Merge the families that the same beat matches as well into `best`, by adding their weights."""
    merged = np.flatnonzero(matched.correlation >= max(MERGE_CORRELATION, float(matched.correlation[best]) - 0.02))
    merged = merged[merged != best]
    if not len(merged):
        return families
    weight[best] += weight[merged].sum()
    weight[merged] = 0.0
    filters = families.filter.copy()
    filters[merged] = 0.0  # no beat matches them any more
    return replace(families, filter=filters)


def _replace_family(
    families: Families, at: int, weight: FloatArray, shape: FloatArray, tempo: float, width: float
) -> Families:
    shapes, filters = families.shape.copy(), families.filter.copy()
    tempos, widths = families.tempo.copy(), families.width.copy()
    shapes[at], filters[at], tempos[at], widths[at] = shape, matched_filter(shape), tempo, width
    return Families(shapes, filters, weight, tempos, widths)
