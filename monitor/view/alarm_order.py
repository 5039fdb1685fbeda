"""The order of alarms on the screen: which one a banner shows, and the groups of the list. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from monitor.view.view_model import AlarmLine
from stream.wire.alarm_messages import PRIORITIES

ROTATE_S = 2
"""How long each of several alarms is shown, s."""

Group = Literal["active", "latched", "advisories", "past"]
GROUPS: tuple[Group, ...] = ("active", "latched", "advisories", "past")
"""Groups of the list, from top to bottom."""


def urgent_lines(active: Sequence[AlarmLine]) -> tuple[AlarmLine, ...]:
    """Return the lines that a banner shows in turn: active before ended ones.

    They are the unacknowledged active ones of the highest priority, then the ended ones that are at least as urgent. An
    active alarm that is low or technical does not precede an ended one of high priority. Without unacknowledged
    ones, those acknowledged of the highest priority.

    Parameters
    ----------
    active : sequence of AlarmLine
        Active and latched alarms, by urgency.
    """
    waiting = [line for line in active if line.unacknowledged]
    if not waiting:
        return tuple(line for line in active if _rank(line) == _rank(active[0]))
    ongoing = [line for line in waiting if not line.latched]
    over = [line for line in waiting if line.latched]
    top = min((_rank(line) for line in ongoing), default=len(PRIORITIES))
    if over and PRIORITIES.index("medium") < top:
        return tuple(line for line in over if _rank(line) == _rank(over[0]))
    return (*(line for line in ongoing if _rank(line) == top), *(line for line in over if _rank(line) <= top))


def _rank(line: AlarmLine) -> int:
    return PRIORITIES.index(line.alarm.priority)


class Rotation:
    """Shows several alarms in turn, beginning with the most urgent one whenever the set of alarms has changed."""

    def __init__(self) -> None:
        self._keys: tuple[str, ...] = ()
        self._since_ns = 0

    def line(self, active: Sequence[AlarmLine], now_ns: int) -> AlarmLine | None:
        """Return the alarm to show at a Unix time in ns; None if there is none.

        Parameters
        ----------
        active : sequence of AlarmLine
            Active and latched alarms, by urgency.
        now_ns : int
        """
        lines = urgent_lines(active)
        keys = tuple(line.key for line in lines)
        if keys != self._keys or now_ns < self._since_ns:
            self._keys, self._since_ns = keys, now_ns
        return lines[(now_ns - self._since_ns) // (ROTATE_S * 1_000_000_000) % len(lines)] if lines else None


def group_of(line: AlarmLine) -> Group:
    """Return the group of a line in the list."""
    if line.advisories is not None:
        return "advisories"
    if line.latched:
        return "latched"
    return "active" if line.active else "past"


def grouped(history: Sequence[AlarmLine]) -> tuple[AlarmLine, ...]:
    """Return the lines of the list by group; active and latched ones by urgency, the others the latest first."""
    return tuple(sorted(history, key=lambda line: (GROUPS.index(group_of(line)), _rank(line) if line.active else 0)))
