"""Groups of numbers beside the waves: which numbers belong to which wave, and their texts. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from monitor.view.bed_numerics import Reading, Readings
from monitor.view.number_alarms import Number
from stream.wire.numerics_message import NumericName
from stream.wire.wave_message import Signal

NO_VALUE = "--"


@dataclass(frozen=True, slots=True)
class Group:
    """Numbers shown together.

    Attributes
    ----------
    name : str
        Text, as on monitors.
    unit : str
    wave : str or None
        The wave that they belong to.
    main : tuple of str
        One number, or systolic, diastolic and mean pressure.
    beside : dict of str to str
        Further numbers in small, and their names.
    scale : tuple of float
        Axis of the trend: its limits, and the step by which they are extended where needed.
    digits : int
        Decimals of the main number.
    number : str or None
        What limits and alarms call it.
    """

    name: str
    unit: str
    wave: Signal | None
    main: tuple[NumericName, ...]
    beside: Mapping[NumericName, str]
    scale: tuple[float, float, float]
    digits: int = 0
    number: Number | None = None


_ABP: tuple[NumericName, ...] = ("abp_systolic", "abp_diastolic", "abp_mean")

GROUPS: tuple[Group, ...] = (
    Group("SpO₂", "%", "pleth", ("spo2",), {"pulse_rate": "PR", "perfusion_index": "PI"}, (85, 100, 5), number="spo2"),
    Group("ABP", "mmHg", "abp", _ABP, {"pulse_rate_abp": "PR"}, (40, 160, 20), number="abp"),
    Group("PAP", "mmHg", "pap", ("pap_systolic", "pap_diastolic", "pap_mean"), {}, (0, 60, 20)),
    Group("CVP", "mmHg", "cvp", ("cvp_mean",), {}, (0, 20, 10)),
    Group("RR", "1/min", "resp", ("respiration_rate",), {}, (0, 40, 10), number="respiration"),
    Group("etCO₂", "mmHg", "co2", ("etco2",), {}, (0, 60, 20)),
    Group("NIBP", "mmHg", None, ("nibp_systolic", "nibp_diastolic", "nibp_mean"), {}, (40, 160, 20)),
    Group("Temp", "°C", None, ("temperature",), {}, (35, 39, 1), 1),
)

BY_WAVE: Mapping[Signal, Group] = {group.wave: group for group in GROUPS if group.wave is not None}


def without_lane(readings: Readings, lanes: Collection[Signal]) -> tuple[Group, ...]:
    """Return the groups that the bed has numbers of and whose wave is not shown."""
    return tuple(group for group in GROUPS if group.wave not in lanes and any(name in readings for name in group.main))


def main_texts(group: Group, readings: Readings) -> tuple[str, str]:
    """Return the large text, and that in parentheses after it, such as ``120/80`` and ``(93)``."""
    return value_texts(group, {name: reading.value for name, reading in readings.items()})


def value_texts(group: Group, known: Mapping[NumericName, float | None]) -> tuple[str, str]:
    """Return the texts of `main_texts` for values; None is missing."""
    values = [_text(known.get(name), group.digits) for name in group.main]
    if len(values) == 1:
        return values[0], ""
    systolic, diastolic, mean = values
    if systolic == diastolic == NO_VALUE:
        return (NO_VALUE, "") if mean == NO_VALUE else (f"({mean})", "")
    return f"{systolic}/{diastolic}", "" if mean == NO_VALUE else f"({mean})"


def beside_text(group: Group, readings: Readings) -> str:
    """Return the small numbers with their names; those without a value are omitted."""
    known = ((name, readings[numeric].value) for numeric, name in group.beside.items() if numeric in readings)
    return "  ".join(f"{name} {_text(value, _small_digits(name))}" for name, value in known if value is not None)


def main_reading(group: Group, readings: Readings) -> Reading | None:
    """Return the reading that stands for the group: the first that has a value, or else the first that is known."""
    known = [readings[name] for name in group.main if name in readings]
    return next((reading for reading in known if reading.value is not None), known[0] if known else None)


def _small_digits(name: str) -> int:
    return 1 if name == "PI" else 0


def _text(value: float | None, digits: int) -> str:
    return NO_VALUE if value is None else f"{value:z.{digits}f}"
