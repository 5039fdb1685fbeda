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

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.signal import butter

from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.blocks import BLOCK, BlockRows, Blocks, rows_of
from model.signal.columns import copied
from model.signal.compiled import compiled, compiled_part
from model.signal.iir_filter import filter_sample
from model.signal.small_arrays import copy, shift
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

WINDOW, RECENT = WINDOW_BLOCKS * SAMPLES_PER_BLOCK, RECENT_BLOCKS * SAMPLES_PER_BLOCK
"""Decimated samples per window, and of the signal that is returned."""

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

MIN_LAG, MAX_LAG = 9, 108
"""Lags of the autocorrelation, samples at 90 Hz: 0.1 to 1.2 s."""

MAX_PERIOD = 36
"""Longest period of fibrillation, samples at 90 Hz: 0.4 s, or 150/min."""

MIN_PERIODICITY = 0.8
"""Autocorrelation at its period above which a wave is periodic."""

NEAR_LIMIT = 1.1
"""Rest + leakage above which the period is not measured, because the window is far from fibrillation anyway."""

NOT_MEASURABLE = 2.0
"""Rest + leakage where no lead can be measured: the largest possible value, farthest from fibrillation."""


class WaveformState(NamedTuple):
    """State carried from step to step; columns over beds.

    Attributes
    ----------
    filter : ndarray, shape (beds, leads, sections, 2)
    recent : ndarray, shape (beds, RECENT_BLOCKS * SAMPLES_PER_BLOCK, leads), mV
        Last filtered samples, at 90 Hz; those of the last ``blocks`` blocks are known.
    invalid : ndarray, shape (beds, WINDOW_BLOCKS, leads)
        Share of invalid samples in each of the last blocks.
    blocks : ndarray of int64, shape (beds,)
        Blocks so far, at most `RECENT_BLOCKS`.
    """

    filter: FloatArray
    recent: FloatArray
    invalid: FloatArray
    blocks: IntArray


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


class WaveformRows(NamedTuple):
    """Measures at the end of the blocks of some beds, see `Waveform`; undefined from the last block of a bed on.

    Attributes
    ----------
    margin, slow_margin, slope : ndarray, shape (beds, most)
        ``most`` is the largest number of blocks of a bed.
    recent : ndarray, shape (beds, RECENT + most * SAMPLES_PER_BLOCK, leads), mV
        Filtered samples at 90 Hz: the last ones before the first block, then those of each block; undefined for a bed
        without a block.
    known : ndarray of int64, shape (beds,)
        Samples known before the first block: the last ones of the first RECENT.
    """

    margin: FloatArray
    slow_margin: FloatArray
    slope: FloatArray
    recent: FloatArray
    known: IntArray


def begin(leads: int) -> WaveformState:
    """Return the state of one bed at the start of an epoch."""
    return WaveformState(
        filter=np.zeros((1, leads, len(BAND_SOS), 2)),
        recent=np.zeros((1, RECENT, leads)),
        invalid=np.zeros((1, WINDOW_BLOCKS, leads)),
        blocks=np.zeros(1, np.int64),
    )


def step(state: WaveformState, blocks: Blocks) -> tuple[tuple[Waveform, ...], WaveformState]:
    """Push the next blocks of one bed, possibly none.

    Returns
    -------
    tuple of Waveform
        One per block, in order.
    state : WaveformState
    """
    state = copied(state)
    rows = advance(state, rows_of(blocks), np.zeros(1, np.int64))
    known, measured = int(rows.known[0]), []
    measures = zip(rows.margin[0].tolist(), rows.slow_margin[0].tolist(), rows.slope[0].tolist(), strict=True)
    for i, (margin, slow_margin, slope) in enumerate(measures):
        end = RECENT + (i + 1) * SAMPLES_PER_BLOCK
        first = end - min(known + (i + 1) * SAMPLES_PER_BLOCK, RECENT)
        at = blocks.start + (i + 1) * BLOCK - 1
        measured.append(Waveform(at, margin, slow_margin, slope, rows.recent[0, first:end]))
    return tuple(measured), state


