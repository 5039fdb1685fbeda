"""Which alarms belong to what happens to a bed, and whether a monitor that raises none of them has missed something."""

from __future__ import annotations

from collections.abc import Container, Mapping

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
    **dict.fromkeys(("electrode_motion", "muscle_noise", "baseline_wander", "mains"), frozenset({"noise"})),
    "disconnected_pressure": frozenset({"abp_disconnected", "abp_fault"}),
    "disconnect": frozenset({"no_data"}),
}
"""Alarms that belong to what happens, by its name."""

UNUSABLE_DB = {"muscle_noise": 2.0, "electrode_motion": -2.0}
"""Signal-to-noise ratios from which on downwards the signal is unusable by `model.signal.signal_quality` (index below
0.5): in six records of mitdb (100, 103, 119, 122, 208, 231; all leads, from 1:30 to 2:30) muscle noise raised its alarm
within 2.4 s in each, electrode motion within 5 s; at 6 dB and 2 dB not in each. The motion of one electrode of several
leaves the beats of the other lead."""

UNUSABLE_MV = {"baseline_wander": 2.0}
"""The same of amplitudes, upwards."""

_RATES: tuple[frozenset[AlarmKind], frozenset[AlarmKind]] = (
    frozenset({"heart_rate_low", "extreme_bradycardia"}),
    frozenset({"heart_rate_high", "extreme_tachycardia"}),
)
_PRESSURE_LOW: frozenset[AlarmKind] = frozenset({"abp_mean_low", "abp_systolic_low", "abp_diastolic_low"})
_PRESSURE_HIGH: frozenset[AlarmKind] = frozenset({"abp_mean_high", "abp_systolic_high", "abp_diastolic_high"})

NONE: frozenset[AlarmKind] = frozenset()


def expects_alarm(truth: Truth, analysed: Container[str] | None = None) -> bool:
    """Return whether one of `alarms_of` is expected: not if the signal stays usable, or if nobody looks at the lead.

    Parameters
    ----------
    truth : Truth
    analysed : container of str or None
        The leads that are analysed; None: unknown.
    """
    if truth.lead is not None and analysed is not None and truth.lead not in analysed:
        return False
    if truth.name == "saturation":
        return False  # rails within the range of an ECG cut its peaks; none of five levels raised it in each record
    if truth.name == "mains":
        return False  # they are removed (`model.signal.mains`), up to the highest level that can be injected
    if truth.name in UNUSABLE_DB:
        one_of_several = truth.name == "electrode_motion" and truth.lead is not None
        return truth.level is not None and truth.level <= UNUSABLE_DB[truth.name] and not one_of_several
    if truth.name in UNUSABLE_MV:
        return truth.level is not None and truth.level >= UNUSABLE_MV[truth.name]
    return bool(alarms_of(truth))


def alarms_of(truth: Truth) -> frozenset[AlarmKind]:
    """Return the alarms that belong to it; of values and rates those of the limits that a bed begins with."""
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
