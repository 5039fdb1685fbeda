"""Cuts the samples around each detected beat out of the signal, as soon as they are complete.

A beat is complete at its detection, or, if that is later, when the samples after its R peak have arrived that its shape
needs. The sample at which it is reported depends only on its R peak and its detection, so later samples change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from model.beats import p_wave, templates
from model.beats.qrs_detector import MAX_REPORT_DELAY, Qrs
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.columns import copied
from model.signal.compiled import compiled
from model.signal.intake import Strides
from model.signal.small_arrays import shift
from stream.timebase import STRIDE

BEFORE = max(templates.PIECE_BEFORE, p_wave.PIECE_BEFORE)
"""Samples before the R peak that are cut out."""

AFTER = max(templates.PIECE_AFTER, p_wave.PIECE_AFTER)
"""Samples after the R peak that are cut out; at most `MAX_REPORT_DELAY`."""

HISTORY = BEFORE + MAX_REPORT_DELAY
"""Earlier samples needed when a beat is reported."""


class WindowState(NamedTuple):
    """State carried from step to step: columns over beds.

    One beat at most is incomplete: a beat is complete 20 samples after its detection at the latest, and the next one is
    detected at least 45 samples after it.

    Attributes
    ----------
    end : ndarray of int64, shape (beds,)
        Index after the last sample.
    samples : ndarray, shape (beds, HISTORY + STRIDE, leads), mV
        Last samples, gaps filled; 0 before the first sample.
    invalid : ndarray of bool, of the same shape
        True before the first sample.
    r_peak, complete_at : ndarray of int64, shape (beds,)
        R peak of a detected beat that is not complete yet, and the sample at which it will be; -1 if there is none.
    last_r_peak : ndarray of int64, shape (beds,)
        R peak of the last complete beat; -1 if there is none.
    """

    end: IntArray
    samples: FloatArray
    invalid: BoolArray
    r_peak: IntArray
    complete_at: IntArray
    last_r_peak: IntArray


@dataclass(frozen=True, slots=True)
class BeatWindow:
    """A complete beat, with the samples around it.

    Attributes
    ----------
    index : int
        Sample of the R peak.
    at : int
        Sample at which the beat was complete.
    rr : int or None
        RR interval before the beat, samples; None for the first beat.
    samples : ndarray, shape (BEFORE + 1 + AFTER, leads), mV
    invalid : ndarray of bool, of the same shape
    """

    index: int
    at: int
    rr: int | None
    samples: FloatArray
    invalid: BoolArray


def begin(start: int, leads: int) -> WindowState:
    """Return the state of one bed before the first sample, which has index ``start``."""
    return WindowState(
        end=np.array([start]),
        samples=np.zeros((1, HISTORY + STRIDE, leads)),
        invalid=np.ones((1, HISTORY + STRIDE, leads), np.bool_),
        r_peak=np.array([-1]),
        complete_at=np.array([-1]),
        last_r_peak=np.array([-1]),
    )


def step(state: WindowState, strides: Strides, detected: Sequence[Qrs]) -> tuple[list[BeatWindow], WindowState]:
    """Push the next strides of one bed.

    Parameters
    ----------
    state : WindowState
    strides : Strides
    detected : sequence of Qrs
        Beats that were detected in them.

    Returns
    -------
    list of BeatWindow
        The beats that became complete, in order.
    state : WindowState
    """
    state = copied(state)
    beats = np.array([(0, beat.index, beat.at) for beat in detected], np.int64).reshape(-1, 3)
    rows, leads = len(beats) + 1, strides.mv.shape[1]
    found = np.empty((rows, 4), np.int64)
    samples = np.empty((rows, BEFORE + 1 + AFTER, leads))
    invalid = np.empty((rows, BEFORE + 1 + AFTER, leads), np.bool_)
    n = _advance(state, strides.mv[None], strides.invalid[None], beats, found, samples, invalid)
    windows = [
        BeatWindow(index, at, None if rr < 0 else rr, samples[row], invalid[row])
        for row, (_, index, at, rr) in enumerate(found[:n].tolist())
    ]
    return windows, state


@compiled
def _advance(
    state: WindowState,
    mv: FloatArray,
    invalid: BoolArray,
    detected: IntArray,
    found: IntArray,
    found_samples: FloatArray,
    found_invalid: BoolArray,
) -> int:
    """Push whole strides of each bed, in place.

    Parameters
    ----------
    state : WindowState
    mv : ndarray, shape (beds, n, leads), mV
    invalid : ndarray of bool, of the same shape
    detected : ndarray of int64, shape (k, 3)
        Bed, R peak and sample of the detection of each beat in these strides, by bed and time.
    found : ndarray of int64, shape (rows, 4)
        Bed, R peak, sample of completion and RR interval (-1 for the first beat) of each complete beat: written here.
        One row for each bed and one for each detected beat are enough.
    found_samples, found_invalid : ndarray, shape (rows, BEFORE + 1 + AFTER, leads)
        Samples around each of them are written here.

    Returns
    -------
    int
        Number of complete beats.
    """
    row = complete = 0
    for bed in range(len(state.end)):
        for first in range(0, mv.shape[1], STRIDE):
            _append(state.samples[bed], mv[bed, first : first + STRIDE])
            _append(state.invalid[bed], invalid[bed, first : first + STRIDE])
            state.end[bed] += STRIDE
            end = state.end[bed]
            while True:
                if state.r_peak[bed] < 0 and row < len(detected) and detected[row, 0] == bed and detected[row, 2] < end:
                    state.r_peak[bed] = detected[row, 1]
                    state.complete_at[bed] = max(detected[row, 2], detected[row, 1] + AFTER)
                    row += 1
                if state.r_peak[bed] < 0 or state.complete_at[bed] >= end:
                    break
                index, last = state.r_peak[bed], state.last_r_peak[bed]
                found[complete, 0], found[complete, 1] = bed, index
                found[complete, 2], found[complete, 3] = state.complete_at[bed], -1 if last < 0 else index - last
                before = HISTORY + STRIDE - (end - index) - BEFORE
                _copy(state.samples[bed], before, found_samples[complete])
                _copy(state.invalid[bed], before, found_invalid[complete])
                complete += 1
                state.last_r_peak[bed], state.r_peak[bed] = index, -1
    return complete


@compiled
def _append(values: npt.NDArray[Any], stride: npt.NDArray[Any]) -> None:
    """Append the rows of a stride, shape (STRIDE, leads), and drop the first."""
    n, leads = values.shape
    shift(values.reshape(-1), STRIDE * leads)
    for i in range(STRIDE):
        for lead in range(leads):
            values[n - STRIDE + i, lead] = stride[i, lead]


@compiled
def _copy(values: npt.NDArray[Any], first: int, target: npt.NDArray[Any]) -> None:
    """Copy the rows from ``first`` on, shape (n, leads)."""
    for i in range(len(target)):
        for lead in range(target.shape[1]):
            target[i, lead] = values[first + i, lead]
