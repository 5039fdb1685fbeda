"""The worker's state of one bed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.pipeline.analysis import BedState
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
    place : Continuity
        Position of that chunk in session, epoch and sequence.
    state : BedState
    alarms : AlarmManager
    lease : int
        See `stream.wire.lease`.
    received_ns : int
        Unix time in ns at which the last chunk was received.
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
    former_session : str or None
        The previous session; a chunk of it comes from a second publisher.
    next_status_ns : int
        Unix time in ns at which the next periodic status is due.
    """

    chunk: Waveform
    place: Continuity
    state: BedState
    alarms: AlarmManager
    lease: int
    received_ns: int
    counters: Counter[str] = field(default_factory=new_counters)
    learning: bool = True
    silent: bool = False
    shed: bool = False
    ended: bool = False
    former_session: str | None = None
    next_status_ns: int = 0

    def context(self, now_ns: int) -> AlarmContext:
        """Return the context of alarm transitions after the last chunk."""
        chunk = self.chunk
        return AlarmContext(chunk.bed, chunk.session, chunk.record, chunk.end, now_ns)
