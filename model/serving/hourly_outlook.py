"""The hours of a bed: what was measured in each, and the outlook after it. A pure step with explicit state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from model.trends.forecaster import TrendForecaster, TrendState
from model.trends.outlook import Outlook
from stream.wire.numerics_message import NumericName
from stream.wire.outlook_message import MAX_PAST_H, RiskName

WARNING_RISK: Final[RiskName] = "hypotension_6h"
"""The risk of which an advisory warns."""


@dataclass(frozen=True, slots=True)
class HourRow:
    """What was measured in an hour of the record, and the risk of `WARNING_RISK` then; None if it had no meaning."""

    hour: int
    values: dict[NumericName, float]
    risk: float | None = None


@dataclass(frozen=True, slots=True)
class HoursState:
    """State carried from hour to hour.

    Attributes
    ----------
    trend : TrendState
        Of the forecaster.
    past : tuple of HourRow
        The last hours, at most `MAX_PAST_H`.
    advisory_hour : int or None
        Hour at which the standing advisory was raised.
    """

    trend: TrendState
    past: tuple[HourRow, ...] = ()
    advisory_hour: int | None = None


def begin(forecaster: TrendForecaster) -> HoursState:
    """Return the state before the first hour."""
    return HoursState(forecaster.initial())


def is_next(state: HoursState, hour: int) -> bool:
    """Return whether an hour comes after the last one."""
    return not state.past or hour > state.past[-1].hour


def step(
    forecaster: TrendForecaster, state: HoursState, hour: int, values: Mapping[NumericName, float]
) -> tuple[HoursState, Outlook]:
    """Process an hour after the last one; in those between them nothing was measured."""
    measured: dict[str, float | None] = dict(values.items())
    trend, outlook = forecaster.step(state.trend, measured, hour)
    last = state.past[-1].hour if state.past else hour - 1
    missed = (HourRow(other, {}) for other in range(max(last + 1, hour - MAX_PAST_H), hour))
    row = HourRow(hour, dict(values), outlook.risk.get(WARNING_RISK))
    since = hour if state.advisory_hour is None else state.advisory_hour
    past = (*state.past, *missed, row)[-MAX_PAST_H:]
    return HoursState(trend, past, since if outlook.advisory else None), outlook


def threshold(forecaster: TrendForecaster) -> float:
    """Return the risk from which there is an advisory."""
    return forecaster.weights.settings["threshold"]
