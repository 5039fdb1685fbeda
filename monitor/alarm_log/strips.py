"""The ECG around each alarm: 10 s before its onset to 10 s after it. No sockets, no database.

The last two minutes of each bed are kept, so that a strip begins before its alarm was known. A strip is ready when the
10 s after the onset have come, or will not come: the session has ended or changed, the leads or their calibration have
changed, nothing was heard for a minute, or the process ends. What is missing then reads as invalid, and the strip says
that it is incomplete.

Memory is bounded whatever arrives: 64 beds of 346 KB, 64 alarms of a bed that wait, 128 strips of 29 KB that a full
disk keeps in memory; 28 MB in all. What gives way is counted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from monitor.common.ring_buffer import RingBuffer
from stream.errors import MessageError
from stream.timebase import FS
from stream.wire.alarm_messages import PRIORITIES, Alarm
from stream.wire.continuity import Continuity, check_sequence
from stream.wire.messages import INVALID, BedStatus, Waveform

MARGIN = 10 * FS
"""Samples before and after the onset."""

RING = 120 * FS
"""Samples of a bed that are kept: atrial fibrillation is known only 64 beats after its onset, 76 s in record 203."""

QUIET_NS = 60_000_000_000
"""When a session has been silent for so long, the rest of a strip is waited for no more."""

MAX_BEDS = 64
MAX_PENDING = 64
MAX_READY = 128


@dataclass(frozen=True, slots=True)
class Strip:
    """The samples around the onset of an alarm.

    Attributes
    ----------
    alarm_id, bed, session, priority : str
        As in the alarm.
    start : int
        Index of the first sample since the session began.
    leads : tuple of str
    gain, zero : tuple of float, tuple of int
        adu per mV and the adu of 0 mV, one per lead.
    samples : bytes
        Little-endian int16 of shape (n, leads) at 360 Hz, C order; −32768 is invalid or missing.
    complete : bool
        False where samples of the stream are missing.
    """

    alarm_id: str
    bed: str
    session: str
    priority: str
    start: int
    leads: tuple[str, ...]
    gain: tuple[float, ...]
    zero: tuple[int, ...]
    samples: bytes
    complete: bool

    def adu(self) -> npt.NDArray[np.int16]:
        """Return the samples, shape (n, leads), read-only."""
        return np.frombuffer(self.samples, "<i2").reshape(-1, len(self.leads))


def window(onset: int) -> tuple[int, int]:
    """Return the first sample of a strip and the one after its last; a session has nothing before sample 0."""
    return max(onset - MARGIN, 0), onset + MARGIN


@dataclass(slots=True)
class _Source:
    """One stretch of samples that share session, leads and calibration."""

    session: str
    leads: tuple[str, ...]
    gain: tuple[float, ...]
    zero: tuple[int, ...]
    ring: RingBuffer
    ended: bool = False

    def carries(self, chunk: Waveform) -> bool:
        return (self.session, self.leads, self.gain, self.zero) == (chunk.session, chunk.leads, chunk.gain, chunk.zero)


@dataclass(frozen=True, slots=True)
class _Waiting:
    alarm: Alarm
    since_ns: int
    known: Strip | None


@dataclass(slots=True)
class _Bed:
    source: _Source | None = None
    position: Continuity | None = None
    heard_ns: int = 0
    waiting: dict[str, _Waiting] = field(default_factory=dict)


class StripRecorder:
    """What is kept of all beds, and the strips that are ready to be stored.

    All moments are monotonic time in ns.

    Attributes
    ----------
    ready : dict of str to Strip
        By alarm id, the oldest first; whoever has stored one removes it.
    dropped : int
        Alarms and strips that a storm, or a disk full for long, left without a place here.
    rejected : int
        Chunks left out because they contradict the one before.
    """

    def __init__(self) -> None:
        self.ready: dict[str, Strip] = {}
        self.dropped = 0
        self.rejected = 0
        self._beds: dict[str, _Bed] = {}

    def want(self, alarm: Alarm, now_ns: int, known: Strip | None = None) -> None:
        """Have a strip made of an alarm; `known` is what an earlier process stored of it."""
        bed = self._bed(alarm.bed, now_ns)
        bed.waiting[alarm.alarm_id] = _Waiting(alarm, now_ns, known)
        self._settle(bed)
        if len(bed.waiting) > MAX_PENDING:
            del bed.waiting[_least({key: w.alarm.priority for key, w in bed.waiting.items()})]
            self.dropped += 1

    def take(self, chunk: Waveform, now_ns: int) -> None:
        """Keep a chunk, unless it was received before or contradicts the one before."""
        bed = self._bed(chunk.bed, now_ns)
        bed.heard_ns = now_ns
        try:
            arrival, bed.position = check_sequence(bed.position, chunk)
        except MessageError:
            self.rejected += 1
            return
        if arrival.duplicate:
            return
        if bed.source is None or not bed.source.carries(chunk):
            # Another session, or another calibration from here on: of what began before, no more will come.
            anew = bed.source is not None and bed.source.session == chunk.session
            over = [w for w in bed.waiting.values() if w.alarm.session != chunk.session or (anew and _began(w, chunk))]
            self._close(bed, over)
            ring = RingBuffer(RING, len(chunk.leads))
            bed.source = _Source(chunk.session, chunk.leads, chunk.gain, chunk.zero, ring)
        bed.source.ended = False
        bed.source.ring.put(chunk.start, chunk.adu())
        if bed.waiting:
            self._settle(bed)

    def note(self, status: BedStatus, now_ns: int) -> None:
        """Take what the publisher reports of a bed: a session that has ended brings no more; a paused one will."""
        bed = self._beds.get(status.bed)
        if bed is None:
            return
        ended = status.state == "ended"
        if bed.source is not None and bed.source.session == status.session:
            bed.heard_ns = now_ns
            bed.source.ended = ended
        if ended:
            self._close(bed, [w for w in bed.waiting.values() if w.alarm.session == status.session])

    def expire(self, now_ns: int) -> None:
        """Wait no more for the samples of sessions that are silent."""
        for bed in self._beds.values():
            for waiting in list(bed.waiting.values()):
                audible = bed.source is not None and bed.source.session == waiting.alarm.session
                if now_ns - max(waiting.since_ns, bed.heard_ns if audible else 0) > QUIET_NS:
                    self._close(bed, [waiting])

    def finish(self) -> None:
        """Make strips of what there is."""
        for bed in self._beds.values():
            self._close(bed, list(bed.waiting.values()))

    def _bed(self, name: str, now_ns: int) -> _Bed:
        bed = self._beds.get(name)
        if bed is None:
            if len(self._beds) >= MAX_BEDS:
                silent = min(self._beds, key=lambda other: self._beds[other].heard_ns)
                self._close(self._beds[silent], list(self._beds[silent].waiting.values()))
                del self._beds[silent]
            bed = self._beds[name] = _Bed(heard_ns=now_ns)
        return bed

    def _settle(self, bed: _Bed) -> None:
        """Make the strips whose last sample has come."""
        source = bed.source
        if source is None or source.ring.end is None:
            return
        over = [
            waiting
            for waiting in bed.waiting.values()
            if waiting.alarm.session == source.session
            and (source.ended or source.ring.end >= window(waiting.alarm.onset)[1])
        ]
        self._close(bed, over)

    def _close(self, bed: _Bed, over: Collection[_Waiting]) -> None:
        for waiting in over:
            alarm = waiting.alarm
            bed.waiting.pop(alarm.alarm_id)
            if bed.source is None or bed.source.session != alarm.session:
                continue
            strip = _strip(alarm, bed.source, waiting.known)
            if strip is not None:
                self.ready[alarm.alarm_id] = strip
        while len(self.ready) > MAX_READY:
            del self.ready[_least({key: strip.priority for key, strip in self.ready.items()})]
            self.dropped += 1


def _began(waiting: _Waiting, chunk: Waveform) -> bool:
    return waiting.alarm.onset < chunk.start


def _least(priorities: dict[str, str]) -> str:
    """Return the key of the least grave, the first of several."""
    return max(priorities, key=lambda key: PRIORITIES.index(priorities[key]))


def _strip(alarm: Alarm, source: _Source, known: Strip | None) -> Strip | None:
    """Return what the ring holds around an onset, with what was known of it before; None where it holds nothing."""
    start, stop = window(alarm.onset)
    values = source.ring.get(start, stop)
    missing = np.isnan(values[:, 0])  # a chunk brings all leads
    if missing.all():
        return None
    adu = np.where(missing[:, np.newaxis], INVALID, values).astype("<i2")
    if known is not None:
        if (known.start, known.leads, known.gain, known.zero) != (start, source.leads, source.gain, source.zero):
            return None
        before = known.adu()
        adu[missing] = before[missing]
        missing &= (before == INVALID).all(axis=1)
    return Strip(
        alarm_id=alarm.alarm_id,
        bed=alarm.bed,
        session=alarm.session,
        priority=alarm.priority,
        start=start,
        leads=source.leads,
        gain=source.gain,
        zero=source.zero,
        samples=adu.tobytes(),
        complete=not missing.any(),
    )
