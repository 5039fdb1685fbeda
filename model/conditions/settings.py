"""How alarms are set: limits, priorities, delays and the constants of the rules, from one TOML file.

`alarms.toml` beside this file holds all of it and is read first; a file of the user's own may name only what differs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

from stream.errors import UsageError
from stream.wire.alarm_messages import ALWAYS_ENABLED, KINDS, PRIORITIES, TECHNICAL, AlarmKind, Limits, Priority

ON_PURPOSE = "switched_off_on_purpose"
"""The second key that `ALWAYS_ENABLED` kinds ask for, so that nobody silences them by accident."""

MOST_BEATS = 30
"""The longest stretch of beats that a rule may look at."""

RANGES: Final[Mapping[str, Mapping[str, tuple[type[int] | type[float], float, float]]]] = {
    "limits": {"heart_rate_low": (int, 20, 300), "heart_rate_high": (int, 20, 300)},
    "asystole": {"seconds": (float, 2, 10)},
    "ventricular_tachycardia": {"beats": (int, 3, MOST_BEATS), "per_min": (float, 60, 250)},
    "extreme_tachycardia": {
        "beats": (int, 3, MOST_BEATS),
        "steady_beats": (int, 3, MOST_BEATS),
        "per_min": (float, 100, 300),
    },
    "extreme_bradycardia": {"beats": (int, 3, MOST_BEATS), "per_min": (float, 15, 60)},
    "pvc_run": {"beats": (int, 3, MOST_BEATS), "delay_s": (float, 0, 60)},
    "heart_rate_high": {"delay_s": (float, 0, 60)},
    "heart_rate_low": {"delay_s": (float, 0, 60)},
    "atrial_fibrillation": {"entropy": (float, 0.1, 1), "delay_s": (float, 0, 60)},
}
"""Numbers by table: whole or not, the least and the most."""


@dataclass(frozen=True, slots=True)
class RateRule:
    """A rate that so many beats must pass on the mean.

    Attributes
    ----------
    beats : int
    per_min : float
    """

    beats: int
    per_min: float


@dataclass(frozen=True, slots=True)
class AlarmConfig:
    """How the alarms of all beds are set.

    Attributes
    ----------
    limits : Limits
        What a bed starts with.
    priorities : mapping of str to str
        Of every kind.
    disabled : frozenset of str
        Kinds that are off on all beds.
    delay_s : mapping of str to float
        How long the rule must hold first; a kind that is not named has no delay.
    asystole_s : float
        Seconds without a QRS complex.
    ventricular_tachycardia, extreme_tachycardia, extreme_bradycardia : RateRule
    steady_tachycardia_beats : int
        Beats that are an extreme tachycardia where no interval between them is slow.
    pvc_run_beats : int
        Ventricular beats in a row.
    fibrillation_entropy : float
        Of atrial fibrillation, `model.rhythm.atrial_fibrillation`.
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

    def enabled(self, kind: AlarmKind) -> bool:
        """Tell whether alarms of this kind are raised at all."""
        return kind not in self.disabled

    def priority(self, kind: AlarmKind) -> Priority:
        """Return the priority of alarms of this kind."""
        return self.priorities[kind]


def load(path: Path | None = None) -> AlarmConfig:
    """Read the defaults, and over them the user's own file.

    Raises
    ------
    UsageError
        The file cannot be read, or a key or value in it cannot be: one line with the key, the value and what is
        allowed.
    """
    shipped = files("model.conditions").joinpath("alarms.toml").read_text(encoding="utf-8")
    tables = _parse(shipped, "alarms.toml")
    if path is None:
        return _config(tables, "alarms.toml")
    try:
        own = _parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"cannot read the alarm settings in {path.name}: {reason}") from error
    for name, table in own.items():
        if name not in tables:
            raise _refuse(path.name, name, table, f"no such table: take one of {_listed(tables)}")
        if not isinstance(table, dict):
            raise _refuse(path.name, name, table, f"a table is expected: write [{name}]")
        for key, value in table.items():
            known = _keys(name)
            if key not in known:
                raise _refuse(path.name, f"{name}.{key}", value, f"no such key: take one of {_listed(known)}")
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
    on_purpose = (ON_PURPOSE,) if name in ALWAYS_ENABLED else ()
    return ("priority", "enabled", *on_purpose, *RANGES.get(name, ()))


def _config(tables: Mapping[str, dict[str, Any]], source: str) -> AlarmConfig:
    numbers = {name: {key: _number(tables, name, key, source) for key in RANGES[name]} for name in RANGES}
    low, high = (int(numbers["limits"][key]) for key in ("heart_rate_low", "heart_rate_high"))
    if low >= high:
        raise _refuse(source, "limits.heart_rate_low", low, f"take less than heart_rate_high, which is {high}")

    def rate_rule(name: str) -> RateRule:
        return RateRule(int(numbers[name]["beats"]), float(numbers[name]["per_min"]))

    return AlarmConfig(
        limits=Limits(heart_rate_low=low, heart_rate_high=high),
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
    )


def _number(tables: Mapping[str, dict[str, Any]], name: str, key: str, source: str) -> float:
    kind, least, most = RANGES[name][key]
    value = tables[name][key]
    whole = isinstance(value, int) and not isinstance(value, bool)
    fits = whole or (kind is float and isinstance(value, float))
    if not fits or not least <= value <= most:
        what = "a whole number" if kind is int else "a number"
        raise _refuse(source, f"{name}.{key}", value, f"take {what} from {least:g} to {most:g}")
    return kind(value)


def _priority(tables: Mapping[str, dict[str, Any]], kind: AlarmKind, source: str) -> Priority:
    value = tables[kind]["priority"]
    allowed: tuple[Priority, ...] = tuple(priority for priority in PRIORITIES if priority != "technical")
    if kind in TECHNICAL:
        allowed = ("technical",)
    elif kind in ALWAYS_ENABLED:
        allowed = ("high",)
    if value not in allowed:
        raise _refuse(source, f"{kind}.priority", value, f"take {_listed(allowed)}")
    return cast(Priority, value)


def _enabled(tables: Mapping[str, dict[str, Any]], kind: AlarmKind, source: str) -> bool:
    for key in ("enabled", ON_PURPOSE):
        value = tables[kind].get(key, False)
        if not isinstance(value, bool):
            raise _refuse(source, f"{kind}.{key}", value, "take true or false")
    enabled = bool(tables[kind]["enabled"])
    if kind in ALWAYS_ENABLED and not enabled and not tables[kind].get(ON_PURPOSE, False):
        raise _refuse(source, f"{kind}.enabled", False, f"take true, or add {ON_PURPOSE} = true beside it")
    return enabled


def _refuse(source: str, key: str, value: object, allowed: str) -> UsageError:
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return UsageError(f"{source}: {key} = {shown if len(shown) <= 40 else shown[:40] + '…'} cannot be: {allowed}")


def _listed(names: Collection[str]) -> str:
    return ", ".join(names)
