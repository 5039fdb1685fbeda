"""Groups strides into blocks of half a second.

Signal quality and ventricular fibrillation are measured over windows of 2 s or more. For them half a second is short
enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.batch import Batch, Strides, single
from model.signal.columns import copied
from model.signal.compiled import compiled
from model.signal.small_arrays import copy
from stream.timebase import STRIDE

STRIDES_PER_BLOCK = 5
"""Strides per block."""

BLOCK = STRIDES_PER_BLOCK * STRIDE
"""Samples per block: half a second."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Whole blocks of one bed.

    Attributes
    ----------
    start : int
        Index of the first sample.
    mv : ndarray, shape (k, BLOCK, leads), mV
        Samples minus ``offset``, so that filters start at 0. An invalid sample repeats the last valid one; it is 0
        before the first valid one.
    invalid : ndarray of bool, of the same shape
    offset : ndarray, shape (leads,), mV
        First valid sample of each lead; NaN until there is one.
    """

    start: int
    mv: FloatArray
    invalid: BoolArray
    offset: FloatArray

    @property
    def end(self) -> int:
        """Index after the last sample."""
        return self.start + len(self.mv) * BLOCK


class BlockRows(NamedTuple):
    """Whole blocks of some beds.

    Attributes
    ----------
    count : ndarray of int64, shape (beds,)
        Blocks of each bed; they may differ by one.
    start : ndarray of int64, shape (beds,)
        Index of the first sample of the first block.
    mv : ndarray, shape (beds, most, BLOCK, leads), mV
        As in `Blocks`; undefined from the block ``count`` of a bed on. ``most`` is the largest ``count``.
    invalid : ndarray of bool, of the same shape
    offset : ndarray, shape (beds, leads), mV
    """

    count: IntArray  # type: ignore[assignment]  # hides a method of tuple
    start: IntArray
    mv: FloatArray
    invalid: BoolArray
    offset: FloatArray


class BlocksState(NamedTuple):
    """The incomplete block; columns over beds.

    Attributes
    ----------
    mv : ndarray, shape (beds, BLOCK, leads), mV
        Samples of the incomplete block minus ``offset``, then those of the block before.
    invalid : ndarray of bool, of the same shape
    collected : ndarray of int64, shape (beds,)
        Samples of the incomplete block: whole strides, below ``BLOCK``.
    offset : ndarray, shape (beds, leads), mV
        As in `Blocks`.
    """

    mv: FloatArray
    invalid: BoolArray
    collected: IntArray
    offset: FloatArray


def begin(leads: int) -> BlocksState:
    """Return the state of one bed before the first stride of an epoch."""
    return BlocksState(
        mv=np.zeros((1, BLOCK, leads)),
        invalid=np.zeros((1, BLOCK, leads), np.bool_),
        collected=np.zeros(1, np.int64),
        offset=np.full((1, leads), np.nan),
    )


def step(state: BlocksState, strides: Strides) -> tuple[Blocks, BlocksState]:
    """Push strides of one bed and return the blocks that they complete, possibly none."""
    state = copied(state)
    rows = advance(state, single(strides))
    return Blocks(int(rows.start[0]), rows.mv[0], rows.invalid[0], rows.offset[0]), state


def advance(columns: BlocksState, batch: Batch) -> BlockRows:
    """Push strides of the beds of a batch, and change their slots of ``columns``."""
    beds, samples, leads = batch.mv.shape
    collected = columns.collected[batch.slots]
    count = (collected + samples) // BLOCK
    shape = (beds, int(count.max(initial=0)), BLOCK, leads)
    rows = BlockRows(
        count=count,
        start=batch.start - collected,
        mv=np.empty(shape),
        invalid=np.empty(shape, np.bool_),
        offset=np.empty((beds, leads)),
    )
    _advance(columns, batch, rows)
    return rows


def rows_of(blocks: Blocks) -> BlockRows:
    """Return the blocks of one bed as rows."""
    return BlockRows(
        np.array([len(blocks.mv)]), np.array([blocks.start]), blocks.mv[None], blocks.invalid[None], blocks.offset[None]
    )


@compiled
def _advance(columns: BlocksState, batch: Batch, rows: BlockRows) -> None:
    """Push strides of the beds of a batch, in place, and fill ``rows`` but for ``count`` and ``start``."""
    for bed in range(len(batch.slots)):
        slot, block = batch.slots[bed], 0
        collected = columns.collected[slot]
        for first in range(0, batch.mv.shape[1], STRIDE):
            for lead in range(batch.mv.shape[2]):
                offset = columns.offset[slot, lead]
                for i in range(STRIDE):
                    mv, invalid = batch.mv[bed, first + i, lead], batch.invalid[bed, first + i, lead]
                    if math.isnan(offset) and not invalid:
                        offset = mv
                    columns.mv[slot, collected + i, lead] = 0.0 if math.isnan(offset) else mv - offset
                    columns.invalid[slot, collected + i, lead] = invalid
                columns.offset[slot, lead] = rows.offset[bed, lead] = offset
            collected += STRIDE
            if collected == BLOCK:
                copy(columns.mv[slot], rows.mv[bed, block])
                copy(columns.invalid[slot], rows.invalid[bed, block])
                block, collected = block + 1, 0
        columns.collected[slot] = collected
