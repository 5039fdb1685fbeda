"""Heartbeats, found and classified as the signal comes in.

A beat becomes known at a sample that its own R peak and its detection fix, so changing the future of a signal changes
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.beats import classifier
from model.beats import qrs_detector as qrs
from model.beats.classifier import BeatTyper, TypingState
from model.beats.qrs_detector import Qrs, QrsState
from model.beats.templates import PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import BoolArray, FloatArray
from model.signal.intake import Strides
from stream.wire.messages import BeatType

TAIL = PIECE_BEFORE + qrs.LATEST
"""Samples of the past that a beat may need when it becomes known."""

MOST_INVALID = 0.1
"""Share of invalid samples around a beat above which a lead does not count."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat.

    Attributes
    ----------
    index : int
        Sample of the R peak, counted since the session began.
    at : int
        The last sample that was observed when it became known, at most 72 (200 ms) after ``index``.
    type : str
        ``N``, ``S``, ``V`` or ``Q``, as in `stream.wire.messages.Beat`.
    rr : int or None
        Samples since the R peak before; None where none is known.
    quality : float
        Signal quality around the beat, 0 to 1; the detector alone does not know it.
    """

    index: int
    at: int
    type: BeatType
    rr: int | None
    quality: float = 1.0


@dataclass(frozen=True, slots=True)
class BeatsState:
    """All that is carried from step to step.

    Attributes
    ----------
    tail : ndarray, shape (TAIL, leads), mV
        The last samples, gaps filled; 0 before the first.
    invalid : ndarray of bool, of the same shape
        True before the first sample.
    waiting : tuple of Qrs
        Found, and not classified yet because the samples after them are missing.
    last : int or None
        The last R peak that was classified.
    qrs : QrsState
    typing : TypingState
    """

    tail: FloatArray
    invalid: BoolArray
    waiting: tuple[Qrs, ...]
    last: int | None
    qrs: QrsState
    typing: TypingState


def begin(start: int, leads: int) -> BeatsState:
    """Return the state before the first sample, whose index is ``start``."""
    return BeatsState(
        tail=np.zeros((TAIL, leads)),
        invalid=np.ones((TAIL, leads), np.bool_),
        waiting=(),
        last=None,
        qrs=qrs.begin(start, leads),
        typing=classifier.begin(leads),
    )


def step(typer: BeatTyper, state: BeatsState, strides: Strides) -> tuple[tuple[Beat, ...], BeatsState]:
    """Push the next strides of one bed.

    Parameters
    ----------
    typer : BeatTyper
    state : BeatsState
    strides : Strides

    Returns
    -------
    tuple of Beat
        The beats that became known, in order.
    state : BeatsState
    """
    found, qrs_state = qrs.step(state.qrs, strides)
    samples = np.concatenate([state.tail, strides.mv])
    invalid = np.concatenate([state.invalid, strides.invalid])
    first = strides.start - TAIL
    waiting = [*state.waiting, *found]
    typing, last = state.typing, state.last
    beats = []
    while waiting and strides.end > (at := max(waiting[0].at, waiting[0].index + PIECE_AFTER)):
        index = waiting.pop(0).index
        rr = None if last is None else index - last
        piece, valid = piece_of(samples, invalid, index - first)
        kind: BeatType = "Q"
        if valid.any():
            kind, typing = classifier.step(typer, typing, piece, valid, rr)
        beats.append(Beat(index, at, kind, rr))
        last = index
    state = BeatsState(samples[-TAIL:].copy(), invalid[-TAIL:].copy(), tuple(waiting), last, qrs_state, typing)
    return tuple(beats), state


def piece_of(samples: FloatArray, invalid: BoolArray, r: int) -> tuple[FloatArray, BoolArray]:
    """Return the samples around a beat, and which leads are valid there.

    A lead that is invalid at the start of the piece begins with its first valid sample: what it held before the piece
    may lie on another baseline.

    Parameters
    ----------
    samples : ndarray, shape (n, leads), mV
        Gaps filled with the last valid sample.
    invalid : ndarray of bool, of the same shape
    r : int
        The R peak, PIECE_BEFORE samples after the first or later, and PIECE_AFTER before the last or earlier.

    Returns
    -------
    piece : ndarray, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads)
        A lead that is not valid is 0.
    valid : ndarray of bool, shape (leads,)
    """
    around = slice(r - PIECE_BEFORE, r + PIECE_AFTER + 1)
    piece, missing = samples[around], invalid[around]
    if not missing.any():
        return piece, np.ones(piece.shape[1], np.bool_)
    valid = missing.mean(axis=0) <= MOST_INVALID
    first = piece[(~missing).argmax(axis=0), np.arange(piece.shape[1])]
    begun = np.logical_or.accumulate(~missing, axis=0)
    return np.where(valid, np.where(begun, piece, first), 0.0), valid
