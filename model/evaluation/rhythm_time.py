"""Time-based comparison of detected rhythms with the annotated ones, second by second.

Seconds annotated as noise count only if they also belong to the rhythm. Atrial fibrillation is compared with the rhythm
label, without annotated atrial flutter and from `Truth.scored_from` on; other rhythms with the alarms, over all of the
record.
"""

from __future__ import annotations

import numpy as np

from model.evaluation import rhythm_notes
from model.evaluation.intervals import mask
from model.evaluation.monitor_output import MonitorOutput
from model.evaluation.rhythm_notes import intervals_of
from model.evaluation.truth import ALARMS, Truth
from model.signal.arrays import BoolArray, IntArray
from stream.timebase import FS

BY_TIME = ("vf", "vt", "either", "asystole", "af")
"""Rhythms compared by time: keys of `model.evaluation.truth.ALARMS`."""


def confusion(actual: BoolArray, detected: BoolArray, scored: BoolArray) -> IntArray:
    """Return the confusion matrix in seconds, each represented by its middle sample.

    Parameters
    ----------
    actual, detected, scored : ndarray of bool, shape (n,)
        Samples in the annotated rhythm, in the detected one, and those that count.

    Returns
    -------
    ndarray of int64, shape (2, 2)
        Row: actual, column: detected.
    """
    middle = np.arange(FS // 2, len(actual), FS)
    middle = middle[scored[middle]]
    return np.bincount(2 * actual[middle] + detected[middle], minlength=4).reshape(2, 2)


def by_time(truth: Truth, output: MonitorOutput) -> dict[str, IntArray]:
    """Return the confusion matrix of each annotated rhythm of `BY_TIME`."""
    noise = mask(truth.noise, truth.n)
    found = {}
    for key in BY_TIME:
        if key not in truth.rhythms:
            continue
        actual = mask(truth.rhythms[key], truth.n)
        scored = actual | ~noise
        if key == "af":
            detected = in_atrial_fibrillation(output)
            scored &= ~mask(intervals_of(truth.notes, rhythm_notes.ATRIAL_FLUTTER), truth.n)
            scored &= ~(actual & mask(truth.reference.flutter, truth.n))  # a note may outlast the onset of fibrillation
            scored[: truth.scored_from] = False
        else:
            detected = output.in_alarm(ALARMS[key])
        found[key] = confusion(actual, detected, scored)
    return found


def in_atrial_fibrillation(output: MonitorOutput) -> BoolArray:
    """Return which samples lie in seconds that are labelled as atrial fibrillation, shape (n,)."""
    detected = np.zeros(output.n, bool)
    for last, label in output.rhythm:
        detected[max(last + 1 - FS, 0) : last + 1] = label == "atrial fibrillation"
    return detected
