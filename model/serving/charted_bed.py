"""A bed without ECG, one message after another: conditions of its values, and an outlook on each hour of the record.

A pure step with explicit state. The hours are those of the record, counted from its start; of several messages in an
hour the first counts. An hour of which no message has come is one in which nothing was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from model.conditions import charted_conditions, numeric_conditions
from model.conditions.changes import Began, Change, Ended
from model.conditions.numeric_conditions import Condition
from model.conditions.settings import AlarmConfig
from model.serving import hourly_outlook
from model.serving.hourly_outlook import WARNING_RISK, HoursState
from model.trends.forecaster import TrendForecaster
from model.trends.outlook import Outlook
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, ClearedReason, Limits
from stream.wire.numerics_message import Numerics
from stream.wire.outlook_message import HOUR

WARNING: Final[AlarmKind] = "early_warning"


@dataclass(frozen=True, slots=True)
class ChartState:
    """State carried from message to message.

    Attributes
    ----------
    session : str
    epoch, index : int
        Of the last message.
    hours : HoursState
    conditions : dict of str to Condition
        As in `model.conditions.charted_conditions`.
    warning : Began or None
        The advisory that stands.
    """

    session: str
    epoch: int
    index: int
    hours: HoursState
    conditions: dict[AlarmKind, Condition] = field(default_factory=dict)
    warning: Began | None = None


@dataclass(frozen=True, slots=True)
class ChartStep:
    """What a message has changed.

    Attributes
    ----------
    state : ChartState
    changes : list of Began or Ended
    outlook : Outlook or None
        Of an hour that has come.
    """

    state: ChartState
    changes: list[Change]
    outlook: Outlook | None = None


def begin(forecaster: TrendForecaster, numerics: Numerics) -> ChartState:
    """Return the state before the first message of an epoch."""
    return ChartState(numerics.session, numerics.epoch, -1, hourly_outlook.begin(forecaster))


def continues(state: ChartState, numerics: Numerics) -> bool:
    """Return whether a message is of the same session and epoch."""
    return (state.session, state.epoch) == (numerics.session, numerics.epoch)


def is_old(state: ChartState, numerics: Numerics) -> bool:
    """Return whether a message of the same session comes again, or too late."""
    return state.session == numerics.session and numerics.index <= state.index


def lost_samples(before: Numerics, numerics: Numerics) -> int:
    """Return the samples of the messages that are missing between two, which come at equal intervals of an epoch."""
    if before.alone is None or (before.session, before.epoch) != (numerics.session, numerics.epoch):
        return 0
    interval = before.alone.interval_s * FS
    missing = max(round((numerics.index - before.index) / interval) - 1, 0)
    return round(missing * interval)


def close(state: ChartState) -> list[Change]:
    """Return the ends of all conditions that hold: session or epoch are over."""
    changes: list[Change] = list(numeric_conditions.close_all(state.conditions, state.index))
    if state.warning is not None:
        changes.append(_warning_ended(state.warning, state.index, "signal_interrupted"))
    return changes


def step(
    config: AlarmConfig, forecaster: TrendForecaster, limits: Limits, state: ChartState, numerics: Numerics
) -> ChartStep:
    """Push a message that continues the state; `Numerics.alone` must not be None."""
    alone = numerics.alone
    assert alone is not None
    values = charted_conditions.measured(numerics.values, alone.interval_s)
    changes, conditions = charted_conditions.step(
        config, limits, state.conditions, values, numerics.index, alone.interval_s
    )
    state = replace(state, index=numerics.index, conditions=conditions)
    hour = alone.position // HOUR
    if not hourly_outlook.is_next(state.hours, hour):
        return ChartStep(state, changes)
    hours, outlook = hourly_outlook.step(forecaster, state.hours, hour, dict(values))
    warning, change = _warn(config, forecaster, limits, state.warning, outlook, numerics.index)
    state = replace(state, hours=hours, warning=warning)
    return ChartStep(state, [*changes, *change], outlook)


def _warn(
    config: AlarmConfig,
    forecaster: TrendForecaster,
    limits: Limits,
    warning: Began | None,
    outlook: Outlook,
    at: int,
) -> tuple[Began | None, list[Change]]:
    """Return the advisory that stands after an outlook, and its change."""
    off = WARNING in limits.off or not config.enabled(WARNING)
    if warning is not None and (off or not outlook.advisory):
        return None, [_warning_ended(warning, at, "switched_off" if off else "rule_no_longer_met")]
    if off or not outlook.advisory:
        return None, []
    value = 100 * outlook.risk.get(WARNING_RISK, 0.0)
    if warning is not None:
        return replace(warning, value=max(value, warning.value or 0.0)), []
    warning = Began(WARNING, at, at, "rule_met", value, 100 * hourly_outlook.threshold(forecaster))
    return warning, [warning]


def _warning_ended(warning: Began, at: int, reason: ClearedReason) -> Ended:
    return Ended(WARNING, warning.onset, max(at, warning.onset + 1), at, reason, warning.value, warning.limit)
