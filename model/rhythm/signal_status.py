"""Status of the signal of beds at the end of each stride, as the rhythm rules see it."""

from __future__ import annotations

from typing import NamedTuple

from model.signal.arrays import BoolArray, FloatArray, IntArray


class SignalRows(NamedTuple):
    """Status of the signal of some beds at the end of each stride, see `model.rhythm.rules.SignalStatus`.

    Attributes
    ----------
    at : ndarray of int64, shape (beds, strides)
    quality : ndarray, shape (beds, strides)
    usable, measurable, ecg_seen, fibrillation_suspected : ndarray of bool, shape (beds, strides)
    fibrillation_since : ndarray of int64, shape (beds, strides)
        -1 without fibrillation.
    pulse_since : ndarray of int64, shape (beds, strides)
        First pulse of the trusted pulse that goes on; -1 without one.
    pulses : ndarray of int64, shape (beds, strides)
        Number of its last pulses that are known, at most `model.signal.pulses.KEPT`.
    pulse_times : ndarray of int64, shape (beds, strides, KEPT)
        These pulses, oldest first; then -1.
    """

    at: IntArray
    quality: FloatArray
    usable: BoolArray
    measurable: BoolArray
    ecg_seen: BoolArray
    fibrillation_suspected: BoolArray
    fibrillation_since: IntArray
    pulse_since: IntArray
    pulses: IntArray
    pulse_times: IntArray
