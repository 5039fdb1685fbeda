"""Detects ventricular fibrillation and flutter from the waveform, without beat detection.

Fibrillation has no isoelectric segments and is nearly sinusoidal. Two published measures over the last 3 s of each lead
are added without weights:

- *rest*: share of samples with a small slope. Any rhythm with QRS complexes has small slopes between them (the slope
  baseline of Irusta, Ruiz et al., "A high-temporal resolution algorithm to discriminate shockable from nonshockable
  rhythms", Resuscitation 83, 2012);
- *leakage*: what remains when the signal is added to itself delayed by half a period; 0 for a sine (the VF filter of
  Kuo and Dillman 1978, as given by Amann, Tratnig and Unterkofler, BioMedical Engineering OnLine 4:60, 2005).

A logistic regression on both, on MIT-BIH DS1 and the Malignant Ventricular Ectopy Database with leave-one-record-out
cross-validation, gave them equal weights. Eleven more measures (threshold crossing sample count, Hjorth mobility and
complexity, crest factors …) did not raise the sensitivity at one false window in a thousand.

A wave slower than `MIN_HZ`, or one with a long period, is not fibrillation. A wave below `MIN_MV` may be asystole. The
measures are averaged over the measurable leads: noise rarely resembles fibrillation in two leads at once.

Fast ventricular tachycardia without isoelectric segments is not distinguished from fibrillation. The autocorrelation
does not help: flutter is as regular as tachycardia (docs/experiments.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import butter

from model.signal.arrays import BoolArray, FloatArray
from model.signal.blocks import BLOCK, Blocks
from model.signal.iir_filter import sosfilt
from stream.timebase import FS

DECIMATION = 4
"""Decimation factor of the filtered signal: 90 Hz is enough for a band below 30 Hz."""

SAMPLES_PER_BLOCK = BLOCK // DECIMATION
"""Decimated samples per block."""

BAND_SOS = butter(2, (1.0, 30.0), "bandpass", fs=FS, output="sos")
"""Band-pass filter, 1 to 30 Hz."""

WINDOW_BLOCKS = 6
"""Blocks of half a second per window; each new block ends one window."""

REST_SLOPE = 0.1
"""Slope below which a sample counts as rest, as a share of the steepest slope of the window."""

ONSET_LIMIT = 1.0
"""Rest + leakage below which a window resembles fibrillation. In ten hours of MIT-BIH (DS1 without 201 and 208) outside
flutter and ventricular tachycardia the minimum was 1.06; 94 % of the windows that contained only fibrillation or
flutter, in seven records, were below."""

RELEASE_LIMIT = 1.1
"""Rest + leakage above which fibrillation ends."""

CONFIRM_WINDOWS = 3
"""Consecutive windows that confirm onset or end: together they cover the 4 s that the rule requires."""

MIN_HZ = 2.6
"""Lowest mean frequency of fibrillation and flutter, Hz: about 150/min."""

MAX_HZ = 10.0
"""Mean frequency above which a lead is mostly noise, Hz (14 for white noise within the band). At least one lead must be
below."""

MIN_MV = 0.15
"""Peak-to-peak value of a window, mV, below which a lead is not measured; asystole is commonly defined as below
0.1 mV."""

MAX_INVALID = 0.25
"""Share of invalid samples above which a lead is not measured."""

FIRST_WINDOW_DELAY = 2 * FS
"""Approximate number of samples from the onset to the end of the first window below the limit: 2 s."""

LAGS = np.arange(9, 109)
"""Lags of the autocorrelation, samples at 90 Hz: 0.1 to 1.2 s."""

MAX_PERIOD = 36
"""Longest period of fibrillation, samples at 90 Hz: 0.4 s, or 150/min."""

MIN_PERIODICITY = 0.8
"""Autocorrelation at its period above which a wave is periodic."""

NOT_MEASURABLE = 2.0
"""Rest + leakage where no lead can be measured: the largest possible value, farthest from fibrillation."""


@dataclass(frozen=True, slots=True)
class FibrillationState:
    """State carried from step to step.

    Attributes
    ----------
    start : int
        Index of the first sample of the epoch.
    filter : ndarray, shape (sections, 2, leads)
    recent : ndarray, shape (up to (WINDOW_BLOCKS - 1) * SAMPLES_PER_BLOCK, leads), mV
        Last filtered samples, at 90 Hz.
    invalid : ndarray, shape (up to WINDOW_BLOCKS - 1, leads)
        Share of invalid samples in each block of ``recent``.
    contradicting : int
        Consecutive windows that contradict the present decision.
    candidate_onset : int
        Onset according to the first contradicting window.
    since : int or None
        Onset of the ongoing fibrillation; None without fibrillation.
    """

    start: int
    filter: FloatArray
    recent: FloatArray
    invalid: FloatArray
    contradicting: int = 0
    candidate_onset: int = 0
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Fibrillation:
    """The decision after one window.

    Attributes
    ----------
    at : int
        Last sample of the window.
    since : int or None
        First sample of the ongoing fibrillation; None without fibrillation.
    margin : float
        ``ONSET_LIMIT`` minus rest + leakage: above 0 the window resembles fibrillation. ``ONSET_LIMIT -
        NOT_MEASURABLE`` before the first complete window and while no lead can be measured.
    """

    at: int
    since: int | None
    margin: float


def begin(start: int, leads: int) -> FibrillationState:
    """Return the state at the start of an epoch whose first sample has index ``start``."""
    return FibrillationState(start, np.zeros((len(BAND_SOS), 2, leads)), np.zeros((0, leads)), np.zeros((0, leads)))


def step(state: FibrillationState, blocks: Blocks) -> tuple[tuple[Fibrillation, ...], FibrillationState]:
    """Push the next blocks of one bed, possibly none.

    Returns
    -------
    tuple of Fibrillation
        One per block, in order.
    state : FibrillationState
    """
    k, _, leads = blocks.mv.shape
    if not k:
        return (), state
    filtered, carried = sosfilt(BAND_SOS, blocks.mv.reshape(k * BLOCK, leads), state.filter)
    recent = np.concatenate([state.recent, filtered[DECIMATION - 1 :: DECIMATION]])
    shares = np.concatenate([state.invalid, blocks.invalid.mean(axis=1)])
    # Number of blocks up to and including each new one.
    ends = [end for end in range(len(state.invalid) + 1, len(shares) + 1) if end >= WINDOW_BLOCKS]
    margins = [ONSET_LIMIT - NOT_MEASURABLE] * (k - len(ends))
    if ends:
        windows = np.stack(
            [recent[(end - WINDOW_BLOCKS) * SAMPLES_PER_BLOCK : end * SAMPLES_PER_BLOCK].T for end in ends]
        )
        missing = np.stack([shares[end - WINDOW_BLOCKS : end].mean(axis=0) for end in ends])
        margins += (ONSET_LIMIT - rest_and_leakage(windows, missing <= MAX_INVALID)).tolist()

    state = replace(
        state,
        filter=carried,
        recent=recent[-(WINDOW_BLOCKS - 1) * SAMPLES_PER_BLOCK :].copy(),
        invalid=shares[-(WINDOW_BLOCKS - 1) :].copy(),
    )
    decisions = []
    for i, margin in enumerate(margins):
        at = blocks.start + (i + 1) * BLOCK - 1
        state = _decide(state, margin, at)
        decisions.append(Fibrillation(at, state.since, margin))
    return tuple(decisions), state


def rest_and_leakage(windows: FloatArray, valid: BoolArray) -> FloatArray:
    """Return rest + leakage of windows.

    Parameters
    ----------
    windows : ndarray, shape (m, leads, WINDOW_BLOCKS * SAMPLES_PER_BLOCK), mV
        At 90 Hz, filtered by `BAND_SOS`.
    valid : ndarray of bool, shape (m, leads)
        Leads with few invalid samples.

    Returns
    -------
    ndarray, shape (m,)
        Mean over the measurable leads; ``NOT_MEASURABLE`` if there is none. A lead with too low a frequency or too
        long a period contributes ``NOT_MEASURABLE``.
    """
    length = windows.shape[2]
    wave = windows - windows.mean(axis=2, keepdims=True)
    magnitude = np.abs(wave)
    slope = np.abs(np.diff(wave, axis=2))
    magnitude_sum, slope_sum = magnitude.sum(axis=2), slope.sum(axis=2)
    valid = valid & (np.ptp(windows, axis=2) >= MIN_MV)
    steepest = np.maximum(slope.max(axis=2), 1e-9)
    rest = (slope < REST_SLOPE * steepest[:, :, None]).mean(axis=2)
    # For a sine the ratio of these sums is the angular frequency in radians per sample.
    angular_frequency = np.maximum(slope_sum, 1e-9) / np.maximum(magnitude_sum, 1e-9)
    half = np.clip(np.rint(np.pi / angular_frequency), 1, length // 4).astype(np.int64)
    earlier = np.arange(length) - half[:, :, None]
    known = earlier >= 0
    earlier = np.maximum(earlier, 0)
    residue = np.where(known, np.abs(wave + np.take_along_axis(wave, earlier, axis=2)), 0.0).sum(axis=2)
    whole = np.where(known, magnitude + np.take_along_axis(magnitude, earlier, axis=2), 0.0).sum(axis=2)
    leakage = residue / np.maximum(whole, 1e-9)
    hz = angular_frequency * (FS / DECIMATION / (2 * np.pi))
    by_lead = np.where(hz >= MIN_HZ, rest + leakage, NOT_MEASURABLE)
    measurable = (valid & (hz <= MAX_HZ)).any(axis=1)
    mean = _mean(by_lead, valid, measurable)
    # The period is needed only where the window is near the limit.
    near = np.flatnonzero(mean <= RELEASE_LIMIT)
    if near.size:
        by_lead[near] = np.where(_is_slow_and_regular(wave[near]), NOT_MEASURABLE, by_lead[near])
        mean = _mean(by_lead, valid, measurable)
    return mean


def _mean(by_lead: FloatArray, valid: BoolArray, measurable: BoolArray) -> FloatArray:
    """Return the mean over the valid leads, shape (m,); ``NOT_MEASURABLE`` where ``measurable`` is false."""
    mean = np.where(valid, by_lead, 0.0).sum(axis=1) / np.maximum(valid.sum(axis=1), 1)
    return np.where(measurable, mean, NOT_MEASURABLE)


def _is_slow_and_regular(wave: FloatArray) -> BoolArray:
    """Return whether a wave, shape (m, leads, n), is periodic with a period too long for fibrillation.

    The period is the shortest lag with a peak of the autocorrelation of at least 85 % of the highest peak.
    """
    length = wave.shape[2]
    spectrum = np.fft.rfft(wave, 2 * length, axis=2)
    correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, 2 * length, axis=2)
    at = correlation[:, :, LAGS] / np.maximum(correlation[:, :, :1], 1e-9) * (length / (length - LAGS))
    inner = at[:, :, 1:-1]
    peaks = np.where((inner >= at[:, :, :-2]) & (inner > at[:, :, 2:]), inner, 0.0)
    period = (peaks >= 0.85 * peaks.max(axis=2, keepdims=True)).argmax(axis=2)
    height = np.take_along_axis(peaks, period[:, :, None], axis=2)[:, :, 0]
    return np.asarray((LAGS[1:-1][period] > MAX_PERIOD) & (height > MIN_PERIODICITY))


def _decide(state: FibrillationState, margin: float, at: int) -> FibrillationState:
    """Update the decision with the margin of the window that ends with sample ``at``."""
    ongoing = state.since is not None
    contradicts = margin < ONSET_LIMIT - RELEASE_LIMIT if ongoing else margin > 0
    if not contradicts:
        return replace(state, contradicting=0)
    contradicting = state.contradicting + 1
    candidate_onset = max(at + 1 - FIRST_WINDOW_DELAY, state.start) if contradicting == 1 else state.candidate_onset
    if contradicting < CONFIRM_WINDOWS:
        return replace(state, contradicting=contradicting, candidate_onset=candidate_onset)
    return replace(state, contradicting=0, candidate_onset=candidate_onset, since=None if ongoing else candidate_onset)
