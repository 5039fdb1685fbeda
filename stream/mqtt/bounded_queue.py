"""A queue over many topics with a bound per topic; the basis of a client's inbox and outbox.

Each kind of topic has one of three policies:

- ECG and other waves, forecasts, beats, annotations, the messages of a ward: bounded by duration; the oldest items of
  the topic are dropped and counted;
- retained topics: at most two values are kept, the oldest and the latest. The oldest keeps its place, so updates that
  come faster than the queue empties do not hold it back for ever; the latest stands behind all that it follows;
- alarm events and commands: none is dropped.

Items whose size is given, those received from others, are bounded in bytes too: beyond `MAX_BYTES` of one topic
(`MAX_WARD_BYTES`) the oldest are dropped and counted, whatever their kind.

Items leave in order of arrival; with priorities, in order of arrival among those of the most urgent kind. The cost of a
call grows with the logarithm of the number of topics.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from stream.wire.messages import Annotation, Beat, Forecast, Message, Waveform
from stream.wire.topics import OF_WARD, RETAINED, Kind, Topic
from stream.wire.ward_messages import WardEcg, WardForecast
from stream.wire.wave_message import Wave

T = TypeVar("T")

BOUNDED = frozenset({Kind.ECG, Kind.WAVE, Kind.FORECAST, Kind.BEATS, Kind.ANNOTATIONS, *OF_WARD})

FORECAST_S = 0.1
"""Duration of one forecast, in s; the worker publishes ten per second of signal. Also for beats and annotations."""

MIN_CHUNK_S = 1e-3
"""Minimum duration of one chunk, in s: bounds the number of messages at high replay speeds, 30,000 in 30 s."""


MAX_BYTES = 4 * 1024 * 1024
"""Maximum total size of one topic, in bytes of payload: 30 s of chunks of single samples, or a thousand alarm events
of the largest size."""

MAX_WARD_BYTES = 16 * 1024 * 1024
"""The same of a topic of a ward: 30 s of the 170 beds that a shard of 4,096 has, with two leads."""


class Durations:
    """The duration of each message in a bounded queue.

    Beds of a shard that send at different moments share its topic. A message counts only for the time by which it is
    later than the one before, so that the limit of a topic is one of time, however many messages there are.
    """

    def __init__(self) -> None:
        self._due_ns: dict[int, int] = {}

    def seconds(self, message: Message | None) -> float:
        """Return the duration of a message in s of wall time; 0 if its kind is not bounded."""
        duration = duration_s(message)
        if not isinstance(message, WardEcg):
            return duration
        due_ns = int(message.due_ns().max())
        later_s = (due_ns - self._due_ns.get(message.shard, 0)) / 1e9
        self._due_ns[message.shard] = due_ns
        return min(max(later_s, 0.0), duration)


def duration_s(message: Message | None) -> float:
    """Return the duration of a message taken alone, in s of wall time; 0 if its kind is not bounded."""
    match message:
        case Waveform() | Wave():
            return max(message.n / (message.fs * message.speed), MIN_CHUNK_S)
        case WardEcg():
            return max(float(message.durations_s().max()), MIN_CHUNK_S)
        case Forecast() | Beat() | Annotation() | WardForecast():
            return FORECAST_S
    return 0.0


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One item in the queue.

    Attributes
    ----------
    number : int
        Sequence number over all topics.
    topic : Topic
    item : object
    seconds : float
        Duration of the item; see `duration_s`.
    size : int
        Size in bytes; 0 is not bounded.
    """

    number: int
    topic: Topic
    item: T
    seconds: float
    size: int = 0


@dataclass(slots=True)
class _TopicQueue(Generic[T]):
    """The items of one topic, oldest first, and their totals."""

    entries: deque[Entry[T]] = field(default_factory=deque)
    seconds: float = 0.0
    size: int = 0

    def add(self, entry: Entry[T], place: int) -> None:
        self.entries.insert(place, entry)
        self.seconds += entry.seconds
        self.size += entry.size

    def remove(self, place: int) -> Entry[T]:
        entry = self.entries[place]
        del self.entries[place]
        self.seconds -= entry.seconds
        self.size -= entry.size
        return entry


