"""Intake of one bed: converts chunks of any length to whole strides with filled gaps.

All analysis stages process these strides. None of them splits, drops or fills samples itself, so the results do not
depend on how the signal was divided into chunks.

- Strides of 36 samples (100 ms) start at multiples of 36 samples from the epoch's first sample. When reception starts
  between two such points, the samples before the next one are dropped.
- An incomplete stride is kept until its last sample arrives, at most 100 ms later. At the end of an epoch, `complete`
  fills it up with invalid samples, so that beats in it are not lost.
- An invalid sample (NaN) is replaced by the last valid one of its lead, or by 0 mV if there is none, and marked in a
  mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.columns import copied
from model.signal.compiled import compiled
from model.signal.gaps import hold
from stream.timebase import STRIDE


@dataclass(frozen=True, slots=True)
class Strides:
    """Whole strides of one bed.

    Attributes
    ----------
    start : int
        Index of the first sample, on the stride grid.
    mv : ndarray, shape (k * STRIDE, leads), mV
        Finite. Never modified after creation.
    invalid : ndarray of bool, shape (k * STRIDE, leads)
        Samples that were invalid and have been replaced.
    """

    start: int
    mv: FloatArray
    invalid: BoolArray

    @property
    def end(self) -> int:
        """Index after the last sample."""
        return self.start + len(self.mv)

    @property
    def last_samples(self) -> range:
        """Index of the last sample of each stride."""
        return range(self.start + STRIDE - 1, self.end, STRIDE)


class IntakeState(NamedTuple):
    """Samples and positions carried from chunk to chunk; columns over beds.

    Attributes
    ----------
    end : ndarray of int64, shape (beds,)
        Index after the last sample received.
    skip : ndarray of int64, shape (beds,)
        Samples still to be dropped before the first stride.
    mv : ndarray, shape (beds, STRIDE, leads), mV
        Samples of the incomplete stride, then those of the stride before.
    invalid : ndarray of bool, of the same shape
    collected : ndarray of int64, shape (beds,)
        Samples of the incomplete stride, below ``STRIDE``.
    last_valid : ndarray, shape (beds, leads), mV
        Last valid sample; 0 where there was none.
    """

    end: IntArray
    skip: IntArray
    mv: FloatArray
    invalid: BoolArray
    collected: IntArray
    last_valid: FloatArray

    @property
    def next_stride(self) -> IntArray:
        """Index of the first sample of the next stride, shape (beds,)."""
        return self.end + self.skip - self.collected


def begin(leads: int, start: int, epoch_start: int) -> IntakeState:
    """Return the state before sample ``start``, the first received, of an epoch that began at ``epoch_start``."""
    return IntakeState(
        end=np.array([start]),
        skip=np.array([(epoch_start - start) % STRIDE]),
        mv=np.zeros((1, STRIDE, leads)),
        invalid=np.zeros((1, STRIDE, leads), np.bool_),
        collected=np.zeros(1, np.int64),
        last_valid=np.zeros((1, leads)),
    )


def step(state: IntakeState, mv: FloatArray) -> tuple[Strides, IntakeState]:
    """Push samples of one bed and return the strides that they complete.

    Parameters
    ----------
    state : IntakeState
    mv : ndarray of float64, shape (n, leads), mV
        Samples from ``state.end`` on, NaN where invalid; any n.

    Returns
    -------
    strides : Strides
        Possibly none.
    state : IntakeState

    Raises
    ------
    ValueError
        The number of leads differs from the bed's.
    """
    leads = state.mv.shape[2]
    if mv.ndim != 2 or mv.shape[1] != leads:
        raise ValueError(f"a chunk of shape {mv.shape} does not fit a bed with {leads} leads")
    collected, skip = int(state.collected[0]), int(state.skip[0])
    start = int(state.end[0]) + skip - collected
    n = max(collected + len(mv) - skip, 0) // STRIDE * STRIDE
    state = copied(state)
    whole, invalid = np.empty((1, n, leads)), np.empty((1, n, leads), np.bool_)
    _advance(state, np.array(mv, np.float64, order="C")[None], whole, invalid)
    return Strides(start, whole[0], invalid[0]), state


@compiled
def _advance(state: IntakeState, mv: FloatArray, whole: FloatArray, invalid: BoolArray) -> None:
    """Push samples of beds, shape (beds, n, leads); change ``state``, and write the whole strides and their mask."""
    beds, samples, leads = mv.shape
    for bed in range(beds):
        written = 0
        for sample in range(samples):
            state.end[bed] += 1
            if state.skip[bed] > 0:
                state.skip[bed] -= 1
                continue
            row = state.collected[bed]
            for lead in range(leads):
                value = mv[bed, sample, lead]
                state.mv[bed, row, lead] = hold(value, state.last_valid[bed], lead)
                state.invalid[bed, row, lead] = not np.isfinite(value)
            state.collected[bed] = row + 1
            if state.collected[bed] == STRIDE:
                whole[bed, written : written + STRIDE] = state.mv[bed]
                invalid[bed, written : written + STRIDE] = state.invalid[bed]
                written += STRIDE
                state.collected[bed] = 0


def complete(state: IntakeState) -> Strides:
    """Return the stride that the end of the epoch left incomplete, filled up with invalid samples; none if complete.

    Parameters
    ----------
    state : IntakeState

    Returns
    -------
    Strides
        At most one; its samples from ``state.end`` on were never received.
    """
    missing = -int(state.collected[0]) % STRIDE
    strides, _ = step(state, np.full((missing, state.mv.shape[2]), np.nan))
    return strides


def strides_of(mv: FloatArray, start: int = 0) -> Strides:
    """Return a recording, or a part of it that begins on the stride grid, as whole strides.

    Parameters
    ----------
    mv : ndarray of float64, shape (n, leads), mV
        NaN where invalid.
    start : int
        Index of the first sample.
    """
    strides, _ = step(begin(mv.shape[1], start, start), mv)
    return strides
