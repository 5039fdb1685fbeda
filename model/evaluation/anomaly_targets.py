"""What anomaly alarms should report: labels of beats and of samples, from the reference annotations.

- *Positive*: ventricular ectopic beats (AAMI class V).
- *Excluded*: fusion beats (F), neither positive nor negative. All other beats are negative.
- *Excused*: an alarm near a V, an F or a wave of ventricular flutter (record 207) is not false; annotators mark no
  beats in flutter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.datasets.reference import Reference
from model.evaluation.ec57_beats import SCORED_FROM
from model.signal.arrays import BoolArray, IntArray
from stream.timebase import FS

BEFORE_R, AFTER_R = 54, 90
"""Window of a beat in samples: 150 ms before its R peak to 250 ms after it. A wide complex begins before its R peak;
a causal score, averaged over the last samples, peaks after it."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Samples within the windows of beats, shape (n,).

    Attributes
    ----------
    veb : ndarray of bool
        In the window of a ventricular ectopic beat.
    excluded : ndarray of bool
        Only in the window of a fusion beat or flutter wave.
    """

    veb: BoolArray
    excluded: BoolArray


@dataclass(frozen=True)
class AnomalyTargets:
    """Labels of one record.

    Attributes
    ----------
    beats : ndarray of int64, shape (n,)
        R peaks of the scored beats, rising.
    veb : ndarray of bool, shape (n,)
        Which of them are positive.
    excusing : ndarray of int64
        Samples near which an alarm is not false, over the whole record, rising.
    windows : Windows
    hours : float
        From the first scored sample to the end.
    scored_from : int
        First scored sample; 5:00 (EC57) unless a record is shorter than ten minutes.
    """

    beats: IntArray
    veb: BoolArray
    excusing: IntArray
    windows: Windows
    hours: float
    scored_from: int = SCORED_FROM


def targets_of(reference: Reference, n: int, since: int = SCORED_FROM) -> AnomalyTargets:
    """Return the labels of a record with n samples, scored from sample ``since``."""
    sample, veb, fusion = reference.sample, reference.is_label("V"), reference.is_label("F")
    scored = ~fusion & (sample >= since)
    other = np.concatenate([sample[fusion], reference.flutter_waves])
    return AnomalyTargets(
        beats=sample[scored],
        veb=veb[scored],
        excusing=np.sort(np.concatenate([sample[veb], other])),
        windows=windows(sample[veb], other, n),
        hours=(n - since) / FS / 3600,
        scored_from=since,
    )


def windows(veb: IntArray, excluded: IntArray, n: int) -> Windows:
    """Mark the windows of beats.

    Parameters
    ----------
    veb, excluded : ndarray of int64
        Samples of ventricular ectopic beats, and of fusion beats and flutter waves.
    n : int
        Samples of the record.
    """
    own = mark(veb - BEFORE_R, veb + AFTER_R, n)
    return Windows(own, mark(excluded - BEFORE_R, excluded + AFTER_R, n) & ~own)


def mark(first: IntArray, last: IntArray, n: int) -> BoolArray:
    """Return which of n samples lie within intervals, both ends included."""
    steps = np.zeros(n + 1, dtype=np.int64)
    np.add.at(steps, first.clip(0, n), 1)
    np.add.at(steps, (last + 1).clip(0, n), -1)
    return np.asarray(np.cumsum(steps[:n]) > 0)
