"""The patient's own beats: a few families of alike shapes, and which of them is the normal one.

Each beat joins the family whose mean shape it matches best, or founds one. A family's weight fades over some minutes,
so that the patient's normal beat is the one of the last minutes and not of the first. The normal family is not just
the heaviest: an ectopic beat comes early and is mostly broad, so a family that is early or broad has to be heavier.
That is what tells the two families of a bigeminy apart, which are equally heavy.

All functions are pure; lengths are in samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray

SMOOTH = np.convolve(np.ones(6) / 6, np.ones(2) / 2)
"""7 taps, about 8 ms: silent at 60 Hz, a fifth at 50 Hz."""

HALF = len(SMOOTH) // 2
SHIFT = 12
"""The R peak may be placed 33 ms beside where it is in other beats."""

BEFORE, AFTER = 88, 53
"""The shape of a beat: 244 ms before its R peak to 147 ms after."""

CORE = BEFORE + AFTER + 1
PIECE_BEFORE, PIECE_AFTER = BEFORE + SHIFT + HALF, AFTER + SHIFT + HALF
"""The raw samples that are needed for it: 286 ms before to 189 ms after."""

FAMILIES = 8
ALIKE, LEAST_ALIKE = 0.9, 0.8
"""Likeness from which a beat belongs to a family: in clean leads, in noisy ones."""

SAME = 0.93
"""Likeness to the same beat from which two families are one."""

FADE = math.exp(-1 / 200)
"""A family's weight falls by this with every beat."""

SLOWEST = 0.04
"""The least share of a new beat in the mean of its family."""

EARLY, BROAD = 4.0, 1.5
"""How much heavier an early or a broad family has to be: weight * (RR / usual RR) ** EARLY / width ** BROAD."""

TAPER = np.minimum(1.0, np.minimum(np.arange(CORE) + 8, np.arange(CORE)[::-1] + 20) / 64.0)
TAPER[BEFORE - 30 : BEFORE + 36] = 1.0
"""Weight of each sample in a comparison: the QRS complex in full, what lies far from it less."""

TAPER_SUM = float(TAPER.sum())


@dataclass(frozen=True)
class Families:
    """What is known of the patient's beats; arrays of k families.

    Attributes
    ----------
    shape : ndarray of float64, shape (k, leads, CORE)
        Mean shapes in mV.
    filter : ndarray of float64, shape (k, leads, CORE)
        What finds each shape, see `filter_of`.
    weight : ndarray of float64, shape (k,)
        Number of beats, the last ones in full.
    tempo : ndarray of float64, shape (k,)
        Mean of the log of RR before / usual RR.
    width : ndarray of float64, shape (k,)
        Mean width of the QRS complex.
    """

    shape: FloatArray
    filter: FloatArray
    weight: FloatArray
    tempo: FloatArray
    width: FloatArray

    @property
    def normal(self) -> int:
        """Which family is the patient's normal beat."""
        return int((self.weight * np.exp(EARLY * self.tempo) * self.width**-BROAD).argmax())


FIELDS = tuple(field.name for field in fields(Families))


@dataclass(frozen=True, slots=True)
class Match:
    """How a beat fits k families.

    Attributes
    ----------
    likeness : ndarray of float64, shape (k,)
        Mean correlation of the leads at the best shift.
    by_lead : ndarray of float64, shape (k, leads)
        Correlation of each lead there.
    shift : ndarray of int64, shape (k,)
        Where in the smoothed piece the shape begins; SHIFT where the R peak lies alike.
    """

    likeness: FloatArray
    by_lead: FloatArray
    shift: IntArray


def begin(leads: int) -> Families:
    """Return the families of a patient who is not known yet."""
    none, shapeless = np.zeros(0), np.zeros((0, leads, CORE))
    return Families(shapeless, shapeless, none, none, none)


def smooth(piece: FloatArray) -> FloatArray:
    """Return a beat's samples without mains hum and most muscle noise.

    Parameters
    ----------
    piece : ndarray of float64, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads)
        mV, finite, with the R peak at PIECE_BEFORE.

    Returns
    -------
    ndarray of float64, shape (leads, CORE + 2 * SHIFT)
    """
    return np.stack([np.convolve(lead, SMOOTH, "valid") for lead in piece.T])


