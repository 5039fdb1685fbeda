"""What the statuses of publishers mean for the beds of a worker: a pause, the end of a record or of a publisher.

No sockets.
"""

from __future__ import annotations

from collections import deque

from model.serving import bed_watch, next_chunk
from model.serving.bed import Bed
from model.serving.bed_output import BedOutput
from model.serving.charted_beds import ChartedBeds
from model.serving.checkpoint_writer import CheckpointWriter
from model.serving.served_beds import ServedBeds
from model.serving.ticks import Ticks
from stream.clock import Clock, monotonic_ns
from stream.wire import ordering
from stream.wire.publishers import Publishers
from stream.wire.status_messages import BedStatus, ProcessStatus


class PublisherStatuses:
    """Processes the statuses of publishers, and of their processes.

    Parameters
    ----------
    beds : ServedBeds
    charted : ChartedBeds
    ticks : Ticks
        Processes chunks that waited for a publisher to end.
    output : BedOutput
    checkpoints : CheckpointWriter
    clock : Clock
    """

    def __init__(
        self,
        beds: ServedBeds,
        charted: ChartedBeds,
        ticks: Ticks,
        output: BedOutput,
        checkpoints: CheckpointWriter,
        clock: Clock,
    ) -> None:
        self._beds = beds
        self._charted = charted
        self._ticks = ticks
        self._output = output
        self._checkpoints = checkpoints
        self._clock = clock
        self._publishers = Publishers()

    def update(self, status: BedStatus | ProcessStatus) -> None:
        """Process a status; those of other roles mean nothing here."""
        if status.role != "publisher":
            return
        if isinstance(status, BedStatus) and not self._beds.admit(status.bed, retained=True):
            return
        for name, session in self._publishers.update(status):
            self._end_publisher(name, session)
            self._charted.end_publisher(name, session)
        if not isinstance(status, BedStatus):
            return
        self._charted.update_status(status)
        bed = self._beds.get(status.bed)
        if bed is None:
            if status.state == "ended" and status.bed in self._beds.restored:
                self._beds.restored[status.bed].finish(self._beds.restored_context(status.bed))
        elif status.session == bed.session:
            believed_ns = monotonic_ns(self._clock) + bed_watch.PAUSE_BELIEVED_NS
            bed.paused_until_ns = believed_ns if status.state == "paused" else 0
            if status.state == "ended" and not bed.ended:
                self.end_record(bed)

    def end_record(self, bed: Bed) -> None:
        """Process the end of a bed's record: it clears all alarms whose condition holds."""
        bed.ended, bed.silent = True, False
        if not bed.restored:
            next_chunk.finish(bed, self._output)
        bed.alarms.finish(bed.context(self._clock.now_ns()))
        self._beds.give_way(bed.name)
        self._checkpoints.save(bed)

    def _end_publisher(self, name: str, session: str) -> None:
        """Process what the end of a session's publisher decides."""
        bed = self._beds.get(name)
        if bed is None:
            return
        arrival, bed.stream = ordering.release(bed.stream, session, monotonic_ns(self._clock))
        self._ticks.refuse(bed, arrival)
        self._ticks.run({name: deque(arrival.taken)})
        if session == bed.session:
            bed.paused_until_ns = 0
