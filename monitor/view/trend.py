"""Trend of heart rate and anomaly score over the last hours: one row per second of the monitor's wall clock.

Wall time continues across sessions, pauses and restarts of the worker; these appear as intervals without values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.common.ring_buffer import FloatArray, RingBuffer
from stream.wire.alarm_messages import PRIORITIES
from stream.wire.messages import Vitals

HISTORY_S = 4 * 3600
"""Length of the history of each bed, s; it takes 173 KB."""

SPANS_S = (15 * 60, 3600, HISTORY_S)
"""Time spans that can be shown, s; the smallest that contains all values is used."""

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TrendSnapshot:
    """Trend at one time.

    Attributes
    ----------
    first, stop : int
        The Unix second of the first row, and the one after the last: the next second is ``stop``.
    heart_rate, score : array of shape (stop - first,)
        1/min, and the highest score of each second; NaN where none was received.
    priority : array of int8, shape (stop - first,)
        Index into `stream.wire.alarm_messages.PRIORITIES` of the most urgent alarm in each second; −1 without alarm.
    """

    first: int
    stop: int
    heart_rate: FloatArray
    score: FloatArray
    priority: npt.NDArray[np.int8]


class Trend:
    """Trend of one bed over the last four hours."""

    def __init__(self) -> None:
        self._rows = RingBuffer(HISTORY_S, 3)
        self._first_second: int | None = None

    def add(self, vitals: Vitals, now_ns: int, priority: str | None) -> None:
        """Add the worker's vital signs, and the priority of the most urgent active alarm.

        Of several reports within a second, as in a fast replay, the last heart rate and the highest score are kept.
        """
        rate = np.nan if vitals.heart_rate is None else vitals.heart_rate
        self._merge(now_ns, rate, np.nan if vitals.score is None else vitals.score, priority)

    def mark(self, now_ns: int, priority: str) -> None:
        """Mark the time of a raised alarm, which may end before the next vital signs."""
        self._merge(now_ns, np.nan, np.nan, priority)

    def _merge(self, now_ns: int, rate: float, score: float, priority: str | None) -> None:
        second = now_ns // _SECOND
        if self._rows.end is not None and second < self._rows.end - HISTORY_S:
            return  # the wall clock was set back by hours
        before = self._rows.get(second, second + 1)[0]
        urgency = np.nan if priority is None else float(len(PRIORITIES) - PRIORITIES.index(priority))
        row = [before[0] if np.isnan(rate) else rate, np.fmax(before[1], score), np.fmax(before[2], urgency)]
        self._rows.put(second, [row])
        self._first_second = second if self._first_second is None else min(self._first_second, second)

    def snapshot(self, now_ns: int) -> TrendSnapshot:
        """Return the last 15 minutes, hour, or four hours, depending on the age of the first value."""
        stop = now_ns // _SECOND + 1
        length = 0 if self._first_second is None else stop - self._first_second
        span = next((span for span in SPANS_S if span >= length), HISTORY_S)
        rows = self._rows.get(stop - span, stop)
        priority = np.where(np.isnan(rows[:, 2]), -1, len(PRIORITIES) - np.nan_to_num(rows[:, 2])).astype(np.int8)
        return TrendSnapshot(stop - span, stop, rows[:, 0], rows[:, 1], priority)
