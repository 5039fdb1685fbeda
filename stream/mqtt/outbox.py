"""What waits to be sent, and what was sent and is not yet acknowledged. No socket: a function publishes.

A message leaves the outbox on its PUBACK. When a connection is lost, whatever was in flight returns to its place, and
the next connection carries on: nothing is lost or reordered, and nothing that was acknowledged is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from stream.mqtt.bounded_queue import BoundedQueue, Entry
from stream.wire.topics import Topic

IN_FLIGHT = 20
"""QoS 1 messages sent and not yet acknowledged; paho and Mosquitto default to the same."""

Publish = Callable[[Topic, bytes], Awaitable[None]]
"""Sends a payload and returns once the broker has acknowledged it; raises when the connection is lost."""


class Outbox:
    """Messages on their way to the broker.

    Parameters
    ----------
    limit_s : float
        Seconds of each bounded topic that wait at most; see `BoundedQueue`.
    """

    def __init__(self, limit_s: float) -> None:
        self._waiting: BoundedQueue[bytes] = BoundedQueue(limit_s)
        self._in_flight: dict[int, Entry[bytes]] = {}
        self._retained: dict[Topic, bytes] = {}
        self._changed = asyncio.Event()
        self._empty = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._in_flight)

    def dropped(self, topic: Topic) -> int:
        """Return how many messages of a topic were dropped because the broker was away for too long."""
        return self._waiting.dropped[topic]

    def put(self, topic: Topic, payload: bytes, seconds: float = 0.0) -> None:
        """Append a message."""
        self._waiting.put(topic, payload, seconds)
        self._empty.clear()
        self._changed.set()

    def retain(self, topic: Topic, payload: bytes) -> None:
        """Append a message that a broker which has forgotten it is sent again; see `put_retained`."""
        self._retained[topic] = payload
        self.put(topic, payload)

    def remove(self, topic: Topic) -> None:
        """Append the removal of a retained message."""
        self._retained.pop(topic, None)
        self.put(topic, b"")

    def put_retained(self) -> None:
        """Append all retained messages: a broker that was restarted may have forgotten them."""
        for topic, payload in self._retained.items():
            self.put(topic, payload)

    async def deliver(self, publish: Publish) -> None:
        """Publish whatever is put, `IN_FLIGHT` at a time, until cancelled or until `publish` raises."""
        try:
            async with asyncio.TaskGroup() as deliveries:
                while True:
                    while len(self._in_flight) < IN_FLIGHT and (entry := self._waiting.pop()) is not None:
                        self._in_flight[entry.number] = entry
                        deliveries.create_task(self._deliver(publish, entry))
                    if not len(self):
                        self._empty.set()
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            for entry in self._in_flight.values():
                self._waiting.put_back(entry)
            self._in_flight.clear()

    async def _deliver(self, publish: Publish, entry: Entry[bytes]) -> None:
        # A connection that is lost cancels this task, and the entry returns to the queue.
        await publish(entry.topic, entry.item)
        del self._in_flight[entry.number]
        self._changed.set()

    async def wait_empty(self) -> None:
        """Wait until everything is acknowledged, or until `release_waiters`."""
        await self._empty.wait()

    def release_waiters(self) -> None:
        """End every wait: no connection will deliver the rest."""
        self._empty.set()
