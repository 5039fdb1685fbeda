"""Pace of a bed's stream after an outage, so that the broker's queue for a subscriber does not overflow. No socket.

Mosquitto keeps 20 messages in flight and 1000 more for each subscriber, and drops the rest without a word. After an
outage the outbox holds up to 30 s of every bed. Sent at once, they would arrive faster than a subscriber takes them,
so each bed catches up at `CATCH_UP` times real time. What is sent as it arises is never delayed: `BURST_S` of signal
may be sent at once.
"""

from __future__ import annotations

import math

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
    """The pace of each bed's stream.

    ECG uses the bed's allowance up; what must stay in order with it waits until there is some again: waves, annotations
    and the publisher's status. All other messages pass at once.
    """

    def __init__(self) -> None:
        self._allowed: dict[str, tuple[float, float]] = {}

    def ready_s(self, topic: Topic) -> float:
        """Return the time from which a message of a topic may be sent: the same for all that must stay in order."""
        allowed = self._allowed.get(topic.bed) if topic.bed is not None and _is_paced(topic) else None
        if allowed is None:
            return -math.inf
        left_s, at_s = allowed
        return at_s + max(-left_s / CATCH_UP, 0.0)

    def sent(self, topic: Topic, seconds: float, now_s: float) -> None:
        """Register that a message with these seconds of signal, in wall time, is sent."""
        if topic.kind is Kind.ECG and topic.bed is not None and seconds > MIN_PACED_S:
            left_s, at_s = self._allowed.get(topic.bed, (BURST_S, now_s))
            # The seconds of signal that the bed may send after this message; while negative, its next message waits.
            self._allowed[topic.bed] = (min(left_s + CATCH_UP * (now_s - at_s), BURST_S) - seconds, now_s)


def _is_paced(topic: Topic) -> bool:
    return topic.kind is Kind.ECG or topic.kind in _IN_ORDER or topic.role is Role.PUBLISHER
