"""Which messages of a bed without ECG can follow each other, and when another session takes over; no sockets."""

from __future__ import annotations

from typing import Final

from stream.timebase import FS
from stream.wire.numerics_message import Numerics

SILENT_NS: Final = 10_000_000_000
"""Time in ns without a message and without a status, which comes every 2 s, after which another session takes over."""

SLACK_S: Final = 5.0
"""Time, s, by which messages may come faster than they are due: an outage is caught up."""


def is_plausible(before: Numerics, numerics: Numerics, elapsed_ns: int) -> bool:
    """Return whether the signal between two messages of a session can have passed in a time.

    One forged message with an index far ahead would make all that follow old.
    """
    assert before.alone is not None
    assert numerics.alone is not None
    fastest = max(before.alone.speed, numerics.alone.speed)
    ahead_s = (numerics.index - before.index) / FS
    return ahead_s <= fastest * (elapsed_ns / 1e9 + SLACK_S) + 2 * before.alone.interval_s
