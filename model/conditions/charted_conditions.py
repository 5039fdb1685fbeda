"""Conditions of a bed without ECG, whose values come at intervals of their own, such as once an hour.

The limits of SpO2, pressures, respiration and heart rate are evaluated once for each message of the publisher, on the
values that were measured since the one before. A value of a chart stands for its interval, so where that is longer than
the values of a monitor stay known, a rule is met without a delay; and a condition of which nothing was measured holds
on for `STALE_INTERVALS` intervals, then ends as one whose signal is lost. There is no alarm of a sensor: what was not
measured in an hour is missing, not broken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from model.conditions import numeric_conditions, numeric_rules
from model.conditions.changes import Change, Ended
from model.conditions.numeric_conditions import MAX_UNKNOWN, Condition
from model.conditions.numeric_values import MIN_STALE_S, STALE_INTERVALS
from model.conditions.precedence import NUMERIC_KINDS
from model.conditions.settings import AlarmConfig
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, Limits
from stream.wire.numerics_message import Numeric, NumericName

KINDS: Final[tuple[AlarmKind, ...]] = ("heart_rate_low", "heart_rate_high", *NUMERIC_KINDS)


def measured(values: tuple[Numeric, ...], interval_s: float) -> Mapping[NumericName, float]:
    """Return the values that were measured since the message before."""
    fresh_s = max(interval_s, MIN_STALE_S)
    return {one.name: one.value for one in values if one.value is not None and one.age_s < fresh_s}


def step(
    config: AlarmConfig,
    limits: Limits,
    conditions: Mapping[AlarmKind, Condition],
    values: Mapping[NumericName, float],
    at: int,
    interval_s: float,
) -> tuple[list[Change], dict[AlarmKind, Condition]]:
    """Push the values of a message.

    Parameters
    ----------
    config : AlarmConfig
    limits : Limits
        Of the bed.
    conditions : mapping of str to Condition
        State carried from step to step.
    values : mapping of str to float
        From `measured`.
    at : int
        Sample of the session.
    interval_s : float
        Time between two messages, s.

    Returns
    -------
    list of Began or Ended
        In order.
    dict of str to Condition
    """
    if interval_s > MIN_STALE_S:
        config = replace(config, delay_s={})
    max_unknown = max(MAX_UNKNOWN, round(STALE_INTERVALS * interval_s * FS))
    verdicts = numeric_rules.evaluate_charted(limits, values)
    changes, after = numeric_conditions.decide(
        config, limits, conditions, verdicts, at, kinds=KINDS, max_unknown=max_unknown
    )
    return [_lasting(change, at, round(interval_s * FS)) for change in changes], after


def _lasting(change: Change, at: int, interval: int) -> Change:
    """Return a change whose end is that of the interval for which the last value stood, at the latest now."""
    if isinstance(change, Ended):
        return replace(change, end=min(change.end - 1 + interval, max(at, change.onset + 1)))
    return change
