"""A bed without ECG, one message after another: conditions of its values, and the hours of the record.

A pure step with explicit state. The hours are those of the record, counted from its begin; of several messages in an
hour the first counts. An hour of which no message has come is one in which nothing was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from model.conditions import charted_conditions, numeric_conditions
from model.conditions.changes import Change
from model.conditions.numeric_conditions import Condition
from model.conditions.settings import AlarmConfig
from stream.wire.alarm_messages import AlarmKind, Limits
from stream.wire.numerics_message import NumericName, Numerics
from stream.wire.outlook_message import HOUR, MAX_PAST_H


@dataclass(frozen=True, slots=True)
class HourRow:
    """What was measured in an hour of the record."""

    hour: int
    values: dict[NumericName, float]


@dataclass(frozen=True, slots=True)
class ChartState:
    """State carried from message to message.

    Attributes
    ----------
    session : str
    epoch, index : int
        Of the last message.
    past : tuple of HourRow
        The last hours, at most `MAX_PAST_H`.
    conditions : dict of str to Condition
        As in `model.conditions.charted_conditions`.
    """

    session: str
    epoch: int
    index: int
    past: tuple[HourRow, ...] = ()
    conditions: dict[AlarmKind, Condition] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChartStep:
    """What a message has changed.

    Attributes
    ----------
    state : ChartState
    changes : list of Began or Ended
    new_hour : bool
        Whether an hour of the record has come.
    """

    state: ChartState
    changes: list[Change]
    new_hour: bool = False


def begin(numerics: Numerics) -> ChartState:
    """Return the state before the first message of an epoch."""
    return ChartState(numerics.session, numerics.epoch, -1)


def continues(state: ChartState, numerics: Numerics) -> bool:
    """Return whether a message is of the same session and epoch."""
    return (state.session, state.epoch) == (numerics.session, numerics.epoch)


def is_old(state: ChartState, numerics: Numerics) -> bool:
    """Return whether a message of the same session comes again, or too late."""
    return state.session == numerics.session and (numerics.epoch, numerics.index) <= (state.epoch, state.index)


def close(state: ChartState) -> list[Change]:
    """Return the ends of all conditions that hold: session or epoch are over."""
    return list(numeric_conditions.close_all(state.conditions, state.index))


def step(config: AlarmConfig, limits: Limits, state: ChartState, numerics: Numerics) -> ChartStep:
    """Push a message that continues the state; `Numerics.alone` must not be None."""
    alone = numerics.alone
    assert alone is not None
    values = charted_conditions.measured(numerics.values, alone.interval_s)
    changes, conditions = charted_conditions.step(
        config, limits, state.conditions, values, numerics.index, alone.interval_s
    )
    state = replace(state, index=numerics.index, conditions=conditions)
    hour = alone.position // HOUR
    if state.past and hour <= state.past[-1].hour:
        return ChartStep(state, changes)
    last = state.past[-1].hour if state.past else hour - 1
    missed = (HourRow(other, {}) for other in range(max(last + 1, hour - MAX_PAST_H), hour))
    past = (*state.past, *missed, HourRow(hour, dict(values)))[-MAX_PAST_H:]
    return ChartStep(replace(state, past=past), changes, new_hour=True)
