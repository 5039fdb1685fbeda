"""Sensitivity against false alarms in windows of 10 s, the unit of studies on shockable rhythms.

Windows begin at the start of the record and do not overlap. One is *positive* if `HELD_S` of it lie in the rhythm, or
all of a shorter event lies in it; it is found if an alarm is active in it or up to `LATE_S` after it. It is *negative*
if nothing of it lies in the rhythm, widened as in `model.evaluation.false_alarms`, or in annotated noise; an alarm that
is active in it is false. Other windows do not count.
"""

from __future__ import annotations

import numpy as np

from model.datasets.reference import Intervals
from model.evaluation.false_alarms import AFTER_S, BEFORE_S
from model.evaluation.intervals import mask, widened
from model.evaluation.monitor_output import MonitorOutput
from model.evaluation.truth import ALARMS, Truth
from model.signal.arrays import BoolArray, IntArray
from stream.timebase import FS

WINDOW = 10 * FS
HELD_S, LATE_S = 5.0, 3.0

WINDOWED = ("vf", "vt", "either", "asystole", "lethal")
"""Rhythms scored in windows: keys of `model.evaluation.truth.ALARMS`."""


def by_window(truth: Truth, output: MonitorOutput) -> dict[str, IntArray]:
    """Return the confusion matrix of windows, row: annotated, column: detected, of each annotated rhythm."""
    return {
        key: window_confusion(_intervals(truth, key), output.in_alarm(ALARMS[key]), truth.noise)
        for key in WINDOWED
        if key in truth.rhythms
    }


def window_confusion(rhythm: Intervals, alarm: BoolArray, noise: Intervals) -> IntArray:
    """Return the confusion matrix of windows.

    Parameters
    ----------
    rhythm, noise : tuple of (int, int)
        First sample and end of each interval.
    alarm : ndarray of bool, shape (n,)
        Samples within an alarm.

    Returns
    -------
    ndarray of int64, shape (2, 2)
        Row: annotated, column: detected.
    """
    n = len(alarm)
    starts = np.arange(0, n - WINDOW + 1, WINDOW)
    stops = starts + WINDOW
    positive = _held(mask(rhythm, n), starts, stops) >= round(HELD_S * FS)
    for first, stop in rhythm:
        positive |= (starts <= first) & (stop <= stops)
    around = widened(rhythm, round(BEFORE_S * FS), round(AFTER_S * FS))
    negative = ~positive & (_held(mask([*around, *noise], n), starts, stops) == 0)
    found = _held(alarm, starts, np.minimum(stops + round(LATE_S * FS), n)) > 0
    false = _held(alarm, starts, stops) > 0
    return np.array(
        [
            [(negative & ~false).sum(), (negative & false).sum()],
            [(positive & ~found).sum(), (positive & found).sum()],
        ],
        np.int64,
    )


def _intervals(truth: Truth, key: str) -> Intervals:
    """Return the time in a rhythm, of events in beats from their first beat."""
    if truth.style != "typed beats":
        return truth.rhythms[key]
    events = [event for own in ("vf", "vt", "asystole") for event in truth.events[own] if event.kind in ALARMS[key]]
    return tuple((event.first, event.stop) for event in events)


def _held(marked: BoolArray, starts: IntArray, stops: IntArray) -> IntArray:
    """Return the number of marked samples of each window."""
    total = np.concatenate([[0], np.cumsum(marked)])
    return np.asarray(total[stops] - total[starts], np.int64)
