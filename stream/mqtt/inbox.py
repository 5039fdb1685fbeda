"""What has arrived: decoded and put into a bounded queue at once. No socket.

A payload that is not the message its topic promises is counted, acknowledged and named in the log once per second at
most.
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
from stream.wire.topics import Topic

log = logging.getLogger("bedside.client")

REPORT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it arrived.

    Attributes
    ----------
    topic : Topic
    message : Message or None
        None: what was retained here is removed.
    retained : bool
        True when the broker kept it from before the subscription.
    received_ns : int
        Unix time in ns.
    """

    topic: Topic
    message: Message | None
    retained: bool
    received_ns: int
    _mid: int
    _connection: int


class Inbox:
    """Messages received and not yet processed.

    Parameters
    ----------
    limit_s : float
        Seconds of each bounded topic that are kept for a slow consumer; see `BoundedQueue`.
    counters : Counter of str
        ``received``, ``rejected`` and ``inbox_dropped`` are counted here.
    """

    def __init__(self, limit_s: float, counters: Counter[str]) -> None:
        self._queue: BoundedQueue[Received] = BoundedQueue(limit_s)
        self._counters = counters
        self._arrived = asyncio.Event()
        self._next_report_s = -math.inf

    def put(self, topic_text: str, payload: bytes, *, retained: bool, mid: int, connection: int) -> bool:
        """Decode a message and append it; False where it was rejected."""
        try:
            topic = topics.parse(topic_text)
            message = codec.decode(topic, payload)
        except MessageError as error:
            self._counters["rejected"] += 1
            self._report(error)
            return False
        self._counters["received"] += 1
        received = Received(topic, message, retained, time.time_ns(), mid, connection)
        self._counters["inbox_dropped"] += self._queue.put(topic, received, duration_s(message))
        self._arrived.set()
        return True

    def pop(self) -> Received | None:
        """Remove and return the oldest message; None where there is none."""
        entry = self._queue.pop()
        return entry.item if entry else None

    async def wait(self) -> None:
        """Wait until something arrives, or until `wake`."""
        self._arrived.clear()
        await self._arrived.wait()

    def wake(self) -> None:
        """End every wait."""
        self._arrived.set()

    def _report(self, error: MessageError) -> None:
        if time.monotonic() >= self._next_report_s:
            self._next_report_s = time.monotonic() + REPORT_EVERY_S
            log.warning("rejected (%d so far): %s", self._counters["rejected"], error)
