"""Heartbeats, found and typed as the signal comes in: (state, chunk) in, (beats, state) out.

A beat is told at a sample that its own R peak and its detection fix, so cutting the signal into other chunks changes
nothing; changing its future neither.
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
from model.signal.gaps import hold
from model.signal.state_codec import pack, unpack
from stream.wire.messages import BeatType

TAIL = PIECE_BEFORE + qrs.LATEST
"""Samples of the past that a beat may need when it is told."""

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
        Signal quality around the beat, 0 to 1.
    """

    index: int
    at: int
    type: BeatType
    rr: int | None
    quality: float


@dataclass(frozen=True, slots=True)
class BeatsState:
    """All that is carried from chunk to chunk.

    Attributes
    ----------
    end : int
        Index after the last sample.
    tail : ndarray, shape (TAIL, leads)
        The last samples in mV, NaN where invalid and before the first.
    waiting : tuple of Qrs
        Found, and not typed yet because the samples after them are missing.
    last : int or None
        The last R peak that was typed.
    qrs : QrsState
    typing : TypingState
    """

    end: int
    tail: FloatArray
    waiting: tuple[Qrs, ...]
    last: int | None
    qrs: QrsState
    typing: TypingState

    def to_bytes(self) -> bytes:
        """Return the state as MessagePack."""
        return pack(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> BeatsState:
        """Return the state that `to_bytes` wrote.

        Raises
        ------
        StorageError
            The bytes are no such state.
        """
        return unpack(data, cls)


def begin(start: int, leads: int) -> BeatsState:
    """Return the state before the first sample, whose index is ``start``."""
    return BeatsState(
        end=start,
        tail=np.full((TAIL, leads), np.nan),
        waiting=(),
        last=None,
        qrs=qrs.begin(start, leads),
        typing=classifier.begin(leads),
    )


def step(
    typer: BeatTyper, state: BeatsState, mv: FloatArray, quality: float = 1.0
) -> tuple[tuple[Beat, ...], BeatsState]:
    """Take new samples of one bed.

    Parameters
    ----------
    typer : BeatTyper
    state : BeatsState
    mv : ndarray of float64, shape (n, leads)
        mV; NaN where invalid.
    quality : float
        Signal quality, 0 to 1, that the beats of this chunk are given.

    Returns
    -------
    tuple of Beat
        The beats that became known, in order.
    state : BeatsState
    """
    found, qrs_state = qrs.step(state.qrs, mv)
    samples = np.concatenate([state.tail, mv])
    end = state.end + len(mv)
    waiting = [*state.waiting, *found]
    first = end - len(samples)
    typing, last = state.typing, state.last
    beats = []
    while waiting and end > (at := max(waiting[0].at, waiting[0].index + PIECE_AFTER)):
        index = waiting.pop(0).index
        rr = None if last is None else index - last
        piece, valid = piece_of(samples, index - first)
        kind: BeatType = "Q"
        if valid.any():
            kind, typing = classifier.step(typer, typing, piece, valid, rr)
        beats.append(Beat(index, at, kind, rr, quality))
        last = index
    state = BeatsState(
        end=end, tail=samples[-TAIL:].copy(), waiting=tuple(waiting), last=last, qrs=qrs_state, typing=typing
    )
    return tuple(beats), state


def piece_of(samples: FloatArray, r: int) -> tuple[FloatArray, BoolArray]:
    """Return the samples around a beat, without NaN, and which leads may be believed.

    Parameters
    ----------
    samples : ndarray, shape (n, leads)
        mV; NaN where invalid.
    r : int
        The R peak, PIECE_BEFORE samples after the first or later, and PIECE_AFTER before the last or earlier.

    Returns
    -------
    piece : ndarray, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads)
        A lead that may not be believed is 0.
    valid : ndarray of bool, shape (leads,)
    """
    piece = samples[r - PIECE_BEFORE : r + PIECE_AFTER + 1]
    invalid = np.isnan(piece)
    if not invalid.any():
        return piece, np.ones(piece.shape[1], np.bool_)
    valid = invalid.mean(axis=0) <= MOST_INVALID
    earliest = piece[(~invalid).argmax(axis=0), np.arange(piece.shape[1])]
    held, _ = hold(piece, earliest)
    return np.where(valid, held, 0.0), valid