def match(families: Families, smoothed: FloatArray, trust: FloatArray) -> Match:
    """Compare a beat with all families at all shifts.

    Parameters
    ----------
    families : Families
    smoothed : ndarray of float64, shape (leads, CORE + 2 * SHIFT)
    trust : ndarray of float64, shape (leads,)
        Weight of each lead in the mean; they add up to 1.
    """
    beats = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(smoothed, CORE, axis=1))
    mean = beats @ TAPER
    power = (beats * beats) @ TAPER - mean * mean / TAPER_SUM
    found = beats @ families.filter.transpose(1, 2, 0)
    found /= np.sqrt(np.maximum(power, 1e-9))[:, :, None]
    together = trust @ found.reshape(len(trust), -1)
    together = together.reshape(found.shape[1:])
    shift = together.argmax(axis=0)
    each = np.arange(len(shift))
    return Match(together[shift, each], found[:, shift, each].T, shift)


def filter_of(shape: FloatArray) -> FloatArray:
    """Return what finds a shape by a scalar product: tapered, without its mean, of length 1 in each lead."""
    centred = shape - (shape @ TAPER / TAPER_SUM)[:, None]
    tapered = centred * TAPER
    return np.asarray(tapered / np.sqrt(np.maximum((tapered * centred).sum(axis=1), 1e-9))[:, None])


def likeness(families: Families, a: int, b: int, trust: FloatArray) -> float:
    """Return the mean correlation of two families."""
    if a == b:
        return 1.0
    return float(trust @ (families.filter[a] * families.filter[b] / TAPER).sum(axis=1))


def learn(
    families: Families, smoothed: FloatArray, matched: Match, valid: BoolArray, alike: float, tempo: float, width: float
) -> tuple[int, bool, Families]:
    """Add a beat to the families.

    Parameters
    ----------
    families : Families
    smoothed : ndarray of float64, shape (leads, CORE + 2 * SHIFT)
    matched : Match
        Of this beat with these families.
    valid : ndarray of bool, shape (leads,)
        The leads to learn from.
    alike : float
        Likeness from which the beat belongs to a family.
    tempo, width : float
        Log of RR before / usual RR, and the width of the QRS complex.

    Returns
    -------
    joined : int
        The beat's family.
    founded : bool
        Whether the beat founded it.
    families : Families
    """
    weight = families.weight * FADE
    best = int(matched.likeness.argmax()) if len(weight) else -1
    if best >= 0 and matched.likeness[best] >= alike:
        families = _merge(families, matched, best, weight)
        weight[best] += 1
        rate = max(1 / float(weight[best]), SLOWEST)
        begin = int(matched.shift[best])
        mean = families.shape[best]
        shape = mean + rate * np.where(valid[:, None], smoothed[:, begin : begin + CORE] - mean, 0.0)
        tempo = float(families.tempo[best]) * (1 - rate) + rate * tempo
        width = float(families.width[best]) * (1 - rate) + rate * width
        return best, False, _put(families, best, weight, shape, tempo, width)
    if len(weight) < FAMILIES:
        best, weight = len(weight), np.append(weight, 1.0)
        room = (getattr(families, name) for name in FIELDS)
        families = Families(*(np.concatenate([value, np.zeros((1, *value.shape[1:]))]) for value in room))
    else:
        best = int(weight.argmin())
        weight[best] = 1.0
    return best, True, _put(families, best, weight, smoothed[:, SHIFT : SHIFT + CORE], tempo, width)


def _merge(families: Families, matched: Match, best: int, weight: FloatArray) -> Families:
    """Let the family `best` take over the weight of those that the same beat fits as well: they are one."""
    same = np.flatnonzero(matched.likeness >= max(SAME, float(matched.likeness[best]) - 0.02))
    same = same[same != best]
    if not len(same):
        return families
    weight[best] += weight[same].sum()
    weight[same] = 0.0
    filters = families.filter.copy()
    filters[same] = 0.0  # nothing is like them any more
    return replace(families, filter=filters)


def _put(families: Families, at: int, weight: FloatArray, shape: FloatArray, tempo: float, width: float) -> Families:
    shapes, filters = families.shape.copy(), families.filter.copy()
    tempos, widths = families.tempo.copy(), families.width.copy()
    shapes[at], filters[at], tempos[at], widths[at] = shape, filter_of(shape), tempo, width
    return Families(shapes, filters, weight, tempos, widths)
