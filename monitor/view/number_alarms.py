"""Which numbers of a patient are in alarm: priority, violated limit, and whether they flash. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from monitor.view.view_model import AlarmLine
from stream.wire.alarm_messages import AlarmKind, Limits, Priority
from stream.wire.limit_ranges import LimitName
from stream.wire.wave_message import Signal

Side = Literal["low", "high"]
Number = Literal["heart_rate", "spo2", "abp", "respiration"]
"""Numbers with limits; of pressures, systolic, diastolic and mean together."""

NUMBERS: Mapping[AlarmKind, tuple[Number, Side]] = {
    "asystole": ("heart_rate", "low"),
    "extreme_bradycardia": ("heart_rate", "low"),
    "heart_rate_low": ("heart_rate", "low"),
    "ventricular_tachycardia": ("heart_rate", "high"),
    "extreme_tachycardia": ("heart_rate", "high"),
    "heart_rate_high": ("heart_rate", "high"),
    "desaturation": ("spo2", "low"),
    "spo2_low": ("spo2", "low"),
    "abp_disconnected": ("abp", "low"),
    "abp_systolic_low": ("abp", "low"),
    "abp_mean_low": ("abp", "low"),
    "abp_diastolic_low": ("abp", "low"),
    "abp_systolic_high": ("abp", "high"),
    "abp_mean_high": ("abp", "high"),
    "abp_diastolic_high": ("abp", "high"),
    "apnoea": ("respiration", "low"),
    "respiration_low": ("respiration", "low"),
    "respiration_high": ("respiration", "high"),
}
"""The number that an alarm concerns, and the limit beyond which it is."""

_WAVES_OF_NUMBER: Mapping[Number, tuple[Signal, ...]] = {
    "spo2": ("pleth",),
    "abp": ("abp",),
    "respiration": ("resp", "co2"),
}
WAVES: Mapping[AlarmKind, tuple[Signal, ...]] = {
    **{kind: _WAVES_OF_NUMBER[number] for kind, (number, _) in NUMBERS.items() if number in _WAVES_OF_NUMBER},
    "pulse_mismatch": ("pleth", "abp"),
    "pleth_off": ("pleth",),
    "abp_fault": ("abp",),
    "resp_fault": ("resp", "co2"),
}
"""The waves that an alarm marks; one that is not here marks the ECG."""

_LIMITS: Mapping[Number, Mapping[Side, LimitName]] = {
    "heart_rate": {"high": "heart_rate_high", "low": "heart_rate_low"},
    "spo2": {"low": "spo2_low"},
    "abp": {"high": "abp_systolic_high", "low": "abp_systolic_low"},
    "respiration": {"high": "respiration_high", "low": "respiration_low"},
}
_VIOLATED: Mapping[AlarmKind, LimitName] = {
    "desaturation": "desaturation",
    "abp_mean_low": "abp_mean_low",
    "abp_mean_high": "abp_mean_high",
    "abp_diastolic_low": "abp_diastolic_low",
    "abp_diastolic_high": "abp_diastolic_high",
}
"""Limits that are shown in place of another one while they are violated."""


@dataclass(frozen=True, slots=True)
class NumberAlarm:
    """The alarm of a number.

    Attributes
    ----------
    priority : str
    violated : str
        The limit that is violated, ``low`` or ``high``.
    acknowledged : bool
    kind : str
    """

    priority: Priority
    violated: Side
    acknowledged: bool
    kind: AlarmKind


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
            alarm = NumberAlarm(line.alarm.priority, violated, not line.unacknowledged, line.alarm.kind)
            found.setdefault(number, alarm)
    return found


def limit_texts(number: Number, limits: Limits | None, alarm: NumberAlarm | None) -> tuple[str, str]:
    """Return the high and the low limit of a number, empty where there is none; of a mean pressure in parentheses."""
    if limits is None:
        return "", ""
    names = dict(_LIMITS[number])
    if alarm is not None and alarm.kind in _VIOLATED:
        names[alarm.violated] = _VIOLATED[alarm.kind]
    texts = {
        side: f"({getattr(limits, name)})" if "mean" in name else f"{getattr(limits, name)}"
        for side, name in names.items()
    }
    return texts.get("high", ""), texts.get("low", "")


def rhythm_priority(rhythm: str, active: Iterable[AlarmLine]) -> Priority | None:
    """Return the priority of the alarm of a rhythm, one of `stream.wire.messages.Rhythm`; None without an alarm."""
    kind = rhythm.replace(" ", "_")
    return next((line.alarm.priority for line in active if line.alarm.kind == kind and line.alarm.end is None), None)
