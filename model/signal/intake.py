"""Intake of each bed: converts chunks of any length to whole strides with filled gaps.

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

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.batch import Batch, Strides
from model.signal.columns import copied
from model.signal.compiled import compiled
from model.signal.gaps import hold
from model.signal.small_arrays import copy
from stream.timebase import STRIDE


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
    state = copied(state)
    [(_, batch)] = advance(state, np.zeros(1, np.int64), [mv])
    return Strides(int(batch.start[0]), batch.mv[0], batch.invalid[0]), state


def advance(columns: IntakeState, slots: IntArray, chunks: Sequence[FloatArray]) -> list[tuple[IntArray, Batch]]:
    """Push one chunk of each of some beds.

    Parameters
    ----------
    columns : IntakeState
        Changed in place.
    slots : ndarray of int64, shape (beds,)
        Each at most once.
    chunks : sequence of ndarray of float64, shape (n, leads), mV
        The next samples of each bed, NaN where invalid; any n.

    Returns
    -------
    list of (ndarray of int64, Batch)
        For each number of strides completed, possibly 0, the beds that completed as many, as indices of ``slots``.

    Raises
    ------
    ValueError
        The number of leads of a chunk differs from that of its bed; nothing has changed.
    """
    leads = columns.mv.shape[2]
    for chunk in chunks:
        if chunk.ndim != 2 or chunk.shape[1] != leads:
            raise ValueError(f"a chunk of shape {chunk.shape} does not fit a bed with {leads} leads")
    ends = np.cumsum([0, *map(len, chunks)])
    samples = np.concatenate(chunks, dtype=np.float64)
    strides = np.maximum(columns.collected[slots] + np.diff(ends) - columns.skip[slots], 0) // STRIDE
    batches = []
    for count in sorted(set(strides.tolist())):
        beds = np.flatnonzero(strides == count)
        own, shape = slots[beds], (len(beds), count * STRIDE, leads)
        batch = Batch(own, columns.next_stride[own], np.empty(shape), np.empty(shape, np.bool_))
        _advance(columns, batch, samples, ends[beds], ends[beds + 1])
        batches.append((beds, batch))
    return batches


@compiled
def _advance(columns: IntakeState, batch: Batch, samples: FloatArray, begins: IntArray, ends: IntArray) -> None:
    """Push the samples from ``begins`` to before ``ends`` of each bed, and write the whole strides and their mask."""
    leads = samples.shape[1]
    for bed in range(len(batch.slots)):
        slot, written = batch.slots[bed], 0
        for sample in range(begins[bed], ends[bed]):
            columns.end[slot] += 1
            if columns.skip[slot] > 0:
                columns.skip[slot] -= 1
                continue
            row = columns.collected[slot]
            for lead in range(leads):
                value = samples[sample, lead]
                columns.mv[slot, row, lead] = hold(value, columns.last_valid[slot], lead)
                columns.invalid[slot, row, lead] = not np.isfinite(value)
            columns.collected[slot] = row + 1
            if columns.collected[slot] == STRIDE:
                copy(columns.mv[slot], batch.mv[bed, written:])
                copy(columns.invalid[slot], batch.invalid[bed, written:])
                written += STRIDE
                columns.collected[slot] = 0


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
