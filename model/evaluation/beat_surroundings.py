"""Where a sample lies among the reference beats: in a QRS complex or not, and how long after an ectopic beat.

A beat lasts from 150 ms before its R peak to 150 ms before the next one.
"""

from __future__ import annotations

import numpy as np

from model.datasets.reference import Reference
from model.evaluation.anomaly_targets import BEFORE_R, mark
from model.signal.arrays import BoolArray, IntArray

QRS = 22
"""Samples before and after an R peak that belong to the QRS complex: 60 ms."""

FOLLOWING = 3
"""Beats after a ventricular ectopic beat that are distinguished."""

UNDISTURBED = 10
"""A beat is undisturbed if it and so many beats before it are of class N."""

PLACES = ("undisturbed", "veb", *(str(beat) for beat in range(1, FOLLOWING + 1)))
"""An undisturbed beat, a ventricular ectopic beat, and the beats of class N after it."""

ELSEWHERE = -1


def in_qrs(reference: Reference, n: int) -> BoolArray:
    """Return which of n samples lie in a QRS complex."""
    return mark(reference.sample - QRS, reference.sample + QRS, n)


def place_of_beats(reference: Reference) -> IntArray:
    """Return the index into `PLACES` of each beat; `ELSEWHERE` of what is in none of them."""
    label = np.array(reference.label, dtype="U1")
    since_veb, since_ectopic = _beats_since(label == "V"), _beats_since(label != "N")
    place = np.full(len(label), ELSEWHERE, np.int64)
    place[since_ectopic > UNDISTURBED] = PLACES.index("undisturbed")
    following = (label == "N") & (since_veb <= FOLLOWING)
    place[following] = PLACES.index("veb") + since_veb[following]
    place[label == "V"] = PLACES.index("veb")
    return place


def place_of_samples(reference: Reference, n: int) -> IntArray:
    """Return the index into `PLACES` of the beat of each of n samples; `ELSEWHERE` before the first beat."""
    beat = np.searchsorted(reference.sample - BEFORE_R, np.arange(n), side="right") - 1
    return np.asarray(np.append(place_of_beats(reference), ELSEWHERE)[beat])


def _beats_since(event: BoolArray) -> IntArray:
    """Return how many beats ago the last event was; before the first one, more than matters."""
    index = np.arange(len(event))
    last = np.maximum.accumulate(np.where(event, index, -UNDISTURBED - 1))
    return np.asarray(index - last)
