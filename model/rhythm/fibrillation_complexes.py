"""QRS complexes, or waves detected as such, as the detector of ventricular fibrillation sees them.

The complex of each beat is cut from the filtered signal when it is complete, and compared in shape with earlier ones.
From the complexes of the last seconds follow how many repeat, at which RR intervals, and how much of the slope of the
signal lies in them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.beats.qrs_decision import BLANKING_PERIOD
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.blocks import BLOCK
from model.signal.columns import push
from model.signal.compiled import compiled, compiled_part
from model.signal.fibrillation_waveform import DECIMATION
from model.signal.small_arrays import kth_smallest, shift
from stream.timebase import FS

PIECE_BEFORE, PIECE_AFTER, MAX_SHIFT = 12, 24, 3
"""Samples at 90 Hz of a complex before and after its R peak, and largest shift when two are compared."""

WIDTH = PIECE_BEFORE + PIECE_AFTER
"""Samples of a complex."""

FILTER_DELAY = 3
"""Delay of the filtered signal, samples at 90 Hz."""

COMPARED = 4
"""Number of earlier complexes that each is compared with, so that the beats of a bigeminy repeat as well."""

MAX_APART = 4 * FS
"""Longest time between two complexes that are compared, samples."""

MIN_SIMILARITY = 0.85
"""Correlation of the slopes of two complexes above which the second repeats the first. Of the detected beats more than
0.4 s apart in cudb, 82 % exceed 0.9 outside fibrillation and 6 % within; without the slopes, 87 % and 29 %."""

MAX_AGE = 8 * FS
"""Age of the complexes considered, samples."""

COMPLEXES, MIN_COMPLEXES = 6, 4
"""Largest and smallest number of complexes considered."""

MIN_PROMINENCE = 0.5
"""Steepness below which a complex is ignored, as a share of the third steepest: a wave between QRS complexes."""

MAX_SILENCE = round(2.5 * FS)
"""Time since the last complex above which beats are not organised, samples."""

HALF_WIDTH = 7
"""Half of the width of a complex in which slope is counted, samples at 90 Hz: 78 ms."""

MAX_PENDING = 3 * BLOCK // BLANKING_PERIOD
"""Beats that wait for the rest of their complex, which is complete within two blocks and a half."""

MAX_COMPLEXES = (MAX_AGE + 3 * BLOCK) // BLANKING_PERIOD
"""Complexes of `MAX_AGE` and of the block before the oldest are removed."""


class ComplexColumns(NamedTuple):
    """Complexes carried from step to step; columns over beds.

    Attributes
    ----------
    pending : ndarray of int64, shape (beds, MAX_PENDING)
        R peaks of the beats whose complex is not complete yet, oldest first; ``waiting`` of them.
    waiting : ndarray of int64, shape (beds,)
    r_peak : ndarray of int64, shape (beds, MAX_COMPLEXES)
        R peaks of the complexes of the last `MAX_AGE` samples, oldest first; ``known`` of them.
    similarity : ndarray, shape (beds, MAX_COMPLEXES)
        Highest correlation of the slope of each with that of an earlier complex.
    steepness : ndarray, shape (beds, MAX_COMPLEXES)
        Steepest slope of each, mV per sample at 90 Hz.
    known : ndarray of int64, shape (beds,)
    pieces : ndarray, shape (beds, COMPARED, leads, WIDTH + 2 * MAX_SHIFT)
        Slopes of the last complexes, with the samples for the shifts. Those of the k-th complex of the epoch are in row
        k modulo COMPARED.
    piece_r_peak : ndarray of int64, shape (beds, COMPARED)
        R peaks of these.
    cut : ndarray of int64, shape (beds,)
        Number of complexes of the epoch.
    """

    pending: IntArray
    waiting: IntArray
    r_peak: IntArray
    similarity: FloatArray
    steepness: FloatArray
    known: IntArray
    pieces: FloatArray
    piece_r_peak: IntArray
    cut: IntArray


def begin(leads: int) -> ComplexColumns:
    """Return the columns of one bed at the start of an epoch."""
    return ComplexColumns(
        pending=np.zeros((1, MAX_PENDING), np.int64),
        waiting=np.zeros(1, np.int64),
        r_peak=np.zeros((1, MAX_COMPLEXES), np.int64),
        similarity=np.zeros((1, MAX_COMPLEXES)),
        steepness=np.zeros((1, MAX_COMPLEXES)),
        known=np.zeros(1, np.int64),
        pieces=np.zeros((1, COMPARED, leads, WIDTH + 2 * MAX_SHIFT)),
        piece_r_peak=np.zeros((1, COMPARED), np.int64),
        cut=np.zeros(1, np.int64),
    )


@compiled
def add_beat(state: ComplexColumns, slot: int, r_peak: int) -> None:
    """Add a beat, whose complex is cut when it is complete."""
    state.waiting[slot] = push(state.pending[slot], state.waiting[slot], r_peak)


@compiled
def cut_complexes(state: ComplexColumns, slot: int, signal: FloatArray, at: int) -> None:
    """Cut the complexes that are complete at the end of a block, and compare them with earlier ones.

    Parameters
    ----------
    signal : ndarray, shape (rows, leads), mV
        Filtered samples at 90 Hz; the last one is sample ``at``.
    """
    pending, completed = state.pending[slot], 0
    while completed < state.waiting[slot]:
        row = _row(pending[completed], signal, at)
        if row + PIECE_AFTER + MAX_SHIFT > len(signal):
            break
        if row >= PIECE_BEFORE + MAX_SHIFT:
            _cut(state, slot, pending[completed], signal, row)
        completed += 1
    if completed:
        shift(pending, completed)
        state.waiting[slot] -= completed
        _forget(state, slot, at - MAX_AGE)


@compiled_part
def _row(r_peak: int, signal: FloatArray, at: int) -> int:
    """Return the row of a sample in the signal, corrected for the delay of the filter."""
    return len(signal) - 1 - (at - r_peak) // DECIMATION + FILTER_DELAY


@compiled_part
def _cut(state: ComplexColumns, slot: int, r_peak: int, signal: FloatArray, row: int) -> None:
    """Cut the complex whose R peak is in a row of the signal."""
    leads, pieces, place = signal.shape[1], state.pieces[slot], state.cut[slot] % COMPARED
    piece, steepness = np.empty((leads, WIDTH + 2 * MAX_SHIFT)), 0.0
    for lead in range(leads):
        for i in range(WIDTH + 2 * MAX_SHIFT):
            piece[lead, i] = _slope(signal, row - PIECE_BEFORE - MAX_SHIFT + i, lead)
        for i in range(row - HALF_WIDTH, row + HALF_WIDTH):
            steepness = max(steepness, abs(_slope(signal, i, lead)))
    similarity, compared = -np.inf, False
    for k in range(min(state.cut[slot], COMPARED)):
        if r_peak - state.piece_r_peak[slot, k] <= MAX_APART:
            similarity, compared = max(similarity, _similarity(piece, pieces[k])), True
    for lead in range(leads):
        for i in range(WIDTH + 2 * MAX_SHIFT):
            pieces[place, lead, i] = piece[lead, i]
    known = state.known[slot]
    push(state.r_peak[slot], known, r_peak)
    push(state.similarity[slot], known, similarity if compared else 0.0)
    state.known[slot] = push(state.steepness[slot], known, steepness)
    state.piece_r_peak[slot, place] = r_peak
    state.cut[slot] += 1


@compiled_part
def _slope(signal: FloatArray, row: int, lead: int) -> float:
    """Return the difference of a sample from the one before; 0 for the first row."""
    return float(signal[row, lead] - signal[row - 1, lead]) if row > 0 else 0.0


@compiled_part
def _similarity(piece: FloatArray, earlier: FloatArray) -> float:
    """Return the highest correlation of a piece with an earlier one, at the best shift; leads by their size.

    Both have the shape (leads, WIDTH + 2 * MAX_SHIFT).
    """
    leads, total = len(piece), 0.0
    size = np.zeros(leads)
    for lead in range(leads):
        for i in range(MAX_SHIFT, MAX_SHIFT + WIDTH):
            size[lead] += piece[lead, i] ** 2
        size[lead] = np.sqrt(size[lead])
        total += size[lead]
    best = -np.inf
    for first in range(2 * MAX_SHIFT + 1):
        correlation = 0.0
        for lead in range(leads):
            product, power = 0.0, 0.0
            for i in range(WIDTH):
                product += piece[lead, MAX_SHIFT + i] * earlier[lead, first + i]
                power += earlier[lead, first + i] ** 2
            own = product / max(np.sqrt(power) * size[lead], 1e-9)
            correlation += own * (size[lead] / max(total, 1e-9))
        best = max(best, correlation)
    return best


@compiled_part
def _forget(state: ComplexColumns, slot: int, last: int) -> None:
    """Remove the complexes up to a sample."""
    r_peak, similarity, steepness = state.r_peak[slot], state.similarity[slot], state.steepness[slot]
    kept = 0
    for k in range(state.known[slot]):
        if r_peak[k] > last:
            r_peak[kept], similarity[kept], steepness[kept] = r_peak[k], similarity[k], steepness[k]
            kept += 1
    state.known[slot] = kept


@compiled
def repetition(r_peak: IntArray, similarity: FloatArray, steepness: FloatArray, at: int) -> tuple[float, float, int]:
    """Return the share of the last complexes that repeat, and their mean and longest RR interval, samples.

    All are 0 with too few complexes.

    Parameters
    ----------
    r_peak, similarity, steepness : ndarray, shape (complexes,)
        As in `ComplexColumns`, of those that are known.
    at : int
        Last sample observed.
    """
    known = len(r_peak)
    if known < MIN_COMPLEXES:
        return 0.0, 0.0, 0
    third = kth_smallest(steepness.copy(), known - 3)
    last = earliest = found = repeating = longest_rr = 0
    for k in range(known - 1, -1, -1):  # the last ones of those that are steep
        if steepness[k] < MIN_PROMINENCE * third:
            continue
        if found:
            longest_rr = max(longest_rr, r_peak[earliest] - r_peak[k])
        else:
            last = k
        earliest = k
        found += 1
        repeating += similarity[k] >= MIN_SIMILARITY
        if found == COMPLEXES:
            break
    if found < MIN_COMPLEXES or at - r_peak[last] > MAX_SILENCE:
        return 0.0, 0.0, 0
    return repeating / found, (r_peak[last] - r_peak[earliest]) / (found - 1), longest_rr


@compiled
def concentration(r_peak: IntArray, signal: FloatArray, at: int, within: BoolArray) -> float:
    """Return the share of the slope energy within the complexes over their share of the time, mean over the leads.

    The end of the signal, in which complexes are not complete, does not count.

    Parameters
    ----------
    r_peak : ndarray of int64, shape (complexes,)
    signal : ndarray, shape (rows, leads), mV
        Filtered samples at 90 Hz; the last one is sample ``at``.
    within : ndarray of bool, shape (at least rows,)
        Work space.
    """
    steps, leads, inside = len(signal) - PIECE_AFTER - MAX_SHIFT - HALF_WIDTH - 1, signal.shape[1], 0
    for i in range(steps):
        within[i] = False
    for k in range(len(r_peak)):
        row = _row(r_peak[k], signal, at)
        for i in range(max(row - HALF_WIDTH, 0), min(row + HALF_WIDTH, steps)):
            inside += not within[i]
            within[i] = True
    if not inside:
        return 1.0
    share = 0.0
    for lead in range(leads):
        energy_within = energy = 0.0
        for i in range(steps):
            own = (signal[i + 1, lead] - signal[i, lead]) ** 2
            energy += own
            if within[i]:
                energy_within += own
        share += energy_within / max(energy, 1e-12)
    return float(share / leads / (inside / steps))
