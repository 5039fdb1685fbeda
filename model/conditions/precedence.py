"""Precedence: less severe conditions are suppressed while more severe ones hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

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

RHYTHM_KINDS: Final[tuple[AlarmKind, ...]] = tuple(SUPPRESSED_BY)
"""The same kinds, in the order of their codes."""

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
