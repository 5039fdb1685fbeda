"""Which publishers have ended, from their status and that of their beds; no sockets.

A session has ended when its bed's status says so, or when the process that sends it is offline: its own word, or its
last will from the broker.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

from stream.wire.bed_places import configured_places
from stream.wire.status_messages import BedStatus, ProcessStatus

T = TypeVar("T")

MAX_SESSIONS = 4
"""Sessions remembered per bed; the oldest are forgotten."""

MIN_BEDS = 256
"""Beds remembered, and processes that are offline, if there are not more places; the oldest are forgotten."""


class Publishers:
    """The publishers' processes of recent sessions.

    Parameters
    ----------
    places : int or None
        Beds that the process keeps; None: as configured, see `stream.wire.bed_places`.
    """

    def __init__(self, places: int | None = None) -> None:
        self._max_beds = max(MIN_BEDS, configured_places() if places is None else places)
        self._instances: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._offline: dict[str, None] = {}

    def update(self, status: BedStatus | ProcessStatus) -> tuple[tuple[str, str], ...]:
        """Process a status; return the bed and session of each stream that has ended according to it."""
        if status.role != "publisher":
            return ()
        if isinstance(status, BedStatus):
            sessions = self._instances[status.bed]
            sessions.pop(status.session, None)
            sessions[status.session] = status.instance
            _trim(sessions, MAX_SESSIONS)
            _trim(self._instances, self._max_beds)
            ended = status.state == "ended" or status.instance in self._offline
            return ((status.bed, status.session),) if ended else ()
        self._offline.pop(status.instance, None)
        if status.state == "online":
            return ()
        self._offline[status.instance] = None
        _trim(self._offline, self._max_beds)
        return tuple(
            (bed, session)
            for bed, sessions in self._instances.items()
            for session, instance in sessions.items()
            if instance == status.instance
        )


def _trim(items: dict[str, T], limit: int) -> None:
    """Remove the oldest items above a limit."""
    while len(items) > limit:
        del items[next(iter(items))]
