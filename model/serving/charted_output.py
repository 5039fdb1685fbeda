"""A bed without ECG that is served, and what goes out of it: what a message changes is saved before it is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.serving import outlook_output
from model.serving.bed_output import STATUS_EVERY_NS
from model.serving.charted_bed import ChartState
from model.serving.charted_checkpoints import ChartCheckpoint, ChartedCheckpoints
from model.serving.outlook_output import Origin
from model.trends.outlook import Outlook
from stream.clock import Clock, monotonic_ns, rfc3339
from stream.wire.chart_order import SILENT_NS
from stream.wire.messages import Message
from stream.wire.numerics_message import Numerics
from stream.wire.status_messages import BedStatus


@dataclass
class ChartedBed:
    """The worker's state of one bed without ECG.

    Attributes
    ----------
    numerics : Numerics
        The last message.
    chart : ChartState
    alarms : AlarmManager
    received_ns : int
        Monotonic time in ns at which it was received.
    reported_ns : int
        Monotonic time in ns at which its publisher has last reported that it sends the session.
    counters : Counter
    released : bool
        Whether the publisher of its session has ended.
    ended : bool
        Whether the publisher has reported the end of the record.
    next_status_ns : int
        Monotonic time in ns at which the next status is due.
    alive_ns : int
        Unix time in ns at which the last message was processed.
    served_by : tuple of str
    checkpoint : int
        Number of the last checkpoint.
    """

    numerics: Numerics
    chart: ChartState
    alarms: AlarmManager
    received_ns: int
    reported_ns: int = 0
    counters: Counter[str] = field(default_factory=Counter)
    released: bool = False
    ended: bool = False
    next_status_ns: int = 0
    alive_ns: int = 0
    served_by: tuple[str, ...] = ()
    checkpoint: int = 0

    def context(self, now_ns: int) -> AlarmContext:
        """Return the context of alarm transitions after the last message."""
        numerics = self.numerics
        record = "" if numerics.alone is None else numerics.alone.record
        return AlarmContext(numerics.bed, numerics.session, record, numerics.index + 1, now_ns)

    def gives_way(self, now_ns: int) -> bool:
        """Return whether another session may take over, at a monotonic time in ns."""
        return self.released or self.ended or now_ns - max(self.received_ns, self.reported_ns) > SILENT_NS


class ChartedOutput:
    """Saves beds and sends their messages.

    Parameters
    ----------
    checkpoints : ChartedCheckpoints
    send : callable
        Sends a message; never blocks.
    instance : str
        Name of this process in the status of its beds.
    clock : Clock

    Attributes
    ----------
    checkpoints : ChartedCheckpoints
    """

    def __init__(
        self, checkpoints: ChartedCheckpoints, send: Callable[[Message], None], instance: str, clock: Clock
    ) -> None:
        self.checkpoints = checkpoints
        self._send = send
        self._instance = instance
        self._clock = clock
        self._unsent: list[Message] = []

    def add(self, message: Message) -> None:
        """Keep a message until its bed is saved."""
        self._unsent.append(message)

    def add_outlook(self, bed: ChartedBed, outlook: Outlook, threshold: float) -> None:
        """Keep the message of an hour that has come until the bed is saved."""
        numerics, alone = bed.numerics, bed.numerics.alone
        assert alone is not None
        origin = Origin(
            numerics.bed, numerics.session, numerics.epoch, numerics.index, alone.record, numerics.synthetic
        )
        now_ns, lease = self._clock.now_ns(), bed.alarms.lease
        self.add(outlook_output.outlook_message(origin, bed.chart.hours, outlook, threshold, now_ns, lease))

    def save_and_send(self, bed: ChartedBed) -> None:
        """Save a bed, then send all that is kept."""
        bed.checkpoint += 1
        self.checkpoints.write(
            ChartCheckpoint(
                bed.checkpoint,
                bed.served_by,
                bed.alive_ns,
                bed.numerics,
                dict(bed.counters),
                bed.ended,
                bed.alarms.lease,
                bed.chart,
                bed.alarms.saved,
            )
        )
        self.send_all()

    def send_all(self) -> None:
        """Send all that is kept."""
        unsent, self._unsent[:] = tuple(self._unsent), ()
        for message in unsent:
            self._send(message)

    def publish_status(self, bed: ChartedBed, state: Literal["forecasting", "stopped"]) -> None:
        """Publish whether a bed is served."""
        bed.next_status_ns = monotonic_ns(self._clock) + STATUS_EVERY_NS
        numerics, alone = bed.numerics, bed.numerics.alone
        assert alone is not None
        self._send(
            BedStatus(
                bed=numerics.bed,
                role="worker",
                instance=self._instance,
                state=state,
                when=rfc3339(self._clock.now_ns()),
                record=alone.record,
                session=numerics.session,
                position=alone.position,
                speed=alone.speed,
                synthetic=numerics.synthetic,
                counters=dict(bed.counters),
                lease=bed.alarms.lease,
            )
        )