class BoundedQueue(Generic[T]):
    """A FIFO queue over all topics, with a bound per topic.

    Parameters
    ----------
    limit_s : float
        Maximum total duration of one topic of waveforms, forecasts, beats or annotations.
    priorities : mapping of Kind to int
        Items of a lower number leave first; 0 for other kinds. Empty: all in order of arrival.
    on_drop : callable, optional
        Called with each item that is dropped, and its topic.

    Attributes
    ----------
    dropped : Counter of Topic
        Items dropped because their topic was full; replaced retained values are not counted.
    """

    def __init__(
        self,
        limit_s: float,
        priorities: Mapping[Kind, int] = {},
        on_drop: Callable[[Topic, T], None] | None = None,
    ) -> None:
        self.limit_s = limit_s
        self._on_drop = on_drop
        self._priorities = priorities
        self.dropped: Counter[Topic] = Counter()
        self._queues: dict[Topic, _TopicQueue[T]] = {}
        # One element per topic that has items: in `_heads`, by priority and number of its oldest item (or of one that
        # has been dropped since), or in `_held`, by the time until which it waits.
        self._heads: list[tuple[int, int, Topic]] = []
        self._held: list[tuple[float, int, Topic]] = []
        self._len = 0
        self._next = 0

    def __len__(self) -> int:
        return self._len

    def put(self, topic: Topic, item: T, seconds: float = 0.0, size: int = 0) -> int:
        """Append an item; return the number of older items of its topic that were dropped."""
        queue = self._queues.get(topic)
        if queue is None:
            queue = self._queues[topic] = _TopicQueue()
            self._push(topic, self._next)
        elif topic.kind in RETAINED and len(queue.entries) > 1:
            queue.remove(-1)
            self._len -= 1
        queue.add(Entry(self._next, topic, item, seconds, size), len(queue.entries))
        self._next += 1
        self._len += 1
        return self._trim(topic, queue)

    def pop(self, ready_s: Callable[[Topic], float] | None = None, now_s: float = 0.0) -> Entry[T] | None:
        """Remove and return the oldest item of the most urgent kind; None if there is none.

        Parameters
        ----------
        ready_s : callable, optional
            Returns the time before which the items of a topic wait, the same for all topics that must stay in order
            with each other. The time of a waiting topic may only grow.
        now_s : float
            The time on the same clock.
        """
        while self._held and (ready_s is None or self._held[0][0] <= now_s):
            self._push(self._held[0][2], self._held[0][1])
            heapq.heappop(self._held)
        while self._heads:
            priority, number, topic = self._heads[0]
            queue = self._queues[topic]
            if queue.entries[0].number != number:
                heapq.heapreplace(self._heads, (priority, queue.entries[0].number, topic))
            elif ready_s is not None and (until_s := ready_s(topic)) > now_s:
                heapq.heappop(self._heads)
                heapq.heappush(self._held, (until_s, number, topic))
            else:
                return self._pop_head(topic, queue, priority)
        return None

    @property
    def held_until_s(self) -> float:
        """Time at which the first of the waiting topics may leave; infinite if none waits."""
        return self._held[0][0] if self._held else math.inf

    def put_back(self, entry: Entry[T]) -> None:
        """Reinsert a popped entry at its position; discard it if a later retained value has replaced it."""
        queue = self._queues.setdefault(entry.topic, _TopicQueue())
        if entry.topic.kind in RETAINED and queue.entries:
            if queue.entries[0].number > entry.number:
                return
            self._len -= len(queue.entries)
            queue = self._queues[entry.topic] = _TopicQueue()
        place = next((i for i, other in enumerate(queue.entries) if other.number > entry.number), len(queue.entries))
        queue.add(entry, place)
        self._len += 1
        self._trim(entry.topic, queue)
        # It may stand before the oldest item so far.
        self._heads, self._held = [], []
        for topic, other in self._queues.items():
            self._push(topic, other.entries[0].number)

    def _push(self, topic: Topic, number: int) -> None:
        heapq.heappush(self._heads, (self._priorities.get(topic.kind, 0), number, topic))

    def _pop_head(self, topic: Topic, queue: _TopicQueue[T], priority: int) -> Entry[T]:
        """Remove and return the oldest item of the topic that is the first of `_heads`."""
        entry = queue.remove(0)
        self._len -= 1
        if queue.entries:
            heapq.heapreplace(self._heads, (priority, queue.entries[0].number, topic))
        else:
            heapq.heappop(self._heads)
            del self._queues[topic]
        return entry

    def _trim(self, topic: Topic, queue: _TopicQueue[T]) -> int:
        limit_s = self.limit_s + 1e-9 if topic.kind in BOUNDED else math.inf
        max_bytes = MAX_WARD_BYTES if topic.kind in OF_WARD else MAX_BYTES
        dropped = 0
        # The newest item is kept even if it alone exceeds the limit.
        while (queue.seconds > limit_s or queue.size > max_bytes) and len(queue.entries) > 1:
            entry = queue.remove(0)
            dropped += 1
            if self._on_drop is not None:
                self._on_drop(topic, entry.item)
        if dropped:
            self.dropped[topic] += dropped
            self._len -= dropped
        return dropped