def advance(columns: WaveformState, blocks: BlockRows, slots: IntArray) -> WaveformRows:
    """Push the next blocks of some beds, and change their slots of ``columns``.

    Parameters
    ----------
    columns : WaveformState
    blocks : BlockRows
    slots : ndarray of int64, shape (beds,)
        Slot of each bed.
    """
    beds, most, _, leads = blocks.mv.shape
    rows = WaveformRows(
        margin=np.empty((beds, most)),
        slow_margin=np.empty((beds, most)),
        slope=np.empty((beds, most)),
        recent=np.empty((beds, RECENT + most * SAMPLES_PER_BLOCK, leads)),
        known=columns.blocks[slots] * SAMPLES_PER_BLOCK,
    )
    if most:
        _advance(columns, blocks, slots, rows)
    return rows


@compiled
def _advance(columns: WaveformState, blocks: BlockRows, slots: IntArray, rows: WaveformRows) -> None:
    """Push the next blocks of some beds, in place, and fill ``rows`` but for ``known``."""
    leads = blocks.mv.shape[3]
    wave, by_lead = np.empty((leads, WINDOW)), np.empty(leads)
    for bed in range(len(slots)):
        slot, count = slots[bed], blocks.count[bed]
        recent = columns.recent[slot]
        if count > 0:
            copy(recent, rows.recent[bed])
        for block in range(count):
            _push(columns, slot, blocks.mv[bed, block], blocks.invalid[bed, block])
            end = RECENT + (block + 1) * SAMPLES_PER_BLOCK
            copy(recent[RECENT - SAMPLES_PER_BLOCK :], rows.recent[bed, end - SAMPLES_PER_BLOCK :])
            resemblance = NOT_MEASURABLE, NOT_MEASURABLE
            if columns.blocks[slot] >= WINDOW_BLOCKS:
                resemblance = _rest_and_leakage(recent[RECENT - WINDOW :], columns.invalid[slot], wave, by_lead)
            rows.margin[bed, block] = FIBRILLATION_LIMIT - resemblance[0]
            rows.slow_margin[bed, block] = FIBRILLATION_LIMIT - resemblance[1]
            known = min(columns.blocks[slot] * SAMPLES_PER_BLOCK, SAMPLES_PER_BLOCK + 1)
            rows.slope[bed, block] = _slope(recent[RECENT - known :], columns.invalid[slot, -1])


@compiled_part
def _push(columns: WaveformState, slot: int, mv: FloatArray, invalid: BoolArray) -> None:
    """Filter one block of a bed, shape (BLOCK, leads), and append it to its samples, in place."""
    recent, share = columns.recent[slot], columns.invalid[slot]
    leads = mv.shape[1]
    shift(recent.reshape(-1), SAMPLES_PER_BLOCK * leads)
    shift(share.reshape(-1), leads)
    for lead in range(leads):
        share[-1, lead] = 0.0
    for sample in range(BLOCK):
        row = RECENT - SAMPLES_PER_BLOCK + sample // DECIMATION  # its last sample remains
        for lead in range(leads):
            recent[row, lead] = filter_sample(BAND_SOS, columns.filter[slot, lead], mv[sample, lead])
            share[-1, lead] += invalid[sample, lead]
    for lead in range(leads):
        share[-1, lead] /= BLOCK
    columns.blocks[slot] = min(columns.blocks[slot] + 1, RECENT_BLOCKS)


@compiled_part
def _slope(samples: FloatArray, invalid: FloatArray) -> float:
    """Return the mean absolute slope, mV/s, in the valid lead in which it is largest; NaN if there is none."""
    steepest = np.nan
    for lead in range(samples.shape[1]):
        if invalid[lead] > MAX_INVALID:
            continue
        total = 0.0
        for row in range(1, len(samples)):
            total += abs(samples[row, lead] - samples[row - 1, lead])
        steepest = np.fmax(steepest, total / (len(samples) - 1) * (FS / DECIMATION))
    return steepest


