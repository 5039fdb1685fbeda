"""The recent alarm events of a bed, kept to be sent again to a store that may have missed them.

A broker may acknowledge an event and be killed before it has delivered it. So the worker keeps the last events, also
in its checkpoints, and sends them again on request and after a reconnect. Stores keep each event once, by its id.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from stream.clock import unix_ns
from stream.wire.alarm_messages import Alarm

MAX_EVENTS = 200
"""Events kept per bed; the oldest are dropped."""

MAX_AGE_NS = 12 * 3600 * 1_000_000_000
"""Age in ns, by their wall time, beyond which events are not sent again; long, so that a set clock changes nothing."""

RecentEvents = tuple[Alarm, ...]
"""Events in the order in which they were sent first."""


def push(recent: RecentEvents, events: Iterable[Alarm]) -> RecentEvents:
    """Return the recent events after new ones."""
    return (*recent, *events)[-MAX_EVENTS:]


def to_resend(recent: RecentEvents, now_ns: int) -> RecentEvents:
    """Return the events to send again, marked as such."""
    return tuple(replace(event, resent=True) for event in recent if now_ns - unix_ns(event.when) < MAX_AGE_NS)
