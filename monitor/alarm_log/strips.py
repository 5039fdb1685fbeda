"""ECG strips: the samples from 10 s before to 10 s after the onset of each alarm. No sockets, no database.

The last two minutes of each bed are kept, because an alarm is reported after its onset. A strip is ready once the 10 s
after the onset are received, or cannot be received any more: the session has ended or changed, the leads or their
calibration have changed, no data were received for a minute, or the process ends. Missing samples are then marked as
invalid, and the strip as incomplete.

Memory is bounded for any input: 346 KB of each bed that has a place (`stream.wire.bed_places`) and has sent for two
minutes, 64 pending strips per bed, 128 finished strips of 29 KB waiting for the disk; 28 MB for 64 beds. Dropped alarms
and strips are counted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from monitor.common.ring_buffer import RingBuffer
from monitor.common.strip import Strip, strip_range
from stream.timebase import FS
from stream.wire import ordering
from stream.wire.alarm_messages import PRIORITIES
from stream.wire.bed_places import BedPlaces
from stream.wire.bed_stream import Arrival, Stream
from stream.wire.messages import INVALID, Waveform
from stream.wire.publishers import Publishers
from stream.wire.status_messages import BedStatus, ProcessStatus

HISTORY_SAMPLES = 120 * FS
"""Samples kept per bed. Atrial fibrillation is reported as late as 64 beats after its onset, 76 s in record 203."""

SILENCE_TIMEOUT_NS = 60_000_000_000
"""Time without data of a session after which its pending strips are finished incomplete."""

MAX_PENDING = 64
"""Maximum number of pending strips per bed."""

MAX_READY = 128
"""Maximum number of finished strips that wait for the disk."""


@dataclass(slots=True)
class _Segment:
    """Recent samples of the analysed leads, with the same session, leads and calibration."""

    session: str
    leads: tuple[str, ...]
    gain: tuple[float, ...]
    zero: tuple[int, ...]
    ring: RingBuffer
    ended: bool = False

    def matches(self, chunk: Waveform) -> bool:
        count = len(chunk.analysed)
        own = chunk.session, chunk.analysed, chunk.gain[:count], chunk.zero[:count]
        return (self.session, self.leads, self.gain, self.zero) == own


class Event(Protocol):
    """What a strip is made of: an alarm, or another event of a bed (`monitor.alarm_log.class_log`)."""

    @property
    def alarm_id(self) -> str:
        """Under which the strip is stored."""

    @property
    def bed(self) -> str:
        """Name of the bed."""

    @property
    def session(self) -> str:
        """Session of the onset."""

    @property
    def priority(self) -> str:
        """One of `PRIORITIES`: which strips give way."""

    @property
    def onset(self) -> int:
        """Sample of the session."""


@dataclass(frozen=True, slots=True)
class _PendingStrip:
    alarm: Event
    since_ns: int
    stored: Strip | None


@dataclass(slots=True)
class _Bed:
    segment: _Segment | None = None
    stream: Stream | None = None
    last_received_ns: int = 0
    pending: dict[str, _PendingStrip] = field(default_factory=dict)


class StripRecorder:
    """Keeps the recent samples of all beds, and assembles strips.

    All times are monotonic, in ns.

    Attributes
    ----------
    ready : dict of str to Strip
        Finished strips by alarm id, oldest first; the caller removes those that it has stored.
    dropped : int
        Number of pending or finished strips dropped because a buffer was full.
    rejected : int
        Number of chunks of another publisher, or that contradict the stream.
    """

    def __init__(self) -> None:
        self.ready: dict[str, Strip] = {}
        self.dropped = 0
        self.rejected = 0
        self._beds: dict[str, _Bed] = {}
        self._places = BedPlaces()
        self._publishers = Publishers()

    def request(self, alarm: Event, now_ns: int, stored: Strip | None = None) -> None:
        """Request the strip of an alarm; `stored` is an incomplete strip from an earlier process."""
        bed = self._bed(alarm.bed, now_ns)
        if bed is None:
            self.dropped += 1
            return
        bed.pending[alarm.alarm_id] = _PendingStrip(alarm, now_ns, stored)
        self._finish_complete(bed)
        if len(bed.pending) > MAX_PENDING:
            del bed.pending[_lowest_priority({key: p.alarm.priority for key, p in bed.pending.items()})]
            self.dropped += 1

    def push(self, chunk: Waveform, now_ns: int) -> None:
        """Add a chunk, unless it is a duplicate, of another publisher, or contradicts the stream."""
        bed = self._bed(chunk.bed, now_ns, chunk.n / FS)
        if bed is None:
            self.rejected += 1
            return
        bed.last_received_ns = now_ns
        arrival, bed.stream = ordering.receive(bed.stream, chunk, now_ns)
        self._process(bed, arrival)

    def _process(self, bed: _Bed, arrival: Arrival) -> None:
        self.rejected += len(arrival.refused)
        for taken in arrival.taken:
            self._add(bed, taken.chunk)

    def _add(self, bed: _Bed, chunk: Waveform) -> None:
        """Keep the samples of a chunk, and finish the strips that they complete."""
        count = len(chunk.analysed)
        if bed.segment is None or not bed.segment.matches(chunk):
            # Another session or calibration from here on: earlier pending strips get no more samples.
            recalibrated = bed.segment is not None and bed.segment.session == chunk.session
            self._finish(
                bed,
                [
                    p
                    for p in bed.pending.values()
                    if p.alarm.session != chunk.session or (recalibrated and p.alarm.onset < chunk.start)
                ],
            )
            ring = RingBuffer(HISTORY_SAMPLES, count)
            bed.segment = _Segment(chunk.session, chunk.analysed, chunk.gain[:count], chunk.zero[:count], ring)
        bed.segment.ended = False
        bed.segment.ring.put(chunk.start, chunk.adu()[:, :count])
        if bed.pending:
            self._finish_complete(bed)

    def update_status(self, status: BedStatus | ProcessStatus, now_ns: int) -> None:
        """Process the status of a bed or of a publisher; if its session has ended, finish the pending strips."""
        for name, session in self._publishers.update(status):
            released = self._beds.get(name)
            if released is not None and released.stream is not None:
                arrival, released.stream = ordering.release(released.stream, session, now_ns)
                self._process(released, arrival)
        bed = self._beds.get(status.bed) if isinstance(status, BedStatus) else None
        if bed is None or not isinstance(status, BedStatus):
            return
        if status.role == "worker":
            if bed.stream is not None:
                bed.stream = ordering.expect(bed.stream, status.session)
            return
        ended = status.state == "ended"
        if bed.segment is not None and bed.segment.session == status.session:
            bed.last_received_ns = now_ns
            bed.segment.ended = ended
        if ended:
            self._finish(bed, [p for p in bed.pending.values() if p.alarm.session == status.session])

    def expire(self, now_ns: int) -> None:
        """Finish the pending strips of sessions without data for `SILENCE_TIMEOUT_NS`."""
        for bed in self._beds.values():
            for pending in list(bed.pending.values()):
                same_session = bed.segment is not None and bed.segment.session == pending.alarm.session
                if now_ns - max(pending.since_ns, bed.last_received_ns if same_session else 0) > SILENCE_TIMEOUT_NS:
                    self._finish(bed, [pending])

    def finish(self) -> None:
        """Finish all pending strips with the samples received so far."""
        for bed in self._beds.values():
            self._finish(bed, list(bed.pending.values()))

    def _bed(self, name: str, now_ns: int, signal_s: float = 0.0) -> _Bed | None:
        """Return a bed; None if there is no place for it. The one that loses its place ends with what it has."""
        admitted, lost = self._places.admit(name, now_ns / 1e9, signal_s)
        if lost is not None and lost in self._beds:
            self._finish(self._beds[lost], list(self._beds[lost].pending.values()))
            del self._beds[lost]
        return self._beds.setdefault(name, _Bed(last_received_ns=now_ns)) if admitted else None

    def _finish_complete(self, bed: _Bed) -> None:
        """Finish the strips whose last sample has been received."""
        segment = bed.segment
        if segment is None or segment.ring.end is None:
            return
        finished = [
            pending
            for pending in bed.pending.values()
            if pending.alarm.session == segment.session
            and (segment.ended or segment.ring.end >= strip_range(pending.alarm.onset)[1])
        ]
        self._finish(bed, finished)

    def _finish(self, bed: _Bed, finished: Collection[_PendingStrip]) -> None:
        for pending in finished:
            alarm = pending.alarm
            bed.pending.pop(alarm.alarm_id)
            if bed.segment is None or bed.segment.session != alarm.session:
                continue
            strip = _strip(alarm, bed.segment, pending.stored)
            if strip is not None:
                self.ready[alarm.alarm_id] = strip
        while len(self.ready) > MAX_READY:
            del self.ready[_lowest_priority({key: strip.priority for key, strip in self.ready.items()})]
            self.dropped += 1


def _lowest_priority(priorities: dict[str, str]) -> str:
    """Return the first key with the lowest priority."""
    return max(priorities, key=lambda key: PRIORITIES.index(priorities[key]))


def _strip(alarm: Event, segment: _Segment, stored: Strip | None) -> Strip | None:
    """Return the strip of an alarm, missing samples filled from `stored`; None if the segment has none of it."""
    start, stop = strip_range(alarm.onset)
    values = segment.ring.get(start, stop)
    missing = np.isnan(values[:, 0])  # a chunk contains all leads
    if missing.all():
        return None
    adu = np.where(missing[:, np.newaxis], INVALID, values).astype("<i2")
    if stored is not None:
        if (stored.start, stored.leads, stored.gain, stored.zero) != (start, segment.leads, segment.gain, segment.zero):
            return None
        before = stored.adu()
        adu[missing] = before[missing]
        missing &= (before == INVALID).all(axis=1)
    return Strip(
        alarm_id=alarm.alarm_id,
        bed=alarm.bed,
        session=alarm.session,
        priority=alarm.priority,
        start=start,
        leads=segment.leads,
        gain=segment.gain,
        zero=segment.zero,
        samples=adu.tobytes(),
        complete=not missing.any(),
    )
