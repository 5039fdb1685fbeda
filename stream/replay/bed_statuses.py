"""The statuses of a publisher's beds: each every two seconds, and after what changes it. No socket."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from stream.clock import Clock
from stream.replay.bed import Bed
from stream.replay.disturbances import Disturbances
from stream.replay.schedule import Schedule
from stream.wire.messages import Message
from stream.wire.scenario_status import ScenarioStatus
from stream.wire.status_messages import Offer, RhythmOffer

log = logging.getLogger("bedside.publisher")

STATUS_INTERVAL_NS = 2_000_000_000


class BedStatuses:
    """Publishes the statuses of beds.

    Parameters
    ----------
    beds : mapping of str to Bed
    disturbances : Disturbances
    send : callable
        Sends a message without blocking.
    dropped : callable
        Returns the number of chunks of a bed that were dropped because the broker was unavailable.
    instance : str
        Id of this process.
    clock : Clock

    Attributes
    ----------
    offers : tuple of Offer
        Records that can be selected by command; part of each status.
    rhythms : tuple of RhythmOffer
        Rhythms of which there are episodes; part of the status of beds that can show them.
    scenario : callable or None
        Returns the state of the scenario at a bed.
    """

    def __init__(
        self,
        beds: Mapping[str, Bed],
        disturbances: Disturbances,
        *,
        send: Callable[[Message], None],
        dropped: Callable[[str], int],
        instance: str,
        clock: Clock,
    ) -> None:
        self.offers: tuple[Offer, ...] = ()
        self.rhythms: tuple[RhythmOffer, ...] = ()
        self.scenario: Callable[[str], ScenarioStatus] | None = None
        self._beds = beds
        self._disturbances = disturbances
        self._send = send
        self._dropped = dropped
        self._instance = instance
        self._clock = clock
        self._stepped_ns = clock.stepped_ns
        self._due = Schedule(beds)
        now_ns = clock.now_ns()
        for number, name in enumerate(beds, 1):
            self._due.set(name, now_ns + STATUS_INTERVAL_NS * number // len(beds))

    @property
    def due_ns(self) -> int:
        """Unix time in ns of the next status."""
        return self._due.first()[0]

    def publish_due(self, now_ns: int) -> None:
        """Publish the statuses that are due. Each bed has its own moment: those of a ward would delay its chunks."""
        step_ns = self._clock.stepped_ns - self._stepped_ns
        if step_ns:
            self._stepped_ns += step_ns
            self._due.shift(step_ns)
        while self._due.first()[0] <= now_ns:
            _, name = self._due.first()
            bed = self._beds[name]
            if not bed.head.ended:
                self.publish(bed)
            self._due.set(name, now_ns + STATUS_INTERVAL_NS)

    def publish(self, bed: Bed, *, ended: bool = False) -> None:
        """Publish the status of a bed, unless no chunk has been sent yet; ``ended``: its publisher ends."""
        head = bed.head
        if head.seq == 0:
            return
        self.count_dropped(bed)
        self._send(
            bed.status(
                instance=self._instance,
                now_ns=self._clock.now_ns(),
                ended=ended,
                offers=self.offers,
                rhythms=self.rhythms,
                injections=self._disturbances.running(head.bed),
                disturbable=self._disturbances.disturbable(head.record),
                scenario=None if self.scenario is None else self.scenario(head.bed),
            )
        )

    def count_dropped(self, bed: Bed) -> None:
        """Take over how many chunks of a bed were dropped, and log it if there are more."""
        name = bed.own_head.bed
        dropped = self._dropped(name)
        if dropped > bed.dropped:
            log.warning("%s: the broker was unavailable for too long, %d chunks dropped so far", name, dropped)
        bed.dropped = dropped
