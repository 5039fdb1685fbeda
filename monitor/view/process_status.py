"""Publishers and workers, and the beds that they serve, from their retained status messages."""

from __future__ import annotations

from stream.mqtt.client import Received
from stream.wire.detail import IN_FULL
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role

MAX_PROCESSES = 1000
"""Online processes that are kept."""


class Services:
    """The latest status of each process and of each bed in each role."""

    def __init__(self) -> None:
        self._status: dict[tuple[str, Role], BedStatus] = {}
        self._online: dict[tuple[Role, str], ProcessStatus] = {}

    def process(self, received: Received) -> None:
        """Process a status; other messages are ignored."""
        topic, message = received.topic, received.message
        if topic.kind is Kind.PROCESS and topic.role is not None and topic.instance is not None:
            if isinstance(message, ProcessStatus) and message.state == "online":
                self._add(topic.role, topic.instance, message)
            else:
                self._online.pop((topic.role, topic.instance), None)
        elif topic.kind is Kind.STATUS and topic.bed is not None and topic.role is not None:
            if isinstance(message, BedStatus):
                self._status[topic.bed, topic.role] = message
            else:
                self._status.pop((topic.bed, topic.role), None)

    def _add(self, role: Role, instance: str, status: ProcessStatus) -> None:
        if (role, instance) not in self._online and len(self._online) >= MAX_PROCESSES:
            # Each process repeats its status, so one that is needed after all comes back.
            serving = {(Role(bed.role), bed.instance) for bed in self._status.values()}
            self._online.pop(next((process for process in self._online if process not in serving), (role, "")), None)
        if (role, instance) in self._online or len(self._online) < MAX_PROCESSES:
            self._online[role, instance] = status

    def forget(self, bed: str) -> None:
        """Remove the status of a bed."""
        for role in Role:
            self._status.pop((bed, role), None)

    def last_publisher(self, bed: str) -> BedStatus | None:
        """Return the latest status of a bed's publisher, online or not."""
        return self._status.get((bed, Role.PUBLISHER))

    def publisher(self, bed: str) -> BedStatus | None:
        """Return the status of a bed's publisher; None if it is not online."""
        return self._if_online(self.last_publisher(bed))

    def worker(self, bed: str) -> BedStatus | None:
        """Return the status of a bed's worker; None if it is not online or has stopped."""
        status = self._if_online(self._status.get((bed, Role.WORKER)))
        return None if status is None or status.state == "stopped" else status

    def in_full(self, bed: str) -> bool:
        """Return whether the publisher and the worker of a bed send all of their beds in full, without being asked."""
        beds = 0
        for status in (self.publisher(bed), self.worker(bed)):
            if status is not None:
                process = self._online[Role(status.role), status.instance]
                beds = max(beds, len(process.beds) * process.shards)
        return beds <= IN_FULL

    def overloaded(self, bed: str) -> bool:
        """Return whether a bed's worker reports that it cannot analyse all that it receives."""
        status = self.worker(bed)
        return status is not None and self._online[Role.WORKER, status.instance].overloaded

    def _if_online(self, status: BedStatus | None) -> BedStatus | None:
        return status if status is not None and (Role(status.role), status.instance) in self._online else None
