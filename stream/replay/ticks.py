"""The moments at which the beds of a large ward send: all beds of a shard together, the shards in groups.

A tick is the due time of a chunk of full length. Its time counts from the Unix epoch, so beds that start, resume, seek
or change their speed at different times send together again, at the price of up to one chunk of delay.
"""

from __future__ import annotations

import math
from fractions import Fraction

from stream.replay.playhead import Playhead
from stream.replay.playhead_actions import shift_deadlines
from stream.timebase import FS
from stream.wire.shard import ward_shard

MOMENTS = 8
"""Different moments within the duration of a chunk, each of three shards: each wake-up of a process takes time."""

ROUNDING_NS = 100
"""A deadline that is late by less, in ns, is on its tick."""


def on_tick(head: Playhead, stepped_ns: int = 0) -> Playhead:
    """Return a playhead whose deadlines are moved, by less than the duration of a chunk, to the ticks of its shard.

    Parameters
    ----------
    head : Playhead
    stepped_ns : int
        Steps of the clock so far, see `stream.clock`: the deadlines of all beds have been shifted by them.
    """
    period_ns = Fraction(head.chunk * 10**9) / (FS * Fraction(head.speed))
    phase_ns = period_ns * (ward_shard(head.bed) % MOMENTS) / MOMENTS + stepped_ns
    # The time at which sample 0 of the session would have been due.
    origin_ns = head.anchor_ns - head.anchor * period_ns / head.chunk
    ticks = math.ceil((origin_ns - ROUNDING_NS - phase_ns) / period_ns)
    return shift_deadlines(head, round(phase_ns + ticks * period_ns - origin_ns))
