"""Which numbers of a patient are in alarm: priority, violated limit, and whether they flash. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from monitor.view.view_model import AlarmLine
from stream.wire.alarm_messages import AlarmKind, Priority

Side = Literal["low", "high"]
Number = Literal["heart_rate"]

NUMBERS: Mapping[AlarmKind, tuple[Number, Side]] = {
    "asystole": ("heart_rate", "low"),
    "extreme_bradycardia": ("heart_rate", "low"),
    "heart_rate_low": ("heart_rate", "low"),
    "ventricular_tachycardia": ("heart_rate", "high"),
    "extreme_tachycardia": ("heart_rate", "high"),
    "heart_rate_high": ("heart_rate", "high"),
}
"""The number that an alarm concerns, and the limit beyond which it is."""


@dataclass(frozen=True, slots=True)
class NumberAlarm:
    """The alarm of a number.

    Attributes
    ----------
    priority : str
    violated : str
        The limit that is violated, ``low`` or ``high``.
    acknowledged : bool
    """

    priority: Priority
    violated: Side
    acknowledged: bool


def number_alarms(active: Iterable[AlarmLine]) -> dict[Number, NumberAlarm]:
    """Return the alarm of each number whose condition persists: of several, the most urgent unacknowledged one.

    Parameters
    ----------
    active : iterable of AlarmLine
        Active and latched alarms, by urgency.
    """
    found: dict[Number, NumberAlarm] = {}
    for line in sorted(active, key=lambda line: not line.unacknowledged):
        if line.alarm.end is None and line.alarm.kind in NUMBERS:
            number, violated = NUMBERS[line.alarm.kind]
            found.setdefault(number, NumberAlarm(line.alarm.priority, violated, not line.unacknowledged))
    return found


def rhythm_priority(rhythm: str, active: Iterable[AlarmLine]) -> Priority | None:
    """Return the priority of the alarm of a rhythm, one of `stream.wire.messages.Rhythm`; None without an alarm."""
    kind = rhythm.replace(" ", "_")
    return next((line.alarm.priority for line in active if line.alarm.kind == kind and line.alarm.end is None), None)
