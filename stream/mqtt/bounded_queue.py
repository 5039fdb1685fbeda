"""A bounded queue of many lanes: what may give way, gives way within its own lane.

Inbox and outbox are both made of it. A lane is a topic. Each kind of topic has one of three rules:

- waveforms, forecasts, beats and annotations: bounded by their duration; the oldest of that lane gives way, and is
  counted;
- whatever is retained: only the latest of a topic matters;
- alarm events and commands: none is ever dropped.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from stream.wire.topics import RETAINED, Kind, Topic

T = TypeVar("T")

BOUNDED = frozenset({Kind.ECG, Kind.FORECAST, Kind.BEATS, Kind.ANNOTATIONS})


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One item in its lane.

    Attributes
    ----------
    number : int
        Grows with each item put; the order over all lanes.
    topic : Topic
    item : object
    seconds : float
        How much time the item stands for; bounds the lane.
    """

    number: int
    topic: Topic
    item: T
    seconds: float


class Lanes(Generic[T]):
    """First in, first out over all lanes, with bounds for each.

    Parameters
    ----------
    limit_s : float
        Seconds of waveform, of forecasts, of beats or of annotations, that a lane holds at most.

    Attributes
    ----------
    dropped : Counter of Topic
        Items that gave way to newer ones, by lane; what a later value of a retained topic replaced is not counted.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.dropped: Counter[Topic] = Counter()
        self._lanes: dict[Topic, deque[Entry[T]]] = {}
        self._seconds: defaultdict[Topic, float] = defaultdict(float)
        self._next = 0

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def put(self, topic: Topic, item: T, seconds: float = 0.0) -> int:
        """Append an item to the lane of its topic, and return how many older ones gave way."""
        lane = self._lanes.setdefault(topic, deque())
        if topic.kind in RETAINED:
            lane.clear()
        lane.append(Entry(self._next, topic, item, seconds))
        self._next += 1
        if topic.kind in BOUNDED:
            self._seconds[topic] += seconds
            return self._trim(topic)
        return 0

    def pop(self) -> Entry[T] | None:
        """Take the oldest item of all lanes, or None when all are empty."""
        if not self._lanes:
            return None
        topic = min(self._lanes, key=lambda t: self._lanes[t][0].number)
        return self._take(topic)

    def put_back(self, entry: Entry[T]) -> None:
        """Return an entry taken before to its place; one that a later retained value replaced stays away."""
        lane = self._lanes.setdefault(entry.topic, deque())
        if entry.topic.kind in RETAINED and lane:
            if lane[0].number > entry.number:
                return
            lane.clear()
        place = next((i for i, other in enumerate(lane) if other.number > entry.number), len(lane))
        lane.insert(place, entry)
        if entry.topic.kind in BOUNDED:
            self._seconds[entry.topic] += entry.seconds
            self._trim(entry.topic)

    def _trim(self, topic: Topic) -> int:
        before = self.dropped[topic]
        # The newest stays even if it alone is longer than the limit.
        while self._seconds[topic] > self.limit_s + 1e-9 and len(self._lanes[topic]) > 1:
            self._take(topic)
            self.dropped[topic] += 1
        return self.dropped[topic] - before

    def _take(self, topic: Topic) -> Entry[T]:
        lane = self._lanes[topic]
        entry = lane.popleft()
        self._seconds[topic] -= entry.seconds
        if not lane:
            del self._lanes[topic]
            self._seconds.pop(topic, None)
        return entry
