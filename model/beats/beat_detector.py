"""Streaming detection and classification of beats.

The QRS detector and the samples around each beat (`model.beats.beat_window`) take every stride; everything else is done
once per beat.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from model.beats import beat_window, classifier, p_wave, resemblance
from model.beats import qrs_detector as qrs
from model.beats.beat import Beat
from model.beats.beat_window import BeatWindow, WindowState
from model.beats.classifier import BeatClassifier, ClassifierState
from model.beats.p_wave import PWaveState
from model.beats.qrs_state import QrsState
from model.beats.templates import PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import BoolArray, FloatArray
from model.signal.intake import Strides
from stream.wire.messages import BeatType

MAX_INVALID = 0.1
"""Largest share of invalid samples around a beat in a valid lead."""


@dataclass(frozen=True, slots=True)
class BeatsState:
    """State carried from step to step.

    Attributes
    ----------
    qrs : QrsState
    window : WindowState
    classifier_state : ClassifierState
    shapes : ndarray, shape (1, 2, leads, n), mV
        Shapes of the last beats, see `model.beats.resemblance`.
    p_wave : PWaveState
    """

    qrs: QrsState
    window: WindowState
    classifier_state: ClassifierState
    shapes: FloatArray
    p_wave: PWaveState


def begin(start: int, leads: int) -> BeatsState:
    """Return the state before the first sample, which has index ``start``."""
    return BeatsState(
        qrs=qrs.begin(start, leads),
        window=beat_window.begin(start, leads),
        classifier_state=classifier.begin(leads),
        shapes=resemblance.begin(leads),
        p_wave=p_wave.begin(leads),
    )


def after_gap(state: BeatsState, start: int) -> BeatsState:
    """Return the state after lost samples, before sample ``start``: what was learned of the patient's beats is kept."""
    leads = state.window.samples.shape[2]
    return replace(
        state,
        qrs=qrs.after_gap(state.qrs, start),
        window=beat_window.begin(start, leads),
        shapes=resemblance.begin(leads),
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
    complete, window = beat_window.step(state.window, strides, detected)
    state = replace(state, qrs=qrs_state, window=window)
    beats = []
    for beat in complete:
        reported, state = _classify(beat_classifier, state, beat)
        beats.append(reported)
    return tuple(beats), state


def _classify(beat_classifier: BeatClassifier, state: BeatsState, beat: BeatWindow) -> tuple[Beat, BeatsState]:
    """Return the type of a beat, its resemblance to the last ones and the consistency of the P wave."""
    piece, valid = cut_piece(beat.samples, beat.invalid, beat_window.BEFORE)
    kind: BeatType = "Q"
    classifier_state = state.classifier_state
    if valid.any():
        kind, classifier_state = classifier.step(beat_classifier, classifier_state, piece, valid, beat.rr)
    similar, shapes = resemblance.step(state.shapes, piece, valid)
    around = slice(beat_window.BEFORE - p_wave.PIECE_BEFORE, beat_window.BEFORE + p_wave.PIECE_AFTER + 1)
    all_valid = np.asarray(~beat.invalid[around].any(axis=0))
    p_wave_state = p_wave.step(state.p_wave, beat.samples[around], all_valid, beat.rr, kind == "V")
    reported = Beat(beat.index, beat.at, kind, beat.rr, resemblance=similar, p_wave=p_wave_state.consistency)
    return reported, replace(state, classifier_state=classifier_state, shapes=shapes, p_wave=p_wave_state)


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
