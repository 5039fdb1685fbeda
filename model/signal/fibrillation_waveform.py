"""Measures how much the waveform resembles ventricular fibrillation or flutter, without beats.

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

The measures are averaged over the measurable leads: noise rarely resembles fibrillation in two leads at once. A wave
below `MIN_MV` may be asystole. A broad QRS complex followed by a large T wave may look like a sine as well; that is
decided with the beats, in `model.rhythm.ventricular_fibrillation`.
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

RECENT_BLOCKS = 10
"""Blocks of the filtered signal that are returned: 5 s."""

REST_SLOPE = 0.1
"""Slope below which a sample counts as rest, as a share of the steepest slope of the window."""

FIBRILLATION_LIMIT = 1.0
"""Rest + leakage below which a window resembles fibrillation. In ten hours of MIT-BIH (DS1 without 201 and 208) outside
flutter and ventricular tachycardia the minimum was 1.06; 94 % of the windows that contained only fibrillation or
flutter, in seven records, were below."""

MIN_HZ, SLOW_MIN_HZ = 2.6, 2.0
"""Lowest mean frequency of fibrillation and flutter, Hz: about 150/min; and of a slow wave, 120/min."""

MAX_HZ = 10.0
"""Mean frequency above which a lead is mostly noise, Hz (14 for white noise within the band). At least one lead must be
below."""

MIN_MV = 0.15
"""Peak-to-peak value of a window, mV, below which a lead is not measured; asystole is commonly defined as below
0.1 mV."""

MAX_INVALID = 0.25
"""Share of invalid samples above which a lead is not measured."""

LAGS = np.arange(9, 109)
"""Lags of the autocorrelation, samples at 90 Hz: 0.1 to 1.2 s."""

MAX_PERIOD = 36
"""Longest period of fibrillation, samples at 90 Hz: 0.4 s, or 150/min."""

MIN_PERIODICITY = 0.8
"""Autocorrelation at its period above which a wave is periodic."""

NEAR_LIMIT = 1.1
"""Rest + leakage above which the period is not measured, because the window is far from fibrillation anyway."""

NOT_MEASURABLE = 2.0
"""Rest + leakage where no lead can be measured: the largest possible value, farthest from fibrillation."""


@dataclass(frozen=True, slots=True)
class WaveformState:
    """State carried from step to step.

    Attributes
    ----------
    filter : ndarray, shape (sections, 2, leads)
    recent : ndarray, shape (up to (RECENT_BLOCKS - 1) * SAMPLES_PER_BLOCK, leads), mV
        Last filtered samples, at 90 Hz.
    invalid : ndarray, shape (up to WINDOW_BLOCKS - 1, leads)
        Share of invalid samples in each of the last blocks.
    """

    filter: FloatArray
    recent: FloatArray
    invalid: FloatArray


@dataclass(frozen=True, slots=True)
class Waveform:
    """Measures at the end of one block.

    Attributes
    ----------
    at : int
        Last sample of the block.
    margin : float
        ``FIBRILLATION_LIMIT`` minus rest + leakage of the last 3 s: above 0 they resemble fibrillation.
        ``FIBRILLATION_LIMIT - NOT_MEASURABLE`` before the first complete window, while no lead can be measured, and for
        a wave slower than 150/min.
    slow_margin : float
        The same for waves down to 120/min, periodic or not.
    slope : float
        Mean absolute slope of the block, mV/s, in the lead in which it is largest; NaN if all leads are invalid.
    recent : ndarray, shape (up to RECENT_BLOCKS * SAMPLES_PER_BLOCK, leads), mV
        Filtered samples at 90 Hz; the last one is sample ``at``.
    """

    at: int
    margin: float
    slow_margin: float
    slope: float
    recent: FloatArray


def begin(leads: int) -> WaveformState:
    """Return the state at the start of an epoch."""
    return WaveformState(np.zeros((len(BAND_SOS), 2, leads)), np.zeros((0, leads)), np.zeros((0, leads)))


def step(state: WaveformState, blocks: Blocks) -> tuple[tuple[Waveform, ...], WaveformState]:
    """Push the next blocks of one bed, possibly none.

    Returns
    -------
    tuple of Waveform
        One per block, in order.
    state : WaveformState
    """
    k, _, leads = blocks.mv.shape
    if not k:
        return (), state
    filtered, carried = sosfilt(BAND_SOS, blocks.mv.reshape(k * BLOCK, leads), state.filter)
    before = len(state.recent) // SAMPLES_PER_BLOCK
    recent = np.concatenate([state.recent, filtered[DECIMATION - 1 :: DECIMATION]])
    own_invalid = blocks.invalid.mean(axis=1)
    invalid = np.concatenate([state.invalid, own_invalid])
    margins = np.full((k, 2), FIBRILLATION_LIMIT - NOT_MEASURABLE)
    complete = [i for i in range(k) if before + i + 1 >= WINDOW_BLOCKS]
    if complete:
        ends = [before + i + 1 for i in complete]
        windows = [recent[(end - WINDOW_BLOCKS) * SAMPLES_PER_BLOCK : end * SAMPLES_PER_BLOCK].T for end in ends]
        first = len(state.invalid)
        missing = [invalid[first + i + 1 - WINDOW_BLOCKS : first + i + 1].mean(axis=0) for i in complete]
        margins[complete] = FIBRILLATION_LIMIT - rest_and_leakage(np.stack(windows), np.stack(missing) <= MAX_INVALID)
    measured = []
    for i in range(k):
        end = (before + i + 1) * SAMPLES_PER_BLOCK
        part = recent[max(end - RECENT_BLOCKS * SAMPLES_PER_BLOCK, 0) : end]
        valid = own_invalid[i] <= MAX_INVALID
        slope = np.abs(np.diff(part[-SAMPLES_PER_BLOCK - 1 :, valid], axis=0)).mean(axis=0) * (FS / DECIMATION)
        at = blocks.start + (i + 1) * BLOCK - 1
        steepest = float(slope.max()) if valid.any() else float("nan")
        measured.append(Waveform(at, float(margins[i, 0]), float(margins[i, 1]), steepest, part))
    state = replace(
        state,
        filter=carried,
        recent=recent[-(RECENT_BLOCKS - 1) * SAMPLES_PER_BLOCK :].copy(),
        invalid=invalid[-(WINDOW_BLOCKS - 1) :].copy(),
    )
    return tuple(measured), state


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
    ndarray, shape (m, 2)
        Mean over the measurable leads; ``NOT_MEASURABLE`` if there is none. A lead with too low a frequency contributes
        ``NOT_MEASURABLE``; in the first column also one with too long a period. The lowest frequency is `MIN_HZ` in the
        first column, `SLOW_MIN_HZ` in the second.
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
    both = rest + residue / np.maximum(whole, 1e-9)
    hz = angular_frequency * (FS / DECIMATION / (2 * np.pi))
    measurable = (valid & (hz <= MAX_HZ)).any(axis=1)
    slow = _mean(np.where(hz >= SLOW_MIN_HZ, both, NOT_MEASURABLE), valid, measurable)
    by_lead = np.where(hz >= MIN_HZ, both, NOT_MEASURABLE)
    mean = _mean(by_lead, valid, measurable)
    near = np.flatnonzero(mean <= NEAR_LIMIT)
    if near.size:
        by_lead[near] = np.where(_is_slow_and_regular(wave[near]), NOT_MEASURABLE, by_lead[near])
        mean = _mean(by_lead, valid, measurable)
    return np.stack([mean, slow], axis=1)


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
