"""Pace of a bed's stream after an outage, so that the broker's queue for a subscriber does not overflow. No socket.

Mosquitto keeps 20 messages in flight and 1000 more for each subscriber, and drops the rest without a word. After an
outage the outbox holds up to 30 s of every bed. Sent at once, they would arrive faster than a subscriber takes them,
so each bed catches up at `CATCH_UP` times real time. What is sent as it arises is never delayed: `BURST_S` of signal
may be sent at once.
"""

from __future__ import annotations

import math

from stream.wire.shard import ward_shard
from stream.wire.topics import Kind, Role, Topic

CATCH_UP = 1.5
"""Speed of the catch-up, in real time: with 22 beds and chunks of 100 ms, 330 messages per second."""

BURST_S = 0.5
"""Seconds of signal that a bed may send at once."""

MIN_PACED_S = 1e-3
"""Shorter chunks are not paced: a replay at more than 100 times real time has no live subscriber to spare."""

_IN_ORDER = frozenset({Kind.WAVE, Kind.ANNOTATIONS})
"""Kinds that wait with the ECG of their bed, in order."""


class Pacer:
    """The pace of each bed's stream, and of each shard's.

    ECG uses the allowance of its bed up, or that of its shard. What must stay in order with it waits until there is
    some again: waves, annotations and the publisher's status. All other messages pass at once.
    """

    def __init__(self) -> None:
        self._allowed: dict[str | int, tuple[float, float]] = {}

    def ready_s(self, topic: Topic) -> float:
        """Return the time from which a message of a topic may be sent: the same for all that must stay in order."""
        if topic.kind is Kind.WARD_ECG and topic.shard is not None:
            return self._ready_s(topic.shard)
        if topic.bed is None or not _is_paced(topic):
            return -math.inf
        return max(self._ready_s(topic.bed), self._ready_s(ward_shard(topic.bed)))

    def _ready_s(self, stream: str | int) -> float:
        """Return the time from which a bed, or a shard, may send."""
        allowed = self._allowed.get(stream)
        if allowed is None:
            return -math.inf
        left_s, at_s = allowed
        return at_s + max(-left_s / CATCH_UP, 0.0)

    def sent(self, topic: Topic, seconds: float, now_s: float) -> None:
        """Register that a message with these seconds of signal, in wall time, is sent."""
        stream = topic.bed if topic.kind is Kind.ECG else topic.shard if topic.kind is Kind.WARD_ECG else None
        if stream is not None and seconds > MIN_PACED_S:
            left_s, at_s = self._allowed.get(stream, (BURST_S, now_s))
            # The seconds of signal that may be sent after this message; while negative, the next message waits.
            self._allowed[stream] = (min(left_s + CATCH_UP * (now_s - at_s), BURST_S) - seconds, now_s)


def _is_paced(topic: Topic) -> bool:
    return topic.kind is Kind.ECG or topic.kind in _IN_ORDER or topic.role is Role.PUBLISHER
