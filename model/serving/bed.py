"""The worker's state of one bed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.pipeline.bed_group import Slot
from model.serving.checkpoint import BedCheckpoint, lineage
from stream.wire import ordering
from stream.wire.bed_stream import Stream, position
from stream.wire.continuity import Continuity
from stream.wire.messages import Waveform


def new_counters() -> Counter[str]:
    """Return the counters at the start of a session."""
    names = ("samples_forecast", "gaps", "lost_samples", "shed_samples", "duplicates", "rejected", "alarms", "commands")
    return Counter(dict.fromkeys(names, 0))


@dataclass
class Bed:
    """The worker's state of one bed.

    Attributes
    ----------
    chunk : Waveform
        The last processed chunk.
    stream : Stream
        The served session and its position.
    slot : Slot
        State of its analysis.
    alarms : AlarmManager
    lease : int
        See `stream.wire.lease`.
    heard_ns : int
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
    """

    chunk: Waveform
    stream: Stream
    slot: Slot
    alarms: AlarmManager
    lease: int
    heard_ns: int
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

    @property
    def place(self) -> Continuity:
        """Position after the last processed chunk."""
        return position(self.chunk)

    def context(self, now_ns: int) -> AlarmContext:
        """Return the context of alarm transitions after the last chunk."""
        chunk = self.chunk
        return AlarmContext(chunk.bed, chunk.session, chunk.record, chunk.end, now_ns)

    def to_checkpoint(self) -> BedCheckpoint:
        """Return what continues the bed in another process."""
        return BedCheckpoint(
            number=self.checkpoint,
            served_by=self.served_by,
            alive_ns=self.alive_ns,
            chunk=self.chunk,
            place=self.place,
            counters=dict(self.counters),
            ended=self.ended,
            lease=self.lease,
            analysis=self.slot.state(),
            alarms=self.alarms.saved,
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
        heard_ns=monotonic_ns,
        counters=Counter(checkpoint.counters),
        silent=any(alarm.kind == "no_data" for alarm in checkpoint.alarms.state.open),
        ended=checkpoint.ended,
        restored=True,
        alive_ns=checkpoint.alive_ns,
        served_by=lineage(checkpoint.served_by, instance),
        checkpoint=checkpoint.number,
    )
