"""Whole strides of one bed, and of beds that step together: a batch.

The state of a stage is columns whose first axis is the slots of all beds; a batch names those that step, and holds
their samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray
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


class Batch(NamedTuple):
    """Whole strides of some beds, equally many of each.

    Attributes
    ----------
    slots : ndarray of int64, shape (beds,)
        Slot of each bed in the columns of the stages, each at most once.
    start : ndarray of int64, shape (beds,)
        Index of the first sample, on the stride grid.
    mv : ndarray, shape (beds, strides * STRIDE, leads), mV
        Finite; contiguous.
    invalid : ndarray of bool, of the same shape
        Samples that were invalid and have been replaced.
    """

    slots: IntArray
    start: IntArray
    mv: FloatArray
    invalid: BoolArray

    @property
    def strides(self) -> int:
        """Strides of each bed."""
        return int(self.mv.shape[1]) // STRIDE

    @property
    def last_samples(self) -> IntArray:
        """Index of the last sample of each stride, shape (beds, strides)."""
        return self.start[:, None] + np.arange(STRIDE - 1, self.mv.shape[1], STRIDE)


def single(strides: Strides) -> Batch:
    """Return the strides of one bed, whose columns have one slot."""
    mv, invalid = np.ascontiguousarray(strides.mv), np.ascontiguousarray(strides.invalid)
    return Batch(np.zeros(1, np.int64), np.array([strides.start]), mv[None], invalid[None])
