"""QRS energy: one detection signal from one or two leads.

The energy of a lead is the RMS of its 7 to 22 Hz band over 67 ms. Every half second two statistics of each lead are
updated from the last 8 s: its QRS size (a quantile of the energy peaks) and its SNR (QRS size over median energy). The
energies are divided by the QRS size and summed with weights that grow with the SNR.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter

from model.signal.arrays import BoolArray, FloatArray
from stream.timebase import FS

BAND_SOS: FloatArray = butter(2, [7.0, 22.0], "bandpass", fs=FS, output="sos")
"""Band-pass filter of the QRS complex, 7 to 22 Hz: P and T waves lie below, muscle artefact and mains hum above."""

ENERGY_WINDOW = 24
"""Samples over which the energy is averaged: 67 ms."""

BLOCK = 180
"""Samples between two updates of the lead statistics: half a second."""

MEMORY_BLOCKS = 16
"""Blocks in the lead statistics: 8 s."""

MIN_BLOCKS = 3
"""Blocks required before the first beat is detected; a single block may lie between two beats."""

QRS_QUANTILE = 0.6
"""Quantile of the block peaks that estimates the QRS size of a lead; many blocks contain no QRS."""

MIN_BEAT_MV = 0.04
"""Lowest energy of a beat, mV: that of a triangle of 0.13 mV and 80 ms."""

MIN_NOISE_MV = 0.004
"""Lower bound of the median energy, mV, so that a flat lead does not get a high SNR."""

SIZE_DECAY = 0.95
"""Lowest ratio of the QRS size after a block to that before, so that P waves in a pause are not detected as beats."""

MIN_SNR, MAX_SNR = 2.0, 20.0
"""SNR of a lead without information (white noise has 1.9), and upper bound of the SNR: a higher one may be that of a
lead that is losing contact."""

MAX_RATIO = 3.0
"""Upper bound of the energy of a lead, in QRS sizes, which limits artefacts."""

SNR_POWER = 1.5
"""Exponent of the SNR in the weight of a lead."""

COMBINE_POWER = 1.5
"""Exponent with which the leads are combined; 2 would add energies. A lower one gives less weight to a peak in one lead
only."""


@dataclass(frozen=True, slots=True)
class Leads:
    """Statistics and weights of the leads; tuples with one element per lead.

    Attributes
    ----------
    peaks, medians : tuple of tuple of float
        Peak and median energy of each of the last blocks, oldest first, mV. Blocks of mostly invalid samples are left
        out.
    size : tuple of float
        QRS size: typical energy of a QRS complex, mV.
    weight : tuple of float
        Weights of the leads; their sum is 1.
    """

    peaks: tuple[tuple[float, ...], ...]
    medians: tuple[tuple[float, ...], ...]
    size: tuple[float, ...]
    weight: tuple[float, ...]


def initial_leads(leads: int) -> Leads:
    """Return the state before the first block: equal weights."""
    return Leads(((),) * leads, ((),) * leads, (1.0,) * leads, (1.0 / leads,) * leads)


def bridge_gaps(
    gap: tuple[bool, ...], last_sample: FloatArray, shift: FloatArray, mv: FloatArray, invalid: BoolArray
) -> tuple[tuple[bool, ...], FloatArray, FloatArray]:
    """Replace invalid samples by the last valid one, and shift the signal after a gap so that the filter sees no step.

    Parameters
    ----------
    gap : tuple of bool
        Leads whose last sample was invalid.
    last_sample : ndarray, shape (leads,), mV
        Last shifted sample.
    shift : ndarray, shape (leads,), mV
        Offset added to valid samples.
    mv : ndarray, shape (n, leads), mV
    invalid : ndarray of bool, shape (n, leads)

    Returns
    -------
    gap, shift
        Updated values.
    samples : ndarray, shape (n, leads), mV
        Shifted samples, all finite.
    """
    shift, samples = shift.copy(), np.empty_like(mv)
    for lead, last in enumerate(last_sample.tolist()):
        flags = np.concatenate([gap[lead : lead + 1], invalid[:, lead]])
        changes = np.flatnonzero(flags[2:] != flags[1:-1]) + 1
        for first, stop in itertools.pairwise([0, *changes.tolist(), len(mv)]):
            if flags[first + 1]:
                samples[first:stop, lead] = last
                continue
            if flags[first]:
                shift[lead] = last - mv[first, lead]
            samples[first:stop, lead] = mv[first:stop, lead] + shift[lead]
            last = samples[stop - 1, lead]
    return tuple(invalid[-1].tolist()), shift, samples


def window_sum(values: FloatArray) -> FloatArray:
    """Return the sums over `ENERGY_WINDOW` rows; unlike a running sum, independent of how the signal is split."""
    two = values[1:] + values[:-1]
    four = two[2:] + two[:-2]
    eight = four[4:] + four[:-4]
    sixteen = eight[8:] + eight[:-8]
    return sixteen[8:] + eight[:-16]


def combine(energy: FloatArray, leads: Leads) -> FloatArray:
    """Return the combined energy to the power `COMBINE_POWER`, shape (n,); 0 where a beat is impossible."""
    if max(map(len, leads.peaks)) < MIN_BLOCKS:
        return np.zeros(len(energy))
    ratio = np.minimum(energy / leads.size, MAX_RATIO)
    ratio *= np.sqrt(ratio)  # ratio ** COMBINE_POWER, faster
    total = ratio[:, 0] * leads.weight[0]
    for lead in range(1, len(leads.weight)):
        total += ratio[:, lead] * leads.weight[lead]
    total[energy.max(axis=1) < MIN_BEAT_MV] = 0.0
    return total


def update_leads(leads: Leads, block: FloatArray, invalid: FloatArray) -> Leads:
    """Update statistics and weights after a block of energies; ``invalid`` counts its invalid samples per lead."""
    ordered = np.sort(block, axis=0)
    peaks, medians, size, snr = [], [], [], []
    for lead, (peak, median, missing) in enumerate(
        zip(ordered[-1].tolist(), ordered[BLOCK // 2].tolist(), invalid.tolist(), strict=True)
    ):
        mostly_invalid, size_before = 2 * missing > BLOCK, leads.size[lead]
        peaks.append(leads.peaks[lead] if mostly_invalid else (*leads.peaks[lead], peak)[-MEMORY_BLOCKS:])
        medians.append(leads.medians[lead] if mostly_invalid else (*leads.medians[lead], median)[-MEMORY_BLOCKS:])
        previous = size_before if len(peaks[-1]) > 1 else 0.0
        size.append(
            max(_quantile(peaks[-1], QRS_QUANTILE), SIZE_DECAY * previous, MIN_NOISE_MV) if peaks[-1] else size_before
        )
        noise = max(_quantile(medians[-1], 0.5), *medians[-1][-2:], MIN_NOISE_MV) if medians[-1] else math.inf
        no_signal = mostly_invalid or max(peaks[-1][-MIN_BLOCKS:]) < MIN_BEAT_MV
        snr.append(0.0 if no_signal else min(size[-1] / noise, MAX_SNR))
    raw_weight = [max(value - MIN_SNR, 0.05) ** SNR_POWER for value in snr]
    return Leads(tuple(peaks), tuple(medians), tuple(size), tuple(value / sum(raw_weight) for value in raw_weight))


def _quantile(values: tuple[float, ...], q: float) -> float:
    return sorted(values)[round(q * (len(values) - 1))]
