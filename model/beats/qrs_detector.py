"""Streaming QRS detector for one or two leads.

As in Pan and Tompkins (IEEE Trans Biomed Eng 32:230, 1985), the signal passes a band-pass filter, is squared and
averaged over a window (`model.beats.qrs_energy`), and adaptive thresholds decide which peaks of this energy are beats
(`model.beats.qrs_decision`). A peak is decided on 100 ms after it, if no much higher one has followed.

The time of each decision depends only on the sample count, and the decision only on earlier samples.

A peak above half of the threshold, after the T wave, is reported as a weak complex, as the search back of Pan and
Tompkins would find it. It is no beat; whether it is a missed one is decided by its shape (`model.beats.repetition`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.beats.qrs_decision import BLANKING_PERIOD, candidate, decide
from model.beats.qrs_energy import (
    BAND_SOS,
    BLOCK,
    MEMORY_BLOCKS,
    PARTIAL_SUM_HISTORY,
    PARTIAL_SUMS,
    append_energies,
    append_heights,
    update_leads,
)
from model.beats.qrs_state import (
    BASELINE_HALF_WIDTH,
    DECISION_DELAY,
    ENERGY_DELAY,
    HISTORY,
    RR_MEMORY,
    QrsState,
)
from model.signal.arrays import FloatArray, IntArray
from model.signal.batch import Batch, Strides, single
from model.signal.columns import copied
from model.signal.compiled import compiled, compiled_part
from stream.timebase import STRIDE

MAX_REPORT_DELAY = 72
"""Longest delay from the R peak to the decision, samples: 200 ms."""

MAX_R_PEAK_LAG = 16
"""Largest delay of an R peak after the centre of its energy, samples."""

MAX_R_PEAK_ADVANCE = MAX_REPORT_DELAY - DECISION_DELAY - ENERGY_DELAY
"""Largest advance of an R peak before that centre, samples."""

MIN_PEAK_DISTANCE = 2
"""Smallest distance of two peaks, samples."""

MIN_WEAK_STRENGTH = 0.5
"""Share of the threshold above which a peak is a weak complex: the lower threshold of Pan and Tompkins."""

T_WAVE_END = 130
"""Samples after a beat in which a weak complex may be its T wave: 360 ms, as in Pan and Tompkins."""

MIN_R_PEAK_WEIGHT = 0.05
"""Smallest weight of the first lead with which the R peak is located in it."""


@dataclass(frozen=True, slots=True)
class Qrs:
    """A heartbeat.

    Attributes
    ----------
    index : int
        Sample of the R peak, counted from the start of the session.
    at : int
        Sample of the decision, at most 72 (200 ms) after ``index``.
    strength : float
        Ratio of its energy to the threshold, at least 1.
    """

    index: int
    at: int
    strength: float


class QrsRows(NamedTuple):
    """Detected beats, or weak complexes, of some beds, bed by bed, in order; see `Qrs`.

    Attributes
    ----------
    first : ndarray of int64, shape (beds + 1,)
        The beats of bed ``i`` are the rows from ``first[i]`` up to, not including, ``first[i + 1]``.
    r_peak : ndarray of int64, shape (rows,)
        The index of `Qrs`.
    at : ndarray of int64, shape (rows,)
    strength : ndarray, shape (rows,)
        Below 1 for weak complexes.
    """

    first: IntArray
    r_peak: IntArray
    at: IntArray
    strength: FloatArray


def begin(start: int, leads: int) -> QrsState:
    """Return the state of one bed before the first sample, which has index ``start``."""
    return QrsState(
        end=np.array([start]),
        in_gap=np.ones((1, leads), np.bool_),
        shift=np.zeros((1, leads)),
        samples=np.zeros((1, leads, HISTORY + STRIDE)),
        filter_state=np.zeros((1, leads, len(BAND_SOS), 2)),
        sums=np.zeros((1, leads, PARTIAL_SUMS, PARTIAL_SUM_HISTORY + STRIDE)),
        block_samples=np.zeros(1, np.int64),
        energies=np.zeros((1, leads, BLOCK)),
        invalid=np.zeros((1, leads), np.int64),
        peaks=np.zeros((1, leads, MEMORY_BLOCKS)),
        medians=np.zeros((1, leads, MEMORY_BLOCKS)),
        blocks=np.zeros((1, leads), np.int64),
        size=np.ones((1, leads)),
        weight=np.full((1, leads), 1 / leads),
        heights=np.zeros((1, DECISION_DELAY + 1 + STRIDE)),
        beat_level=np.ones(1),
        noise_level=np.full(1, 0.1),
        last_peak=np.array([-1]),
        last_height=np.ones(1),
        rr=np.full((1, RR_MEMORY), 300),
        rr_before=np.full((1, RR_MEMORY), 300),
    )


def after_gap(state: QrsState, start: int) -> QrsState:
    """Return the state after lost samples, before sample ``start``: levels, RR intervals and leads are kept."""
    return begin(start, state.size.shape[1])._replace(
        peaks=state.peaks,
        medians=state.medians,
        blocks=state.blocks,
        size=state.size,
        weight=state.weight,
        beat_level=state.beat_level,
        noise_level=state.noise_level,
        last_height=state.last_height,
        rr=state.rr,
        rr_before=state.rr_before,
    )


def step(state: QrsState, strides: Strides) -> tuple[tuple[Qrs, ...], QrsState]:
    """Push the next strides of one bed.

    Parameters
    ----------
    state : QrsState
    strides : Strides

    Returns
    -------
    tuple of Qrs
        The detected beats, in order.
    state : QrsState
    """
    state = copied(state)
    rows, _ = advance(state, single(strides))
    return tuple(Qrs(*row) for row in zip(*(column.tolist() for column in rows[1:]), strict=True)), state


def advance(columns: QrsState, batch: Batch) -> tuple[QrsRows, QrsRows]:
    """Push the strides of the beds of a batch, and change their slots of ``columns``.

    Returns
    -------
    beats : QrsRows
    weak : QrsRows
        Weak complexes.
    """
    beds, samples, _ = batch.mv.shape
    beats, weak = _rows(beds, samples // BLANKING_PERIOD + 1), _rows(beds, samples // MIN_PEAK_DISTANCE + 1)
    _advance(columns, batch, beats, weak)
    return _filled(beats), _filled(weak)


def _rows(beds: int, most: int) -> QrsRows:
    """Return rows to be filled, at most so many of each bed."""
    n = beds * most
    return QrsRows(np.zeros(beds + 1, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n))


def _filled(rows: QrsRows) -> QrsRows:
    n = int(rows.first[-1])
    return QrsRows(rows.first, rows.r_peak[:n], rows.at[:n], rows.strength[:n])


@compiled
def _advance(columns: QrsState, batch: Batch, beats: QrsRows, weak: QrsRows) -> None:
    """Push the strides of the beds of a batch, in place, and fill ``beats`` and ``weak``."""
    detected = suspected = 0
    for bed in range(len(batch.slots)):
        slot = batch.slots[bed]
        heights = columns.heights[slot]
        for first in range(0, batch.mv.shape[1], STRIDE):
            stride = slice(first, first + STRIDE)
            append_energies(columns, slot, batch.mv[bed, stride], batch.invalid[bed, stride])
            append_heights(columns, slot)
            for i in range(STRIDE):
                height = candidate(heights, i)
                strength = decide(columns, slot, i, height) if height > 0 else 0.0
                if strength >= 1:
                    _write(columns, slot, i, strength, beats, detected)
                    detected += 1
                elif strength >= MIN_WEAK_STRENGTH and _since_beat(columns, slot, i) >= T_WAVE_END:
                    _write(columns, slot, i, strength, weak, suspected)
                    suspected += 1
            columns.end[slot] += STRIDE
            columns.block_samples[slot] += STRIDE
            if columns.block_samples[slot] == BLOCK:
                update_leads(columns, slot)
                columns.block_samples[slot] = 0
                columns.invalid[slot] = 0
        beats.first[bed + 1], weak.first[bed + 1] = detected, suspected


@compiled_part
def _since_beat(columns: QrsState, slot: int, i: int) -> int:
    """Return the samples from the last beat to the candidate that is decided on at sample ``i`` of the last stride."""
    return int(columns.end[slot] + i - DECISION_DELAY - columns.last_peak[slot])


@compiled_part
def _write(columns: QrsState, slot: int, i: int, strength: float, rows: QrsRows, row: int) -> None:
    """Write a complex that was decided on at sample ``i`` of the last stride."""
    at = columns.end[slot] + i
    offset = _r_peak(columns.samples[slot], i, columns.weight[slot])
    rows.r_peak[row] = at - DECISION_DELAY - ENERGY_DELAY + offset
    rows.at[row], rows.strength[row] = at, strength


@compiled_part
def _r_peak(samples: FloatArray, i: int, weight: FloatArray) -> int:
    """Return the offset of the R peak from the centre of the energy: the extreme of the first usable lead."""
    lead = 0 if weight[0] >= MIN_R_PEAK_WEIGHT else weight.argmax()
    centre = HISTORY + i - DECISION_DELAY - ENERGY_DELAY
    baseline = samples[lead, centre - BASELINE_HALF_WIDTH : centre + BASELINE_HALF_WIDTH + 1].mean()
    best, highest = 0, -1.0
    for offset in range(-MAX_R_PEAK_ADVANCE, MAX_R_PEAK_LAG + 1):
        height = abs(samples[lead, centre + offset] - baseline)
        if height > highest:
            best, highest = offset, height
    return best
