"""Pauses of alarms when the clock is set: their ends are wall time, and move with it; no sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from model.alarms.alarm_manager import AlarmManager
from stream.clock import Clock


class ClockSteps:
    """Moves the ends of pauses with each step of the clock: a pause lasts as long as it was meant to.

    Parameters
    ----------
    clock : Clock
    alarm_managers : callable
        Returns the names of all beds with their alarms.
    """

    def __init__(self, clock: Clock, alarm_managers: Callable[[], Iterable[tuple[str, AlarmManager]]]) -> None:
        self._clock = clock
        self._alarm_managers = alarm_managers
        self._stepped_ns = clock.stepped_ns

    def follow(self) -> None:
        """Move the pauses by what the clock was stepped since the last call."""
        self._clock.now_ns()  # notices a step
        step_ns = self._clock.stepped_ns - self._stepped_ns
        self._stepped_ns += step_ns
        if step_ns:
            for name, alarms in self._alarm_managers():
                alarms.shift_pauses(name, step_ns)
