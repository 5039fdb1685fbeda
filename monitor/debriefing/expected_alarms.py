"""Which alarms are expected of what happens to a bed."""

from __future__ import annotations

from collections.abc import Mapping

from stream.wire.alarm_messages import AlarmKind, Limits
from stream.wire.truth_message import Truth

ALARMS_OF: Mapping[str, frozenset[AlarmKind]] = {
    "VT": frozenset({"ventricular_tachycardia", "ventricular_fibrillation", "pvc_run"}),
    **dict.fromkeys(
        ("VF", "VFIB", "VFL"), frozenset({"ventricular_fibrillation", "ventricular_tachycardia", "asystole"})
    ),
    "ASYS": frozenset({"asystole"}),
    **dict.fromkeys(("AFIB", "AF"), frozenset({"atrial_fibrillation"})),
    "lead_off": frozenset({"lead_off"}),
    "flat_line": frozenset({"lead_off", "asystole"}),
    "saturation": frozenset({"saturation", "lead_off"}),
    "electrode_motion": frozenset({"noise"}),
    "muscle_noise": frozenset({"noise"}),
    "disconnected_pressure": frozenset({"abp_disconnected", "abp_fault"}),
    "disconnect": frozenset({"no_data"}),
}
"""Alarms of which one is expected, by the name of what happens."""


_RATES: tuple[frozenset[AlarmKind], frozenset[AlarmKind]] = (
    frozenset({"heart_rate_low", "extreme_bradycardia"}),
    frozenset({"heart_rate_high", "extreme_tachycardia"}),
)
_PRESSURE_LOW: frozenset[AlarmKind] = frozenset({"abp_mean_low", "abp_systolic_low", "abp_diastolic_low"})
_PRESSURE_HIGH: frozenset[AlarmKind] = frozenset({"abp_mean_high", "abp_systolic_high", "abp_diastolic_high"})

NONE: frozenset[AlarmKind] = frozenset()


def expected_alarms(truth: Truth) -> frozenset[AlarmKind]:
    """Return the alarms of which one is expected; of values and rates those of the limits that a bed begins with."""
    if truth.name == "disconnected_pressure" and truth.signal not in (None, "abp"):
        return NONE
    if truth.name in ALARMS_OF:
        return ALARMS_OF[truth.name]
    value, limits = truth.level, Limits()
    if value is None or truth.what not in ("vitals", "rhythm"):
        return NONE
    ranges: Mapping[str, tuple[float, float, frozenset[AlarmKind], frozenset[AlarmKind]]] = {
        "heart_rate": (limits.heart_rate_low, limits.heart_rate_high, *_RATES),
        "spo2": (limits.spo2_low, 101, frozenset({"spo2_low", "desaturation"}), NONE),
        "respiration_rate": (
            limits.respiration_low,
            limits.respiration_high,
            frozenset({"respiration_low", "apnoea"}),
            frozenset({"respiration_high"}),
        ),
        "abp_systolic": (limits.abp_systolic_low, limits.abp_systolic_high, _PRESSURE_LOW, _PRESSURE_HIGH),
        "abp_diastolic": (limits.abp_diastolic_low, limits.abp_diastolic_high, _PRESSURE_LOW, _PRESSURE_HIGH),
        "abp_mean": (limits.abp_mean_low, limits.abp_mean_high, _PRESSURE_LOW, _PRESSURE_HIGH),
    }
    name = "heart_rate" if truth.what == "rhythm" else truth.name
    if name not in ranges:
        return NONE
    low, high, below, above = ranges[name]
    return below if value < low else above if value > high else NONE
