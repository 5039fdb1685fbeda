"""Alarm settings: limits, priorities, delays and rule parameters, read from TOML.

`alarms.toml` beside this file contains all defaults. A user's file overrides single keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from stream.errors import UsageError
from stream.wire.alarm_messages import (
    ADVISORIES,
    ALWAYS_ENABLED,
    KINDS,
    PRIORITIES,
    TECHNICAL,
    AlarmKind,
    Limits,
    Priority,
)
from stream.wire.limit_ranges import BELOW, LIMIT_RANGES

OFF_CONFIRMATION = "switched_off_on_purpose"
"""Key that must also be true to disable a kind in `ALWAYS_ENABLED`, so that it is not disabled by accident."""

MAX_BEATS = 30
"""Largest number of beats that a rule may use."""

Range = tuple[type[int] | type[float], float, float]
"""Type, minimum and maximum of a number."""

DELAY: Final[Mapping[str, Range]] = {"delay_s": (float, 0, 60)}

RANGES: Final[Mapping[str, Mapping[str, Range]]] = {
    "limits": {name: (int, own.minimum, own.maximum) for name, own in LIMIT_RANGES.items()},
    "asystole": {"seconds": (float, 2, 10)},
    "ventricular_tachycardia": {"beats": (int, 3, MAX_BEATS), "per_min": (float, 60, 250)},
    "extreme_tachycardia": {
        "beats": (int, 3, MAX_BEATS),
        "steady_beats": (int, 3, MAX_BEATS),
        "per_min": (float, 100, 300),
    },
    "extreme_bradycardia": {"beats": (int, 3, MAX_BEATS), "per_min": (float, 15, 60)},
    "pvc_run": {"beats": (int, 3, MAX_BEATS), "delay_s": (float, 0, 60)},
    "heart_rate_high": DELAY,
    "heart_rate_low": DELAY,
    "atrial_fibrillation": {"entropy": (float, 0.1, 1), "delay_s": (float, 0, 60)},
    "unusual_complexes": {"seconds": (float, 2, 120), "per_min": (int, 2, 60)},
    "abp_disconnected": {"mean": (float, 0, 30), "pulse_pressure": (float, 0, 20), **DELAY},
    "pulse_mismatch": {"per_min": (int, 5, 100), **DELAY},
    **dict.fromkeys(("desaturation", "spo2_low", "respiration_low", "respiration_high"), DELAY),
    **{f"abp_{part}_{side}": DELAY for part in ("mean", "systolic", "diastolic") for side in ("low", "high")},
    **dict.fromkeys(("pleth_off", "abp_fault", "resp_fault"), DELAY),
}
"""Range of each number, by table and key."""


@dataclass(frozen=True, slots=True)
class RateRule:
    """Limit of the mean rate over a number of beats.

    Attributes
    ----------
    beats : int
        Number of beats.
    per_min : float
        Rate, 1/min.
    """

    beats: int
    per_min: float


@dataclass(frozen=True, slots=True)
class AlarmConfig:
    """Alarm settings of all beds.

    Attributes
    ----------
    limits : Limits
        Initial limits of a bed.
    priorities : mapping of str to str
        Priority of every kind.
    disabled : frozenset of str
        Kinds that are disabled on all beds.
    delay_s : mapping of str to float
        Time for which the rule must be met before the alarm is raised, s; 0 for kinds that are not listed.
    asystole_s : float
        Duration without a QRS complex, s.
    ventricular_tachycardia, extreme_tachycardia, extreme_bradycardia : RateRule
    steady_tachycardia_beats : int
        Number of beats of an extreme tachycardia with no RR interval above that of the limit.
    pvc_run_beats : int
        Number of consecutive ventricular beats.
    fibrillation_entropy : float
        Entropy limit of atrial fibrillation, 0 to 1, see `model.rhythm.atrial_fibrillation`.
    unusual_s : float
        Duration of an unusual waveform without a break, s.
    unusual_per_min : int
        Number of unusual complexes within a minute.
    static_mean, static_pulse : float
        Mean and pulse pressure below which an arterial line is disconnected, mmHg.
    pulse_mismatch_per_min : int
        Largest difference of pulse rate and heart rate, 1/min.
    """

    limits: Limits
    priorities: Mapping[AlarmKind, Priority]
    disabled: frozenset[AlarmKind]
    delay_s: Mapping[AlarmKind, float]
    asystole_s: float
    ventricular_tachycardia: RateRule
    extreme_tachycardia: RateRule
    extreme_bradycardia: RateRule
    steady_tachycardia_beats: int
    pvc_run_beats: int
    fibrillation_entropy: float
    unusual_s: float
    unusual_per_min: int
    static_mean: float
    static_pulse: float
    pulse_mismatch_per_min: int

    def enabled(self, kind: AlarmKind) -> bool:
        """Return whether alarms of this kind are raised."""
        return kind not in self.disabled

    def priority(self, kind: AlarmKind) -> Priority:
        """Return the priority of alarms of this kind."""
        return self.priorities[kind]


def load(path: Path | None = None) -> AlarmConfig:
    """Read the defaults, and override them with the user's file.

    Raises
    ------
    UsageError
        The file cannot be read, or contains an invalid key or value: one line with the key, the value and the allowed
        values.
    """
    defaults = files("model.conditions").joinpath("alarms.toml").read_text(encoding="utf-8")
    tables = _parse(defaults, "alarms.toml")
    if path is None:
        return _config(tables, "alarms.toml")
    try:
        overrides = _parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"cannot read the alarm settings in {path.name}: {reason}") from error
    for name, table in overrides.items():
        if name not in tables:
            raise _invalid(path.name, name, table, f"no such table: use one of {_join(tables)}")
        if not isinstance(table, dict):
            raise _invalid(path.name, name, table, f"a table is expected: write [{name}]")
        for key, value in table.items():
            known = _keys(name)
            if key not in known:
                raise _invalid(path.name, f"{name}.{key}", value, f"no such key: use one of {_join(known)}")
            tables[name][key] = value
    return _config(tables, path.name)


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source} is not TOML: {error}") from error


def _keys(name: str) -> tuple[str, ...]:
    if name == "limits":
        return tuple(RANGES[name])
    confirmation = (OFF_CONFIRMATION,) if name in ALWAYS_ENABLED else ()
    return ("priority", "enabled", *confirmation, *RANGES.get(name, ()))


def _config(tables: Mapping[str, dict[str, Any]], source: str) -> AlarmConfig:
    numbers = {name: {key: _number(tables, name, key, source) for key in RANGES[name]} for name in RANGES}
    limits = {name: int(value) for name, value in numbers["limits"].items()}
    for low, high in BELOW:
        if limits[low] >= limits[high]:
            raise _invalid(source, f"limits.{low}", limits[low], f"use less than {high}, which is {limits[high]}")

    def rate_rule(name: str) -> RateRule:
        return RateRule(int(numbers[name]["beats"]), float(numbers[name]["per_min"]))

    return AlarmConfig(
        limits=msgspec.convert(limits, Limits),
        priorities={kind: _priority(tables, kind, source) for kind in KINDS},
        disabled=frozenset(kind for kind in KINDS if not _enabled(tables, kind, source)),
        delay_s={kind: numbers[kind]["delay_s"] for kind in KINDS if "delay_s" in numbers.get(kind, ())},
        asystole_s=numbers["asystole"]["seconds"],
        ventricular_tachycardia=rate_rule("ventricular_tachycardia"),
        extreme_tachycardia=rate_rule("extreme_tachycardia"),
        extreme_bradycardia=rate_rule("extreme_bradycardia"),
        steady_tachycardia_beats=int(numbers["extreme_tachycardia"]["steady_beats"]),
        pvc_run_beats=int(numbers["pvc_run"]["beats"]),
        fibrillation_entropy=numbers["atrial_fibrillation"]["entropy"],
        unusual_s=numbers["unusual_complexes"]["seconds"],
        unusual_per_min=int(numbers["unusual_complexes"]["per_min"]),
        static_mean=numbers["abp_disconnected"]["mean"],
        static_pulse=numbers["abp_disconnected"]["pulse_pressure"],
        pulse_mismatch_per_min=int(numbers["pulse_mismatch"]["per_min"]),
    )


def _number(tables: Mapping[str, dict[str, Any]], name: str, key: str, source: str) -> float:
    kind, minimum, maximum = RANGES[name][key]
    value = tables[name][key]
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    has_type = is_integer or (kind is float and isinstance(value, float))
    if not has_type or not minimum <= value <= maximum:
        expected = "a whole number" if kind is int else "a number"
        raise _invalid(source, f"{name}.{key}", value, f"use {expected} from {minimum:g} to {maximum:g}")
    return kind(value)


def _priority(tables: Mapping[str, dict[str, Any]], kind: AlarmKind, source: str) -> Priority:
    value = tables[kind]["priority"]
    allowed: tuple[Priority, ...] = tuple(priority for priority in PRIORITIES if priority != "technical")
    if kind in TECHNICAL:
        allowed = ("technical",)
    elif kind in ALWAYS_ENABLED:
        allowed = ("high",)
    elif kind in ADVISORIES:
        allowed = ("low",)
    if value not in allowed:
        raise _invalid(source, f"{kind}.priority", value, f"use {_join(allowed)}")
    return cast(Priority, value)


def _enabled(tables: Mapping[str, dict[str, Any]], kind: AlarmKind, source: str) -> bool:
    for key in ("enabled", OFF_CONFIRMATION):
        value = tables[kind].get(key, False)
        if not isinstance(value, bool):
            raise _invalid(source, f"{kind}.{key}", value, "use true or false")
    enabled = bool(tables[kind]["enabled"])
    if kind in ALWAYS_ENABLED and not enabled and not tables[kind].get(OFF_CONFIRMATION, False):
        raise _invalid(source, f"{kind}.enabled", False, f"use true, or add {OFF_CONFIRMATION} = true beside it")
    return enabled


def _invalid(source: str, key: str, value: object, reason: str) -> UsageError:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return UsageError(f"{source}: {key} = {text if len(text) <= 40 else text[:40] + '…'} is invalid: {reason}")


def _join(names: Collection[str]) -> str:
    return ", ".join(names)
