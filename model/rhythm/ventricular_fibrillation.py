"""Decides on ventricular fibrillation or flutter from the waveform and from the beats.

The waveform (`model.signal.fibrillation_waveform`) suggests fibrillation; organised beats exclude it. Beats are
organised if their complexes repeat in shape at less than 150/min, or without exception at less than 167/min, and most
of the slope of the signal lies in them. So a broad QRS complex followed by a large T wave is not fibrillation, although
without isoelectric segments it looks like a sine.

Fibrillation begins when the waveform resembles it for 4 s without organised beats; for 5 s if half of the complexes
repeat at 120 to 167/min, as those of fibrillation do not. It does not end because the signal becomes bad: chest
compressions and shocks are to be expected. It ends

- with organised beats;
- with complexes that repeat in shape at any rate, if the waveform contradicts fibrillation, too;
- when the signal is quiet for most of some seconds: an asystole, or slow beats;
- when nothing resembled fibrillation for a minute.

The thresholds were chosen on cudb (11 records), vfdb (11 records), MIT-BIH DS1 and the Challenge 2015 (107 records).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from model.beats.beat import Beat
from model.signal.arrays import FloatArray
from model.signal.fibrillation_waveform import DECIMATION, Waveform
from stream.timebase import FS

RELEASE_MARGIN = -0.1
"""Margin of the waveform below which a window contradicts fibrillation."""

CONFIRM_WINDOWS = 3
"""Consecutive windows that confirm the onset, or the end by repeating complexes: together they cover 4 s."""

DOUBTFUL_WINDOWS, MAX_DOUBTFUL = 5, 1
"""Consecutive windows that confirm the onset if more than the second number of them are doubtful: together 5 s."""

SLOW_MARGIN, SLOW_CONCENTRATION = 0.2, 1.6
"""Margin above which, and concentration of the slope below which, a wave slower than 150/min is fibrillation: it must
be closer to a sine than a faster one, and have no QRS complexes. Without the first, large T waves of t817l are."""

FIRST_WINDOW_DELAY = 2 * FS
"""Approximate number of samples from the onset to the end of the first window that resembles fibrillation: 2 s."""

MAX_WITHOUT_EVIDENCE = 60 * FS
"""Time without a window that resembles fibrillation after which it ends, samples."""

QUIET_SLOPE, OPEN_SLOPE = 1.75, 0.005
"""Mean slope of a block, mV/s, below which it is quiet, and below which the lead is open. A wave of 0.2 mV at 5 Hz has
2 mV/s. In 99 % of the windows of annotated fibrillation the mean is above 1.67 in vfdb, and above 2.7 in cudb."""

QUIET_BLOCKS, QUIET_OF = 5, 7
"""Quiet blocks that end fibrillation, and the number of last blocks among which they are: 2.5 of 3.5 s, so that a slow
escape rhythm after it does not hide the quiet."""

PIECE_BEFORE, PIECE_AFTER, MAX_SHIFT = 12, 24, 3
"""Samples at 90 Hz of a complex before and after its R peak, and largest shift when two are compared."""

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

REPEATING_SHARE, RELEASE_SHARE = 0.6, 0.5
"""Share of the complexes that must repeat; if the waveform contradicts fibrillation, too, the second is sufficient."""

MIN_MEAN_RR = 0.4 * FS
"""Mean RR interval of organised beats, samples: 150/min."""

TACHYCARDIA_RR = (0.36 * FS, 0.5 * FS)
"""RR intervals of a tachycardia, samples: 167 to 120/min. Complexes that all repeat are organised down to the first, on
the mean, if no interval is above the second: complexes that are farther apart may be some of the waves of a faster
fibrillation, or the beats before it."""

COMPLEX_HALF_WIDTH = 7
"""Half of the width of a complex in which slope is counted, samples at 90 Hz: 78 ms."""

MIN_CONCENTRATION = 1.6
"""Share of the slope energy within the complexes over their share of the time; 1 without complexes. In 95 % of the
windows of fibrillation it is below 1.6 in four of six records of vfdb (the others 1.9 and 2.3)."""


@dataclass(frozen=True, slots=True)
class Complex:
    """A QRS complex, or a wave detected as one.

    Attributes
    ----------
    index : int
        Sample of the R peak.
    similarity : float
        Highest correlation of its slope with that of an earlier complex.
    steepness : float
        Steepest slope, mV per sample at 90 Hz.
    """

    index: int
    similarity: float
    steepness: float


@dataclass(frozen=True, slots=True)
class FibrillationState:
    """State carried from step to step.

    Attributes
    ----------
    start : int
        Index of the first sample of the epoch.
    pending : tuple of int
        R peaks of the beats whose complex is not complete yet.
    complexes : tuple of Complex
        Complexes of the last `MAX_AGE` samples.
    pieces : ndarray, shape (up to COMPARED, leads, PIECE_BEFORE + PIECE_AFTER + 2 * MAX_SHIFT)
        Slopes of the last complexes, with the samples for the shifts.
    piece_indexes : tuple of int
        R peaks of these.
    contradicting : int
        Consecutive windows that contradict the present decision.
    doubtful : int
        How many of those that resemble fibrillation have complexes that repeat like those of a tachycardia.
    quiet : tuple of bool
        Which of the last blocks are quiet, at most `QUIET_OF`.
    candidate_onset : int
        Onset according to the first contradicting window.
    last_evidence : int
        Last sample of the latest window that resembles fibrillation.
    since : int or None
        Onset of the ongoing fibrillation; None without fibrillation.
    """

    start: int
    pieces: FloatArray
    pending: tuple[int, ...] = ()
    complexes: tuple[Complex, ...] = ()
    piece_indexes: tuple[int, ...] = ()
    contradicting: int = 0
    doubtful: int = 0
    quiet: tuple[bool, ...] = ()
    candidate_onset: int = 0
    last_evidence: int = 0
    since: int | None = None


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
    """Return the state at the start of an epoch whose first sample has index ``start``."""
    return FibrillationState(start, np.zeros((0, leads, PIECE_BEFORE + PIECE_AFTER + 2 * MAX_SHIFT)))


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
    state = replace(state, pending=(*state.pending, *(beat.index for beat in beats)))
    decisions = []
    for block in waveform:
        state = _decide(_cut_complexes(state, block), block)
        suspected = state.since is not None or state.contradicting > 0
        decisions.append(Fibrillation(block.at, state.since, suspected))
    return tuple(decisions), state


def _cut_complexes(state: FibrillationState, block: Waveform) -> FibrillationState:
    """Cut the complexes that are complete at the end of a block, and compare them with earlier ones."""
    if not state.pending or _row(state.pending[0], block) + PIECE_AFTER + MAX_SHIFT > len(block.recent):
        return state
    slope = np.diff(block.recent, axis=0, prepend=block.recent[:1])
    pieces, piece_indexes = state.pieces, state.piece_indexes
    complexes, pending = list(state.complexes), list(state.pending)
    while pending and (row := _row(pending[0], block)) + PIECE_AFTER + MAX_SHIFT <= len(slope):
        index = pending.pop(0)
        if row < PIECE_BEFORE + MAX_SHIFT:
            continue
        piece = slope[row - PIECE_BEFORE - MAX_SHIFT : row + PIECE_AFTER + MAX_SHIFT].T
        near = [k for k, earlier in enumerate(piece_indexes) if index - earlier <= MAX_APART]
        similarity = _similarity(piece, pieces[near]) if near else 0.0
        steepness = float(np.abs(slope[row - COMPLEX_HALF_WIDTH : row + COMPLEX_HALF_WIDTH]).max())
        complexes.append(Complex(index, similarity, steepness))
        pieces = np.concatenate([pieces, piece[None]])[-COMPARED:]
        piece_indexes = (*piece_indexes, index)[-COMPARED:]
    kept = tuple(item for item in complexes if item.index > block.at - MAX_AGE)
    return replace(state, pending=tuple(pending), complexes=kept, pieces=pieces, piece_indexes=piece_indexes)


def _row(index: int, block: Waveform) -> int:
    """Return the row of a sample in ``block.recent``, corrected for the delay of the filter."""
    return len(block.recent) - 1 - (block.at - index) // DECIMATION + FILTER_DELAY


def _similarity(piece: FloatArray, earlier: FloatArray) -> float:
    """Return the highest correlation of a piece with earlier ones, at the best shift; leads by their size."""
    core = piece[:, MAX_SHIFT:-MAX_SHIFT]
    size = np.sqrt(np.square(core).sum(axis=1))
    shifted = np.lib.stride_tricks.sliding_window_view(earlier, core.shape[1], axis=2)
    sizes = np.sqrt(np.square(shifted).sum(axis=3))
    correlation = np.einsum("klsn,ln->kls", shifted, core) / np.maximum(sizes * size[:, None], 1e-9)
    return float(np.einsum("kls,l->ks", correlation, size / max(float(size.sum()), 1e-9)).max())


def _decide(state: FibrillationState, block: Waveform) -> FibrillationState:
    """Update the decision with the block."""
    quiet = (*state.quiet[1 - QUIET_OF :], OPEN_SLOPE <= block.slope < QUIET_SLOPE)
    if state.since is None and max(block.margin, block.slow_margin) <= 0:
        return replace(state, contradicting=0, doubtful=0, quiet=quiet)
    share, mean_rr, longest_rr = _repetition(state, block)
    concentration = _concentration(state, block)
    concentrated = concentration >= MIN_CONCENTRATION
    repeating = concentrated and share >= RELEASE_SHARE
    shortest, longest = TACHYCARDIA_RR
    tachycardia = share == 1 and mean_rr >= shortest and longest_rr <= longest
    organised = concentrated and (tachycardia or (share >= REPEATING_SHARE and mean_rr >= MIN_MEAN_RR))
    slow = block.slow_margin > SLOW_MARGIN and concentration < SLOW_CONCENTRATION
    margin = block.slow_margin if slow else block.margin
    last_evidence = block.at if margin > RELEASE_MARGIN and not organised else state.last_evidence
    state = replace(state, quiet=quiet, last_evidence=last_evidence)
    if state.since is None:
        doubtful = share >= RELEASE_SHARE and shortest <= mean_rr <= longest
        return _confirm_onset(state, margin > 0 and not organised, doubtful, block.at)
    contradicting = state.contradicting + 1 if repeating and margin < RELEASE_MARGIN else 0
    over = (
        organised
        or contradicting >= CONFIRM_WINDOWS
        or sum(quiet) >= QUIET_BLOCKS
        or block.at - last_evidence > MAX_WITHOUT_EVIDENCE
    )
    if over:
        return replace(state, contradicting=0, since=None)
    return replace(state, contradicting=contradicting)


def _confirm_onset(state: FibrillationState, suspected: bool, doubtful: bool, at: int) -> FibrillationState:
    if not suspected:
        return replace(state, contradicting=0, doubtful=0)
    contradicting, in_doubt = state.contradicting + 1, state.doubtful + doubtful
    onset = max(at + 1 - FIRST_WINDOW_DELAY, state.start) if contradicting == 1 else state.candidate_onset
    if contradicting < (DOUBTFUL_WINDOWS if in_doubt > MAX_DOUBTFUL else CONFIRM_WINDOWS):
        return replace(state, contradicting=contradicting, doubtful=in_doubt, candidate_onset=onset)
    return replace(state, contradicting=0, doubtful=0, candidate_onset=onset, since=onset)


def _repetition(state: FibrillationState, block: Waveform) -> tuple[float, float, float]:
    """Return the share of the last complexes that repeat, and their mean and longest RR interval, samples.

    All are 0 with too few complexes.
    """
    found = state.complexes
    if len(found) < MIN_COMPLEXES:
        return 0.0, 0.0, 0.0
    third = sorted(item.steepness for item in found)[-3]
    last = [item for item in found if item.steepness >= MIN_PROMINENCE * third][-COMPLEXES:]
    if len(last) < MIN_COMPLEXES or block.at - last[-1].index > MAX_SILENCE:
        return 0.0, 0.0, 0.0
    rr = [after.index - before.index for before, after in pairwise(last)]
    share = sum(item.similarity >= MIN_SIMILARITY for item in last) / len(last)
    return share, sum(rr) / len(rr), max(rr)


def _concentration(state: FibrillationState, block: Waveform) -> float:
    """Return the share of the slope energy within the complexes over their share of the time, mean over the leads.

    The end of the signal, in which complexes are not complete, does not count.
    """
    energy = np.square(np.diff(block.recent[: -PIECE_AFTER - MAX_SHIFT - COMPLEX_HALF_WIDTH], axis=0))
    within = np.zeros(len(energy), np.bool_)
    for item in state.complexes:
        row = _row(item.index, block)
        within[max(row - COMPLEX_HALF_WIDTH, 0) : max(row + COMPLEX_HALF_WIDTH, 0)] = True
    if not within.any():
        return 1.0
    share = energy[within].sum(axis=0) / np.maximum(energy.sum(axis=0), 1e-12)
    return float(share.mean() / within.mean())
