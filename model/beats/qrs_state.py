"""State of the QRS detector: the last samples and energies, statistics of the leads, and levels of the decision."""

from __future__ import annotations

from typing import NamedTuple

from model.signal.arrays import BoolArray, FloatArray, IntArray

ENERGY_DELAY = 28
"""Samples from an R peak to the peak of its energy: delay of the filter and of half the window."""

DECISION_DELAY = 36
"""Samples from the energy peak to the decision: 100 ms."""

BASELINE_HALF_WIDTH = 40
"""Samples on either side of the candidate whose mean is the baseline of the R peak."""

HISTORY = DECISION_DELAY + ENERGY_DELAY + BASELINE_HALF_WIDTH
"""Earlier samples that a decision uses."""

RR_MEMORY = 8
"""RR intervals whose median is the usual RR."""


class QrsState(NamedTuple):
    """State carried from step to step: columns over beds.

    Attributes
    ----------
    end : ndarray of int64, shape (beds,)
        Index after the last sample.
    in_gap : ndarray of bool, shape (beds, leads)
        Leads whose last sample was invalid; all of them before the first sample.
    shift : ndarray, shape (beds, leads), mV
        Offset added to the samples, so that the leads start at 0 and continue after gaps without a step.
    samples : ndarray, shape (beds, leads, HISTORY + STRIDE), mV
        Last samples, shifted.
    filter_state : ndarray, shape (beds, leads, sections, 2)
        State of the band-pass filter.
    sums : ndarray, shape (beds, leads, PARTIAL_SUMS, PARTIAL_SUM_HISTORY + STRIDE)
        Sums of 1, 2, 4 and 8 squares of filtered samples, which end at each sample.
    block_samples : ndarray of int64, shape (beds,)
        Number of samples in the incomplete block.
    energies : ndarray, shape (beds, leads, BLOCK), mV
        Their energies, and after them those of the block before.
    invalid : ndarray of int64, shape (beds, leads)
        Number of invalid ones among them.
    peaks, medians : ndarray, shape (beds, leads, MEMORY_BLOCKS), mV
        Highest and median energy of the last blocks, latest last; 0 before the first. Blocks of mostly invalid samples
        are left out.
    blocks : ndarray of int64, shape (beds, leads)
        Number of these blocks.
    size : ndarray, shape (beds, leads), mV
        QRS size: typical energy of a QRS complex.
    weight : ndarray, shape (beds, leads)
        Weights of the leads; their sum is 1.
    heights : ndarray, shape (beds, DECISION_DELAY + 1 + STRIDE)
        Last combined energies, to the power `COMBINE_POWER`.
    beat_level, noise_level : ndarray, shape (beds,)
        Typical height of beats, and of the peaks between them, in QRS sizes of the leads.
    last_peak : ndarray of int64, shape (beds,)
        Energy peak of the last beat; -1 if there is none.
    last_height : ndarray, shape (beds,)
        Height of the last beat, in QRS sizes.
    rr, rr_before : ndarray of int64, shape (beds, RR_MEMORY)
        Last RR intervals, samples, latest last, with and without that of the last beat.
    """

    end: IntArray
    in_gap: BoolArray
    shift: FloatArray
    samples: FloatArray
    filter_state: FloatArray
    sums: FloatArray
    block_samples: IntArray
    energies: FloatArray
    invalid: IntArray
    peaks: FloatArray
    medians: FloatArray
    blocks: IntArray
    size: FloatArray
    weight: FloatArray
    heights: FloatArray
    beat_level: FloatArray
    noise_level: FloatArray
    last_peak: IntArray
    last_height: FloatArray
    rr: IntArray
    rr_before: IntArray
