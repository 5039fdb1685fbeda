"""Beds, replays and commands in words, for the log."""

from __future__ import annotations

from collections.abc import Sequence

from stream.records.record import Record
from stream.records.synthetic.live_record import LiveRecord
from stream.replay.playhead import Playhead
from stream.timebase import FS
from stream.wire.replay_actions import ReplayAction, Seek, SetLoop, SetPlaying, SetSpeed

MAX_NAMED = 8
"""Beds that are all named in one line; of more, restarts of looping records are not logged."""


def names(beds: Sequence[str]) -> str:
    """Return the names of beds for one line: all of a few, the first and the last of many."""
    return ", ".join(beds) if len(beds) <= MAX_NAMED else f"{len(beds)} beds, {beds[0]} to {beds[-1]}"


def description(head: Playhead) -> str:
    """Return a one-line description of a replay."""
    record = head.record
    signals = f"{', '.join(record.leads)}; {FS} Hz"
    length = "without end" if isinstance(record, LiveRecord) and record.endless else f"{record.n / FS:.1f} s"
    if isinstance(record, Record) and record.alone:
        signals = f"numerics alone: {', '.join(one.name for one in record.numerics)}"
    parts = [
        f"{head.bed}: {record.name} ({signals}; {length})",
        f"from {head.position / FS:.1f} s" if head.position else "",
        f"at {head.speed:g} times real time",
        "in a loop" if head.loop else "",
        "SYNTHETIC" if record.synthetic else "",
    ]
    return ", ".join(part for part in parts if part)


def effect(action: ReplayAction, head: Playhead) -> str:
    """Return what a command has done, for the log."""
    match action:
        case SetPlaying(playing=playing):
            return f"{'playing from' if playing else 'paused at'} {head.position / FS:.1f} s"
        case SetSpeed(speed=speed):
            return f"{speed:g} times real time"
        case SetLoop(loop=loop):
            return f"loop {'on' if loop else 'off'}"
        case Seek(position=position):
            return f"moved to {position / FS:.1f} s"
    return type(action).__name__
