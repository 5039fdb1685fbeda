"""Broad, fast beats of a patient who is not known yet: ventricular by absolute criteria.

The classifier compares each beat with the patient's own normal beats, so it gives no type to the first ones, and a
ventricular tachycardia with which an epoch begins would become the normal beat. Until the patient is known, a beat is
ventricular if its QRS complex is broad and its RR interval short, or if it goes on with such a run. These beats teach
the classifier nothing.

A tachycardia with broad complexes is ventricular until the opposite is shown: so is a bundle branch block at 120/min
and more, during the first beats of an epoch.
"""

from __future__ import annotations

import numpy as np

from model.beats.classifier import LEARNING_BEATS
from model.beats.shape_comparison import qrs_height, qrs_width
from model.beats.templates import CORE, MAX_SHIFT, smooth
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.compiled import compiled, compiled_part
from stream.timebase import FS

BROAD = 40.0
"""Effective width of the QRS complex (`model.beats.shape_comparison.qrs_width`, mean over the leads by their height),
samples, from which it is broad. The median of ventricular beats is 34 to 53 by record, that of bundle branch blocks 35
to 47, of other beats 19 to 36."""

FAST_RR, RUN_RR = 60 * FS / 130, 60 * FS / 120
"""Longest RR interval of a broad beat that begins a run, and of one that goes on with it, samples: 130 and 120/min. A
sinus rhythm with a bundle branch block is mostly slower: that of svdb 880 varies around 121/min."""

REPEATS = 0.9
"""Correlation with the last beat from which a beat goes on with a run, whatever its width."""


@compiled
def mark(
    running: BoolArray,
    learned: IntArray,
    slots: IntArray,
    piece: FloatArray,
    valid: BoolArray,
    rr: FloatArray,
    resemblance: FloatArray,
) -> BoolArray:
    """Return which beats are ventricular by absolute criteria, shape (n,).

    Parameters
    ----------
    running : ndarray of bool, shape (beds,)
        Whether the last beat of each bed was one; changed in place.
    learned : ndarray of int64, shape (beds,)
        Beats that the classifier has learned of each patient.
    slots : ndarray of int64, shape (n,)
        Slot of the bed of each beat; those of a bed are in order.
    piece : ndarray of float64, shape (n, PIECE_BEFORE + 1 + PIECE_AFTER, leads), mV
        Samples around the R peak.
    valid : ndarray of bool, shape (n, leads)
        Leads to use.
    rr : ndarray of float64, shape (n,)
        Preceding RR interval, samples; NaN if unknown.
    resemblance : ndarray of float64, shape (n, 2)
        As in `model.beats.beat.BeatRows`.
    """
    marked, known = np.zeros(len(slots), np.bool_), learned.copy()
    for row in range(len(slots)):
        slot = slots[row]
        if not valid[row].any():
            running[slot] = False
            continue
        if known[slot] < LEARNING_BEATS:
            goes_on = running[slot] and rr[row] <= RUN_RR and resemblance[row, 0] >= REPEATS
            marked[row] = goes_on or (rr[row] <= FAST_RR and _width(piece[row], valid[row]) >= BROAD)
        running[slot] = marked[row]
        known[slot] += not marked[row]
    return marked


@compiled_part
def _width(piece: FloatArray, valid: BoolArray) -> float:
    """Return the effective width of the QRS complex, mean over the valid leads by their height, samples."""
    smoothed, total, weight = smooth(piece), 0.0, 0.0
    for lead in range(len(valid)):
        if valid[lead]:
            beat = smoothed[lead, MAX_SHIFT : MAX_SHIFT + CORE]
            height = qrs_height(beat)
            total += height * qrs_width(beat)
            weight += height
    return total / weight
