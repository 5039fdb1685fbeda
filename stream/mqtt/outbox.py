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
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import NoReturn

from stream.mqtt.bounded_queue import BoundedQueue, Entry
from stream.mqtt.pacing import Pacer
from stream.wire import codec
from stream.wire.topics import Kind, Topic
from stream.wire.ward_messages import WardEcg

PRIORITIES: Mapping[Kind, int] = {
    **dict.fromkeys((Kind.ECG, Kind.WAVE, Kind.ANNOTATIONS, Kind.STATUS, Kind.WARD_ECG), 1),
    **dict.fromkeys((Kind.BEATS, Kind.VITALS, Kind.NUMERICS, Kind.NUMERICS_DERIVED, Kind.OUTLOOK), 2),
    **dict.fromkeys((Kind.FORECAST, Kind.WARD_FORECAST), 3),
}
"""Order of sending, the lowest first; all other kinds have 0. A publisher's status follows the chunks before it."""

Publish = Callable[[Topic, bytes], asyncio.Future[None] | None]
"""Sends a payload; returns a future of the broker's acknowledgement, None with QoS 0. Raises if it cannot send."""


class _Delivery:
    """The sending over one connection.

    Attributes
    ----------
    publish : Publish
    in_flight : int
        Messages that may wait for their acknowledgement.
    failed : Future
        Fails with the connection.
    soon, later : Handle or None
        The next sending: in the next turn of the event loop, and when the pace allows it.
    """

    def __init__(self, publish: Publish, in_flight: int) -> None:
        self.publish = publish
        self.in_flight = in_flight
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.soon: asyncio.Handle | None = None
        self.later: asyncio.Handle | None = None

    def fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)

    def cancel(self) -> None:
        """Cancel the next sending."""
        for handle in (self.soon, self.later):
            if handle is not None:
                handle.cancel()
        self.soon = self.later = None


class Outbox:
    """Messages that the broker has not acknowledged yet.

    Parameters
    ----------
    limit_s : float
        Maximum duration per bounded topic; see `BoundedQueue`.
    paced : bool
        Whether the streams of beds catch up at the pace of `Pacer`; otherwise as fast as the broker acknowledges.

    Attributes
    ----------
    sent, sent_bytes : int
        Messages, and bytes of payload, that were passed to a connection.
    """

    def __init__(self, limit_s: float, *, paced: bool = False) -> None:
        self.sent = self.sent_bytes = 0
        self._waiting: BoundedQueue[bytes] = BoundedQueue(limit_s, PRIORITIES, self._count_dropped)
        self._dropped_of_ward: Counter[str] = Counter()
        self._in_flight: dict[int, Entry[bytes]] = {}
        self._retained: dict[Topic, bytes] = {}
        self._pacer = Pacer() if paced else None
        self._delivery: _Delivery | None = None
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

    def dropped_of_ward(self, bed: str) -> int:
        """Return the number of chunks of a bed in the messages of its shard that were dropped for this reason."""
        return self._dropped_of_ward[bed]

    def _count_dropped(self, topic: Topic, payload: bytes) -> None:
        if topic.kind is Kind.WARD_ECG and isinstance(message := codec.decode(topic, payload), WardEcg):
            self._dropped_of_ward.update(message.names)

    def put(self, topic: Topic, payload: bytes, seconds: float = 0.0) -> None:
        """Append a message."""
        self._waiting.put(topic, payload, seconds)
        self._empty.clear()
        self._send_soon()

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

    async def deliver(self, publish: Publish, in_flight: int) -> NoReturn:
        """Publish all messages, at most ``in_flight`` at a time, until cancelled or until `publish` or a future fails.

        What is put within one turn of the event loop leaves together, in the order of the priorities.
        """
        self._delivery = delivery = _Delivery(publish, in_flight)
        try:
            self._send(delivery)
            await delivery.failed
            raise AssertionError("a connection only ends by an error")
        finally:
            self._delivery = None
            delivery.cancel()
            for entry in self._in_flight.values():
                self._waiting.put_back(entry)
            self._in_flight.clear()

    def _send_soon(self) -> None:
        delivery = self._delivery
        if delivery is not None and delivery.soon is None:
            delivery.soon = asyncio.get_running_loop().call_soon(self._send, delivery)

    def _send(self, delivery: _Delivery) -> None:
        """Send what may be sent now. What waits for the pace is sent in time; all else after an acknowledgement."""
        delivery.cancel()
        if delivery.failed.done():
            return
        try:
            while len(self._in_flight) < delivery.in_flight and (entry := self._next()) is not None:
                self._in_flight[entry.number] = entry
                acknowledged = delivery.publish(entry.topic, entry.item)
                self.sent += 1
                self.sent_bytes += len(entry.item)
                if acknowledged is None:
                    del self._in_flight[entry.number]
                    self._progress.set()
                else:
                    acknowledged.add_done_callback(partial(self._acknowledge, delivery, entry.number))
        except Exception as error:  # noqa: BLE001 - raised again by `deliver`
            delivery.fail(error)
        if not len(self):
            self._empty.set()
        if len(self._in_flight) < delivery.in_flight and self._waiting.held_until_s < math.inf:
            wait_s = self._waiting.held_until_s - time.monotonic()
            delivery.later = asyncio.get_running_loop().call_later(wait_s, self._send, delivery)

    def _next(self) -> Entry[bytes] | None:
        """Remove and return the next message that may be sent now."""
        if self._pacer is None:
            return self._waiting.pop()
        now_s = time.monotonic()
        entry = self._waiting.pop(self._pacer.ready_s, now_s)
        if entry is not None:
            self._pacer.sent(entry.topic, entry.seconds, now_s)
        return entry

    def _acknowledge(self, delivery: _Delivery, number: int, acknowledged: asyncio.Future[None]) -> None:
        error = acknowledged.exception()
        if error is not None:
            delivery.fail(error)
        if error is not None or delivery is not self._delivery:
            return
        del self._in_flight[number]
        self._progress.set()
        self._send_soon()

    def hurry(self) -> None:
        """Send at once what is left: the process ends."""
        self._pacer = None
        self._send_soon()

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
        self._send_soon()
        self._progress.set()

    async def wait_empty(self) -> None:
        """Wait until all messages are acknowledged, or until `release_waiters`."""
        await self._empty.wait()

    def release_waiters(self) -> None:
        """End all waiting tasks: no connection will deliver the remaining messages."""
        self._closed = True
        self._empty.set()
        self._progress.set()
