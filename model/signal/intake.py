"""The intake of one bed: chunks of any length in, whole strides with gaps filled out.

All stages of the analysis take strides from here, so none of them cuts, skips or fills on its own, and the analysis of
a signal is the same however it was cut into chunks.

- Strides of 36 samples (100 ms) lie on a grid that counts from the epoch's first sample. A bed that is joined between
  two points of the grid loses the samples before the next one.
- A stride that is not complete waits for its last sample, at most 100 ms. What remains at the end of an epoch, below
  one stride, is not analysed.
- An invalid sample (NaN) holds the last valid one of its lead, or 0 mV where there was none; a mask tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.signal.arrays import BoolArray, FloatArray
from model.signal.gaps import hold
from stream.timebase import STRIDE


@dataclass(frozen=True, slots=True)
class Strides:
    """Whole strides of one bed.

    Attributes
    ----------
    start : int
        Index of the first sample, on the grid.
    mv : ndarray, shape (k * STRIDE, leads), mV
        Finite. Nobody else writes to it.
    invalid : ndarray of bool, shape (k * STRIDE, leads)
        Samples that were not valid, and hold another one.
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


@dataclass(frozen=True, slots=True)
class IntakeState:
    """Where the intake stands.

    Attributes
    ----------
    end : int
        Index after the last sample received.
    skip : int
        Samples still to be dropped before the grid begins.
    rest : ndarray, shape (r, leads), mV
        Samples that wait for the end of their stride, NaN where invalid; r is below ``STRIDE``.
    held : ndarray, shape (leads,), mV
        The last valid sample before ``rest``; 0 where there was none.
    """

    end: int
    skip: int
    rest: FloatArray
    held: FloatArray

    @property
    def next_stride(self) -> int:
        """Index of the first sample of the next stride."""
        return self.end + self.skip - len(self.rest)


def begin(leads: int, start: int, epoch_start: int) -> IntakeState:
    """Return the state before the first sample, ``start``, of a bed in an epoch that began at ``epoch_start``."""
    return IntakeState(start, (epoch_start - start) % STRIDE, np.empty((0, leads)), np.zeros(leads))


def step(state: IntakeState, mv: FloatArray) -> tuple[Strides, IntakeState]:
    """Push samples, and return the strides that they complete.

    Parameters
    ----------
    state : IntakeState
    mv : ndarray of float64, shape (n, leads), mV
        NaN where invalid; any n. The samples from ``state.end`` on.

    Returns
    -------
    strides : Strides
        Which may be none.
    state : IntakeState

    Raises
    ------
    ValueError
        The samples have another number of leads than the bed.
    """
    leads = len(state.held)
    if mv.ndim != 2 or mv.shape[1] != leads:
        raise ValueError(f"a chunk of shape {mv.shape} does not fit a bed with {leads} leads")
    skipped = min(state.skip, len(mv))
    waiting = np.concatenate([state.rest, mv[skipped:]])
    n = len(waiting) // STRIDE * STRIDE
    filled, held = hold(waiting[:n], state.held)
    strides = Strides(state.next_stride, filled, ~np.isfinite(waiting[:n]))
    return strides, IntakeState(state.end + len(mv), state.skip - skipped, waiting[n:].copy(), held)


def strides_of(mv: FloatArray, start: int = 0) -> Strides:
    """Return a recording, or a part of one that begins on the grid, as whole strides.

    Parameters
    ----------
    mv : ndarray of float64, shape (n, leads), mV
        NaN where invalid.
    start : int
        Index of its first sample.
    """
    strides, _ = step(begin(mv.shape[1], start, start), mv)
    return strides
