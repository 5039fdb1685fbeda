"""A queue over many topics with a bound per topic; the basis of a client's inbox and outbox.

Each kind of topic has one of three policies:

- ECG and other waves, forecasts, beats, annotations: bounded by duration; the oldest items of the topic are dropped
  and counted;
- retained topics: at most two values are kept, the oldest and the latest. The oldest keeps its place, so updates that
  come faster than the queue empties do not hold it back for ever; the latest stands behind all that it follows;
- alarm events and commands: none is dropped.

Items whose size is given, those received from others, are bounded in bytes too: beyond `MAX_BYTES` of one topic the
oldest are dropped and counted, whatever their kind.

Items leave in order of arrival; with priorities, in order of arrival among those of the most urgent kind.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from stream.wire.messages import Annotation, Beat, Forecast, Message, Waveform
from stream.wire.topics import RETAINED, Kind, Topic
from stream.wire.wave_message import Wave

T = TypeVar("T")

BOUNDED = frozenset({Kind.ECG, Kind.WAVE, Kind.FORECAST, Kind.BEATS, Kind.ANNOTATIONS})

FORECAST_S = 0.1
"""Duration of one forecast, in s; the worker publishes ten per second of signal. Also for beats and annotations."""

MIN_CHUNK_S = 1e-3
"""Minimum duration of one chunk, in s: bounds the number of messages at high replay speeds, 30,000 in 30 s."""


MAX_BYTES = 4 * 1024 * 1024
"""Maximum total size of one topic, in bytes of payload: 30 s of chunks of single samples, or a thousand alarm events
of the largest size."""


def duration_s(message: Message | None) -> float:
    """Return the duration of a message in a bounded queue, in s of wall time; 0 if its kind is not bounded."""
    match message:
        case Waveform() | Wave():
            return max(message.n / (message.fs * message.speed), MIN_CHUNK_S)
        case Forecast() | Beat() | Annotation():
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


class BoundedQueue(Generic[T]):
    """A FIFO queue over all topics, with a bound per topic.

    Parameters
    ----------
    limit_s : float
        Maximum total duration of one topic of waveforms, forecasts, beats or annotations.
    priorities : mapping of Kind to int
        Items of a lower number leave first; 0 for other kinds. Empty: all in order of arrival.

    Attributes
    ----------
    dropped : Counter of Topic
        Items dropped because their topic was full; replaced retained values are not counted.
    """

    def __init__(self, limit_s: float, priorities: Mapping[Kind, int] = {}) -> None:
        self.limit_s = limit_s
        self._priorities = priorities
        self.dropped: Counter[Topic] = Counter()
        self._queues: dict[Topic, deque[Entry[T]]] = {}
        self._seconds: defaultdict[Topic, float] = defaultdict(float)
        self._bytes: Counter[Topic] = Counter()
        self._next = 0

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def put(self, topic: Topic, item: T, seconds: float = 0.0, size: int = 0) -> int:
        """Append an item; return the number of older items of its topic that were dropped."""
        queue = self._queues.setdefault(topic, deque())
        if topic.kind in RETAINED and len(queue) > 1:
            self._bytes[topic] -= queue.pop().size
        queue.append(Entry(self._next, topic, item, seconds, size))
        self._next += 1
        self._bytes[topic] += size
        if topic.kind in BOUNDED:
            self._seconds[topic] += seconds
        return self._trim(topic)

    @property
    def topics(self) -> Iterable[Topic]:
        """The topics that have items."""
        return self._queues

    def pop(self, allowed: Callable[[Topic], bool] | None = None) -> Entry[T] | None:
        """Remove and return the oldest item of the most urgent kind, of allowed topics; None if there is none."""
        topics = self._queues if allowed is None else [topic for topic in self._queues if allowed(topic)]
        if not topics:
            return None
        return self._popleft(min(topics, key=lambda t: (self._priorities.get(t.kind, 0), self._queues[t][0].number)))

    def put_back(self, entry: Entry[T]) -> None:
        """Reinsert a popped entry at its position; discard it if a later retained value has replaced it."""
        queue = self._queues.setdefault(entry.topic, deque())
        if entry.topic.kind in RETAINED and queue:
            if queue[0].number > entry.number:
                return
            queue.clear()
            self._bytes.pop(entry.topic, None)
        place = next((i for i, other in enumerate(queue) if other.number > entry.number), len(queue))
        queue.insert(place, entry)
        self._bytes[entry.topic] += entry.size
        if entry.topic.kind in BOUNDED:
            self._seconds[entry.topic] += entry.seconds
        self._trim(entry.topic)

    def _trim(self, topic: Topic) -> int:
        before = self.dropped[topic]
        # The newest item is kept even if it alone exceeds the limit.
        while len(self._queues[topic]) > 1 and (
            self._seconds.get(topic, 0.0) > self.limit_s + 1e-9 or self._bytes[topic] > MAX_BYTES
        ):
            self._popleft(topic)
            self.dropped[topic] += 1
        return self.dropped[topic] - before

    def _popleft(self, topic: Topic) -> Entry[T]:
        queue = self._queues[topic]
        entry = queue.popleft()
        self._seconds[topic] -= entry.seconds
        self._bytes[topic] -= entry.size
        if not queue:
            del self._queues[topic]
            self._seconds.pop(topic, None)
            self._bytes.pop(topic, None)
        return entry
