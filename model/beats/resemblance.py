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
from model.signal.compiled import compiled, compiled_part

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


@compiled
def push_beat(shapes: FloatArray, slot: int, piece: FloatArray, valid: BoolArray, resemblance: FloatArray) -> None:
    """Compare a beat of a bed with the last ones, and put its shape before them, in place.

    Parameters
    ----------
    shapes : ndarray, shape (slots, EARLIER_BEATS, leads, LENGTH), mV
        Shapes of the last beats, latest first; NaN before the first ones.
    slot : int
    piece : ndarray, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads), mV
        Samples around the R peak, as `model.beats.beat_detector.cut_piece` writes them.
    valid : ndarray of bool, shape (leads,)
    resemblance : ndarray, shape (EARLIER_BEATS,)
        Receives the correlation with each of ``shapes``, -1 to 1: mean over the leads in which both are shown and one
        has a complex, at the best common shift of up to `MAX_SHIFT` samples; 0 without such a lead; NaN where there is
        no earlier beat.
    """
    smoothed = smooth(piece)
    for lead in range(len(valid)):
        for i in range(0 if valid[lead] else smoothed.shape[1]):
            smoothed[lead, i] = 0.0
    for k in range(EARLIER_BEATS):
        known = not math.isnan(shapes[slot, k, 0, 0])
        resemblance[k] = _correlation(smoothed, shapes[slot, k]) if known else math.nan
    for lead in range(len(smoothed)):
        for i in range(LENGTH):
            for k in range(EARLIER_BEATS - 1, 0, -1):
                shapes[slot, k, lead, i] = shapes[slot, k - 1, lead, i]
            shapes[slot, 0, lead, i] = smoothed[lead, FIRST + i]


@compiled_part
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


@compiled_part
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
