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

from dataclasses import dataclass

import numpy as np

from model.beats.templates import SMOOTHING_HALF, smooth
from model.signal.arrays import BoolArray, FloatArray

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


@dataclass(frozen=True, slots=True)
class PWaveState:
    """State carried from beat to beat.

    Attributes
    ----------
    beats : int
        Number of beats in the means.
    mean : ndarray of float64, shape (leads, SPAN), mV
        Mean beat, smoothed.
    correlation : ndarray of float64, shape (leads,)
        Mean correlation of the segments with those of the mean beat.
    rr : tuple of int
        Last RR intervals, samples.
    """

    beats: int
    mean: FloatArray
    correlation: FloatArray
    rr: tuple[int, ...] = ()

    @property
    def consistency(self) -> float | None:
        """Mean correlation in the best lead, -1 to 1; None until it is known."""
        return float(self.correlation.max()) if self.beats > MIN_BEATS else None


def begin(leads: int) -> PWaveState:
    """Return the state before the first beat."""
    return PWaveState(0, np.zeros((leads, SPAN)), np.zeros(leads))


def step(state: PWaveState, piece: FloatArray, valid: BoolArray, rr: int | None, ventricular: bool) -> PWaveState:
    """Push the next beat.

    Parameters
    ----------
    state : PWaveState
    piece : ndarray of float64, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads), mV
        Samples around the R peak, finite.
    valid : ndarray of bool, shape (leads,)
        Leads to use.
    rr : int or None
        Preceding RR interval, samples; None if unknown.
    ventricular : bool
        Whether the beat is ventricular.
    """
    if rr is None:
        return state
    usual = sorted(state.rr)[len(state.rr) // 2] if state.rr else rr
    rrs = (*state.rr, rr)[-RR_MEMORY:]
    if ventricular or rr < MIN_RR_SHARE * usual or not valid.any():
        return PWaveState(state.beats, state.mean, state.correlation, rrs)
    beat, correlation = smooth(piece), state.correlation
    if state.beats:
        end = qrs_onset(state.mean) - MARGIN
        pair = _segments(np.stack([beat, state.mean])[:, :, end - SEGMENT : end])
        height = np.ptp(state.mean[:, SPAN_BEFORE - QRS_FROM :], axis=1)
        power = (pair * pair).mean(axis=2) + (MIN_SIZE * height) ** 2
        new = (pair[0] * pair[1]).mean(axis=1) / np.sqrt(power[0] * power[1] + 1e-12)
        correlation = correlation + max(1 / state.beats, MIN_RATE) * np.where(valid, new - correlation, 0.0)
    rate = max(1 / (state.beats + 1), MIN_RATE)
    mean = state.mean + rate * np.where(valid[:, None], beat - state.mean, 0.0)
    return PWaveState(state.beats + 1, mean, correlation, rrs)


def qrs_onset(mean: FloatArray) -> int:
    """Return the first sample of the QRS complex in the mean beat, shape (leads, SPAN)."""
    difference = mean[:, SLOPE_SAMPLES:] - mean[:, :-SLOPE_SAMPLES]
    slope = np.sqrt((difference * difference).sum(axis=0))
    earliest = SPAN_BEFORE - EARLIEST_ONSET
    steepest = slope[earliest:].max()
    steep = earliest + int((slope[earliest:] >= STEEP_SHARE * steepest).argmax())
    quiet = slope[earliest : max(steep, earliest + QUIET_SAMPLES)] < QUIET_SHARE * steepest
    stretches = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(quiet, QUIET_SAMPLES).all(axis=1))
    return earliest if not len(stretches) else earliest + int(stretches[-1]) + QUIET_SAMPLES


def _segments(segments: FloatArray) -> FloatArray:
    """Return the averages of `BIN` samples, without their linear trend; the samples are the last axis."""
    bins = segments.reshape(*segments.shape[:-1], -1, BIN).mean(axis=-1)
    time = np.arange(bins.shape[-1]) - (bins.shape[-1] - 1) / 2
    bins = bins - bins.mean(axis=-1, keepdims=True)
    return np.asarray(bins - (bins @ time / (time @ time))[..., None] * time)
