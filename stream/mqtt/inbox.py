"""Incoming messages: decoded on arrival and put into a bounded queue. No socket.

A payload that is not a valid message of its topic is counted and logged, at most once per second.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter
from dataclasses import dataclass

from stream.errors import MessageError
from stream.mqtt.bounded_queue import BoundedQueue, duration_s
from stream.wire import codec, topics
from stream.wire.messages import Message
from stream.wire.topics import RETAINED, Topic

log = logging.getLogger("bedside.client")

REPORT_INTERVAL_S = 1.0
"""Minimum time between two log lines about rejected payloads."""


@dataclass(frozen=True, slots=True)
class Received:
    """A received message.

    Attributes
    ----------
    topic : Topic
    message : Message or None
        None: the retained message of this topic was removed.
    retained : bool
        True if the message was retained and predates the subscription.
    received_ns, monotonic_ns : int
        Unix time and monotonic time in ns.
    """

    topic: Topic
    message: Message | None
    retained: bool
    received_ns: int
    _mid: int
    _connection: int
    monotonic_ns: int


class Inbox:
    """Received messages that are not processed yet.

    Parameters
    ----------
    limit_s : float
        Maximum duration per bounded topic; see `BoundedQueue`.
    counters : Counter of str
        Its entries ``received``, ``rejected`` and ``inbox_dropped`` are incremented.
    """

    def __init__(self, limit_s: float, counters: Counter[str]) -> None:
        self._queue: BoundedQueue[Received] = BoundedQueue(limit_s)
        self._counters = counters
        self._arrived = asyncio.Event()
        self._next_report_s = -math.inf

    def put(self, topic_text: str, payload: bytes, *, retained: bool, mid: int, connection: int) -> bool:
        """Decode a message and append it; return False if it was rejected."""
        try:
            topic = topics.parse(topic_text)
            message = codec.decode(topic, payload)
            if retained and topic.kind not in RETAINED:
                raise MessageError(f"{topic_text}: a retained message is old, and its topic retains none")
        except MessageError as error:
            self._counters["rejected"] += 1
            self._report(error)
            return False
        self._counters["received"] += 1
        received = Received(topic, message, retained, time.time_ns(), mid, connection, time.monotonic_ns())
        self._counters["inbox_dropped"] += self._queue.put(topic, received, duration_s(message))
        self._arrived.set()
        return True

    def pop(self) -> Received | None:
        """Remove and return the oldest message; None if there is none."""
        entry = self._queue.pop()
        return entry.item if entry else None

    async def wait(self) -> None:
        """Wait until a message arrives, or until `wake`."""
        self._arrived.clear()
        await self._arrived.wait()

    def wake(self) -> None:
        """End `wait` in all tasks."""
        self._arrived.set()

    def _report(self, error: MessageError) -> None:
        if time.monotonic() >= self._next_report_s:
            self._next_report_s = time.monotonic() + REPORT_INTERVAL_S
            log.warning("rejected (%d so far): %s", self._counters["rejected"], error)
