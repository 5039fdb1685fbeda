"""Incoming messages: decoded on arrival and put into a bounded queue. No socket.

A payload that is not a valid message of its topic is counted and logged, at most once per second, and so is a message
of a bed for which there is no place.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter
from dataclasses import dataclass

from stream.errors import MessageError
from stream.mqtt.bounded_queue import BoundedQueue, Durations
from stream.mqtt.lateness import Lateness
from stream.mqtt.refused_beds import RefusedBeds
from stream.timebase import FS
from stream.wire import codec, topics
from stream.wire.bed_places import BedPlaces
from stream.wire.messages import Message, Waveform
from stream.wire.shard import ALL_BEDS, Shard, ward_shards
from stream.wire.status_messages import BedStatus
from stream.wire.topics import RETAINED, Kind, Topic
from stream.wire.ward_messages import WardEcg

log = logging.getLogger("bedside.client")

MAX_ASIDE, MAX_ASIDE_EACH = 16 * 1024 * 1024, 16 * 1024
"""Bytes of retained messages that are kept for beds that have no place yet, of all together and of each."""

ASIDE_OVERHEAD = 512
"""Bytes that such a message counts beside its payload."""

WARD_PLACES_S = 1.0
"""Interval in s at which the beds in the messages of a ward are given their places."""

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
        Its entries ``received``, ``rejected``, ``inbox_dropped`` and ``beds_refused`` are incremented.
    places : BedPlaces or None
        The beds whose messages are taken; None for all.
    shard : Shard
        Messages of beds outside are ignored, undecoded and uncounted: another process takes them.

    Attributes
    ----------
    lateness : Lateness
        Of the received chunks of ECG.
    refused : RefusedBeds
        The beds that send and have no place.
    """

    def __init__(
        self, limit_s: float, counters: Counter[str], places: BedPlaces | None = None, shard: Shard = ALL_BEDS
    ) -> None:
        self._queue: BoundedQueue[Received] = BoundedQueue(limit_s)
        self._counters = counters
        self._places = places
        self._shard = shard
        self._ward_shards = frozenset(ward_shards(shard))
        self._next_places_s: dict[int, float] = {}
        self._durations = Durations()
        self._aside = _Aside()
        self.lateness = Lateness()
        self.refused = RefusedBeds()
        self._arrived = asyncio.Event()
        self._next_report_s = -math.inf

    def put(self, topic_text: str, payload: bytes, *, retained: bool, mid: int, connection: int) -> bool:
        """Decode a message and append it; return False if it was rejected, or if its bed was ignored or refused."""
        try:
            topic = topics.parse(topic_text)
            if topic.bed is not None and topic.bed not in self._shard:
                return False
            if topic.shard is not None and topic.shard not in self._ward_shards:
                return False
            if retained and topic.kind not in RETAINED:
                raise MessageError(f"{topic_text}: a retained message is old, and its topic retains none")
            if not self._admit(topic, retained=retained):
                if retained:
                    self._aside.put(topic, payload)
                return False
            if self._aside and topic.bed is not None:
                self._append_aside(topic.bed, connection)
            self._append(topic, payload, retained=retained, mid=mid, connection=connection)
        except MessageError as error:
            self._reject(error)
            return False
        return True

    def _append_aside(self, bed: str, connection: int) -> None:
        """Append the retained messages of a bed that has a place now."""
        for topic, payload in self._aside.take(bed):
            try:
                self._append(topic, payload, retained=True, mid=0, connection=connection)
            except MessageError as error:
                self._reject(error)

    def _reject(self, error: MessageError) -> None:
        self._counters["rejected"] += 1
        self._report("rejected (%d so far): %s", self._counters["rejected"], error)

    def _append(self, topic: Topic, payload: bytes, *, retained: bool, mid: int, connection: int) -> None:
        message = codec.decode(topic, payload)
        if isinstance(message, Waveform):
            self.lateness.add((time.time_ns() - message.due_ns) / 1e9)
            if self._places is not None:
                self._places.admit(message.bed, time.monotonic(), message.n / FS)
        elif isinstance(message, BedStatus) and message.state == "ended" and self._places is not None and not retained:
            # It keeps its place like a bed that has just begun: others get it 10 s after the last message.
            self._places.leave(message.bed)
            self._places.admit(message.bed, time.monotonic())
        elif isinstance(message, WardEcg):
            self.lateness.add_all((time.time_ns() - message.due_ns()) / 1e9)
            self._give_places(message, connection)
        self._counters["received"] += 1
        received = Received(topic, message, retained, time.time_ns(), mid, connection, time.monotonic_ns())
        self._counters["inbox_dropped"] += self._queue.put(
            topic, received, self._durations.seconds(message), len(payload)
        )
        self._arrived.set()

    def _give_places(self, message: WardEcg, connection: int) -> None:
        """Give places to the beds in a message of a ward, once per second: they send all the time."""
        now_s = time.monotonic()
        if self._places is None or now_s < self._next_places_s.get(message.shard, -math.inf):
            return
        self._next_places_s[message.shard] = now_s + WARD_PLACES_S
        for bed in filter(self._shard.__contains__, message.names):
            if self._admit(Topic(Kind.ECG, bed), retained=False):
                self._places.admit(bed, now_s, WARD_PLACES_S)
                if self._aside:
                    self._append_aside(bed, connection)

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

    def _admit(self, topic: Topic, *, retained: bool) -> bool:
        """Return whether there is a place for the bed of a topic; before its payload is decoded."""
        if self._places is None or topic.bed is None:
            return True
        admitted, _ = self._places.admit(topic.bed, time.monotonic(), retained=retained)
        if not admitted:
            self._counters["beds_refused"] += 1
            if topic.kind is Kind.ECG:
                self.refused.add(topic.bed, time.monotonic())
            self._report(
                "%d beds send already: bed %s is ignored (%d messages so far)",
                self._places.limit,
                topic.bed,
                self._counters["beds_refused"],
            )
        return admitted

    def _report(self, text: str, *values: object) -> None:
        if time.monotonic() >= self._next_report_s:
            self._next_report_s = time.monotonic() + REPORT_INTERVAL_S
            log.warning(text, *values)


class _Aside:
    """Retained messages of beds without a place, until they send: the broker does not repeat them."""

    def __init__(self) -> None:
        self._payloads: dict[str | None, dict[Topic, bytes]] = {}
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._payloads)

    def put(self, topic: Topic, payload: bytes) -> None:
        """Keep a message; drop it if there is no room."""
        if len(payload) > MAX_ASIDE_EACH or self._bytes + ASIDE_OVERHEAD + len(payload) > MAX_ASIDE:
            return
        kept = self._payloads.setdefault(topic.bed, {})
        self._bytes += ASIDE_OVERHEAD + len(payload)
        if topic in kept:
            self._bytes -= ASIDE_OVERHEAD + len(kept[topic])
        kept[topic] = payload

    def take(self, bed: str | None) -> list[tuple[Topic, bytes]]:
        """Remove and return the messages of a bed."""
        kept = self._payloads.pop(bed, {})
        self._bytes -= sum(ASIDE_OVERHEAD + len(payload) for payload in kept.values())
        return list(kept.items())
