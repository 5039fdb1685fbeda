"""Whether another worker serves, at the start and later. Statuses count by their arrival, not by the sender's clock.

At the start, a retained status ``online`` may be that of a dead process. It counts once a further one arrives, which a
live worker sends every 2 s; if none does within `ALIVE_S`, this worker takes over the beds. A running worker ends when
another worker that is online serves one of its beds under a higher lease, as after a stall of this process.
Workers whose shards have no bed in common do not count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TypeGuard

from model.serving.served_beds import MAX_LEASES
from model.serving.worker import Worker
from stream.errors import UsageError
from stream.mqtt.client import Client, Received
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.messages import Message
from stream.wire.shard import Shard
from stream.wire.status_messages import BedStatus, ProcessStatus

ALIVE_S = 5.0
"""Time in s within which a live worker sends a status: twice their interval, and 1 s."""

MAX_KNOWN = 1024
"""Largest number of other workers, and of beds that they serve, that are registered."""


class OtherWorkers:
    """What other workers report.

    Parameters
    ----------
    instance : str
        This worker's process.
    shard : Shard
        The beds that it may serve.

    Attributes
    ----------
    unconfirmed : set of str
        Workers whose status was retained as online; a live one confirms it.
    """

    def __init__(self, instance: str, shard: Shard) -> None:
        self.unconfirmed: set[str] = set()
        self._instance = instance
        self._shard = shard
        self._online: set[str] = set()
        self._claims: dict[str, tuple[int, str]] = {}

    def compete(self, message: Message | None) -> TypeGuard[ProcessStatus]:
        """Return whether a message is the status of another worker that may serve the same beds."""
        return (
            isinstance(message, ProcessStatus)
            and message.role == "worker"
            and message.instance != self._instance
            and Shard(message.shard, message.shards).overlaps(self._shard)
        )

    def forget_unconfirmed(self) -> None:
        """Take the workers that have not sent a live status for ended."""
        self._online -= self.unconfirmed
        self.unconfirmed.clear()

    def update(self, received: Received, leases: Mapping[str, int]) -> str | None:
        """Process a status; return the worker that serves instead of this one, or None.

        Parameters
        ----------
        received : Received
            Other messages than statuses are ignored.
        leases : mapping of str to int
            The beds that this worker serves, and their leases.
        """
        message = received.message
        match message:
            case ProcessStatus() if self.compete(message):
                confirmed = message.instance in self.unconfirmed and not received.retained
                if message.state == "offline":
                    self._online.discard(message.instance)
                    self.unconfirmed.discard(message.instance)
                elif confirmed:
                    return message.instance
                elif len(self._online) < MAX_KNOWN:
                    self._online.add(message.instance)
                    if received.retained:
                        self.unconfirmed.add(message.instance)
            case BedStatus(role="worker") if message.instance != self._instance:
                if message.state == "stopped":
                    self._claims.pop(message.bed, None)
                elif message.bed in self._claims or len(self._claims) < MAX_KNOWN:
                    self._claims[message.bed] = (message.lease, message.instance)
            case _:
                return None
        for bed, (lease, instance) in self._claims.items():
            # Of two workers with the same lease, exactly one ends.
            if instance in self._online and bed in leases and (lease, instance) > (leases[bed], self._instance):
                return instance
        return None


async def begin(client: Client, worker: Worker, others: OtherWorkers) -> tuple[list[Received], dict[str, str]]:
    """Read what is retained: restore alarms, register leases.

    Returns
    -------
    list of Received
        All other messages.
    dict of str to str
        The process that served each bed last.

    Raises
    ------
    UsageError
        Another worker serves this broker.
    """
    rest: list[Received] = []
    served_by: dict[str, str] = {}
    deadline_s: float | None = None
    while deadline_s is None or (others.unconfirmed and time.monotonic() < deadline_s):
        try:
            async with asyncio.timeout(None if deadline_s is None else deadline_s - time.monotonic()):
                received = await client.receive()
        except TimeoutError:
            break
        message = received.message
        if isinstance(message, ProcessStatus) and message.instance == client.instance:
            # Our own status arrives after all messages retained before it.
            deadline_s = deadline_s or time.monotonic() + ALIVE_S
        elif others.compete(message) and deadline_s is None and not received.retained:
            # Of two workers that start together, the later one receives the other's status before its own.
            if message.state == "online":
                raise superseded(message.instance, client)
        else:
            other = others.update(received, {})
            if other is not None:
                raise superseded(other, client)
            if isinstance(message, ActiveAlarms) and received.retained:
                worker.restore_alarms(message)
            if isinstance(message, ActiveAlarms | BedStatus):
                worker.observe_lease(message.bed, message.lease)
            if isinstance(message, BedStatus) and message.role == "worker" and len(served_by) < MAX_LEASES:
                served_by[message.bed] = message.instance
            if message is not None and not (isinstance(message, ProcessStatus) and message.role == "worker"):
                rest.append(received)
    others.forget_unconfirmed()
    return rest, served_by


def superseded(instance: str, client: Client) -> UsageError:
    """Return the error of a worker while another one serves."""
    return UsageError(f"a worker ({instance}) serves {client.address} already: end it, or use another broker")
