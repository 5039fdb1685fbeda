"""The pass over the recent alarm events of all beds, which are sent again a few at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from model.alarms.alarm_manager import AlarmManager
from stream.wire.alarm_messages import Alarm

EVENTS_PER_CHECK = 100
"""Largest number of events per call of `Resending.next_events`, so that a broker's queues do not overflow."""


class Resending:
    """What is still to be sent again."""

    def __init__(self) -> None:
        self._events: deque[Alarm] = deque()
        self._requested = False

    def request(self) -> None:
        """Ask for a pass; one in progress is completed and then repeated."""
        self._requested = True

    def next_events(self, managers: Iterable[AlarmManager], now_ns: int) -> list[Alarm]:
        """Return the next few events of the present pass, or of a new one that was asked for.

        Parameters
        ----------
        managers : iterable of AlarmManager
            Those of all beds.
        now_ns : int
            Unix time in ns.
        """
        if not self._events and self._requested:
            self._requested = False
            self._events.extend(event for alarms in managers for event in alarms.recent(now_ns))
        return [self._events.popleft() for _ in range(min(EVENTS_PER_CHECK, len(self._events)))]
