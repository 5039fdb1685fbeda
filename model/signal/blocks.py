"""Samples as they come, cut into whole half seconds on the grid of the epoch, with nothing missing.

A piece that is not complete yet waits. So whatever works on whole pieces gives the same outputs however the signal was
cut into chunks. Half a second is short against what is measured on this grid, and five times cheaper than a stride.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.signal.arrays import BoolArray, FloatArray
from model.signal.gaps import hold
from stream.timebase import STRIDE

STRIDES = 5
"""Strides in a piece."""

PIECE = STRIDES * STRIDE
"""Samples in a piece: half a second."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Where the grid stands.

    Attributes
    ----------
    start : int
        Index of the first sample of the epoch.
    pieces : int
        Whole pieces taken.
    rest : ndarray, shape (r, leads), mV
        Samples that wait for their piece to be complete; r is below ``PIECE``.
    zero : ndarray, shape (leads,), mV
        The first valid sample of each lead, NaN until there is one. What is given back is counted from it, so that
        filters start from rest.
    last : ndarray, shape (leads,), mV
        The last valid sample, counted from ``zero``; 0 where there was none.
    """

    start: int
    pieces: int
    rest: FloatArray
    zero: FloatArray
    last: FloatArray

    @property
    def end(self) -> int:
        """Index after the last sample of the last whole piece."""
        return self.start + self.pieces * PIECE


def begin(start: int, leads: int) -> Intake:
    """Return the grid of an epoch whose first sample has the index ``start``."""
    return Intake(start, 0, np.empty((0, leads)), np.full(leads, np.nan), np.zeros(leads))


def take(intake: Intake, mv: FloatArray) -> tuple[FloatArray, BoolArray, Intake]:
    """Take samples, and give back the pieces that are complete.

    Parameters
    ----------
    mv : ndarray, shape (n, leads)
        NaN where invalid.

    Returns
    -------
    samples : ndarray, shape (k, PIECE, leads), mV
        Counted from ``intake.zero`` as it is afterwards. An invalid sample holds the last valid one, or 0 where there
        was none.
    invalid : ndarray of bool, of the same shape
    intake : Intake
    """
    waiting = np.concatenate([intake.rest, mv])
    k, leads = len(waiting) // PIECE, waiting.shape[1]
    raw, rest = waiting[: k * PIECE], waiting[k * PIECE :]
    invalid = np.isnan(raw)
    zero = intake.zero
    if k and np.isnan(zero).any():
        earliest = raw[(~invalid).argmax(axis=0), np.arange(leads)]
        zero = np.where(np.isnan(zero), earliest, zero)
    samples, last = hold(raw - zero, intake.last) if k else (raw, intake.last)
    shape = (k, PIECE, leads)
    intake = Intake(intake.start, intake.pieces + k, rest.copy(), zero, last)
    return samples.reshape(shape), invalid.reshape(shape), intake
