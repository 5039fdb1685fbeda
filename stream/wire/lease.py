"""One worker per bed: each output of a worker carries a lease, a number that grows with every takeover of the bed.

A worker that takes over a bed uses the highest lease that it has received for it, plus one. All receivers drop what
comes under an older lease: a worker that was stalled and goes on while another serves is not believed. No single
message can silence a bed:

- a message under a higher lease is accepted, but the lease only counts once a second message has come under it;
- a lease that has not been used for `EXPIRY_NS` is over: the next message is accepted, whatever its lease.

Times are those of arrival, monotonic; no sender's clock is involved.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.bed_places import configured_places
from stream.wire.fields import MAX_LEASE
from stream.wire.messages import Beat, Forecast, Message, Vitals
from stream.wire.numerics_message import Numerics
from stream.wire.outlook_message import Outlook
from stream.wire.status_messages import BedStatus

T = TypeVar("T", Alarm, ActiveAlarms)

EXPIRY_NS = 5_000_000_000
"""Time in ns after which an unused lease is over. A worker sends the status of each bed every 2 s."""

MIN_BEDS = 1024
"""Beds whose leases are kept, if there are not more places; the one that was used least recently is dropped."""


@dataclass(frozen=True, slots=True)
class LeaseState:
    """The lease of one bed as a receiver knows it.

    Attributes
    ----------
    lease : int
    used_ns : int or None
        When the last message came under it; None before the first.
    claimed : int
        A higher lease under which one message has come; 0: none.
    """

    lease: int = 0
    used_ns: int | None = None
    claimed: int = 0


def check_lease(state: LeaseState, lease: int, now_ns: int) -> tuple[bool, LeaseState]:
    """Return whether a message under a lease is to be believed, and the state after it."""
    if lease == state.lease:
        return True, replace(state, used_ns=now_ns)
    if lease > state.lease:
        if lease == state.claimed:
            return True, LeaseState(lease, now_ns)
        return True, replace(state, claimed=lease)
    if state.used_ns is None or now_ns - state.used_ns >= EXPIRY_NS:
        return True, LeaseState(lease, now_ns)
    return False, state


def next_lease(highest: int) -> int:
    """Return the lease of a takeover after the highest received; after the largest possible one, numbers restart."""
    return highest + 1 if highest < MAX_LEASE else 1


def lease_of(message: Message | None) -> tuple[str, int] | None:
    """Return the bed and the lease of an output of a worker; None for other messages."""
    match message:
        case Forecast() | Beat() | Vitals() | Outlook() | Alarm() | ActiveAlarms() | BedStatus(role="worker"):
            return message.bed, message.lease
        case Numerics() if message.derived:
            return message.bed, message.lease
    return None


def with_lease(message: T, lease: int) -> T:
    """Return an alarm or a list of alarms under a lease."""
    if isinstance(message, Alarm):
        return msgspec.structs.replace(message, lease=lease)
    alarms = tuple(msgspec.structs.replace(alarm, lease=lease) for alarm in message.alarms)
    advisory = message.advisory
    if advisory is not None:
        advisory = msgspec.structs.replace(advisory, latest=msgspec.structs.replace(advisory.latest, lease=lease))
    return msgspec.structs.replace(message, lease=lease, alarms=alarms, advisory=advisory)


class Leases:
    """The leases of all beds, for a receiver.

    Parameters
    ----------
    clock : callable
        Returns the monotonic time in ns.
    places : int or None
        Beds that the process keeps; None: as configured, see `stream.wire.bed_places`.

    Attributes
    ----------
    dropped : int
        Messages that came under an older lease.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns, places: int | None = None) -> None:
        self.dropped = 0
        self._max_beds = max(MIN_BEDS, configured_places() if places is None else places)
        self._clock = clock
        self._beds: dict[str, LeaseState] = {}

    def accept(self, message: Message | None) -> bool:
        """Return whether a message is to be believed; True for messages without a lease."""
        found = lease_of(message)
        if found is None:
            return True
        bed, lease = found
        accepted, state = check_lease(self._beds.pop(bed, LeaseState()), lease, self._clock())
        self._beds[bed] = state
        if len(self._beds) > self._max_beds:
            del self._beds[next(iter(self._beds))]
        self.dropped += not accepted
        return accepted
