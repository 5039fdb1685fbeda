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

import numpy as np

from model.signal.arrays import BoolArray, FloatArray
from model.signal.gaps import fill_gaps
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


@dataclass(frozen=True, slots=True)
class IntakeState:
    """Samples and positions carried from chunk to chunk.

    Attributes
    ----------
    end : int
        Index after the last sample received.
    skip : int
        Samples still to be dropped before the first stride.
    pending : ndarray, shape (r, leads), mV
        Samples of the incomplete stride, NaN where invalid; r is below ``STRIDE``.
    last_valid : ndarray, shape (leads,), mV
        Last valid sample before ``pending``; 0 where there was none.
    """

    end: int
    skip: int
    pending: FloatArray
    last_valid: FloatArray

    @property
    def next_stride(self) -> int:
        """Index of the first sample of the next stride."""
        return self.end + self.skip - len(self.pending)


def begin(leads: int, start: int, epoch_start: int) -> IntakeState:
    """Return the state before sample ``start``, the first received, of an epoch that began at ``epoch_start``."""
    return IntakeState(start, (epoch_start - start) % STRIDE, np.empty((0, leads)), np.zeros(leads))


def step(state: IntakeState, mv: FloatArray) -> tuple[Strides, IntakeState]:
    """Push samples and return the strides that they complete.

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
    leads = len(state.last_valid)
    if mv.ndim != 2 or mv.shape[1] != leads:
        raise ValueError(f"a chunk of shape {mv.shape} does not fit a bed with {leads} leads")
    skipped = min(state.skip, len(mv))
    samples = np.concatenate([state.pending, mv[skipped:]])
    n = len(samples) // STRIDE * STRIDE
    filled, last_valid = fill_gaps(samples[:n], state.last_valid)
    strides = Strides(state.next_stride, filled, ~np.isfinite(samples[:n]))
    return strides, IntakeState(state.end + len(mv), state.skip - skipped, samples[n:].copy(), last_valid)


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
    missing = -len(state.pending) % STRIDE
    strides, _ = step(state, np.full((missing, state.pending.shape[1]), np.nan))
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
