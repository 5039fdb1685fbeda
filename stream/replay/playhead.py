"""Converts a recording into chunks with deadlines; never sleeps.

Time contract: deadlines are counted from an anchor, one sample of the session and its due time, so that lateness does
not accumulate. Sample i is due at ``anchor_ns + (i - anchor) / (fs * speed)``. Start, resume, seek and a
change of speed set a new anchor; the restart of a loop does not. A chunk carries the due time of its first sample and
is sent when its last one is due (`Waveform.due_ns`).

An episode of another record, or another place of this one, is shown by a visit (`stream.replay.visit`), whose lead-in
has a higher speed.

A record of numerics alone has no chunks: each message of numerics is sent when its sample is due, and the record ends
when its end is due (`Playhead.next_alone`).

A `Playhead` is immutable: each action and each chunk returns a new one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from stream.clock import rfc3339
from stream.errors import UsageError
from stream.records.record import Record
from stream.records.synthetic.live_record import LiveRecord
from stream.replay.visit import LEAD_IN, LEAD_IN_CHUNK, LEAD_IN_SPEED, Visit
from stream.timebase import FS
from stream.wire.codec import MAX_BYTES
from stream.wire.fields import MAX_NUMERICS_SPEED, MAX_SPEED, MIN_SPEED
from stream.wire.messages import Waveform
from stream.wire.numerics_message import Alone, Numerics
from stream.wire.topics import check_bed
from stream.wire.wave_message import Wave

AnyRecord = Record | LiveRecord

MAX_CHUNK = 3600
"""Maximum number of samples per chunk; 10 s."""

MAX_SAMPLE_BYTES = MAX_BYTES - 2048
"""The same in bytes, of all leads; the rest of a payload is for names and numbers. 12 leads have 7 s."""


@dataclass(frozen=True)
class ReplayConfig:
    """Parameters of a replay.

    Attributes
    ----------
    bed : str
    chunk : int
        Samples per message, 1 to 3600; 36 is 100 ms.
    speed : float
        1 is real time; 0.01 to 1000, of a record of numerics alone to 7200.
    loop : bool
        Restart at the record's first sample when it ends, in a new epoch.
    start_s : float
        Position in the record at which to begin, in s.
    delay_s : float
        Time from the start of the replay to the due time of the first sample, in s.

    Raises
    ------
    UsageError
        A value is out of range.
    """

    bed: str = "bed-1"
    chunk: int = 36
    speed: float = 1.0
    loop: bool = False
    start_s: float = 0.0
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        check_bed(self.bed)
        if not 1 <= self.chunk <= MAX_CHUNK:
            raise UsageError(f"chunk of {self.chunk} samples: use 1 to {MAX_CHUNK} (36 samples are 100 ms)")
        if not MIN_SPEED <= self.speed <= MAX_NUMERICS_SPEED:
            raise UsageError(
                f"speed {self.speed:g}: use {MIN_SPEED:g} to {MAX_SPEED:g} (1 is real time), "
                f"or up to {MAX_NUMERICS_SPEED:g} for a record of numerics alone"
            )
        if not 0 <= self.start_s < float("inf"):
            raise UsageError(f"start {self.start_s:g} s: use seconds from the first sample of the record, 0 or more")


class Playhead(msgspec.Struct, frozen=True):
    """The state of a replay; a struct, because one is made for each chunk.

    Attributes
    ----------
    bed : str
    session : str
        128 bits in hex.
    chunk : int
        Samples per message, at most; fewer if they do not fit into a payload.
    record : Record or LiveRecord
    position : int
        Next sample of the record; the number of its samples once the replay has ended.
    speed : float
    loop, playing : bool
    seq, start : int
        Of the next chunk; of a record of numerics alone, ``seq`` counts its messages.
    epoch, epoch_start : int
    anchor, anchor_ns : int
        A sample of the session, and the Unix time in ns at which it is due.
    visit : Visit or None
        The episode that is shown.
    fast_until : int
        Sample of the record up to which it is passed at the speed of a lead-in; 0 outside one.
    """

    bed: str
    session: str
    chunk: int
    record: AnyRecord
    position: int
    speed: float
    loop: bool
    anchor_ns: int
    playing: bool = True
    seq: int = 0
    start: int = 0
    epoch: int = 0
    epoch_start: int = 0
    anchor: int = 0
    visit: Visit | None = None
    fast_until: int = 0

    @property
    def pace(self) -> float:
        """Speed of the next chunk."""
        return min(self.speed * LEAD_IN_SPEED, MAX_SPEED) if self.fast_until else self.speed

    @property
    def ended(self) -> bool:
        """True once the record has ended, until a command seeks or selects another record."""
        return self.position >= self.record.n

    @property
    def due_ns(self) -> int | None:
        """Unix time in ns at which the next chunk is due; None while paused or ended."""
        if self.ended or not self.playing:
            return None
        if self.record.alone:
            return self._due(self.start + self._next_position() - self.position)
        return self._due(self.start) + round((self._next_n() - 1) * 1e9 / (FS * self.pace))

    def _next_n(self) -> int:
        """Return the samples of the next chunk: up to the next multiple of `chunk` in the session, or the end of
        record or visit; a second in a lead-in.

        After the end of a record a looping bed so returns to the moments at which the others of its ward send.
        """
        if self.fast_until:
            return min(LEAD_IN_CHUNK, self.fast_until - self.position)
        stop = self.record.n if self.visit is None else self.visit.stop(self.record.n)
        most = MAX_SAMPLE_BYTES // (2 * max(len(self.record.leads), 1))
        return min(self.chunk - self.start % self.chunk, stop - self.position, most)

    def _due(self, index: float) -> int:
        return self.anchor_ns + round((index - self.anchor) * 1e9 / (FS * self.pace))

    def next_waves(self) -> tuple[Wave, ...]:
        """Return the chunks of the other waves in the interval of the next chunk, to be sent before it."""
        stop = self.position + self._next_n()
        waves = []
        for wave in self.record.waves:
            position, adu = wave.within(self.position, stop)
            if not adu.size:
                continue
            start = self.start + (position - self.position)
            waves.append(
                Wave(
                    bed=self.bed,
                    session=self.session,
                    epoch=self.epoch,
                    seq=self.seq,
                    signal=wave.signal,
                    unit=wave.unit,
                    start=start,
                    epoch_start=self.epoch_start,
                    t0_ns=self._due(start),
                    speed=self.pace,
                    fs=wave.fs,
                    gain=wave.gain,
                    zero=wave.zero,
                    samples=adu.astype("<i2", copy=False).tobytes(),
                    record=self.record.name,
                    position=position,
                    synthetic=self.record.synthetic,
                )
            )
        return tuple(waves)

    def next_numerics(self) -> Numerics | None:
        """Return the latest numerics in the interval of the next chunk, to be sent after it; None if none are new.

        They are new at `Record.numerics_positions`, and at the first sample of an epoch.
        """
        record = self.record
        if not record.numerics:
            return None
        position = record.latest_numerics(self.position + self._next_n() - 1)
        if position < self.position:
            if self.start > self.epoch_start:
                return None
            position = self.position
        return self._numerics(position, None)

    def _numerics(self, position: int, alone: Alone | None) -> Numerics:
        index = self.start + position - self.position
        return Numerics(
            bed=self.bed,
            session=self.session,
            epoch=self.epoch,
            index=index,
            when=rfc3339(self._due(index)),
            values=self.record.numerics_at(position),
            synthetic=self.record.synthetic,
            alone=alone,
        )

    def _next_position(self) -> int:
        """Return where a record of numerics alone has its next values, or its end."""
        assert isinstance(self.record, Record), "a live patient has ECG"
        return self.position if self.start == self.epoch_start else self.record.next_numerics(self.position)

    def next_alone(self) -> tuple[Numerics | None, Playhead]:
        """Return the next message of a record of numerics alone, and the playhead after it; `due_ns` must not be None.

        There is no message when the end of the record is due.
        """
        record, position = self.record, self._next_position()
        assert isinstance(record, Record), "a live patient has ECG"
        if position >= record.n:
            head = replace(self, start=self.start + record.n - self.position, position=record.n)
            return None, head._restarted()
        alone = Alone(
            record=record.name,
            position=position,
            epoch_start=self.epoch_start,
            speed=self.speed,
            interval_s=record.numerics_interval_s,
        )
        start = self.start + position + 1 - self.position
        head = replace(self, seq=self.seq + 1, start=start, position=position + 1)
        return self._numerics(position, alone), head

    def _restarted(self) -> Playhead:
        """Return the playhead at the start of its record, in a new epoch, if it loops and the record has ended."""
        if self.ended and self.loop:
            return replace(self, position=0, epoch=self.epoch + 1, epoch_start=self.start)
        return self

    def next_chunk(self) -> tuple[Waveform, Playhead]:
        """Return the next chunk and the playhead after it; `due_ns` must not be None."""
        record, start = self.record, self.start
        n = self._next_n()
        chunk = Waveform(
            bed=self.bed,
            session=self.session,
            epoch=self.epoch,
            seq=self.seq,
            start=start,
            epoch_start=self.epoch_start,
            t0_ns=self._due(start),
            speed=self.pace,
            fs=FS,
            leads=record.leads,
            gain=record.gain,
            zero=record.zero,
            samples=record.ecg(self.position, self.position + n).astype("<i2", copy=False).tobytes(),
            record=record.name,
            position=self.position,
            synthetic=record.synthetic,
        )
        head = replace(self, seq=self.seq + 1, start=start + n, position=self.position + n)
        if self.fast_until or self.visit is not None:
            head = head._visited(self._due(head.start))
        return chunk, head._restarted()

    def _visited(self, due_ns: int) -> Playhead:
        """Return the playhead after the lead-in, or after the visit, if it is over; its next sample is due then."""
        head = self
        if head.fast_until and head.position >= head.fast_until:
            head = replace(head, fast_until=0, anchor=head.start, anchor_ns=due_ns)
        shown = head.visit
        if shown is None or head.position < shown.stop(head.record.n):
            return head
        if shown.back is None:
            return replace(head, visit=None)
        return head.jump(shown.back, max(shown.position - LEAD_IN, 0), due_ns, shown.position)

    def jump(self, record: AnyRecord, position: int, now_ns: int, fast_until: int = 0) -> Playhead:
        """Return the playhead at a position of a record, in a new epoch; up to ``fast_until`` in a lead-in."""
        # If no chunk of the current epoch has been sent, it is kept.
        epoch = self.epoch if self.start == self.epoch_start else self.epoch + 1
        return replace(
            self,
            record=record,
            position=position,
            epoch=epoch,
            epoch_start=self.start,
            anchor=self.start,
            anchor_ns=now_ns,
            visit=None,
            fast_until=fast_until if fast_until > position else 0,
        )


def begin(record: AnyRecord, config: ReplayConfig, begin_ns: int, session: str | None = None) -> Playhead:
    """Return the initial playhead.

    Parameters
    ----------
    record : Record
    config : ReplayConfig
    begin_ns : int
        Unix time in ns at which the first sample is due, without the delay of ``config``.
    session : str or None
        128 bits in hex; random if None.

    Raises
    ------
    UsageError
        The record ends before ``config.start_s``, or has ECG and ``config.speed`` is too high for it.
    """
    check_speed(record, config.speed)
    return Playhead(
        bed=config.bed,
        session=session or secrets.token_hex(16),
        chunk=config.chunk,
        record=record,
        position=first_sample(record, config),
        speed=config.speed,
        loop=config.loop and isinstance(record, Record),
        anchor_ns=begin_ns + round(config.delay_s * 1e9),
    )


def first_sample(record: AnyRecord, config: ReplayConfig) -> int:
    """Return the first sample of the record to replay.

    Raises
    ------
    UsageError
        The record ends before ``config.start_s``, or the patient is live.
    """
    first = round(config.start_s * FS)
    if first and isinstance(record, LiveRecord):
        raise UsageError(f"start {config.start_s:g} s: {record.name} is made while it is replayed; leave it out")
    if first >= record.n:
        raise UsageError(f"start {config.start_s:g} s: record {record.name} ends at {record.n / FS:.1f} s; use less")
    return first


def check_speed(record: AnyRecord, speed: float) -> None:
    """Refuse a replay speed that is too high for a record with ECG.

    Raises
    ------
    UsageError
    """
    if speed > MAX_SPEED and not record.alone:
        raise UsageError(
            f"speed {speed:g}: record {record.name} has ECG; use {MIN_SPEED:g} to {MAX_SPEED:g} (1 is real time)"
        )


def replay(record: AnyRecord, config: ReplayConfig, begin_ns: int, session: str | None = None) -> Iterator[Waveform]:
    """Yield the chunks of a record as they are sent without commands; parameters as for `begin`.

    Raises
    ------
    UsageError
        The record ends before ``config.start_s``.
    """
    head = begin(record, config, begin_ns, session)
    while head.due_ns is not None:
        chunk, head = head.next_chunk()
        yield chunk
