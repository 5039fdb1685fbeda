"""Retained topics of this process: recognizes what another client has published there. No socket.

A retained topic has one owner, the process that publishes it. It subscribes to its own topics and receives each of its
payloads back, in order; any other payload, and a removal, is an intrusion, and the owner publishes the latest payload
again: at once, and on one topic at most once per `RESTORE_INTERVAL_S`, so that two owners do not outbid each other at
the speed of the network.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from stream.wire.topics import Topic

RESTORE_INTERVAL_S = 1.0
"""Minimum time between two restorations of one topic."""

MAX_PENDING = 64
"""Payloads of a topic that are recognized when they come back."""

Origin = Literal["own", "intruder", "other"]
"""Who has published: this process, another one on a topic of this process, or one on a topic that is not."""


@dataclass(slots=True)
class _Owned:
    """One topic.

    `sent` has the hashes of the payloads that may come back: the last one that did, and all sent since.
    """

    topic: Topic
    latest: bytes
    sent: deque[int] = field(default_factory=lambda: deque(maxlen=MAX_PENDING))
    wills: deque[int] = field(default_factory=lambda: deque(maxlen=MAX_PENDING))
    overwritten: bool = False
    restored_s: float = -math.inf


class OwnedTopics:
    """The retained topics that this process has published."""

    def __init__(self) -> None:
        self._owned: dict[str, _Owned] = {}

    def sent(self, topic: Topic, payload: bytes) -> None:
        """Register the latest payload of a topic; from the first on, this process owns it."""
        owned = self._owned.setdefault(str(topic), _Owned(topic, payload))
        owned.latest, code = payload, hash(payload)
        if not owned.sent or owned.sent[-1] != code:
            owned.sent.append(code)

    def will(self, topic: Topic, payload: bytes) -> None:
        """Register the last will of a connection: the broker may publish it while a later connection exists."""
        owned = self._owned.setdefault(str(topic), _Owned(topic, payload))
        owned.wills.append(hash(payload))

    def release(self, topic: Topic) -> None:
        """Give a topic up: others may write there."""
        self._owned.pop(str(topic), None)

    def received(self, topic: str, payload: bytes) -> Origin:
        """Process a payload published on a topic; return who has published it.

        Not for payloads that were retained before the subscription: they may be old ones of this process, and are
        replaced after each connect.
        """
        owned = self._owned.get(topic)
        if owned is None or not owned.sent:
            return "other"
        code = hash(payload)
        if code in owned.sent:
            while owned.sent[0] != code:
                owned.sent.popleft()
            return "own"
        owned.overwritten = True
        return "own" if code in owned.wills else "intruder"

    def restore(self, now_s: float) -> list[tuple[Topic, bytes]]:
        """Return the overwritten topics with their payloads, to be published now; those restored just before wait."""
        due = [o for o in self._owned.values() if o.overwritten and now_s - o.restored_s >= RESTORE_INTERVAL_S]
        for owned in due:
            owned.overwritten, owned.restored_s = False, now_s
        return [(owned.topic, owned.latest) for owned in due]
