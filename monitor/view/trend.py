"""Trend of one bed over the last hours: one row per second of the monitor's wall clock.

Wall time continues across sessions, pauses and restarts of the worker; these appear as intervals without values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from monitor.common.ring_buffer import FloatArray, RingBuffer
from monitor.view.bed_numerics import Readings
from monitor.view.number_groups import GROUPS
from stream.wire.alarm_messages import PRIORITIES
from stream.wire.messages import Vitals
from stream.wire.numerics_message import NumericName

HISTORY_S = 8 * 3600
"""Length of the history of each bed, s; heart rate, score and alarms take 43 KB an hour, the numbers 216 KB."""

SPANS_S = (10 * 60, 3600, HISTORY_S)
"""Time spans that can be shown, s."""

NUMBERS: tuple[NumericName, ...] = (*(name for group in GROUPS for name in group.main), "pulse_rate")
"""The numbers that are kept, beside the heart rate."""

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
    numbers : dict of str to array of shape (stop - first,)
        Those of `NUMBERS` that the bed had a value of in the whole history, in their units; NaN where none was live.
    """

    first: int
    stop: int
    heart_rate: FloatArray
    score: FloatArray
    priority: npt.NDArray[np.int8]
    numbers: Mapping[NumericName, FloatArray] = field(default_factory=dict)


class Trend:
    """Trend of one bed over the last eight hours."""

    def __init__(self) -> None:
        self._rows = RingBuffer(HISTORY_S, 3)
        self._numbers: RingBuffer | None = None  # made with the first value: most beds of a ward have ECG alone
        self._last_seconds: dict[NumericName, int] = {}
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

    def add_readings(self, readings: Readings, now_ns: int) -> None:
        """Add the live numbers of those shown: the last of each in a second is kept, and an old one is a gap.

        A number that is measured now and then counts as live for as long as it is shown.
        """
        live = {name: reading.value for name, reading in readings.items() if reading.state == "live"}
        row = np.array([live.get(name, np.nan) for name in NUMBERS], np.float32)
        if np.isnan(row).all():
            return
        if self._numbers is None:
            self._numbers = RingBuffer(HISTORY_S, len(NUMBERS))
        second = now_ns // _SECOND
        if _is_too_old(self._numbers, second):
            return
        before = self._numbers.get(second, second + 1)[0]
        self._numbers.put(second, [np.where(np.isnan(row), before, row)])
        for name in np.array(NUMBERS)[np.isfinite(row)].tolist():
            self._last_seconds[name] = max(second, self._last_seconds.get(name, second))
        self._extend(second)

    def _merge(self, now_ns: int, rate: float, score: float, priority: str | None) -> None:
        second = now_ns // _SECOND
        if _is_too_old(self._rows, second):
            return
        before = self._rows.get(second, second + 1)[0]
        urgency = np.nan if priority is None else float(len(PRIORITIES) - PRIORITIES.index(priority))
        row = [before[0] if np.isnan(rate) else rate, np.fmax(before[1], score), np.fmax(before[2], urgency)]
        self._rows.put(second, [row])
        self._extend(second)

    def _extend(self, second: int) -> None:
        self._first_second = second if self._first_second is None else min(self._first_second, second)

    def fitting_span(self, now_ns: int) -> int:
        """Return the smallest of `SPANS_S` that contains all values, or else the largest."""
        length = 0 if self._first_second is None else now_ns // _SECOND + 1 - self._first_second
        return next((span for span in SPANS_S if span >= length), HISTORY_S)

    def snapshot(self, now_ns: int, span: int | None = None) -> TrendSnapshot:
        """Return the last seconds up to a Unix time in ns: ``span`` of them, or else `fitting_span`."""
        stop = now_ns // _SECOND + 1
        first = stop - (span or self.fitting_span(now_ns))
        rows = self._rows.get(first, stop)
        priority = np.where(np.isnan(rows[:, 2]), -1, len(PRIORITIES) - np.nan_to_num(rows[:, 2])).astype(np.int8)
        numbers: dict[NumericName, FloatArray] = {}
        if self._numbers is not None:
            columns = self._numbers.get(first, stop)
            known = {name for name, second in self._last_seconds.items() if second >= stop - HISTORY_S}
            numbers = {name: columns[:, at] for at, name in enumerate(NUMBERS) if name in known}
        return TrendSnapshot(first, stop, rows[:, 0], rows[:, 1], priority, numbers)


def _is_too_old(rows: RingBuffer, second: int) -> bool:
    """Return whether a second is before the history: the wall clock was set back by hours."""
    return rows.end is not None and second < rows.end - HISTORY_S