@compiled_part
def _rest_and_leakage(
    window: FloatArray, invalid: FloatArray, wave: FloatArray, by_lead: FloatArray
) -> tuple[float, float]:
    """Return rest + leakage of a window, mean over the measurable leads; ``NOT_MEASURABLE`` if there is none.

    A lead with too low a frequency contributes ``NOT_MEASURABLE``; to the first value also one with too long a period.
    The lowest frequency is `MIN_HZ` for the first value, `SLOW_MIN_HZ` for the second.

    Parameters
    ----------
    window : ndarray, shape (WINDOW, leads), mV
        At 90 Hz, filtered by `BAND_SOS`.
    invalid : ndarray, shape (WINDOW_BLOCKS, leads)
        Share of invalid samples.
    wave, by_lead : ndarray, shape (leads, WINDOW) and (leads,)
        Work space.
    """
    measured, slow, measurable = 0, 0.0, False
    for lead in range(window.shape[1]):
        by_lead[lead] = np.nan
        mean, height = _mean_and_height(window, lead)
        if _mean_and_height(invalid, lead)[0] > MAX_INVALID or height < MIN_MV:
            continue
        for i in range(WINDOW):
            wave[lead, i] = window[i, lead] - mean
        both, hz = _measure(wave[lead])
        by_lead[lead] = both if hz >= MIN_HZ else NOT_MEASURABLE
        slow += both if hz >= SLOW_MIN_HZ else NOT_MEASURABLE
        measured += 1
        measurable = measurable or hz <= MAX_HZ
    if not measurable:
        return NOT_MEASURABLE, NOT_MEASURABLE
    mean = np.nansum(by_lead) / measured
    if mean <= NEAR_LIMIT:
        for lead in range(window.shape[1]):
            if not np.isnan(by_lead[lead]) and _is_slow_and_regular(wave[lead]):
                by_lead[lead] = NOT_MEASURABLE
        mean = np.nansum(by_lead) / measured
    return mean, slow / measured


@compiled_part
def _mean_and_height(values: FloatArray, lead: int) -> tuple[float, float]:
    """Return the mean and the peak-to-peak value of one lead, shape (n, leads)."""
    total, lowest, highest = 0.0, values[0, lead], values[0, lead]
    for i in range(len(values)):
        total += values[i, lead]
        lowest, highest = min(lowest, values[i, lead]), max(highest, values[i, lead])
    return total / len(values), highest - lowest


@compiled_part
def _measure(wave: FloatArray) -> tuple[float, float]:
    """Return rest + leakage of one lead, shape (n,), with mean 0, and its mean frequency in Hz."""
    n = len(wave)
    magnitude, slope, steepest = abs(wave[0]), 0.0, 1e-9
    for i in range(1, n):
        own = abs(wave[i] - wave[i - 1])
        magnitude += abs(wave[i])
        slope += own
        steepest = max(steepest, own)
    resting = 0
    for i in range(1, n):
        resting += abs(wave[i] - wave[i - 1]) < REST_SLOPE * steepest
    # For a sine the ratio of these sums is the angular frequency in radians per sample.
    angular_frequency = max(slope, 1e-9) / max(magnitude, 1e-9)
    half = int(min(max(np.rint(np.pi / angular_frequency), 1.0), n // 4))
    residue = whole = 0.0
    for i in range(half, n):
        residue += abs(wave[i] + wave[i - half])
        whole += abs(wave[i]) + abs(wave[i - half])
    return resting / (n - 1) + residue / max(whole, 1e-9), angular_frequency * (FS / DECIMATION / (2 * np.pi))


@compiled_part
def _is_slow_and_regular(wave: FloatArray) -> bool:
    """Return whether a wave, shape (n,), is periodic with a period too long for fibrillation.

    The period is the shortest lag with a peak of the autocorrelation of at least 85 % of the highest peak.
    """
    n, lags = len(wave), MAX_LAG + 1 - MIN_LAG
    correlation, energy = np.zeros(lags), 0.0
    for i in range(n):
        energy += wave[i] * wave[i]
        for k in range(min(lags, n - MIN_LAG - i)):
            correlation[k] += wave[i] * wave[i + MIN_LAG + k]
    for k in range(lags):
        correlation[k] *= n / (n - MIN_LAG - k) / max(energy, 1e-9)
    highest = 0.0
    for k in range(1, lags - 1):
        if _is_peak(correlation, k):
            highest = max(highest, correlation[k])
    for k in range(1, lags - 1):
        if _is_peak(correlation, k) and correlation[k] >= 0.85 * highest:
            return MIN_LAG + k > MAX_PERIOD and correlation[k] > MIN_PERIODICITY
    return False


@compiled_part
def _is_peak(values: FloatArray, k: int) -> bool:
    return bool(values[k - 1] <= values[k] > values[k + 1])
