"""Source of messages of a window: the interface of `monitor.view.feed.Feed` that the window uses."""

from __future__ import annotations

from typing import Protocol

from stream.mqtt.client import Received
from stream.wire.alarm_texts import Phrase
from stream.wire.messages import Message


class Source(Protocol):
    """Source of messages: the interface of `monitor.view.feed.Feed` that the window uses."""

    def drain(self) -> list[Received]:
        """Return the messages received since the last call, without waiting."""
        ...

    def send(self, message: Message) -> bool:
        """Send a message without waiting; False if the broker is not connected."""
        ...

    @property
    def connected(self) -> bool:
        """True while the broker is connected."""
        ...

    @property
    def phrase(self) -> Phrase:
        """The state of the connection."""
        ...

    @property
    def counters(self) -> dict[str, int]:
        """Counters of the connection."""
        ...
