"""Cuts the samples around each detected beat out of the signal, as soon as they are complete.

A beat is complete at its detection, or, if that is later, when the samples after its R peak have arrived that its shape
needs. The sample at which it is reported depends only on its R peak and its detection, so later samples change nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from model.beats import p_wave, templates
from model.beats.qrs_detector import MAX_REPORT_DELAY, QrsRows
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.batch import Batch
from model.signal.compiled import compiled, compiled_part
from model.signal.small_arrays import copy
from stream.timebase import STRIDE

BEFORE = max(templates.PIECE_BEFORE, p_wave.PIECE_BEFORE)
"""Samples before the R peak that are cut out."""

AFTER = max(templates.PIECE_AFTER, p_wave.PIECE_AFTER)
"""Samples after the R peak that are cut out; at most `MAX_REPORT_DELAY`."""

KEPT = -(-(BEFORE + MAX_REPORT_DELAY + STRIDE) // STRIDE) * STRIDE
"""Samples kept, whole strides: those before the R peak of a beat that is reported up to 200 ms later."""


class WindowState(NamedTuple):
    """State carried from step to step: columns over beds.

    One beat at most is incomplete: a beat is complete 20 samples after its detection at the latest, and the next one is
    detected at least 45 samples after it.

    Attributes
    ----------
    end : ndarray of int64, shape (beds,)
        Index after the last sample.
    samples : ndarray, shape (beds, KEPT, leads), mV
        Last samples, gaps filled, each stride in place of the oldest one (`_row`); 0 before the first sample.
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


class WindowRows(NamedTuple):
    """Complete beats of some beds, bed by bed, in order, with the samples around them.

    Attributes
    ----------
    first : ndarray of int64, shape (beds + 1,)
        The beats of bed ``i`` are the rows from ``first[i]`` up to, not including, ``first[i + 1]``.
    r_peak : ndarray of int64, shape (rows,)
    at : ndarray of int64, shape (rows,)
        Sample at which the beat was complete.
    rr : ndarray of int64, shape (rows,)
        RR interval before the beat, samples; -1 for the first beat.
    samples : ndarray, shape (rows, BEFORE + 1 + AFTER, leads), mV
    invalid : ndarray of bool, of the same shape
    """

    first: IntArray
    r_peak: IntArray
    at: IntArray
    rr: IntArray
    samples: FloatArray
    invalid: BoolArray


def begin(start: int, leads: int) -> WindowState:
    """Return the state of one bed before the first sample, which has index ``start``."""
    return WindowState(
        end=np.array([start]),
        samples=np.zeros((1, KEPT, leads)),
        invalid=np.ones((1, KEPT, leads), np.bool_),
        r_peak=np.array([-1]),
        complete_at=np.array([-1]),
        last_r_peak=np.array([-1]),
    )


def advance(columns: WindowState, batch: Batch, detected: QrsRows) -> WindowRows:
    """Push the strides of the beds of a batch, and change their slots of ``columns``; return the complete beats.

    Parameters
    ----------
    columns : WindowState
    batch : Batch
    detected : QrsRows
        Beats that were detected in these strides.
    """
    beds, _, leads = batch.mv.shape
    most = len(detected.at) + beds
    shape = (most, BEFORE + 1 + AFTER, leads)
    first, (r_peak, at, rr) = np.zeros(beds + 1, np.int64), np.empty((3, most), np.int64)
    rows = WindowRows(first, r_peak, at, rr, np.empty(shape), np.empty(shape, np.bool_))
    _advance(columns, batch, detected, rows)
    n = int(first[-1])
    return WindowRows(first, r_peak[:n], at[:n], rr[:n], rows.samples[:n], rows.invalid[:n])


@compiled
def _advance(columns: WindowState, batch: Batch, detected: QrsRows, rows: WindowRows) -> None:
    """Push the strides of the beds of a batch, in place, and write the complete beats into ``rows``."""
    complete = 0
    for bed in range(len(batch.slots)):
        slot, pushed = batch.slots[bed], detected.first[bed]
        for first in range(0, batch.mv.shape[1], STRIDE):
            row = _row(columns.end[slot], columns.end[slot])
            copy(batch.mv[bed, first : first + STRIDE], columns.samples[slot, row:])
            copy(batch.invalid[bed, first : first + STRIDE], columns.invalid[slot, row:])
            columns.end[slot] += STRIDE
            end = columns.end[slot]
            while True:
                if columns.r_peak[slot] < 0 and pushed < detected.first[bed + 1] and detected.at[pushed] < end:
                    columns.r_peak[slot] = detected.r_peak[pushed]
                    columns.complete_at[slot] = max(detected.at[pushed], detected.r_peak[pushed] + AFTER)
                    pushed += 1
                if columns.r_peak[slot] < 0 or columns.complete_at[slot] >= end:
                    break
                index, last = columns.r_peak[slot], columns.last_r_peak[slot]
                rows.r_peak[complete], rows.at[complete] = index, columns.complete_at[slot]
                rows.rr[complete] = -1 if last < 0 else index - last
                row = _row(end, index - BEFORE)
                _copy(columns.samples[slot], row, rows.samples[complete])
                _copy(columns.invalid[slot], row, rows.invalid[complete])
                complete += 1
                columns.last_r_peak[slot], columns.r_peak[slot] = index, -1
        rows.first[bed + 1] = complete


@compiled_part
def _row(end: int, index: int) -> int:
    """Return the row of a sample in the samples kept up to, not including, sample ``end``, on the stride grid."""
    return (index - end % STRIDE) % KEPT


@compiled_part
def _copy(kept: npt.NDArray[Any], row: int, target: npt.NDArray[Any]) -> None:
    """Copy the kept samples from a row on, shape (n, leads)."""
    for i in range(len(target)):
        for lead in range(target.shape[1]):
            target[i, lead] = kept[row, lead]
        row = row + 1 if row + 1 < len(kept) else 0
