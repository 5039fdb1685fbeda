"""Groups strides into blocks of half a second.

Signal quality and ventricular fibrillation are measured over windows of 2 s or more. For them half a second is short
enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.columns import copied
from model.signal.compiled import compiled
from model.signal.intake import Strides
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
    """Return the state before the first stride of an epoch."""
    return BlocksState(
        mv=np.zeros((1, BLOCK, leads)),
        invalid=np.zeros((1, BLOCK, leads), np.bool_),
        collected=np.zeros(1, np.int64),
        offset=np.full((1, leads), np.nan),
    )


def step(state: BlocksState, strides: Strides) -> tuple[Blocks, BlocksState]:
    """Push strides of one bed and return the blocks that they complete, possibly none."""
    before, leads = int(state.collected[0]), state.mv.shape[2]
    shape = (1, (before + len(strides.mv)) // BLOCK, BLOCK, leads)
    whole, missing = np.empty(shape), np.empty(shape, np.bool_)
    state = copied(state)
    _advance(state, strides.mv[None], strides.invalid[None], whole, missing, np.empty(1, np.int64))
    return Blocks(strides.start - before, whole[0], missing[0], state.offset[0]), state


@compiled
def _advance(
    state: BlocksState, mv: FloatArray, invalid: BoolArray, whole: FloatArray, missing: BoolArray, blocks: IntArray
) -> None:
    """Push strides of beds, and change ``state``.

    Parameters
    ----------
    state : BlocksState
    mv, invalid : ndarray, shape (beds, n, leads)
    whole, missing : ndarray, shape (beds, k, BLOCK, leads)
        Result: the samples of the blocks that are complete, and which are invalid.
    blocks : ndarray of int64, shape (beds,)
        Result: the number of these blocks.
    """
    beds, samples, leads = mv.shape
    for bed in range(beds):
        blocks[bed] = 0
        for sample in range(samples):
            row = state.collected[bed]
            for lead in range(leads):
                if np.isnan(state.offset[bed, lead]) and not invalid[bed, sample, lead]:
                    state.offset[bed, lead] = mv[bed, sample, lead]
                above = mv[bed, sample, lead] - state.offset[bed, lead]
                state.mv[bed, row, lead] = 0.0 if np.isnan(above) else above
                state.invalid[bed, row, lead] = invalid[bed, sample, lead]
            state.collected[bed] = row + 1
            if state.collected[bed] == BLOCK:
                whole[bed, blocks[bed]] = state.mv[bed]
                missing[bed, blocks[bed]] = state.invalid[bed]
                blocks[bed] += 1
                state.collected[bed] = 0
