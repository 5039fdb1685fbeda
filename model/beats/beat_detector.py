"""Streaming detection and classification of beats.

The QRS detector and the samples around each beat (`model.beats.beat_window`) take every stride; everything else is done
once per beat.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.beats import beat_window, broad_beats, classifier, p_wave, resemblance
from model.beats import qrs_detector as qrs
from model.beats.beat import VENTRICULAR, Beat, BeatRows, from_rows
from model.beats.beat_window import WindowRows, WindowState
from model.beats.classifier import BeatClassifier, ClassifierState
from model.beats.p_wave import PWaveState
from model.beats.qrs_detector import QrsRows
from model.beats.qrs_state import QrsState
from model.beats.resemblance import EARLIER_BEATS
from model.beats.templates import PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.batch import Batch, Strides, single
from model.signal.columns import copied
from model.signal.compiled import compiled

MAX_INVALID = 0.1
"""Largest share of invalid samples around a beat in a valid lead."""

PIECE = PIECE_BEFORE + 1 + PIECE_AFTER
"""Samples of a beat that are classified."""

P_FIRST = beat_window.BEFORE - p_wave.PIECE_BEFORE
"""First sample of a window in which the P wave is searched."""

P_STOP = beat_window.BEFORE + p_wave.PIECE_AFTER + 1
"""End of these samples."""


class BeatsState(NamedTuple):
    """State carried from step to step; columns over beds.

    Attributes
    ----------
    qrs : QrsState
    window : WindowState
    classifier_state : ClassifierState
    shapes : ndarray, shape (beds, EARLIER_BEATS, leads, n), mV
        Shapes of the last beats, see `model.beats.resemblance`.
    broad_run : ndarray of bool, shape (beds,)
        Whether the last beat was broad and fast, see `model.beats.broad_beats`.
    p_wave : PWaveState
    """

    qrs: QrsState
    window: WindowState
    classifier_state: ClassifierState
    shapes: FloatArray
    broad_run: BoolArray
    p_wave: PWaveState


def begin(start: int, leads: int) -> BeatsState:
    """Return the state of one bed before the first sample, which has index ``start``."""
    return BeatsState(
        qrs=qrs.begin(start, leads),
        window=beat_window.begin(start, leads),
        classifier_state=classifier.begin(leads),
        shapes=resemblance.begin(leads),
        broad_run=np.zeros(1, np.bool_),
        p_wave=p_wave.begin(leads),
    )


def after_gap(state: BeatsState, start: int) -> BeatsState:
    """Return the state after lost samples, before sample ``start``: what was learned of the patient's beats is kept."""
    leads = state.window.samples.shape[2]
    return state._replace(
        qrs=qrs.after_gap(state.qrs, start),
        window=beat_window.begin(start, leads),
        shapes=resemblance.begin(leads),
        broad_run=np.zeros(1, np.bool_),
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
    state = copied(state)
    rows, *_ = advance(beat_classifier, state, single(strides))
    (beats,) = from_rows(rows)
    return beats, state


def advance(beat_classifier: BeatClassifier, columns: BeatsState, batch: Batch) -> tuple[BeatRows, QrsRows, WindowRows]:
    """Push the strides of the beds of a batch, and change their slots of ``columns``.

    Returns
    -------
    beats : BeatRows
        The reported beats.
    weak : QrsRows
        Weak complexes, see `model.beats.qrs_detector`.
    windows : WindowRows
        The samples around each beat, in the order of the beats.
    """
    detected, weak = qrs.advance(columns.qrs, batch)
    windows = beat_window.advance(columns.window, batch, detected)
    n, leads = len(windows.at), batch.mv.shape[2]
    beats = BeatRows(
        first=windows.first,
        r_peak=windows.r_peak,
        at=windows.at,
        kind=np.empty(n, np.int64),
        rr=windows.rr,
        resemblance=np.empty((n, EARLIER_BEATS)),
        p_wave=np.empty(n),
    )
    if n:
        slots = np.repeat(batch.slots, np.diff(windows.first))
        rr = np.where(windows.rr < 0, np.nan, windows.rr)
        piece, valid = np.empty((n, PIECE, leads)), np.empty((n, leads), np.bool_)
        _cut_pieces(windows, piece, valid)
        _compare(columns.shapes, slots, piece, valid, beats)
        learned = columns.classifier_state.patient.beats
        broad = broad_beats.mark(columns.broad_run, learned, slots, piece, valid, rr, beats.resemblance)
        to_learn = valid & ~broad[:, None]
        beats.kind[:] = classifier.push_beats(beat_classifier, columns.classifier_state, slots, piece, to_learn, rr)
        beats.kind[broad] = VENTRICULAR
        _find_p_waves(columns.p_wave, slots, windows, rr, beats)
    return beats, weak, windows


@compiled
def _cut_pieces(windows: WindowRows, piece: FloatArray, valid: BoolArray) -> None:
    for row in range(len(piece)):
        cut_piece(windows.samples[row], windows.invalid[row], beat_window.BEFORE, piece[row], valid[row])


@compiled
def _compare(shapes: FloatArray, slots: IntArray, piece: FloatArray, valid: BoolArray, beats: BeatRows) -> None:
    """Compare beats with the last ones, in place; fill their resemblance."""
    for row in range(len(slots)):
        resemblance.push_beat(shapes, slots[row], piece[row], valid[row], beats.resemblance[row])


@compiled
def _find_p_waves(p_waves: PWaveState, slots: IntArray, windows: WindowRows, rr: FloatArray, beats: BeatRows) -> None:
    """Compare the P waves of beats with the mean one, in place; fill their consistency."""
    p_valid = np.empty(windows.invalid.shape[2], np.bool_)
    for row in range(len(slots)):
        slot, samples, invalid = slots[row], windows.samples[row], windows.invalid[row]
        for lead in range(len(p_valid)):
            p_valid[lead] = True
            for i in range(P_FIRST, P_STOP):
                p_valid[lead] = p_valid[lead] and not invalid[i, lead]
        ventricular = beats.kind[row] == VENTRICULAR
        p_wave.push_beat(p_waves, slot, samples[P_FIRST:P_STOP], p_valid, rr[row], ventricular)
        beats.p_wave[row] = p_wave.consistency(p_waves, slot)


@compiled
def cut_piece(samples: FloatArray, invalid: BoolArray, r: int, piece: FloatArray, valid: BoolArray) -> None:
    """Cut out the samples around a beat, and find out which leads are valid.

    Where a lead is invalid at the start of the piece, its first valid sample is used: the fill value from before the
    piece may lie on another baseline.

    Parameters
    ----------
    samples : ndarray, shape (n, leads), mV
        Gaps filled with the last valid sample.
    invalid : ndarray of bool, of the same shape
    r : int
        Row of the R peak, with at least PIECE_BEFORE samples before and PIECE_AFTER after it.
    piece : ndarray, shape (PIECE, leads)
        Receives the samples; 0 in leads that are not valid.
    valid : ndarray of bool, shape (leads,)
        Receives which leads are valid.
    """
    start = r - PIECE_BEFORE
    for lead in range(len(valid)):
        missing, first = 0, -1
        for i in range(PIECE):
            if invalid[start + i, lead]:
                missing += 1
            elif first < 0:
                first = i
        valid[lead] = missing / PIECE <= MAX_INVALID
        for i in range(PIECE):
            piece[i, lead] = samples[start + max(i, first), lead] if valid[lead] else 0.0
