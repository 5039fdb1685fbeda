"""QRS energy: one detection signal from one or two leads.

The energy of a lead is the RMS of its 7 to 22 Hz band over 67 ms. Every half second two statistics of each lead are
updated from the last 8 s: its QRS size (a quantile of the energy peaks) and its SNR (QRS size over median energy). The
energies are divided by the QRS size and summed with weights that grow with the SNR.

All parameters were chosen on MIT-BIH DS1 without records 201 and 208.
"""

from __future__ import annotations

import math

from scipy.signal import butter

from model.beats.qrs_state import DECISION_DELAY, HISTORY, QrsState
from model.signal.arrays import BoolArray, FloatArray
from model.signal.compiled import compiled, compiled_part
from model.signal.iir_filter import filter_sample
from model.signal.small_arrays import kth_smallest, shift
from stream.timebase import FS, STRIDE

BAND_SOS: FloatArray = butter(2, [7.0, 22.0], "bandpass", fs=FS, output="sos")
"""Band-pass filter of the QRS complex, 7 to 22 Hz: P and T waves lie below, muscle artefact and mains hum above."""

ENERGY_WINDOW = 24
"""Samples over which the energy is averaged: 67 ms."""

PARTIAL_SUMS, PARTIAL_SUM_HISTORY = 4, 16
"""Sums kept per sample, over 1, 2, 4 and 8 samples, and for how many earlier samples."""

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


@compiled
def append_energies(state: QrsState, slot: int, mv: FloatArray, invalid: BoolArray) -> None:
    """Append the energies of a stride in each lead; ``mv`` and ``invalid`` have the shape (STRIDE, leads)."""
    for lead in range(mv.shape[1]):
        samples, filter_state, sums = state.samples[slot, lead], state.filter_state[slot, lead], state.sums[slot, lead]
        shift(samples, STRIDE)
        for k in range(PARTIAL_SUMS):
            shift(sums[k], STRIDE)
        for i in range(STRIDE):
            # A gap repeats the last sample; after it, the signal continues there, so that the filter sees no step.
            sample = last_sample = samples[HISTORY + i - 1]
            if invalid[i, lead]:
                state.invalid[slot, lead] += 1
            else:
                if state.in_gap[slot, lead]:
                    state.shift[slot, lead] = last_sample - mv[i, lead]
                sample = mv[i, lead] + state.shift[slot, lead]
            state.in_gap[slot, lead] = invalid[i, lead]
            samples[HISTORY + i] = sample
            filtered = filter_sample(BAND_SOS, filter_state, sample)
            energy = _window_rms(sums, PARTIAL_SUM_HISTORY + i, filtered)
            state.energies[slot, lead, state.block_samples[slot] + i] = energy


@compiled_part
def _window_rms(sums: FloatArray, t: int, value: float) -> float:
    """Return the RMS of the last `ENERGY_WINDOW` values, the last of which is ``value``.

    The sum of 24 squares is that of three sums of 8, each of two sums of 4, and so on. Unlike in a running sum, no
    rounding error is carried on. Rows of ``sums``: sums of 1, 2, 4 and 8 squares that end at each sample.
    """
    sums[0, t] = value * value
    sums[1, t] = sums[0, t] + sums[0, t - 1]
    sums[2, t] = sums[1, t] + sums[1, t - 2]
    sums[3, t] = sums[2, t] + sums[2, t - 4]
    return math.sqrt((sums[3, t] + sums[3, t - 8] + sums[3, t - 16]) / ENERGY_WINDOW)


@compiled_part
def append_heights(state: QrsState, slot: int) -> None:
    """Append the combined energies of a stride, to the power `COMBINE_POWER`; 0 where a beat is impossible."""
    energies, size, weight = state.energies[slot], state.size[slot], state.weight[slot]
    heights, known = state.heights[slot], state.blocks[slot].max() >= MIN_BLOCKS
    shift(heights, STRIDE)
    for i in range(STRIDE):
        highest = combined = 0.0
        for lead in range(len(size)):
            energy = energies[lead, state.block_samples[slot] + i]
            ratio = min(energy / size[lead], MAX_RATIO)
            combined += ratio * math.sqrt(ratio) * weight[lead]  # ratio ** COMBINE_POWER, faster
            highest = max(highest, energy)
        heights[DECISION_DELAY + 1 + i] = combined if known and highest >= MIN_BEAT_MV else 0.0


@compiled
def update_leads(state: QrsState, slot: int) -> None:
    """Update statistics and weights of the leads after a block; a block of mostly invalid samples is left out."""
    size, weight = state.size[slot], state.weight[slot]
    for lead in range(len(size)):
        energies, peaks, medians = state.energies[slot, lead], state.peaks[slot, lead], state.medians[slot, lead]
        mostly_invalid = 2 * state.invalid[slot, lead] > BLOCK
        if not mostly_invalid:
            shift(peaks, 1)
            shift(medians, 1)
            peak = 0.0
            for energy in energies:
                peak = max(peak, energy)
            peaks[-1], medians[-1] = peak, kth_smallest(energies.copy(), BLOCK // 2)
            state.blocks[slot, lead] = min(state.blocks[slot, lead] + 1, MEMORY_BLOCKS)
        blocks, snr = state.blocks[slot, lead], 0.0
        if blocks > 0:
            typical, size_before = _quantile(peaks[-blocks:], QRS_QUANTILE), size[lead] if blocks > 1 else 0.0
            size[lead] = max(typical, SIZE_DECAY * size_before, MIN_NOISE_MV)
            noise = max(_quantile(medians[-blocks:], 0.5), medians[-1], medians[-2], MIN_NOISE_MV)
            if not mostly_invalid and peaks[-MIN_BLOCKS:].max() >= MIN_BEAT_MV:
                snr = min(size[lead] / noise, MAX_SNR)
        weight[lead] = max(snr - MIN_SNR, 0.05) ** SNR_POWER
    weight /= weight.sum()


@compiled_part
def _quantile(values: FloatArray, q: float) -> float:
    return kth_smallest(values.copy(), round(q * (len(values) - 1)))
