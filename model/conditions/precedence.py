"""Precedence: less severe conditions are suppressed while more severe ones hold."""

from __future__ import annotations

from collections.abc import Mapping

from stream.wire.alarm_messages import AlarmKind

SUPPRESSED_BY: Mapping[AlarmKind, tuple[AlarmKind, ...]] = {
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
