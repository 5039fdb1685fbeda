"""Outgoing messages: queued, and in flight until acknowledged. No socket; a function passed in publishes.

Alarms, commands and the status of the process are sent before all else, forecasts last: when the worker or the
connection is slow, the forecasts wait. Within each of these groups, and so between a bed's chunks and its status, the
order is kept.

A message leaves the outbox on its PUBACK. When the connection is lost, messages in flight return to their positions
and the next connection sends them: none is lost or reordered, and none that was acknowledged is sent again. `Pacer`
sets the pace at which a bed's stream catches up.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping

from stream.mqtt.bounded_queue import BoundedQueue, Entry
from stream.mqtt.pacing import Pacer
from stream.wire.topics import Kind, Topic

IN_FLIGHT = 20
"""Maximum number of unacknowledged QoS 1 messages; the default of paho and Mosquitto."""

PRIORITIES: Mapping[Kind, int] = {
    **dict.fromkeys((Kind.ECG, Kind.WAVE, Kind.ANNOTATIONS, Kind.STATUS), 1),
    **dict.fromkeys((Kind.BEATS, Kind.VITALS), 2),
    Kind.FORECAST: 3,
}
"""Order of sending, the lowest first; all other kinds have 0. A publisher's status follows the chunks before it."""

Publish = Callable[[Topic, bytes], Awaitable[None]]
"""Sends a payload and returns once the broker has acknowledged it; raises when the connection is lost."""


class Outbox:
    """Messages that the broker has not acknowledged yet.

    Parameters
    ----------
    limit_s : float
        Maximum duration per bounded topic; see `BoundedQueue`.
    paced : bool
        Whether the streams of beds catch up at the pace of `Pacer`; otherwise as fast as the broker acknowledges.
    """

    def __init__(self, limit_s: float, *, paced: bool = False) -> None:
        self._waiting: BoundedQueue[bytes] = BoundedQueue(limit_s, PRIORITIES)
        self._in_flight: dict[int, Entry[bytes]] = {}
        self._retained: dict[Topic, bytes] = {}
        self._pacer = Pacer() if paced else None
        self._changed = asyncio.Event()
        self._empty = asyncio.Event()
        self._progress = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting) + len(self._in_flight)

    @property
    def oldest_in_flight(self) -> int | None:
        """Number of the message that has waited longest for its acknowledgement; None without one."""
        return next(iter(self._in_flight), None)

    def dropped(self, topic: Topic) -> int:
        """Return the number of messages of a topic dropped because the broker was unavailable for too long."""
        return self._waiting.dropped[topic]

    def put(self, topic: Topic, payload: bytes, seconds: float = 0.0) -> None:
        """Append a message."""
        self._waiting.put(topic, payload, seconds)
        self._empty.clear()
        self._changed.set()

    def retain(self, topic: Topic, payload: bytes) -> None:
        """Append a retained message; `put_retained` appends it again after a reconnect."""
        self._retained[topic] = payload
        self.put(topic, payload)

    def remove(self, topic: Topic) -> None:
        """Append the removal of a retained message."""
        self.release(topic)
        self.put(topic, b"")

    def release(self, topic: Topic) -> None:
        """Forget a retained message: it is not sent again after a reconnect."""
        self._retained.pop(topic, None)

    def put_retained(self) -> None:
        """Append all retained messages again: a restarted broker may have lost them."""
        for topic, payload in self._retained.items():
            self.put(topic, payload)

    async def deliver(self, publish: Publish) -> None:
        """Publish all messages, at most `IN_FLIGHT` at a time, until cancelled or until `publish` raises."""
        try:
            async with asyncio.TaskGroup() as deliveries:
                while True:
                    while len(self._in_flight) < IN_FLIGHT and (entry := self._next()) is not None:
                        self._in_flight[entry.number] = entry
                        deliveries.create_task(self._deliver(publish, entry))
                    if not len(self):
                        self._empty.set()
                    self._changed.clear()
                    await self._wait_for_change()
        finally:
            for entry in self._in_flight.values():
                self._waiting.put_back(entry)
            self._in_flight.clear()

    def _next(self) -> Entry[bytes] | None:
        """Remove and return the next message that may be sent now."""
        pacer, now_s = self._pacer, time.monotonic()
        if pacer is None:
            return self._waiting.pop()
        entry = self._waiting.pop(lambda topic: pacer.wait_s(topic, now_s) <= 0)
        if entry is not None:
            pacer.sent(entry.topic, entry.seconds, now_s)
        return entry

    async def _wait_for_change(self) -> None:
        """Wait for a message or an acknowledgement, or until the pace allows the next message."""
        wait_s = None
        if self._pacer is not None and len(self._waiting) and len(self._in_flight) < IN_FLIGHT:
            now_s = time.monotonic()
            wait_s = min(self._pacer.wait_s(topic, now_s) for topic in self._waiting.topics)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._changed.wait()

    def hurry(self) -> None:
        """Send at once what is left: the process ends."""
        self._pacer = None
        self._changed.set()

    async def _deliver(self, publish: Publish, entry: Entry[bytes]) -> None:
        # A lost connection cancels this task; `deliver` then returns the entry to the queue.
        await publish(entry.topic, entry.item)
        del self._in_flight[entry.number]
        self._changed.set()
        self._progress.set()

    async def wait_at_most(self, count: int) -> None:
        """Wait until at most `count` messages are left, or until `release_waiters`."""
        while len(self) > count and not self._closed:
            self._progress.clear()
            await self._progress.wait()

    def discard(self) -> None:
        """Drop all messages that are not in flight, and forget the retained ones."""
        while self._waiting.pop() is not None:
            pass
        self._retained.clear()
        self._changed.set()
        self._progress.set()

    async def wait_empty(self) -> None:
        """Wait until all messages are acknowledged, or until `release_waiters`."""
        await self._empty.wait()

    def release_waiters(self) -> None:
        """End all waiting tasks: no connection will deliver the remaining messages."""
        self._closed = True
        self._empty.set()
        self._progress.set()
