"""The hours of a bed with ECG: hourly medians of its numerics, counted in the time of the record. A pure step.

An hour is complete with the first values after it, and its outlook is made then, at the hour that has just begun. Of
each minute the first values are kept, at most 60 an hour, whatever the cadence of the publisher. Hours in which none
came are hours in which nothing was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Final

from model.conditions.numeric_values import MIN_QUALITY, NumericSamples
from model.serving import hourly_outlook
from model.serving.hourly_outlook import HoursState
from model.trends.forecaster import TrendForecaster
from model.trends.outlook import Outlook
from stream.wire.messages import Waveform
from stream.wire.numerics_message import Numeric, NumericName
from stream.wire.outlook_message import HOUR

CHARTED: Final[frozenset[NumericName]] = frozenset(
    (
        *("heart_rate", "spo2", "respiration_rate", "temperature", "etco2"),
        *("abp_systolic", "abp_mean", "abp_diastolic", "nibp_systolic", "nibp_mean", "nibp_diastolic"),
    )
)
"""Numerics of which there are hourly values."""

MINUTE: Final = HOUR // 60
MAX_AGE_S: Final = 60.0
"""Age up to which a value is one of its minute, s; a cuff's is older most of the time, and counts when it is new."""


@dataclass(frozen=True, slots=True)
class BedHours:
    """State carried from values to values, of one epoch.

    Attributes
    ----------
    session : str
    epoch : int
    hours : HoursState
        The complete hours.
    minute : int
        Minute of the record of the last values that were kept.
    values : dict of str to tuple of float
        Of the present hour, in order.
    """

    session: str
    epoch: int
    hours: HoursState
    minute: int = -1
    values: dict[NumericName, tuple[float, ...]] = field(default_factory=dict)


def step(
    forecaster: TrendForecaster, state: BedHours | None, chunk: Waveform, samples: Sequence[NumericSamples]
) -> tuple[BedHours | None, Outlook | None]:
    """Process the values of a chunk's time; another epoch begins anew.

    Parameters
    ----------
    forecaster : TrendForecaster
    state : BedHours or None
        None before the first values.
    chunk : Waveform
    samples : sequence of NumericSamples
        In order of time, of the chunk's session.

    Returns
    -------
    BedHours or None
        None while there have been no values of `CHARTED`.
    Outlook or None
        Of the last hour that has become complete.
    """
    outlook = None
    for own in samples:
        known = {value.name: value.value for value in own.values if _counts(value) and value.value is not None}
        if state is None or (state.session, state.epoch) != (chunk.session, chunk.epoch):
            if not known:
                continue
            state = BedHours(chunk.session, chunk.epoch, hourly_outlook.begin(forecaster))
        minute = (chunk.position + own.index - chunk.start) // MINUTE
        if minute <= state.minute:
            continue
        hour = minute // 60
        if state.minute >= 0 and hour > state.minute // 60:
            medians = {name: float(median(values)) for name, values in state.values.items()}
            hours, outlook = hourly_outlook.step(forecaster, state.hours, state.minute // 60 + 1, medians)
            state = replace(state, hours=hours, values={})
        values = {name: (*state.values.get(name, ()), value) for name, value in known.items()}
        state = replace(state, minute=minute, values={**state.values, **values})
    return state, outlook


def _counts(value: Numeric) -> bool:
    good = value.quality is None or value.quality >= MIN_QUALITY
    return value.name in CHARTED and value.age_s <= MAX_AGE_S and good
