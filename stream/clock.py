"""The clock: Unix time, and waiting for a deadline. Tests substitute their own."""

from __future__ import annotations

import asyncio
import datetime
import time
from functools import lru_cache
from typing import Protocol

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

CLOCK_STEP_NS = 2_000_000_000
"""Difference from the system clock, in ns, above which `SteadyClock` is set to it in one step."""


class Clock(Protocol):
    """Unix time that advances evenly except for steps, and a way to wait for a deadline."""

    @property
    def stepped_ns(self) -> int:
        """Sum of all steps so far, in ns. Deadlines set before a step are moved by the difference."""
        ...

    def now_ns(self) -> int:
        """Return the Unix time in ns."""
        ...

    async def sleep_until(self, deadline_ns: int) -> None:
        """Return at the Unix time ``deadline_ns``; at once if that has passed."""
        ...


class SteadyClock:
    """Unix time read once and advanced by the monotonic clock, so that small clock corrections move no deadline.

    If the system clock differs by more than `CLOCK_STEP_NS`, because it was set or because the machine was suspended
    (the monotonic clock stops meanwhile), this clock is stepped to it: all processes must agree on the time.
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()
        self.stepped_ns = 0

    def now_ns(self) -> int:
        """Return the Unix time in ns."""
        offset = time.time_ns() - time.monotonic_ns()
        if abs(offset - self._offset) > CLOCK_STEP_NS:
            self.stepped_ns += offset - self._offset
            self._offset = offset
        return time.monotonic_ns() + self._offset

    async def sleep_until(self, deadline_ns: int) -> None:
        """Return at the Unix time ``deadline_ns``; at once if that has passed.

        If the clock was set since its last reading, the deadline moves with it: set back by an hour, the wait would
        last an hour longer.
        """
        before_ns = self.stepped_ns
        now_ns = self.now_ns()
        await asyncio.sleep(max(0, deadline_ns + self.stepped_ns - before_ns - now_ns) / 1e9)


def monotonic_ns(clock: Clock) -> int:
    """Return a time of a clock, in ns, that its steps do not change."""
    return clock.now_ns() - clock.stepped_ns


@lru_cache(16)
def rfc3339(unix_ns: int) -> str:
    """Return a Unix time as UTC text with milliseconds, such as ``2026-01-31T12:00:00.000Z``."""
    moment = _EPOCH + datetime.timedelta(microseconds=unix_ns // 1000)  # integers: floats lose a millisecond
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix_ns(text: str) -> int:
    """Return the Unix time in ns of an RFC 3339 text, UTC if it has no offset; 0 if the text is not a time."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return 0
    since = moment.replace(tzinfo=moment.tzinfo or datetime.UTC) - _EPOCH
    return since // datetime.timedelta(microseconds=1) * 1000
