"""The recording of a bed without ECG: a WFDB record of its numerics, with one row for each message. No sockets.

The record has as many rows per second of signal as the one that is replayed, so a row of hourly values lasts an hour,
and its sample 0 is a row of that record. A row is written once its message has come: nothing waits in memory. What was
not received is invalid, and named. Alarms are comments in ``.atr``, at their samples at 360 Hz.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from stream.clock import unix_ns
from stream.recording.bed_files import BedFiles
from stream.recording.folder import ALONE, not_recorded
from stream.recording.numerics_table import GAIN_OF, NAME_OF, UNIT_TEXT, adu
from stream.recording.short_records import SHORT_S
from stream.records.appended_annotations import NOTE, AppendedAnnotations, Mark, sort
from stream.records.appended_record import AppendedRecord, Column
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm
from stream.wire.alarm_notes import alarm_note
from stream.wire.chart_order import SILENT_NS, is_plausible
from stream.wire.messages import INVALID
from stream.wire.numerics_message import Alone, Numeric, Numerics

log = logging.getLogger("bedside.record")

MIN_INTERVAL_S, MAX_INTERVAL_S = 1.0, 3600.0
"""Intervals of messages that a record can have; readers take no others for numerics."""

MAX_GAP_ROWS = 60
"""A longer gap ends the record."""

LINGER_NS = 10_000_000_000
"""Time for which a record takes alarms after its publisher has ended."""

MAX_NOTES = 10_000
"""Comments in a record, after which the next one begins."""


class ChartRecording:
    """Records one bed without ECG.

    Parameters
    ----------
    files : BedFiles
    rotate : int
        Rows after which a new record begins.

    Attributes
    ----------
    counters : Counter of str
        ``segments``, ``rows``, ``gaps``, ``refused``.

    Raises
    ------
    StorageError
        The files cannot be written; so do all methods.
    """

    def __init__(self, files: BedFiles, rotate: int) -> None:
        self.counters: Counter[str] = Counter()
        self._files, self._rotate = files, rotate
        self._last: Numerics | None = None
        self._received_ns = self._reported_ns = 0
        self._released_ns: int | None = None
        self._chart: _Chart | None = None
        self._events: dict[str, None] = {}

    def push(self, numerics: Numerics, now_ns: int) -> None:
        """Add a message, unless it is old, of another publisher, or cannot be recorded; monotonic time in ns."""
        alone, last = numerics.alone, self._last
        if alone is None or not MIN_INTERVAL_S <= alone.interval_s <= MAX_INTERVAL_S:
            self.counters["refused"] += 1
            return
        if last is not None and numerics.session == last.session:
            if numerics.index <= last.index or not is_plausible(last, numerics, now_ns - self._received_ns):
                self.counters["refused"] += 1
                return
        elif last is not None and not self._gives_way(now_ns):
            self.counters["refused"] += 1
            return
        if numerics.index < self._files.recorded.get(numerics.session, 0):
            return  # the retained message, which an earlier process has recorded
        self._last, self._received_ns, self._released_ns = numerics, now_ns, None
        self._add(numerics, alone)

    def push_alarm(self, alarm: Alarm) -> None:
        """Add an alarm event of the record that is written."""
        chart = self._chart
        if chart is None or alarm.session != chart.session or alarm.event_id in self._events:
            return
        if len(self._events) < MAX_NOTES:
            self._events[alarm.event_id] = None
            chart.note(alarm)

    def note_reported(self, session: str, now_ns: int) -> None:
        """Note that the publisher of a session has reported that it sends it."""
        if self._last is not None and self._last.session == session:
            self._reported_ns = now_ns

    def release(self, session: str, now_ns: int) -> None:
        """Note that the publisher of a session has ended; alarms may still come."""
        if self._last is not None and self._last.session == session and self._released_ns is None:
            self._released_ns = now_ns

    def tick(self, now_ns: int) -> None:
        """Finish a record whose publisher has ended."""
        if self._released_ns is not None and now_ns - self._released_ns > LINGER_NS:
            self.close("the publisher has ended")

    def close(self, reason: str) -> None:
        """Finish the record that is written."""
        if self._chart is not None:
            if self._chart.rows < SHORT_S:
                self._files.short.add(self._received_ns)
            self._chart.finish(reason)
            self._files.complete(self._chart.stem)
            self._chart = None

    def _gives_way(self, now_ns: int) -> bool:
        return self._released_ns is not None or now_ns - max(self._received_ns, self._reported_ns) > SILENT_NS

    def _add(self, numerics: Numerics, alone: Alone) -> None:
        chart = self._chart
        reason = "" if chart is None else self._break_before(chart, numerics, alone)
        if reason:
            self.close(reason)
            chart = None
        if chart is None:
            stem = self._files.begin(self._received_ns)
            if stem is None:
                return
            end = self._files.recorded.pop(numerics.session, None)
            chart = self._chart = _Chart(stem, numerics, alone, end)
            self._events.clear()
            self.counters["segments"] += 1
            log.info("%s: %s, numerics alone, to %s", self._files.bed, alone.record, chart.stem)
        lost = chart.put(numerics, alone)
        self.counters["gaps"] += lost > 0
        self.counters["rows"] += 1

    def _break_before(self, chart: _Chart, numerics: Numerics, alone: Alone) -> str:
        """Return why a record must end before a message; empty if it goes on."""
        if numerics.session != chart.session:
            return "another session begins"
        if (numerics.epoch, alone.record) != (chart.epoch, chart.record):
            return "another epoch begins: seek, loop or another record"
        if alone.interval_s != chart.interval_s or _columns(numerics.values) != chart.columns:
            return "other numerics"
        missing = chart.missing_before(alone.position)
        if missing > MAX_GAP_ROWS:
            return f"a gap of {missing} rows"
        return "the next file goes on" if chart.rows >= self._rotate or len(self._events) >= MAX_NOTES else ""


class _Chart:
    """One record that is being written."""

    def __init__(self, stem: Path, first: Numerics, alone: Alone, recorded: int | None) -> None:
        self.stem, self.session, self.epoch, self.record = stem, first.session, first.epoch, alone.record
        self.interval_s, self.columns = alone.interval_s, _columns(first.values)
        self._row_n = alone.interval_s * FS
        self._first_row = self._row(alone.position)
        self._offset = alone.position - first.index
        self._origin = math.ceil(self._first_row * self._row_n) - self._offset
        comments = [
            "SIMULATION: recorded by bedside from a simulator, not a medical device",
            f"bed: {first.bed}",
            f"session: {first.session}",
            f"epoch: {first.epoch}",
            f"first sample: {self._origin}",
            f"replayed: {alone.record} from sample {self._origin + self._offset}"
            + (", synthetic" if first.synthetic else ""),
            f"speed: {alone.speed:g}",
            f"{ALONE}.atr: alarms of the monitor, and gaps",
            *([not_recorded(recorded, self._origin)] if recorded is not None and recorded < self._origin else []),
        ]
        columns = [Column(name, UNIT_TEXT.get(unit, unit), GAIN_OF[unit], 0) for name, unit in self.columns]
        fs = 1 / Fraction(alone.interval_s)
        self._last_index = first.index
        self._file = AppendedRecord(stem, columns, fs, unix_ns(first.when), comments)
        self._atr = AppendedAnnotations(stem.with_name(f"{stem.name}.atr"))

    @property
    def rows(self) -> int:
        """Rows that are written."""
        return self._file.length

    def missing_before(self, position: int) -> int:
        """Return the rows that are missing before that of a position in the replayed record; −1 if it is written."""
        return self._row(position) - self._first_row - self.rows

    def put(self, numerics: Numerics, alone: Alone) -> int:
        """Write the row of a message; return how many are missing before it."""
        self._last_index = numerics.index
        lost = self.missing_before(alone.position)
        if lost < 0:  # the first message of an epoch has the values of a row that has begun
            return 0
        rows = np.full((lost + 1, len(self.columns)), INVALID, np.int16)
        rows[-1] = [adu(value.value, value.unit) for value in numerics.values]
        if lost:
            at = self._origin + math.ceil(self.rows * self._row_n)
            self._mark(at, f"gap: {lost} rows ({lost * self.interval_s:g} s) were not received")
        self._file.append(rows)
        return lost

    def note(self, alarm: Alarm) -> None:
        """Annotate an alarm event."""
        at = {"raised": alarm.onset, "cleared": alarm.end}.get(alarm.phase)
        self._mark(self._last_index if at is None else at, alarm_note(alarm, before_record=alarm.onset < self._origin))

    def finish(self, reason: str) -> None:
        """Note that the record is complete."""
        sort(self._atr.path)
        self._file.finish(reason)

    def _mark(self, index: int, text: str) -> None:
        last = math.ceil((self.rows + 1) * self._row_n)
        self._atr.append([Mark(min(max(index - self._origin, 1), last), NOTE, text)])

    def _row(self, position: int) -> int:
        return math.floor(position / self._row_n + 1e-9)


def _columns(values: Iterable[Numeric]) -> tuple[tuple[str, str], ...]:
    return tuple((NAME_OF[value.name], value.unit) for value in values)
