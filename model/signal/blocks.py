"""Groups strides into blocks of half a second.

Signal quality and ventricular fibrillation are measured over windows of 2 s or more. For them half a second is short
enough, and processing blocks costs a fifth of processing single strides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.signal.arrays import BoolArray, FloatArray
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


@dataclass(frozen=True, slots=True)
class BlocksState:
    """The incomplete block.

    Attributes
    ----------
    pending : ndarray, shape (r * STRIDE, leads), mV
        Strides of the incomplete block; r is below ``STRIDES_PER_BLOCK``.
    invalid : ndarray of bool, of the same shape
    offset : ndarray, shape (leads,), mV
        As in `Blocks`.
    """

    pending: FloatArray
    invalid: BoolArray
    offset: FloatArray


def begin(leads: int) -> BlocksState:
    """Return the state before the first stride of an epoch."""
    return BlocksState(np.empty((0, leads)), np.empty((0, leads), np.bool_), np.full(leads, np.nan))


def step(state: BlocksState, strides: Strides) -> tuple[Blocks, BlocksState]:
    """Push strides and return the blocks that they complete, possibly none."""
    mv = np.concatenate([state.pending, strides.mv])
    invalid = np.concatenate([state.invalid, strides.invalid])
    n, leads = len(mv) // BLOCK * BLOCK, mv.shape[1]
    whole, missing = mv[:n], invalid[:n]
    offset = state.offset
    if n and np.isnan(offset).any():
        known = np.logical_or.accumulate(~missing, axis=0) | ~np.isnan(offset)
        first = whole[(~missing).argmax(axis=0), np.arange(leads)]
        offset = np.where(np.isnan(offset) & known[-1], first, offset)
        whole = np.where(known, whole - offset, 0.0)
    else:
        whole = whole - offset
    shape = (n // BLOCK, BLOCK, leads)
    blocks = Blocks(strides.start - len(state.pending), whole.reshape(shape), missing.reshape(shape), offset)
    return blocks, BlocksState(mv[n:].copy(), invalid[n:].copy(), offset)
