"""How heart rate and score went over the last hours: one row a second of wall time, by the monitor's own clock.

Wall time, because hours are what people ask for: sessions, pauses and a worker that restarts show as what they were,
a time without values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.common.ring_buffer import FloatArray, RingBuffer
from stream.wire.alarm_messages import PRIORITIES
from stream.wire.messages import Vitals

KEPT_S = 4 * 3600
"""Seconds that are kept of each bed: 173 KB."""

SPANS_S = (15 * 60, 3600, KEPT_S)
"""What a picture may span; the smallest that holds all there is."""

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TrendPicture:
    """The trend at one moment.

    Attributes
    ----------
    first, stop : int
        The Unix second of the first row, and the one after the last: the next second is ``stop``.
    heart_rate, score : array of shape (stop - first,)
        1/min, and the highest score of each second; NaN where nobody said.
    priority : array of int8, shape (stop - first,)
        Index into `stream.wire.alarm_messages.PRIORITIES` of the most urgent alarm in each second; −1 where there was
        none.
    """

    first: int
    stop: int
    heart_rate: FloatArray
    score: FloatArray
    priority: npt.NDArray[np.int8]


class Trend:
    """The last four hours of one bed."""

    def __init__(self) -> None:
        self._rows = RingBuffer(KEPT_S, 3)
        self._began: int | None = None

    def add(self, vitals: Vitals, now_ns: int, priority: str | None) -> None:
        """Add the worker's vital signs, and the priority of the most urgent alarm that lasts.

        A replay faster than real time reports more than once a second: the last heart rate and the highest score stay.
        """
        rate = np.nan if vitals.heart_rate is None else vitals.heart_rate
        self._merge(now_ns, rate, np.nan if vitals.score is None else vitals.score, priority)

    def mark(self, now_ns: int, priority: str) -> None:
        """Mark a moment at which an alarm was raised, which may be over before the next numbers come."""
        self._merge(now_ns, np.nan, np.nan, priority)

    def _merge(self, now_ns: int, rate: float, score: float, priority: str | None) -> None:
        second = now_ns // _SECOND
        if self._rows.end is not None and second < self._rows.end - KEPT_S:
            return  # the clock was set back by hours
        before = self._rows.get(second, second + 1)[0]
        urgency = np.nan if priority is None else float(len(PRIORITIES) - PRIORITIES.index(priority))
        row = [before[0] if np.isnan(rate) else rate, np.fmax(before[1], score), np.fmax(before[2], urgency)]
        self._rows.put(second, [row])
        self._began = second if self._began is None else min(self._began, second)

    def picture(self, now_ns: int) -> TrendPicture:
        """Return the last quarter of an hour, hour, or four hours: as much as there is to show."""
        stop = now_ns // _SECOND + 1
        there = 0 if self._began is None else stop - self._began
        span = next((span for span in SPANS_S if span >= there), KEPT_S)
        rows = self._rows.get(stop - span, stop)
        priority = np.where(np.isnan(rows[:, 2]), -1, len(PRIORITIES) - np.nan_to_num(rows[:, 2])).astype(np.int8)
        return TrendPicture(stop - span, stop, rows[:, 0], rows[:, 1], priority)
