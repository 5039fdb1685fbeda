"""Precedence: less severe conditions are suppressed while more severe ones hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from stream.wire.alarm_messages import AlarmKind

RHYTHM_SUPPRESSED_BY: Mapping[AlarmKind, tuple[AlarmKind, ...]] = {
    "ventricular_fibrillation": (),
    "asystole": ("ventricular_fibrillation",),
    "ventricular_tachycardia": ("ventricular_fibrillation", "asystole"),
    "extreme_tachycardia": ("ventricular_fibrillation", "asystole", "ventricular_tachycardia"),
    "extreme_bradycardia": ("ventricular_fibrillation", "asystole"),
    "pvc_run": ("ventricular_fibrillation", "asystole", "ventricular_tachycardia"),
    "heart_rate_high": (
        "ventricular_fibrillation",
        "asystole",
        "ventricular_tachycardia",
        "extreme_tachycardia",
    ),
    "heart_rate_low": ("ventricular_fibrillation", "asystole", "extreme_bradycardia"),
    "atrial_fibrillation": ("ventricular_fibrillation",),
}
"""Kinds of rhythm conditions, most severe first, each with the kinds that suppress it. Ventricular fibrillation
precedes asystole: without QRS complexes both rules are met, and the waveform decides."""

NUMERIC_SUPPRESSED_BY: Mapping[AlarmKind, tuple[AlarmKind, ...]] = {
    "apnoea": (),
    "desaturation": (),
    "abp_disconnected": (),
    "abp_mean_low": ("abp_disconnected",),
    "abp_mean_high": (),
    "abp_systolic_low": ("abp_disconnected", "abp_mean_low"),
    "abp_systolic_high": ("abp_mean_high",),
    "abp_diastolic_low": ("abp_disconnected", "abp_mean_low", "abp_systolic_low"),
    "abp_diastolic_high": ("abp_mean_high", "abp_systolic_high"),
    "spo2_low": ("desaturation",),
    "respiration_low": ("apnoea",),
    "respiration_high": (),
    "pulse_mismatch": ("abp_disconnected",),
    "pleth_off": (),
    "abp_fault": ("abp_disconnected",),
    "resp_fault": (),
}
"""Kinds of conditions of other values, each with those of the same family that suppress it: all of them precede it.
One pressure raises one alarm for each side, of the mean before systolic before diastolic pressure."""

FOLLOWS_ARREST: Final[frozenset[AlarmKind]] = frozenset(
    {
        "apnoea",
        "respiration_low",
        "abp_mean_low",
        "abp_systolic_low",
        "abp_diastolic_low",
        "pulse_mismatch",
        "pleth_off",
    }
)
"""Kinds that are suppressed while there is no circulation: asystole, ventricular fibrillation."""

SUPPRESSED_BY: Mapping[AlarmKind, tuple[AlarmKind, ...]] = {**RHYTHM_SUPPRESSED_BY, **NUMERIC_SUPPRESSED_BY}
"""All kinds with those of their family that suppress them. An apnoea before an arrest is an event of its own."""

RHYTHM_KINDS: Final[tuple[AlarmKind, ...]] = tuple(RHYTHM_SUPPRESSED_BY)
"""Kinds of rhythm conditions, in the order of their codes."""

NUMERIC_KINDS: Final[tuple[AlarmKind, ...]] = tuple(NUMERIC_SUPPRESSED_BY)
"""Kinds of conditions of other values, in the order in which they are decided."""

(
    VENTRICULAR_FIBRILLATION,
    ASYSTOLE,
    VENTRICULAR_TACHYCARDIA,
    EXTREME_TACHYCARDIA,
    EXTREME_BRADYCARDIA,
    PVC_RUN,
    HEART_RATE_HIGH,
    HEART_RATE_LOW,
    ATRIAL_FIBRILLATION,
) = range(9)
"""Their codes."""

SUPPRESSES: Final[npt.NDArray[np.bool_]] = np.array(
    [[other in SUPPRESSED_BY[kind] for kind in RHYTHM_KINDS] for other in RHYTHM_KINDS]
)
"""Whether a kind (first axis) suppresses another: only one with a higher code."""
