"""Streaming detection and classification of beats.

The sample at which a beat is reported depends only on its R peak and on its detection, so later samples change
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from model.beats import classifier, p_wave, resemblance
from model.beats import qrs_detector as qrs
from model.beats.classifier import BeatClassifier, ClassifierState
from model.beats.p_wave import PWaveState
from model.beats.qrs_detector import Qrs, QrsState
from model.beats.templates import PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import BoolArray, FloatArray
from model.signal.intake import Strides
from stream.wire.messages import BeatType

HISTORY = max(PIECE_BEFORE, p_wave.PIECE_BEFORE) + qrs.MAX_REPORT_DELAY
"""Earlier samples needed when a beat is reported."""

MAX_INVALID = 0.1
"""Largest share of invalid samples around a beat in a valid lead."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat.

    Attributes
    ----------
    index : int
        Sample of the R peak, counted from the start of the session.
    at : int
        Last sample observed when the beat was reported, at most 72 (200 ms) after ``index``.
    type : str
        ``N``, ``S``, ``V`` or ``Q``, as in `stream.wire.messages.Beat`.
    rr : int or None
        RR interval before the beat, samples; None for the first beat.
    quality : float
        Signal quality around the beat, 0 to 1; the detector leaves it at 1.
    resemblance : tuple of float
        Correlation with the last beat and with the one before, see `model.beats.resemblance`; shorter after the start.
    p_wave : float or None
        Consistency of the P wave over the last beats, -1 to 1, see `model.beats.p_wave`; None until it is known.
    """

    index: int
    at: int
    type: BeatType
    rr: int | None
    quality: float = 1.0
    resemblance: tuple[float, ...] = ()
    p_wave: float | None = None


@dataclass(frozen=True, slots=True)
class BeatsState:
    """State carried from step to step.

    Attributes
    ----------
    recent_samples : ndarray, shape (HISTORY, leads), mV
        Last samples, gaps filled; 0 before the first sample.
    invalid : ndarray of bool, of the same shape
        True before the first sample.
    unclassified : tuple of Qrs
        Detected beats that are not classified yet, because the samples after them are missing.
    last_index : int or None
        R peak of the last classified beat.
    qrs : QrsState
    classifier_state : ClassifierState
    shapes : ndarray, shape (up to 2, leads, n), mV
        Shapes of the last beats, see `model.beats.resemblance`.
    p_wave : PWaveState
    """

    recent_samples: FloatArray
    invalid: BoolArray
    unclassified: tuple[Qrs, ...]
    last_index: int | None
    qrs: QrsState
    classifier_state: ClassifierState
    shapes: FloatArray
    p_wave: PWaveState


def begin(start: int, leads: int) -> BeatsState:
    """Return the state before the first sample, which has index ``start``."""
    return BeatsState(
        recent_samples=np.zeros((HISTORY, leads)),
        invalid=np.ones((HISTORY, leads), np.bool_),
        unclassified=(),
        last_index=None,
        qrs=qrs.begin(start, leads),
        classifier_state=classifier.begin(leads),
        shapes=resemblance.begin(leads),
        p_wave=p_wave.begin(leads),
    )


def after_gap(state: BeatsState, start: int) -> BeatsState:
    """Return the state after lost samples, before sample ``start``: what was learned of the patient's beats is kept."""
    return replace(
        begin(start, state.recent_samples.shape[1]),
        qrs=qrs.after_gap(state.qrs, start),
        classifier_state=state.classifier_state,
        p_wave=state.p_wave,
    )


def step(beat_classifier: BeatClassifier, state: BeatsState, strides: Strides) -> tuple[tuple[Beat, ...], BeatsState]:
    """Push the next strides of one bed.

    Parameters
    ----------
    beat_classifier : BeatClassifier
    state : BeatsState
    strides : Strides

    Returns
    -------
    tuple of Beat
        The reported beats, in order.
    state : BeatsState
    """
    detected, qrs_state = qrs.step(state.qrs, strides)
    samples = np.concatenate([state.recent_samples, strides.mv])
    invalid = np.concatenate([state.invalid, strides.invalid])
    first = strides.start - HISTORY
    unclassified = [*state.unclassified, *detected]
    classifier_state, last_index = state.classifier_state, state.last_index
    p_wave_state, shapes = state.p_wave, state.shapes
    beats = []
    while unclassified and strides.end > (at := max(unclassified[0].at, unclassified[0].index + PIECE_AFTER)):
        index = unclassified.pop(0).index
        rr = None if last_index is None else index - last_index
        piece, valid = cut_piece(samples, invalid, index - first)
        kind: BeatType = "Q"
        if valid.any():
            kind, classifier_state = classifier.step(beat_classifier, classifier_state, piece, valid, rr)
        similar, shapes = resemblance.step(shapes, piece, valid)
        around = slice(index - first - p_wave.PIECE_BEFORE, index - first + p_wave.PIECE_AFTER + 1)
        p_wave_state = p_wave.step(
            p_wave_state, samples[around], np.asarray(~invalid[around].any(axis=0)), rr, kind == "V"
        )
        beats.append(Beat(index, at, kind, rr, resemblance=similar, p_wave=p_wave_state.consistency))
        last_index = index
    state = BeatsState(
        samples[-HISTORY:].copy(),
        invalid[-HISTORY:].copy(),
        tuple(unclassified),
        last_index,
        qrs_state,
        classifier_state,
        shapes,
        p_wave_state,
    )
    return tuple(beats), state


def cut_piece(samples: FloatArray, invalid: BoolArray, r: int) -> tuple[FloatArray, BoolArray]:
    """Return the samples around a beat and which leads are valid.

    Where a lead is invalid at the start of the piece, its first valid sample is used: the fill value from before the
    piece may lie on another baseline.

    Parameters
    ----------
    samples : ndarray, shape (n, leads), mV
        Gaps filled with the last valid sample.
    invalid : ndarray of bool, of the same shape
    r : int
        Row of the R peak, with at least PIECE_BEFORE samples before and PIECE_AFTER after it.

    Returns
    -------
    piece : ndarray, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads)
        0 in leads that are not valid.
    valid : ndarray of bool, shape (leads,)
    """
    around = slice(r - PIECE_BEFORE, r + PIECE_AFTER + 1)
    piece, piece_invalid = samples[around], invalid[around]
    if not piece_invalid.any():
        return piece, np.ones(piece.shape[1], np.bool_)
    valid = piece_invalid.mean(axis=0) <= MAX_INVALID
    first = piece[(~piece_invalid).argmax(axis=0), np.arange(piece.shape[1])]
    has_begun = np.logical_or.accumulate(~piece_invalid, axis=0)
    return np.where(valid, np.where(has_begun, piece, first), 0.0), valid
