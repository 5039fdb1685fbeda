"""Colours of a number: its own, or those of its alarm. A flashing number changes its colours and stays readable."""

from __future__ import annotations

from typing import NamedTuple

from monitor.gui.style.theme import FLASH_HZ, Theme, lit
from monitor.view.number_alarms import NumberAlarm


class NumberColours(NamedTuple):
    """Text colour of a number, and the colour behind it; empty for the panel."""

    ink: str
    ground: str


def number_colours(theme: Theme, own: str, alarm: NumberAlarm | None, *, bright: bool) -> NumberColours:
    """Return the colours of a number.

    Parameters
    ----------
    theme : Theme
    own : str
        Colour without an alarm, that of the number's wave.
    alarm : NumberAlarm or None
    bright : bool
        The phase of the flash cycle, from `is_bright`.
    """
    if alarm is None:
        return NumberColours(own, "")
    if bright:
        return NumberColours(theme.signal_ink[alarm.priority], theme.signal[alarm.priority])
    return NumberColours(theme.priority[alarm.priority], "")


def is_bright(alarm: NumberAlarm | None, now_ns: int, *, steady: bool) -> bool:
    """Return whether a number is in the bright half of its flash cycle at a Unix time in ns.

    Acknowledged alarms, those of a priority that does not flash, and ``steady`` ones are never bright: they keep the
    colour of their priority.
    """
    return (
        alarm is not None
        and not steady
        and not alarm.acknowledged
        and alarm.priority in FLASH_HZ
        and lit(alarm.priority, now_ns)
    )
