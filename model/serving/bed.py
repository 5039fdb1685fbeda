"""The worker's state of one bed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.pipeline.bed_group import Slot
from model.serving.bed_hours import BedHours
from model.serving.checkpoint import BedCheckpoint, lineage
from stream.wire import ordering
from stream.wire.bed_stream import Stream, position
from stream.wire.continuity import Continuity
from stream.wire.messages import Waveform
from stream.wire.ward_run import WardRun


def new_counters() -> Counter[str]:
    """Return the counters at the start of a session."""
    names = (
        "samples_forecast",
        "gaps",
        "lost_samples",
        "shed_samples",
        "duplicates",
        "rejected",
        "alarms",
        "commands",
        "numerics_dropped",
        "wave_samples_lost",
        "waves_refused",
    )
    return Counter(dict.fromkeys(names, 0))


@dataclass
class Bed:
    """The worker's state of one bed.

    While the bed flows in the run of its shard (`model.serving.ward_beds`), the last chunk and the stream are those of
    the run, and made from its columns on demand. Whoever sets one of them takes the bed out of the run.

    Attributes
    ----------
    own_chunk : Waveform
        The last processed chunk, or that with which the bed joined the run.
    own_stream : Stream
        The served session and its position; or that with which the bed joined the run.
    slot : Slot
        State of its analysis.
    alarms : AlarmManager
    lease : int
        See `stream.wire.lease`.
    received_ns : int
        Monotonic time in ns at which the last chunk was received, or until which none was expected.
    counters : Counter
        Counters of the current session.
    learning : bool
        True until the first score after a break.
    silent : bool
        Whether the alarm ``no_data`` is raised: nothing has been received for too long, or chunks are shed.
    shed : bool
        Whether it is because chunks are shed.
    ended : bool
        Whether the publisher has reported the end of the record.
    contested : bool
        Whether two publishers send.
    paused_until_ns : int
        Monotonic time in ns until which the last report of a pause is believed.
    next_status_ns : int
        Monotonic time in ns at which the next periodic status is due.
    lost_samples : int
        Samples lost before the last chunk.
    restored : bool
        Whether the bed goes on from a checkpoint and has sent nothing since.
    alive_ns : int
        Unix time in ns at which the last chunk was processed, by this process or an earlier one.
    served_by : tuple of str
        Processes that served the bed, this one last.
    checkpoint : int
        Number of the last checkpoint.
    next_checkpoint_ns : int
        Unix time in ns at which the next one is due.
    hours : BedHours or None
        Its hours, if it has numerics.
    run : WardRun or None
        The run in which the bed flows, and
    row : int
        its place there.
    name : str
    """

    own_chunk: Waveform
    own_stream: Stream
    slot: Slot
    alarms: AlarmManager
    lease: int
    received_ns: int
    counters: Counter[str] = field(default_factory=new_counters)
    learning: bool = True
    silent: bool = False
    shed: bool = False
    ended: bool = False
    contested: bool = False
    paused_until_ns: int = 0
    next_status_ns: int = 0
    lost_samples: int = 0
    restored: bool = False
    alive_ns: int = 0
    served_by: tuple[str, ...] = ()
    checkpoint: int = 0
    next_checkpoint_ns: int = 0
    hours: BedHours | None = None
    run: WardRun | None = None
    row: int = 0
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.own_chunk.bed

    @property
    def chunk(self) -> Waveform:
        """The last processed chunk."""
        return self.own_chunk if self.run is None else self.run.chunk(self.row)

    @chunk.setter
    def chunk(self, chunk: Waveform) -> None:
        self.leave_run()
        self.own_chunk = chunk

    @property
    def stream(self) -> Stream:
        """The served session and its position."""
        return self.own_stream if self.run is None else self.run.stream(self.row)

    @stream.setter
    def stream(self, stream: Stream) -> None:
        self.leave_run()
        self.own_stream = stream

    @property
    def session(self) -> str:
        """Session of the last processed chunk."""
        return self.own_chunk.session  # the same throughout a run, as epoch, leads and record

    @property
    def seq(self) -> int:
        """Number of the last processed chunk."""
        return self.own_chunk.seq if self.run is None else self.run.seq(self.row)

    @property
    def end(self) -> int:
        """Index after the last sample of the last processed chunk."""
        return self.own_chunk.end if self.run is None else self.run.end(self.row)

    def leave_run(self) -> None:
        """Remove the bed from the run of its shard, if it is in one."""
        if self.run is not None:
            self.own_chunk, self.own_stream, self.run = self.chunk, self.stream, None

    @property
    def place(self) -> Continuity:
        """Position after the last processed chunk."""
        return position(self.chunk)

    def context(self, now_ns: int) -> AlarmContext:
        """Return the context of alarm transitions after the last chunk."""
        return AlarmContext(self.name, self.session, self.own_chunk.record, self.end, now_ns)

    def to_checkpoint(self) -> BedCheckpoint:
        """Return what continues the bed in another process."""
        chunk = self.chunk
        return BedCheckpoint(
            number=self.checkpoint,
            served_by=self.served_by,
            alive_ns=self.alive_ns,
            chunk=chunk,
            place=position(chunk),
            counters=dict(self.counters),
            ended=self.ended,
            lease=self.lease,
            analysis=self.slot.state(),
            alarms=self.alarms.saved,
            hours=self.hours,
        )


def restored_bed(
    checkpoint: BedCheckpoint,
    slot: Slot,
    alarms: AlarmManager,
    instance: str,
    lease: int,
    now_ns: int,
    monotonic_ns: int,
) -> Bed:
    """Return the bed of a checkpoint, now served by ``instance``, with its analysis in ``slot``.

    ``alarms`` continues with its alarms.
    """
    alarms.restore_saved(checkpoint.alarms)
    silent_ns = max(now_ns - checkpoint.alive_ns, 0)
    return Bed(
        checkpoint.chunk,
        ordering.resume(checkpoint.chunk, silent_ns, monotonic_ns),
        slot,
        alarms,
        lease,
        received_ns=monotonic_ns,
        counters=Counter(checkpoint.counters),
        silent=any(alarm.kind == "no_data" for alarm in checkpoint.alarms.state.open),
        ended=checkpoint.ended,
        restored=True,
        alive_ns=checkpoint.alive_ns,
        served_by=lineage(checkpoint.served_by, instance),
        checkpoint=checkpoint.number,
        hours=checkpoint.hours,
    )
