"""Under which conditions forecasts are right: early in a patient, within QRS complexes, after ectopic beats.

Pure functions on the errors of forecasts from k origins.
"""

from __future__ import annotations

import numpy as np

from model.datasets.reference import Reference
from model.evaluation import detection_metrics
from model.evaluation.anomaly_metrics import LEAST_VEB
from model.evaluation.anomaly_targets import AFTER_R, BEFORE_R
from model.evaluation.beat_surroundings import PLACES, in_qrs, place_of_beats, place_of_samples
from model.signal.arrays import BoolArray, Float32Array, FloatArray, IntArray
from stream.timebase import FS

MINUTES = ((0, 1), (1, 2), (2, 3), (3, 5), (5, 10))
"""Minutes of a patient for the learning curve."""

LEAST_BEATS = 10
"""Beats of each place that a record must have for errors after ectopic beats."""


def by_minute(origin: IntArray, square: FloatArray) -> FloatArray:
    """Return the mean squared error in each part of `MINUTES`.

    Parameters
    ----------
    origin : ndarray of int64, shape (k,)
        Samples since the start of the patient.
    square : ndarray of float64, shape (methods, k, horizons)

    Returns
    -------
    ndarray of float64, shape (methods, horizons, minutes)
        NaN where there is no origin.
    """
    minute, found = origin / (60 * FS), []
    for first, stop in MINUTES:
        own = square[:, (minute >= first) & (minute < stop)]
        found.append(own.sum(axis=1) / (own.shape[1] or np.nan))
    return np.stack(found, axis=-1)


def by_phase(inside: BoolArray, target: IntArray, reference: Reference, n: int) -> FloatArray:
    """Return the coverage of an interval within QRS complexes and in all else.

    Parameters
    ----------
    inside : ndarray of bool, shape (k, offsets)
        Whether a sample is within its interval.
    target : ndarray of int64, shape (k, offsets)
        The samples that were forecast.
    reference : Reference
    n : int
        Samples of the record.

    Returns
    -------
    ndarray of float64, shape (2, offsets)
        NaN without any beat.
    """
    qrs = in_qrs(reference, n)[target]
    if not qrs.any(axis=0).all():
        return np.full((2, inside.shape[1]), np.nan)
    return np.stack([(inside & phase).sum(axis=0) / phase.sum(axis=0) for phase in (qrs, ~qrs)])


def by_place(square: FloatArray, target: IntArray, reference: Reference, since: int, n: int) -> FloatArray:
    """Return the mean squared error by the place of the target among the beats.

    Parameters
    ----------
    square : ndarray of float64, shape (methods, k, horizons)
    target : ndarray of int64, shape (k, horizons)
        The samples that were forecast.
    reference : Reference
    since, n : int
        First scored sample, and samples of the record.

    Returns
    -------
    ndarray of float64, shape (methods, horizons, places)
        NaN if a place has fewer than `LEAST_BEATS` beats.
    """
    methods, _, horizons = square.shape
    found = np.full((methods, horizons, len(PLACES)), np.nan)
    beats = place_of_beats(reference)[reference.sample >= since]
    if min(np.count_nonzero(beats == own) for own in range(len(PLACES))) < LEAST_BEATS:
        return found
    place = place_of_samples(reference, n)[target]
    for h in range(horizons):
        for own in range(len(PLACES)):
            found[:, h, own] = square[:, place[:, h] == own, h].mean(axis=1)
    return found


def veb_auroc(scores: Float32Array, known: IntArray, reference: Reference, since: int) -> FloatArray:
    """Return how well scores tell ventricular ectopic beats from all others; fusion beats are neither.

    Parameters
    ----------
    scores : ndarray of float32, shape (methods, k)
        A beat has the highest one in the window of `model.evaluation.anomaly_targets`.
    known : ndarray of int64, shape (k,)
        The sample at which each score is known.
    reference : Reference
    since : int
        First scored sample.

    Returns
    -------
    ndarray of float64, shape (methods,)
        NaN with fewer than `LEAST_VEB` of them.
    """
    scored = (reference.sample >= since) & ~reference.is_label("F")
    beats, veb = reference.sample[scored], reference.is_label("V")[scored]
    if veb.sum() < LEAST_VEB:
        return np.full(len(scores), np.nan)
    peaks = (detection_metrics.peak_in_windows(own, known, beats - BEFORE_R, beats + AFTER_R) for own in scores)
    return np.array([detection_metrics.auroc(detection_metrics.count(peak, veb)) for peak in peaks])
