"""Time: one clock for everything that waits or stamps, so that tests can bring their own."""

from __future__ import annotations

import asyncio
import datetime
import time
from typing import Protocol

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


CLOCK_STEP_NS = 2_000_000_000
"""How far the system's clock must stand from ours before ours follows it."""


class Clock(Protocol):
    """Unix time that runs evenly but for leaps, and a way to wait for a moment of it."""

    @property
    def stepped_ns(self) -> int:
        """The sum of all leaps so far: whoever counts from a moment before one adds what has come since."""
        ...

    def now_ns(self) -> int:
        """Return the Unix time in ns."""
        ...

    async def sleep_until(self, moment_ns: int) -> None:
        """Return at ``moment_ns`` or, when that has passed, at once."""
        ...


class SteadyClock:
    """Unix time read once, carried on by the monotonic clock: a clock that is corrected a little moves no deadline.

    Where the system's clock is elsewhere all of a sudden, because it was set or because the machine has slept, during
    which the monotonic clock stands still, this one leaps after it: all processes must agree on what is now.
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

    async def sleep_until(self, moment_ns: int) -> None:
        """Return at ``moment_ns`` or, when that has passed, at once."""
        await asyncio.sleep(max(0, moment_ns - self.now_ns()) / 1e9)


def rfc3339(unix_ns: int) -> str:
    """Return a Unix time as UTC text with milliseconds, such as ``2026-01-31T12:00:00.000Z``."""
    moment = _EPOCH + datetime.timedelta(microseconds=unix_ns // 1000)  # in whole numbers: floats lose a millisecond
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix_ns(text: str) -> int:
    """Return the Unix time in ns of an RFC 3339 text, UTC where it names no zone; 0 where the text is none."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return 0
    since = moment.replace(tzinfo=moment.tzinfo or datetime.UTC) - _EPOCH
    return since // datetime.timedelta(microseconds=1) * 1000
