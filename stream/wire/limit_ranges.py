"""Alarm limits that a user may set: the range, the step and the unit of each, and which must be below which.

A limit has the name of the kind of alarm that it decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

LimitName = Literal[
    "heart_rate_low",
    "heart_rate_high",
    "spo2_low",
    "desaturation",
    "abp_systolic_low",
    "abp_systolic_high",
    "abp_mean_low",
    "abp_mean_high",
    "abp_diastolic_low",
    "abp_diastolic_high",
    "respiration_low",
    "respiration_high",
    "apnoea",
]

LimitUnit = Literal["1/min", "%", "mmHg", "s"]


@dataclass(frozen=True, slots=True)
class LimitRange:
    """Values that a limit may have: whole numbers.

    Attributes
    ----------
    minimum, maximum : int
    step : int
        By which people usually change it.
    unit : str
    """

    minimum: int
    maximum: int
    step: int
    unit: LimitUnit


HEART_RATE = LimitRange(20, 300, 5, "1/min")
SATURATION = LimitRange(50, 99, 1, "%")
PRESSURE = LimitRange(10, 300, 5, "mmHg")
RESPIRATION = LimitRange(2, 150, 1, "1/min")
APNOEA = LimitRange(10, 40, 5, "s")
"""Ranges as in manuals: SpO2 Philips IntelliVue TRx (50 to 99 %), respiration Welch Allyn 1500 (2 to 150/min), apnoea
Mindray DPM4 (10 to 40 s)."""

Rate = Annotated[int, msgspec.Meta(ge=HEART_RATE.minimum, le=HEART_RATE.maximum)]
Saturation = Annotated[int, msgspec.Meta(ge=SATURATION.minimum, le=SATURATION.maximum)]
Pressure = Annotated[int, msgspec.Meta(ge=PRESSURE.minimum, le=PRESSURE.maximum)]
Respiration = Annotated[int, msgspec.Meta(ge=RESPIRATION.minimum, le=RESPIRATION.maximum)]
Apnoea = Annotated[int, msgspec.Meta(ge=APNOEA.minimum, le=APNOEA.maximum)]
"""The same as types of messages."""

LIMIT_RANGES: Mapping[LimitName, LimitRange] = {
    "heart_rate_low": HEART_RATE,
    "heart_rate_high": HEART_RATE,
    "spo2_low": SATURATION,
    "desaturation": SATURATION,
    "abp_systolic_low": PRESSURE,
    "abp_systolic_high": PRESSURE,
    "abp_mean_low": PRESSURE,
    "abp_mean_high": PRESSURE,
    "abp_diastolic_low": PRESSURE,
    "abp_diastolic_high": PRESSURE,
    "respiration_low": RESPIRATION,
    "respiration_high": RESPIRATION,
    "apnoea": APNOEA,
}
"""Range of each limit."""

BELOW: tuple[tuple[LimitName, LimitName], ...] = (
    ("heart_rate_low", "heart_rate_high"),
    ("desaturation", "spo2_low"),
    ("abp_systolic_low", "abp_systolic_high"),
    ("abp_mean_low", "abp_mean_high"),
    ("abp_diastolic_low", "abp_diastolic_high"),
    ("respiration_low", "respiration_high"),
)
"""Pairs of limits of which the first must be less than the second."""
