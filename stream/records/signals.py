"""Which signals of a WFDB record are which: names of waves and numerics, and the conversion of their units.

A header names signals and units in free text. The names here are those of PhysioNet's databases of bedside monitors
(MIMIC, BIDMC, Challenge 2015); `stream.wire.nomenclature` has those of IEEE 11073-10101 beside ours.

Factors: 1 mmHg is 133.322 Pa, 1 cmH2O 98.0665 Pa (NIST SP 811, appendix B.8). A share of carbon dioxide in % is no
pressure without that of the air, and is left out, as is every other unit that is not convertible.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from stream.wire.numerics_message import UNIT_OF, NumericName
from stream.wire.wave_message import WAVE_UNIT, Signal

_MMHG_PA = 133.322
MMHG_PER_UNIT = {
    "mmhg": 1.0,
    "torr": 1.0,
    "pa": 1 / _MMHG_PA,
    "hpa": 100 / _MMHG_PA,
    "kpa": 1000 / _MMHG_PA,
    "cmh2o": 98.0665 / _MMHG_PA,
}

Conversion = tuple[float, float]
"""A factor, and what is added after it."""

_WAVE_NAMES: Mapping[Signal, str] = {
    "pleth": "pleth|ppg",
    "abp": "abp|art",
    "pap": "pap",
    "cvp": "cvp",
    "resp": "resp|rsp|respiration",
    "co2": "co2",
}
_WAVES: Mapping[Signal, re.Pattern[str]] = {
    signal: re.compile(rf"(^|[\s_/-])({names})\d*$", re.IGNORECASE) for signal, names in _WAVE_NAMES.items()
}
"""Ends of the names of waves, perhaps after those of a device and with a number, such as ``SNUADC/ART`` or ``ABP1``."""

_SYSTOLIC, _DIASTOLIC, _MEAN = ("sys", "systolic", "s"), ("dia", "dias", "diastolic", "d"), ("mean", "map", "m")


def _pressures(names: Sequence[str], numerics: Sequence[NumericName]) -> dict[str, NumericName]:
    parts = zip((_SYSTOLIC, _DIASTOLIC, _MEAN), numerics, strict=True)
    return {name + ending: numeric for endings, numeric in parts for name in names for ending in endings}


_NUMERICS: Mapping[str, NumericName] = {
    "hr": "heart_rate",
    "pulse": "pulse_rate",
    "pr": "pulse_rate",
    "spo2": "spo2",
    "resp": "respiration_rate",
    "rr": "respiration_rate",
    "awrr": "respiration_rate",
    **_pressures(("abp", "art"), ("abp_systolic", "abp_diastolic", "abp_mean")),
    **_pressures(("pap",), ("pap_systolic", "pap_diastolic", "pap_mean")),
    **_pressures(("nbp", "nibp"), ("nibp_systolic", "nibp_diastolic", "nibp_mean")),
    **dict.fromkeys(("cvp", "cvpmean", "cvpm"), "cvp_mean"),
    "etco2": "etco2",
    **dict.fromkeys(("temp", "tblood"), "temperature"),
    "perf": "perfusion_index",
}
"""Names of numerics, in lower case, letters and digits only."""

MAY_BE_ZERO: frozenset[NumericName] = frozenset({"cvp_mean"})
"""Numerics of which 0 and less are values; of all others they mark that there is none (MIMIC)."""

_TEMPERATURES: Mapping[str, Conversion] = {
    **dict.fromkeys(("°c", "degc", "deg c", "c", "celsius"), (1.0, 0.0)),
    **dict.fromkeys(("°f", "degf", "deg f", "f", "fahrenheit"), (5 / 9, -160 / 9)),
}


def plain_name(name: str | None) -> str:
    """Return the name of a signal without the commas and blanks at its ends, which some headers have (BIDMC)."""
    return (name or "").strip(" ,\t")


def wave_of(name: str | None, unit: str | None) -> tuple[Signal, float] | None:
    """Return which wave a signal is, and the factor of its unit to that of `WAVE_UNIT`; None if it is none.

    A plethysmogram and a respiration have no unit, whatever their header gives.
    """
    for signal, pattern in _WAVES.items():
        if pattern.search(plain_name(name)):
            if WAVE_UNIT[signal] == "NU":
                return signal, 1.0
            factor = MMHG_PER_UNIT.get((unit or "").lower())
            return None if factor is None else (signal, factor)
    return None


def choose_waves(names: Sequence[str | None], units: Sequence[str | None]) -> dict[Signal, tuple[int, float]]:
    """Return the first signal of each wave of a record: its index, and the factor of its unit; in order of `Signal`."""
    chosen: dict[Signal, tuple[int, float]] = {}
    for i, (name, unit) in enumerate(zip(names, units, strict=True)):
        found = wave_of(name, unit)
        if found is not None:
            chosen.setdefault(found[0], (i, found[1]))
    return {signal: chosen[signal] for signal in _WAVES if signal in chosen}


def numeric_of(name: str | None, unit: str | None) -> tuple[NumericName, Conversion] | None:
    """Return which numeric a signal is, and the conversion of its unit to that of `UNIT_OF`; None if it is none.

    Rates and shares are what their name says, however their unit is written (``bpm``, ``pm``, ``%``, ``NU``).
    """
    numeric = _NUMERICS.get(re.sub(r"[^a-z0-9]", "", plain_name(name).lower()))
    if numeric is None:
        return None
    text, wanted = (unit or "").lower(), UNIT_OF[numeric]
    conversion = {"mmHg": _pressure(text), "°C": _TEMPERATURES.get(text)}.get(wanted, (1.0, 0.0))
    return None if conversion is None else (numeric, conversion)


def _pressure(unit: str) -> Conversion | None:
    factor = MMHG_PER_UNIT.get(unit)
    return None if factor is None else (factor, 0.0)


def choose_numerics(
    names: Sequence[str | None], units: Sequence[str | None]
) -> dict[NumericName, tuple[int, Conversion]]:
    """Return the first signal of each numeric that the record contains: its index, and the conversion of its unit."""
    chosen: dict[NumericName, tuple[int, Conversion]] = {}
    for i, (name, unit) in enumerate(zip(names, units, strict=True)):
        found = numeric_of(name, unit)
        if found is not None:
            chosen.setdefault(found[0], (i, found[1]))
    return chosen
