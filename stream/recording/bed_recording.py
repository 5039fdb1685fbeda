"""The recording of one bed: which chunks belong to which segment, and when a new one begins. No sockets.

A segment ends where the stream breaks: another session or epoch, other leads or calibration, another record, a wave
that begins or changes, a gap of more than `MAX_GAP`; and after a time, so that files stay small. A shorter gap is part
of the segment, as invalid samples.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from stream.recording.bed_files import BedFiles
from stream.recording.folder import not_recorded
from stream.recording.layout import WaveColumn
from stream.recording.segment import Segment
from stream.recording.short_records import SHORT_S
from stream.timebase import FS
from stream.wire import ordering
from stream.wire.alarm_messages import Alarm
from stream.wire.alarm_notes import alarm_note
from stream.wire.bed_stream import Arrival, Stream, flush
from stream.wire.messages import Annotation, Beat, Vitals, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.status_messages import BedStatus
from stream.wire.wave_message import Wave

log = logging.getLogger("bedside.record")

MAX_GAP = 60 * FS
"""Samples; a longer gap ends the segment."""

OPEN_AFTER = FS + FS // 4
"""Samples of ECG after which the waves of a segment are known: the slowest has one sample per second."""

LINGER_S = 10.0
"""Time for which an ended segment takes beats, alarms and numerics that come late."""

IDLE_S = 2.0
"""Time without ECG after which all complete frames are written."""

MAX_RECENT = 1024
"""Chunks of waves that are kept for the next segment, and events that wait for it."""

MAX_RECENT_BYTES = 1 << 20
"""Samples of those chunks, in bytes: more than 60 s of eight waves at 500 Hz. The oldest are forgotten first."""

MAX_EVENTS = 512
"""Ids of alarm events that are remembered, so that each is annotated once."""


@dataclass(slots=True)
class _Ended:
    segment: Segment
    reason: str
    since_s: float


class BedRecording:
    """Records one bed.

    Parameters
    ----------
    files : BedFiles
    rotate : int
        Samples after which a new segment begins.

    Attributes
    ----------
    counters : Counter of str
        ``segments``, ``samples``, ``gaps``, ``gap_samples``, ``refused``.

    Raises
    ------
    StorageError
        The files cannot be written; so do all methods.
    """

    def __init__(self, files: BedFiles, rotate: int) -> None:
        self.counters: Counter[str] = Counter()
        self._files, self._rotate = files, rotate
        self._skipped: tuple[str, int] | None = None  # session and first sample of what no record contains
        self._stream: Stream | None = None
        self._opening: list[Waveform] = []
        self._segment: Segment | None = None
        self._ended: list[_Ended] = []
        self._recent: deque[Wave] = deque()
        self._recent_bytes = 0
        self._last: Waveform | None = None
        self._late: list[Beat | Vitals | Numerics | Annotation | Alarm] = []
        self._why: list[str] = []
        self._events: dict[str, None] = {}
        self._received_s = 0.0

    # --- what arrives -----------------------------------------------------------------------------------------------

    def push(self, chunk: Waveform, now_ns: int) -> None:
        """Add a chunk of ECG, unless it is a duplicate, of another publisher, or contradicts the stream."""
        arrival, self._stream = ordering.receive(self._stream, chunk, now_ns)
        self._process(arrival, now_ns)

    def push_wave(self, wave: Wave, now_ns: int) -> None:
        """Add a chunk of another wave."""
        self._recent.append(wave)
        self._recent_bytes += len(wave.samples)
        while len(self._recent) > MAX_RECENT or self._recent_bytes > MAX_RECENT_BYTES:
            self._forget_wave()
        segment = self._segment
        if segment is None or (wave.session, wave.epoch) != (segment.session, segment.epoch):
            return
        if segment.layout.knows(WaveColumn.of(wave)):
            segment.put_wave(wave)
        elif wave.start >= segment.end - FS:
            self._end(f"{wave.signal} has begun or changed", now_ns)

    def push_event(self, message: Beat | Vitals | Numerics | Annotation | Alarm) -> None:
        """Add a beat, numerics, an annotation or an alarm event."""
        if isinstance(message, Alarm):
            if message.event_id in self._events:
                return
            self._events[message.event_id] = None
            if len(self._events) > MAX_EVENTS:
                del self._events[next(iter(self._events))]
        if self._opening and message.session == self._opening[0].session:
            self._late = [*self._late[-MAX_RECENT + 1 :], message]
            return
        self._put_event(message)

    def release(self, session: str, now_ns: int) -> None:
        """Note that the publisher of a session has ended."""
        if self._stream is not None:
            arrival, self._stream = ordering.release(self._stream, session, now_ns)
            self._process(arrival, now_ns)
        if self._last is not None and self._last.session == session:
            self._end("the publisher has ended", now_ns)

    def expect(self, status: BedStatus) -> None:
        """Process the status of a worker: its session is the one that is served."""
        if self._stream is not None:
            self._stream = ordering.expect(self._stream, status.session)

    def is_sent(self, now_ns: int) -> bool:
        """Return whether the bed sends ECG."""
        return (self._segment is not None or bool(self._opening)) and now_ns / 1e9 - self._received_s < LINGER_S

    # --- time -------------------------------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """Write what is due, and finish the segments that have ended."""
        if self._segment is not None:
            self._segment.write(idle=now_ns / 1e9 - self._received_s > IDLE_S)
            self._segment.write_marks()
        for one in self._ended:
            one.segment.write_marks()
        for ended in [one for one in self._ended if now_ns / 1e9 - one.since_s > LINGER_S]:
            self._finish(ended)

    def close(self, reason: str, now_ns: int) -> None:
        """Finish all segments."""
        if self._stream is not None:
            arrival, self._stream = flush(self._stream, now_ns)
            self._process(arrival, now_ns)
        self._end(reason, now_ns)
        while self._ended:
            self._finish(self._ended[0])

    # --- segments ---------------------------------------------------------------------------------------------------

    def _process(self, arrival: Arrival, now_ns: int) -> None:
        self.counters["refused"] += len(arrival.refused)
        for taken in arrival.taken:
            self._received_s = now_ns / 1e9
            self._add(taken.chunk, taken.check.lost_samples, now_ns)

    def _add(self, chunk: Waveform, lost: int, now_ns: int) -> None:
        if lost:
            self.counters["gaps"] += 1
            self.counters["gap_samples"] += lost
        reason = self._break_before(chunk, lost)
        if reason:
            self._end(reason, now_ns)
            if lost:
                self._why.append(not_recorded(chunk.start - lost, chunk.start))
        self._last = chunk
        if self._segment is not None:
            self._segment.put(chunk)
            self._segment.write()
        else:
            self._opening.append(chunk)
            if chunk.end - self._opening[0].start >= OPEN_AFTER:
                self._open(now_ns)
        begin = self._opening[0].start if self._opening else chunk.end
        while self._recent and self._recent[0].session == chunk.session and self._recent[0].end <= begin:
            self._forget_wave()

    def _forget_wave(self) -> None:
        self._recent_bytes -= len(self._recent.popleft().samples)

    def _break_before(self, chunk: Waveform, lost: int) -> str:
        """Return why a segment must end before a chunk; empty if it goes on."""
        last, segment = self._last, self._segment
        if last is None or (segment is None and not self._opening):
            return ""
        if chunk.session != last.session:
            return "another session begins"
        if (chunk.epoch, chunk.record) != (last.epoch, last.record):
            return "another epoch begins: seek, loop or another record"
        if (chunk.leads, chunk.gain, chunk.zero) != (last.leads, last.gain, last.zero):
            return "other leads or gain"
        if lost > MAX_GAP:
            return f"a gap of {lost / FS:.1f} s"
        if segment is None or segment.samples < self._rotate:
            return ""
        aligned = chunk.position % segment.layout.ecg_per_frame == 0
        return "the next file goes on" if aligned or segment.samples > self._rotate + MAX_GAP else ""

    def _open(self, now_ns: int) -> None:
        """Begin a segment with what has come of it, if it may begin."""
        chunks, late, why = self._opening, self._late, self._why
        self._opening, self._late, self._why = [], [], []
        first = chunks[0]
        stem = self._files.begin(now_ns)
        if stem is None:
            if self._skipped is None or self._skipped[0] != first.session:
                self._skipped = first.session, first.start
            return
        if self._skipped is not None and self._skipped[0] == first.session:
            why.append(not_recorded(self._skipped[1], first.start))
        self._skipped = None
        end = self._files.recorded.pop(first.session, None)
        if end is not None and end < first.start:
            why.append(not_recorded(end, first.start))
        waves = [
            wave
            for wave in self._recent
            if (wave.session, wave.epoch) == (first.session, first.epoch) and wave.end > first.start
        ]
        segment = self._segment = Segment(stem, first, waves, why)
        for text in why:
            segment.note(first.start, text)
        self.counters["segments"] += 1
        log.info("%s: %s, %s to %s", self._files.bed, first.record, _signals(segment), segment.stem)
        for wave in waves:
            segment.put_wave(wave)
        for chunk in chunks:
            segment.put(chunk)
        for message in late:
            self._put_event(message)
        segment.write()

    def _put_event(self, message: Beat | Vitals | Numerics | Annotation | Alarm) -> None:
        segment = self._segment_of(message)
        if segment is not None:
            _put(segment, message)

    def _end(self, reason: str, now_ns: int) -> None:
        """End the present segment; it is finished once late messages have come."""
        if self._opening:
            self._open(now_ns)
        if self._segment is not None:
            self._segment.end_waves()
            if self._segment.samples < SHORT_S * FS:
                self._files.short.add(now_ns)
            self._ended.append(_Ended(self._segment, reason, now_ns / 1e9))
            self._segment = None

    def _finish(self, ended: _Ended) -> None:
        self._ended.remove(ended)
        self.counters["samples"] += ended.segment.samples
        ended.segment.finish(ended.reason)
        self._files.complete(ended.segment.stem)

    def _segment_of(self, message: Beat | Vitals | Numerics | Annotation | Alarm) -> Segment | None:
        """Return the segment to which a message belongs; alarms that began before all of them: the latest."""
        known: Sequence[Segment] = [one.segment for one in self._ended]
        if self._segment is not None:
            known = [*known, self._segment]
        known = [segment for segment in known if segment.session == message.session]
        index = message.onset if isinstance(message, Alarm) else message.index
        if isinstance(message, Alarm) and message.end is not None:
            index = message.end
        for segment in reversed(known):
            if segment.has(index):
                return segment
        return known[-1] if known and isinstance(message, Alarm | Numerics) and index < known[-1].end else None


def _put(segment: Segment, message: Beat | Vitals | Numerics | Annotation | Alarm) -> None:
    match message:
        case Beat():
            segment.note(message.index, "", message.type)
        case Annotation():
            segment.put_reference(message)
        case Alarm(phase="acknowledged"):
            segment.note(segment.end, alarm_note(message))
        case Alarm(phase="cleared", end=int(end)):
            segment.note(end, alarm_note(message))
        case Alarm():
            segment.note(message.onset, alarm_note(message, before_record=message.onset < segment.origin))
        case _:
            segment.put_numerics(message)


def _signals(segment: Segment) -> str:
    return ", ".join([*segment.layout.leads, *(wave.signal for wave in (*segment.layout.waves, *segment.layout.own))])
