"""Decides on ventricular fibrillation or flutter from the waveform and from the beats.

The waveform (`model.signal.fibrillation_waveform`) suggests fibrillation; organised beats exclude it. Beats are
organised if their complexes repeat in shape at less than 150/min, or without exception at less than 167/min, and most
of the slope of the signal lies in them. So a broad QRS complex followed by a large T wave is not fibrillation, although
without isoelectric segments it looks like a sine.

Fibrillation begins when the waveform resembles it for 4 s without organised beats; for 5 s if half of the complexes
repeat at 120 to 167/min, as those of fibrillation do not. It does not end because the signal becomes bad: chest
compressions and shocks are to be expected. It ends

- with organised beats: at once, or after three windows while the waveform still resembles fibrillation, some waves of
  which may repeat by chance;
- with complexes that repeat in shape at any rate, if the waveform contradicts fibrillation, too;
- when the signal is quiet for most of some seconds: an asystole, or slow beats. A wave that still resembles
  fibrillation, fine as it is, is not quiet;
- when nothing resembled fibrillation for a minute.

The thresholds were chosen on cudb (11 records), vfdb (11 records), MIT-BIH DS1 and the Challenge 2015 (107 records).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.beats.beat import Beat, BeatRows, to_rows
from model.rhythm import fibrillation_complexes
from model.rhythm.fibrillation_complexes import ComplexColumns, add_beat, concentration, cut_complexes, repetition
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.blocks import BLOCK, BlockRows
from model.signal.columns import copied
from model.signal.compiled import compiled, compiled_part
from model.signal.fibrillation_waveform import RECENT, SAMPLES_PER_BLOCK, Waveform, WaveformRows
from model.signal.small_arrays import shift
from stream.timebase import FS

RELEASE_MARGIN = -0.1
"""Margin of the waveform below which a window contradicts fibrillation."""

CONFIRM_WINDOWS = 3
"""Consecutive windows that confirm the onset, or the end by complexes that the waveform contradicts: together they
cover 4 s."""

DOUBTFUL_WINDOWS, MAX_DOUBTFUL = 5, 1
"""Consecutive windows that confirm the onset if more than the second number of them are doubtful: together 5 s."""

SLOW_MARGIN, SLOW_CONCENTRATION = 0.2, 1.6
"""Margin above which, and concentration of the slope below which, a wave slower than 150/min is fibrillation: it must
be closer to a sine than a faster one, and have no QRS complexes. Without the first, large T waves of t817l are."""

FIRST_WINDOW_DELAY = 2 * FS
"""Approximate number of samples from the onset to the end of the first window that resembles fibrillation: 2 s."""

MAX_WITHOUT_EVIDENCE = 60 * FS
"""Time without a window that resembles fibrillation after which it ends, samples."""

QUIET_SLOPE, FINE_SLOPE, OPEN_SLOPE = 1.75, 0.75, 0.005
"""Mean slope of a block, mV/s, below which it is quiet, below which it is so while fibrillation goes on in it, and
below which the lead is open. Fibrillation becomes finer with time: it is coarse from 0.2 mV peak to peak on, and
asystole below 0.08 mV (Kerber et al., Circulation 95, 1677, 1997); such waves have 1.8 and 0.72 mV/s at 4.5 Hz. In 99
% of the windows of annotated fibrillation the mean is above 1.67 in vfdb, and above 2.7 in cudb."""

QUIET_BLOCKS, QUIET_OF = 5, 7
"""Quiet blocks that end fibrillation, and the number of last blocks among which they are: 2.5 of 3.5 s, so that a slow
escape rhythm after it does not hide the quiet."""

REPEATING_SHARE, RELEASE_SHARE = 0.6, 0.5
"""Share of the complexes that must repeat; if the waveform contradicts fibrillation, too, the second is sufficient."""

MIN_MEAN_RR = 0.4 * FS
"""Mean RR interval of organised beats, samples: 150/min."""

TACHYCARDIA_RR = (0.36 * FS, 0.5 * FS)
"""RR intervals of a tachycardia, samples: 167 to 120/min. Complexes that all repeat are organised down to the first, on
the mean, if no interval is above the second: complexes that are farther apart may be some of the waves of a faster
fibrillation, or the beats before it."""

MIN_CONCENTRATION = 1.6
"""Share of the slope energy within the complexes over their share of the time; 1 without complexes. In 95 % of the
windows of fibrillation it is below 1.6 in four of six records of vfdb (the others 1.9 and 2.3)."""


class FibrillationState(NamedTuple):
    """State carried from step to step; columns over beds.

    Attributes
    ----------
    start : ndarray of int64, shape (beds,)
        Index of the first sample of the epoch.
    complexes : ComplexColumns
    contradicting : ndarray of int64, shape (beds,)
        Consecutive windows that contradict the present decision.
    doubtful : ndarray of int64, shape (beds,)
        How many of those that resemble fibrillation have complexes that repeat like those of a tachycardia.
    quiet : ndarray of bool, shape (beds, QUIET_OF)
        Which of the last blocks are quiet, oldest first.
    candidate_onset : ndarray of int64, shape (beds,)
        Onset according to the first contradicting window.
    last_evidence : ndarray of int64, shape (beds,)
        Last sample of the latest window that resembles fibrillation.
    since : ndarray of int64, shape (beds,)
        Onset of the ongoing fibrillation; -1 without fibrillation.
    """

    start: IntArray
    complexes: ComplexColumns
    contradicting: IntArray
    doubtful: IntArray
    quiet: BoolArray
    candidate_onset: IntArray
    last_evidence: IntArray
    since: IntArray


class FibrillationRows(NamedTuple):
    """The decisions at the end of the blocks of some beds, see `Fibrillation`.

    Attributes
    ----------
    since : ndarray of int64, shape (beds, most)
        -1 without fibrillation; undefined from the last block of a bed on, as ``suspected``. ``most`` is the largest
        number of blocks of a bed.
    suspected : ndarray of bool, shape (beds, most)
    """

    since: IntArray
    suspected: BoolArray


@dataclass(frozen=True, slots=True)
class Fibrillation:
    """The decision at the end of one block.

    Attributes
    ----------
    at : int
        Last sample of the block.
    since : int or None
        First sample of the ongoing fibrillation; None without fibrillation.
    suspected : bool
        Whether the signal resembles fibrillation, confirmed or not.
    """

    at: int
    since: int | None
    suspected: bool


def begin(start: int, leads: int) -> FibrillationState:
    """Return the state of one bed at the start of an epoch whose first sample has index ``start``."""
    return FibrillationState(
        start=np.array([start]),
        complexes=fibrillation_complexes.begin(leads),
        contradicting=np.zeros(1, np.int64),
        doubtful=np.zeros(1, np.int64),
        quiet=np.zeros((1, QUIET_OF), np.bool_),
        candidate_onset=np.zeros(1, np.int64),
        last_evidence=np.zeros(1, np.int64),
        since=np.array([-1]),
    )


def step(
    state: FibrillationState, waveform: Sequence[Waveform], beats: Sequence[Beat]
) -> tuple[tuple[Fibrillation, ...], FibrillationState]:
    """Push the next blocks of one bed, possibly none.

    Parameters
    ----------
    state : FibrillationState
    waveform : sequence of Waveform
        One per block, in order.
    beats : sequence of Beat
        Beats reported since the last step, also those after the last block.

    Returns
    -------
    tuple of Fibrillation
        One per block, in order.
    state : FibrillationState
    """
    state, k = copied(state), len(waveform)
    start = waveform[0].at + 1 - BLOCK if waveform else 0
    rows = FibrillationRows(np.empty((1, k), np.int64), np.empty((1, k), np.bool_))
    measured = _rows_of(waveform, leads=state.complexes.pieces.shape[2])
    _advance(state, np.zeros(1, np.int64), np.array([k]), np.array([start]), measured, to_rows([beats]), rows)
    found = zip(waveform, rows.since[0].tolist(), rows.suspected[0].tolist(), strict=True)
    return tuple(Fibrillation(block.at, None if since < 0 else since, now) for block, since, now in found), state


def advance(
    columns: FibrillationState, slots: IntArray, blocks: BlockRows, waveform: WaveformRows, beats: BeatRows
) -> FibrillationRows:
    """Push the next blocks of some beds, and change their slots of ``columns``.

    Parameters
    ----------
    columns : FibrillationState
    slots : ndarray of int64, shape (beds,)
        Slot of each bed.
    blocks : BlockRows
    waveform : WaveformRows
        Measures of the blocks.
    beats : BeatRows
        Beats reported since the last step, also those after the last block.
    """
    shape = waveform.margin.shape
    rows = FibrillationRows(np.empty(shape, np.int64), np.empty(shape, np.bool_))
    _advance(columns, slots, blocks.count, blocks.start, waveform, beats, rows)
    return rows


def _rows_of(waveform: Sequence[Waveform], leads: int) -> WaveformRows:
    """Return the measures of the blocks of one bed as rows."""
    k, recent = len(waveform), [block.recent[-SAMPLES_PER_BLOCK:] for block in waveform]
    before = waveform[0].recent[:-SAMPLES_PER_BLOCK] if k else np.empty((0, leads))
    samples = np.concatenate([np.zeros((RECENT - len(before), leads)), before, *recent])
    measures = np.array([(block.margin, block.slow_margin, block.slope) for block in waveform]).reshape(k, 3)
    margin, slow_margin, slope = np.ascontiguousarray(measures.T)[:, None]
    return WaveformRows(margin, slow_margin, slope, samples[None], np.array([len(before)]))


@compiled
def _advance(
    state: FibrillationState,
    slots: IntArray,
    count: IntArray,
    start: IntArray,
    waveform: WaveformRows,
    beats: BeatRows,
    rows: FibrillationRows,
) -> None:
    """Push the next blocks of some beds, in place, and fill ``rows``; count and start are those of `BlockRows`."""
    within = np.empty(RECENT, np.bool_)
    for bed in range(len(slots)):
        slot, beat = slots[bed], beats.first[bed]
        for block in range(count[bed]):
            at = start[bed] + (block + 1) * BLOCK - 1
            while beat < beats.first[bed + 1] and beats.at[beat] <= at:
                add_beat(state.complexes, slot, beats.r_peak[beat])
                beat += 1
            end = RECENT + (block + 1) * SAMPLES_PER_BLOCK
            known = min(waveform.known[bed] + (block + 1) * SAMPLES_PER_BLOCK, RECENT)
            signal = waveform.recent[bed, end - known : end]
            cut_complexes(state.complexes, slot, signal, at)
            margins = waveform.margin[bed, block], waveform.slow_margin[bed, block]
            _decide(state, slot, at, margins, waveform.slope[bed, block], signal, within)
            rows.since[bed, block] = state.since[slot]
            rows.suspected[bed, block] = state.since[slot] >= 0 or state.contradicting[slot] > 0
        for later in range(beat, beats.first[bed + 1]):
            add_beat(state.complexes, slot, beats.r_peak[later])


@compiled_part
def _decide(
    state: FibrillationState,
    slot: int,
    at: int,
    margins: tuple[float, float],
    slope: float,
    signal: FloatArray,
    within: BoolArray,
) -> None:
    """Update the decision with a block whose last sample is ``at``; ``within`` is work space."""
    quiet = state.quiet[slot]
    shift(quiet, 1)
    in_fibrillation = state.since[slot] >= 0
    fine = in_fibrillation and max(margins) > 0
    quiet[-1] = OPEN_SLOPE <= slope < (FINE_SLOPE if fine else QUIET_SLOPE)
    margin, slow_margin = margins
    if not in_fibrillation and max(margin, slow_margin) <= 0:
        state.contradicting[slot] = state.doubtful[slot] = 0
        return
    known = state.complexes.known[slot]
    r_peak, similarity = state.complexes.r_peak[slot, :known], state.complexes.similarity[slot, :known]
    share, mean_rr, longest_rr = repetition(r_peak, similarity, state.complexes.steepness[slot, :known], at)
    concentrated = concentration(r_peak, signal, at, within)
    shortest, longest = TACHYCARDIA_RR
    tachycardia = share == 1 and mean_rr >= shortest and longest_rr <= longest
    repeating = tachycardia or (share >= REPEATING_SHARE and mean_rr >= MIN_MEAN_RR)
    organised = concentrated >= MIN_CONCENTRATION and repeating
    if slow_margin > SLOW_MARGIN and concentrated < SLOW_CONCENTRATION:
        margin = slow_margin
    if margin > RELEASE_MARGIN and not organised:
        state.last_evidence[slot] = at
    if not in_fibrillation:
        doubtful = share >= RELEASE_SHARE and shortest <= mean_rr <= longest
        _confirm_onset(state, slot, margin > 0 and not organised and quiet.sum() < QUIET_BLOCKS, doubtful, at)
        return
    contradicted = concentrated >= MIN_CONCENTRATION and share >= RELEASE_SHARE and margin < RELEASE_MARGIN
    state.contradicting[slot] = state.contradicting[slot] + 1 if organised or contradicted else 0
    if (
        (organised and margin <= 0)
        or state.contradicting[slot] >= CONFIRM_WINDOWS
        or quiet.sum() >= QUIET_BLOCKS
        or at - state.last_evidence[slot] > MAX_WITHOUT_EVIDENCE
    ):
        state.contradicting[slot], state.since[slot] = 0, -1


@compiled_part
def _confirm_onset(state: FibrillationState, slot: int, suspected: bool, doubtful: bool, at: int) -> None:
    """Count the windows that resemble fibrillation, and begin it with the last of those required."""
    if not suspected:
        state.contradicting[slot] = state.doubtful[slot] = 0
        return
    state.contradicting[slot] += 1
    state.doubtful[slot] += doubtful
    if state.contradicting[slot] == 1:
        state.candidate_onset[slot] = max(at + 1 - FIRST_WINDOW_DELAY, state.start[slot])
    required = DOUBTFUL_WINDOWS if state.doubtful[slot] > MAX_DOUBTFUL else CONFIRM_WINDOWS
    if state.contradicting[slot] >= required:
        state.since[slot] = state.candidate_onset[slot]
        state.contradicting[slot] = state.doubtful[slot] = 0
