"""Rules of the conditions of SpO2, arterial pressure, respiration, pulse and sensors.

A rule is decided by values that are known now; without them it has no verdict, and nothing is concluded. A value must
return within its limit by a margin before its condition ends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from model.conditions.settings import AlarmConfig
from stream.wire.alarm_messages import AlarmKind, Limits
from stream.wire.limit_ranges import LimitName
from stream.wire.numerics_message import NumericName

Values = Mapping[NumericName, float]
"""The values that are known."""

MARGIN: Final = 0.05
"""Margin by which a pressure or a rate must return within its limit, as a share of the limit."""

SPO2_MARGIN: Final = 1.0
"""The same for SpO2, %."""

STATIC_MARGIN: Final = 5.0
"""The same for the mean of a disconnected pressure, mmHg."""

MISMATCH_MARGIN: Final = 0.75
"""Share of the largest difference of pulse and heart rate, below which a mismatch ends."""

LIMIT_VALUES: Final[Mapping[LimitName, NumericName]] = {
    "desaturation": "spo2",
    "spo2_low": "spo2",
    "abp_systolic_low": "abp_systolic",
    "abp_systolic_high": "abp_systolic",
    "abp_mean_low": "abp_mean",
    "abp_mean_high": "abp_mean",
    "abp_diastolic_low": "abp_diastolic",
    "abp_diastolic_high": "abp_diastolic",
    "respiration_low": "respiration_rate",
    "respiration_high": "respiration_rate",
}
"""The value that each limit is for."""

CHARTED_VALUES: Final[Mapping[LimitName, NumericName]] = {
    "heart_rate_low": "heart_rate",
    "heart_rate_high": "heart_rate",
    **LIMIT_VALUES,
}
"""The same of a bed without ECG, whose heart rate is that of its publisher."""

_CUFF: Final[Mapping[NumericName, NumericName]] = {
    "abp_systolic": "nibp_systolic",
    "abp_mean": "nibp_mean",
    "abp_diastolic": "nibp_diastolic",
}
"""What stands for an arterial pressure that such a bed has not."""

HIGH_LIMITS: Final[frozenset[AlarmKind]] = frozenset(
    {"abp_systolic_high", "abp_mean_high", "abp_diastolic_high", "respiration_high", "heart_rate_high"}
)

Sensor = Literal["pleth_off", "abp_fault", "resp_fault"]

SENSORS: Final[Mapping[Sensor, tuple[NumericName, ...]]] = {
    "pleth_off": ("spo2", "pulse_rate"),
    "abp_fault": ("abp_mean",),
    "resp_fault": ("respiration_rate",),
}
"""What shows that a sensor works: the first of these values that was known once."""

RISING: Final[frozenset[AlarmKind]] = HIGH_LIMITS | {"apnoea", "pulse_mismatch"}
"""Kinds whose worst value is the highest; of the others it is the lowest."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of a rule.

    Attributes
    ----------
    met : bool
        Whether the condition begins, if it does not hold.
    persists : bool
        Whether the condition continues, if it holds.
    value, limit : float or None
        As in `model.conditions.changes.Began`.
    """

    met: bool
    persists: bool
    value: float | None = None
    limit: float | None = None


def evaluate(
    config: AlarmConfig,
    limits: Limits,
    values: Values,
    used: Collection[NumericName],
    heart_rate: float | None,
    mean_pressure: float | None,
) -> dict[AlarmKind, Verdict]:
    """Return the verdicts of the rules that can be decided.

    Parameters
    ----------
    config : AlarmConfig
    limits : Limits
        Of the bed.
    values : mapping of str to float
        The values that are known.
    used : collection of str
        The values that have been known once, see `SENSORS`.
    heart_rate : float or None
        From the ECG, 1/min.
    mean_pressure : float or None
        Mean arterial pressure, mmHg, of any quality: where there is no pulse, nothing shows that it is right.
    """
    verdicts: dict[AlarmKind, Verdict] = {}
    for name, numeric in LIMIT_VALUES.items():
        if numeric in values:
            verdicts[name] = _limit(name, values[numeric], getattr(limits, name))
    pause_s = values.get("apnoea")
    if "respiration_rate" not in values and pause_s:
        verdicts["respiration_low"] = _limit("respiration_low", 60 / pause_s, limits.respiration_low)
    breathing = _apnoea(limits.apnoea, values)
    if breathing is not None:
        verdicts["apnoea"] = breathing
    if mean_pressure is not None:
        verdicts["abp_disconnected"] = _disconnected(config, mean_pressure, values)
    mismatch = _pulse_mismatch(config.pulse_mismatch_per_min, values, heart_rate)
    if mismatch is not None:
        verdicts["pulse_mismatch"] = mismatch
    for sensor, names in SENSORS.items():
        needed = next((name for name in names if name in used), None)
        if needed is not None:
            missing = needed not in values and not (sensor == "resp_fault" and "apnoea" in values)
            verdicts[sensor] = Verdict(missing, missing)
    return verdicts


def evaluate_charted(limits: Limits, values: Values) -> dict[AlarmKind, Verdict]:
    """Return the verdicts on values of a bed without ECG: those that have a limit.

    Parameters
    ----------
    limits : Limits
        Of the bed. Those of arterial pressure hold for that of a cuff where there is no other.
    values : mapping of str to float
        The values that are known.
    """
    verdicts: dict[AlarmKind, Verdict] = {}
    for name, numeric in CHARTED_VALUES.items():
        value = values.get(numeric)
        if value is None and numeric in _CUFF:
            value = values.get(_CUFF[numeric])
        if value is not None:
            verdicts[name] = _limit(name, value, getattr(limits, name))
    return verdicts


def _limit(kind: LimitName, value: float, limit: int) -> Verdict:
    if kind in HIGH_LIMITS:
        return Verdict(value > limit, value >= limit * (1 - MARGIN), value, float(limit))
    inside = limit + SPO2_MARGIN if CHARTED_VALUES[kind] == "spo2" else limit * (1 + MARGIN)
    return Verdict(value < limit, value < inside, value, float(limit))


def _apnoea(limit: int, values: Values) -> Verdict | None:
    """Decide by the time since the last breath, which is known while breathing has paused; a rate shows breaths."""
    pause_s = values.get("apnoea")
    if pause_s is not None:
        return Verdict(pause_s >= limit, True, pause_s, float(limit))
    return Verdict(False, False) if "respiration_rate" in values else None


def _disconnected(config: AlarmConfig, mean: float, values: Values) -> Verdict:
    """Decide by a mean as of an open line, without a pulse: none is measured, or a smaller one than any patient's."""
    systolic, diastolic = values.get("abp_systolic"), values.get("abp_diastolic")
    static = systolic is None or diastolic is None or systolic - diastolic < config.static_pulse
    low, margin = mean < config.static_mean, mean < config.static_mean + STATIC_MARGIN
    return Verdict(static and low, static and margin, mean)


def _pulse_mismatch(limit: int, values: Values, heart_rate: float | None) -> Verdict | None:
    """Decide by the pulse that is nearest to the heart rate: one that agrees with it proves the other wrong."""
    names: tuple[NumericName, ...] = ("pulse_rate", "pulse_rate_abp")
    pulses = [values[name] for name in names if name in values]
    if heart_rate is None or not pulses:
        return None
    difference = min(abs(pulse - heart_rate) for pulse in pulses)
    return Verdict(difference > limit, difference > limit * MISMATCH_MARGIN, difference, float(limit))
