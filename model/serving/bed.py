"""The worker's state of one bed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.pipeline.analysis import BedState
from stream.wire.continuity import Continuity
from stream.wire.messages import Waveform
from stream.wire.ordering import Stream


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
    state : BedState
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
    """

    chunk: Waveform
    stream: Stream
    state: BedState
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

    @property
    def place(self) -> Continuity:
        """Position after the last chunk taken from the stream."""
        return self.stream.place

    def context(self, now_ns: int) -> AlarmContext:
        """Return the context of alarm transitions after the last chunk."""
        chunk = self.chunk
        return AlarmContext(chunk.bed, chunk.session, chunk.record, chunk.end, now_ns)
