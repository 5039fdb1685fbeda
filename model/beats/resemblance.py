"""Resemblance of successive complexes, which tells a run of ectopic beats from an artefact.

The complexes of a tachycardia resemble each other, in an alternating run every second one; those that a detector finds
in an electrode artefact do not. Each complex, its QRS and the beginning of its T wave, is correlated with the last two.
The leads are averaged at one common shift, because an artefact rarely repeats in two leads at once.
"""

from __future__ import annotations

import math

import numpy as np

from model.beats import templates
from model.beats.templates import MAX_SHIFT, SHIFTS, smooth
from model.signal.arrays import BoolArray, FloatArray
from model.signal.compiled import compiled

EARLIER_BEATS = 2
"""Number of earlier complexes that a complex is compared with."""

BEFORE, AFTER = 36, 52
"""Extent of a compared shape before and after the R peak, samples: 100 and 144 ms, so no other beat at 250/min."""

LENGTH = BEFORE + 1 + AFTER
"""Samples in a compared shape."""

FIRST = templates.BEFORE + MAX_SHIFT - BEFORE
"""First sample of the shape in a smoothed piece."""

MIN_MV = 0.05
"""Peak-to-peak value, mV, below which a lead shows no complex and is not compared."""


def begin(leads: int) -> FloatArray:
    """Return the shapes of one bed before the first beat, NaN, shape (1, EARLIER_BEATS, leads, LENGTH)."""
    return np.full((1, EARLIER_BEATS, leads, LENGTH), np.nan)


def step(shapes: FloatArray, piece: FloatArray, valid: BoolArray) -> tuple[tuple[float, ...], FloatArray]:
    """Compare a beat of one bed with the last ones.

    Parameters
    ----------
    shapes : ndarray, shape (beds, EARLIER_BEATS, leads, LENGTH), mV
        Shapes of the last beats, latest first; NaN before the first ones.
    piece : ndarray, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads), mV
        Samples around the R peak, as `model.beats.beat_detector.cut_piece` returns them.
    valid : ndarray of bool, shape (leads,)

    Returns
    -------
    resemblance : tuple of float
        Correlation with each known one of ``shapes``, -1 to 1: mean over the leads in which both are shown and one has
        a complex, at the best common shift of up to `MAX_SHIFT` samples; 0 without such a lead.
    shapes : ndarray
        Including that of this beat.
    """
    shapes, resemblance = shapes.copy(), np.empty(EARLIER_BEATS)
    known = push_beat(shapes, 0, np.ascontiguousarray(piece), valid, resemblance)
    return tuple(resemblance[:known].tolist()), shapes


@compiled
def push_beat(shapes: FloatArray, bed: int, piece: FloatArray, valid: BoolArray, resemblance: FloatArray) -> int:
    """Compare a beat of a bed with the last ones, and put its shape before them, in place.

    Returns
    -------
    int
        Number of known shapes before; the first values of ``resemblance`` are the correlations with them.
    """
    smoothed = smooth(piece)
    for lead in range(len(valid)):
        if not valid[lead]:
            smoothed[lead, :] = 0.0
    known = 0
    while known < EARLIER_BEATS and not math.isnan(shapes[bed, known, 0, 0]):
        resemblance[known] = _correlation(smoothed, shapes[bed, known])
        known += 1
    for lead in range(len(smoothed)):
        for i in range(LENGTH):
            for k in range(EARLIER_BEATS - 1, 0, -1):
                shapes[bed, k, lead, i] = shapes[bed, k - 1, lead, i]
            shapes[bed, 0, lead, i] = smoothed[lead, FIRST + i]
    return known


@compiled
def _correlation(smoothed: FloatArray, earlier: FloatArray) -> float:
    """Return the mean correlation of the leads at the best shift."""
    mean, compared = np.zeros(SHIFTS), 0
    for lead in range(len(smoothed)):
        shape, around = smoothed[lead, FIRST : FIRST + LENGTH], smoothed[lead, FIRST - MAX_SHIFT :]
        height, earlier_height = shape.max() - shape.min(), earlier[lead].max() - earlier[lead].min()
        if max(height, earlier_height) >= MIN_MV and min(height, earlier_height) > 0:
            _add_correlation(mean, around, earlier[lead])
            compared += 1
    return float(mean.max() / compared) if compared else 0.0


@compiled
def _add_correlation(mean: FloatArray, around: FloatArray, earlier: FloatArray) -> None:
    """Add the correlation of an earlier shape with the samples around a beat, at all shifts, in one lead."""
    window_mean, power, product = np.zeros(SHIFTS), np.zeros(SHIFTS), np.zeros(SHIFTS)
    earlier_mean, earlier_power = earlier.mean(), 0.0
    for i in range(LENGTH):
        for shift in range(SHIFTS):
            window_mean[shift] += around[i + shift]
    for shift in range(SHIFTS):
        window_mean[shift] /= LENGTH
    for i in range(LENGTH):
        earlier_centred = earlier[i] - earlier_mean
        earlier_power += earlier_centred * earlier_centred
        for shift in range(SHIFTS):
            centred = around[i + shift] - window_mean[shift]
            power[shift] += centred * centred
            product[shift] += centred * earlier_centred
    for shift in range(SHIFTS):
        mean[shift] += product[shift] / max(math.sqrt(power[shift] * earlier_power), 1e-9)
