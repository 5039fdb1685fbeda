"""Central station without a window: its grid, the beds in alarm, and the audible alarms."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from monitor.view.view_model import AlarmLine, Frame, Pauses

MAX_BEDS = 32
"""Largest number of tiles; smaller tiles could not be read."""


def grid_columns(beds: int) -> int:
    """Return the number of columns of the grid; never more than rows, because a trace needs width.

    It depends on the number of beds alone: no tile moves or changes its size when an alarm comes or goes.
    """
    rows = max(math.ceil(math.sqrt(beds)), 1)
    return max(math.ceil(beds / rows), 1)


@dataclass(frozen=True, slots=True)
class BedsInAlarm:
    """Number of beds with an active unacknowledged alarm, and of those that only have ended ones."""

    active: int
    ended: int


def beds_in_alarm(frames: Iterable[Frame]) -> BedsInAlarm:
    """Return how many beds are in alarm."""
    waiting = [[line for line in frame.active if line.unacknowledged] for frame in frames]
    active = sum(any(not line.latched for line in lines) for lines in waiting)
    return BedsInAlarm(active, sum(bool(lines) for lines in waiting) - active)


@dataclass(frozen=True, slots=True)
class RedAlarm:
    """The unacknowledged alarm of high priority of a bed that is not shown; an active one rather than an ended one.

    Attributes
    ----------
    bed : str
    line : AlarmLine
    paused : bool
        The alarms of the bed are paused: this one is shown without flashing.
    """

    bed: str
    line: AlarmLine
    paused: bool = False


def other_red_alarms(alarms: Iterable[RedAlarm], shown: Iterable[str]) -> tuple[RedAlarm, ...]:
    """Return the red alarms of the beds that are not shown, active before ended ones, by name of the bed."""
    seen = set(shown)
    others = [alarm for alarm in alarms if alarm.bed not in seen]
    return tuple(sorted(others, key=lambda alarm: (alarm.line.latched, alarm.bed)))


def audible_frame(selected: Frame, frames: Iterable[Frame]) -> Frame:
    """Return a frame for the sounds: the beats of the selected bed, and the audible alarms of all beds."""
    audible = [f for f in frames if f.worker and not f.pauses.audio_s and not f.pauses.alarms_s]
    return replace(selected, active=tuple(a for f in audible for a in f.active), worker=bool(audible), pauses=Pauses())
