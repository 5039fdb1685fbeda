"""Consistency of the P wave: how similar the signal before the QRS complexes is from beat to beat.

A sinus rhythm has the same P wave before each beat; in atrial fibrillation the signal before the QRS complex is flat or
waves without relation to it. So the segment before each complex is correlated with the mean of the segments of earlier
beats: the mean correlation is near 1 with P waves and near 0 in atrial fibrillation, and needs no P wave detector.

- Ventricular beats and beats with a short RR interval are left out: atrial ectopic beats have another P wave, often
  within the T wave.
- The segment ends before the QRS onset, which is found in the mean beat. A fixed distance from the R peak would include
  part of a broad complex, or of one whose S wave is taken as the R peak, and that is the same from beat to beat.
- The linear trend of a segment is removed: baseline wander, and the end of the T wave.
- The consistency of a bed is that of its best lead: P waves may be visible in one lead only.

All constants were chosen for their physiological meaning, with the records that show atrial fibrillation in MIT-BIH DS1
(201, 203), svdb (804 of 40) and vfdb (609 of 11): 99 % of the values in it are below 0.40, 0.23, 0.17 and 0.54. In 14
other records of them, chosen for ectopic beats, the median is between 0.69 and 0.96. Segments of 167 or 250 ms, QRS
onsets at 7 or 15 % of the slope, and R peaks moved by up to 83 ms change these values by less than 0.1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.beats.rr_features import upper_median
from model.beats.shape_comparison import bin_means, subtract_trend
from model.beats.templates import SMOOTHING_HALF, smooth
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.columns import push
from model.signal.compiled import compiled, compiled_part

SPAN_BEFORE, SPAN_AFTER = 160, 29
"""Extent of the mean beat before and after the R peak, samples: 444 and 81 ms."""

SPAN = SPAN_BEFORE + 1 + SPAN_AFTER
"""Samples of the mean beat."""

PIECE_BEFORE, PIECE_AFTER = SPAN_BEFORE + SMOOTHING_HALF, SPAN_AFTER + SMOOTHING_HALF
"""Raw samples needed before and after the R peak."""

SEGMENT = 72
"""Length of the segment before the QRS onset, samples: 200 ms, the upper limit of a normal PR interval."""

MARGIN = 6
"""Samples between the segment and the QRS onset: 17 ms."""

BIN = 6
"""Samples averaged before segments are compared: 17 ms. A P wave lasts about 100 ms."""

SLOPE_SAMPLES = 4
"""Distance over which a slope is measured, samples."""

EARLIEST_ONSET = 80
"""Samples before the R peak from which the QRS complex is searched: 222 ms."""

STEEP_SHARE = 0.2
"""Share of the steepest slope that the QRS complex, but no P wave, reaches. The first such slope counts: a complex
clipped by the recorder is flat between two steep slopes."""

QUIET_SHARE, QUIET_SAMPLES = 0.1, 5
"""The QRS onset follows the last slopes before it, this many, that are below this share of the steepest one."""

QRS_FROM, MIN_SIZE = 60, 0.005
"""Samples before the R peak from which the height of the complex is measured, and share of it that is added to the RMS
of a segment in a correlation. Lower waves do not count: the end of a T wave, the same from beat to beat, had a
correlation of 0.57 in the atrial fibrillation of vfdb 609."""

RR_MEMORY, MIN_RR_SHARE = 20, 0.98
"""RR intervals whose median is the usual one, and share of it that the RR interval of a beat must have."""

MIN_RATE = 1 / 20
"""Smallest share of a new beat in the means."""

MIN_BEATS = 10
"""Beats in the mean correlation before it is reported."""


class PWaveState(NamedTuple):
    """State carried from beat to beat; columns over beds.

    Attributes
    ----------
    beats : ndarray of int64, shape (beds,)
        Number of beats in the means.
    mean : ndarray of float64, shape (beds, leads, SPAN), mV
        Mean beat, smoothed.
    correlation : ndarray of float64, shape (beds, leads)
        Mean correlation of the segments with those of the mean beat.
    intervals : ndarray of int64, shape (beds,)
        Number of known values in ``rr``.
    rr : ndarray of float64, shape (beds, RR_MEMORY)
        Last RR intervals, samples, oldest first.
    """

    beats: IntArray
    mean: FloatArray
    correlation: FloatArray
    intervals: IntArray
    rr: FloatArray


def begin(leads: int) -> PWaveState:
    """Return the state of one bed before the first beat."""
    return PWaveState(
        np.zeros(1, np.int64),
        np.zeros((1, leads, SPAN)),
        np.zeros((1, leads)),
        np.zeros(1, np.int64),
        np.zeros((1, RR_MEMORY)),
    )


@compiled
def push_beat(state: PWaveState, slot: int, piece: FloatArray, valid: BoolArray, rr: float, ventricular: bool) -> None:
    """Push the next beat of a bed, in place.

    Parameters
    ----------
    state : PWaveState
    slot : int
    piece : ndarray of float64, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads), mV
        Samples around the R peak, finite.
    valid : ndarray of bool, shape (leads,)
        Leads to use.
    rr : float
        Preceding RR interval, samples; NaN if unknown.
    ventricular : bool
        Whether the beat is ventricular.
    """
    if math.isnan(rr):
        return
    intervals = int(state.intervals[slot])
    usual = upper_median(state.rr[slot, :intervals]) if intervals else rr
    state.intervals[slot] = push(state.rr[slot], intervals, rr)
    if ventricular or rr < MIN_RR_SHARE * usual or not valid.any():
        return
    beat, mean, beats = smooth(piece), state.mean[slot], state.beats[slot]
    end = qrs_onset(mean) - MARGIN if beats else 0
    rate = max(1 / (beats + 1), MIN_RATE)
    for lead in range(len(valid)):
        if not valid[lead]:
            continue
        if beats:
            new = _segment_correlation(beat[lead], mean[lead], end)
            state.correlation[slot, lead] += max(1 / beats, MIN_RATE) * (new - state.correlation[slot, lead])
        for i in range(SPAN):
            mean[lead, i] += rate * (beat[lead, i] - mean[lead, i])
    state.beats[slot] += 1


@compiled
def consistency(state: PWaveState, slot: int) -> float:
    """Return the mean correlation in the best lead of a bed, -1 to 1; NaN until it is known."""
    return float(state.correlation[slot].max()) if state.beats[slot] > MIN_BEATS else math.nan


@compiled
def qrs_onset(mean: FloatArray) -> int:
    """Return the first sample of the QRS complex in the mean beat, shape (leads, SPAN)."""
    earliest = SPAN_BEFORE - EARLIEST_ONSET
    slope = np.zeros(mean.shape[1] - SLOPE_SAMPLES - earliest)
    for lead in range(len(mean)):
        for i in range(len(slope)):
            difference = mean[lead, earliest + i + SLOPE_SAMPLES] - mean[lead, earliest + i]
            slope[i] += difference * difference
    for i in range(len(slope)):
        slope[i] = math.sqrt(slope[i])
    steepest = slope.max()
    steep = 0
    while slope[steep] < STEEP_SHARE * steepest:
        steep += 1
    quiet, onset = 0, 0
    for i in range(max(steep, QUIET_SAMPLES)):
        quiet = quiet + 1 if slope[i] < QUIET_SHARE * steepest else 0
        if quiet >= QUIET_SAMPLES:
            onset = i + 1
    return earliest + onset


@compiled_part
def _segment_correlation(beat: FloatArray, mean: FloatArray, end: int) -> float:
    """Correlate the segments of a beat and of the mean beat that end at a sample, in one lead."""
    own, usual = bin_means(beat[end - SEGMENT : end], BIN), bin_means(mean[end - SEGMENT : end], BIN)
    subtract_trend(own)
    subtract_trend(usual)
    around = mean[SPAN_BEFORE - QRS_FROM :]
    smallest = (MIN_SIZE * (around.max() - around.min())) ** 2
    product, own_power, usual_power = 0.0, 0.0, 0.0
    for i in range(len(own)):
        product += own[i] * usual[i] / len(own)
        own_power += own[i] * own[i] / len(own)
        usual_power += usual[i] * usual[i] / len(own)
    return product / math.sqrt((own_power + smallest) * (usual_power + smallest) + 1e-12)
