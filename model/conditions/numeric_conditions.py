"""Conditions of SpO2, arterial pressure, respiration, pulse and sensors: onset, delay, end and precedence.

The rules (`model.conditions.numeric_rules`) are evaluated once per second of signal, on the values that are known then.
While a value is unknown no condition begins; one that holds continues for up to `MAX_UNKNOWN` samples and then ends, as
those of the ECG on a bad signal do. A kind that is switched off is not tracked and suppresses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from model.conditions import numeric_rules, numeric_values
from model.conditions.changes import Began, Change, Ended
from model.conditions.numeric_rules import SENSORS, Verdict
from model.conditions.numeric_values import NumericSamples, ValuesState
from model.conditions.precedence import FOLLOWS_ARREST, NUMERIC_KINDS, NUMERIC_SUPPRESSED_BY
from model.conditions.settings import AlarmConfig
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, ClearedReason, Limits
from stream.wire.messages import Rhythm
from stream.wire.numerics_message import Numeric, NumericName

MAX_UNKNOWN: Final = 10 * FS
"""Longest time for which a condition continues while its rule cannot be evaluated, samples."""

ARRESTS: Final[dict[Rhythm, AlarmKind]] = {
    "ventricular fibrillation": "ventricular_fibrillation",
    "asystole": "asystole",
}
"""Rhythms without circulation, and their kinds."""


@dataclass(frozen=True, slots=True)
class Second:
    """What else is known at the end of a second.

    Attributes
    ----------
    at : int
        Its last sample.
    heart_rate : float or None
        From the ECG, 1/min.
    rhythm : str
    measured : tuple of Numeric
        Values measured from the waves.
    """

    at: int
    heart_rate: float | None = None
    rhythm: Rhythm = "unknown"
    measured: tuple[Numeric, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that holds, or whose delay is running.

    Attributes
    ----------
    holds : bool
    onset : int
        Sample at which its rule was met first.
    earliest : int
        Sample before which it does not begin: until then it was suppressed.
    evaluated : int
        Last sample at which its rule could be evaluated.
    value, limit : float or None
        The worst value so far, and the limit.
    """

    holds: bool
    onset: int
    earliest: int
    evaluated: int
    value: float | None
    limit: float | None


@dataclass(frozen=True, slots=True)
class NumericState:
    """State carried from step to step.

    Attributes
    ----------
    values : ValuesState
    used : tuple of str
        Values of `SENSORS` that have been known once.
    conditions : dict of str to Condition
        Those that hold or whose delay is running; replaced, never changed.
    """

    values: ValuesState = field(default_factory=ValuesState)
    used: tuple[NumericName, ...] = ()
    conditions: dict[AlarmKind, Condition] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Whether the bed has had no values, so that there is nothing to evaluate."""
        return not (self.used or self.conditions or self.values.waiting) and self.values.latest is None


def after_gap(state: NumericState) -> NumericState:
    """Return the state after lost samples: values and sensors are still known, conditions begin anew."""
    return replace(state, conditions={})


def receive(state: NumericState, received: Sequence[NumericSamples]) -> NumericState:
    """Return the state after values were received from the publisher."""
    return replace(state, values=numeric_values.push(state.values, received))


def step(
    config: AlarmConfig, limits: Limits, state: NumericState, seconds: Sequence[Second]
) -> tuple[list[Change], NumericState]:
    """Push seconds.

    Parameters
    ----------
    config : AlarmConfig
    limits : Limits
        Of the bed.
    state : NumericState
    seconds : sequence of Second
        In order.

    Returns
    -------
    list of Began or Ended
        In order.
    NumericState
    """
    changes: list[Change] = []
    for second in seconds:
        found, state = _push_second(config, limits, state, second)
        changes += found
    return changes, state


def close(state: NumericState, at: int) -> tuple[Ended, ...]:
    """Return the ends of all conditions that hold, because the signal is interrupted after sample ``at``."""
    return close_all(state.conditions, at)


def close_all(conditions: Mapping[AlarmKind, Condition], at: int) -> tuple[Ended, ...]:
    """Return the ends of those conditions that hold; see `close`."""
    holding = ((kind, own) for kind, own in conditions.items() if own.holds)
    return tuple(_ended(kind, own, at + 1, at, "signal_interrupted") for kind, own in holding)


def _push_second(
    config: AlarmConfig, limits: Limits, state: NumericState, second: Second
) -> tuple[list[Change], NumericState]:
    values = numeric_values.advance(state.values, second.at)
    current = numeric_values.current(values, second.at, second.measured)
    known, mean = numeric_values.known(current), current.get("abp_mean")
    used = state.used
    if len(used) < len(_SENSOR_VALUES):
        used = tuple(name for name in _SENSOR_VALUES if name in known or name in used)
    verdicts = numeric_rules.evaluate(
        config, limits, known, used, second.heart_rate, None if mean is None else mean.value
    )
    arrest = ARRESTS.get(second.rhythm)
    if arrest is not None and not config.enabled(arrest):
        arrest = None
    changes, conditions = decide(config, limits, state.conditions, verdicts, second.at, arrest)
    return changes, NumericState(values, used, conditions)


def decide(
    config: AlarmConfig,
    limits: Limits,
    before: Mapping[AlarmKind, Condition],
    verdicts: Mapping[AlarmKind, Verdict],
    at: int,
    arrest: AlarmKind | None = None,
    *,
    kinds: Sequence[AlarmKind] = NUMERIC_KINDS,
    max_unknown: int = MAX_UNKNOWN,
) -> tuple[list[Change], dict[AlarmKind, Condition]]:
    """Return what the verdicts at sample ``at`` change, and the conditions after it.

    Parameters
    ----------
    config : AlarmConfig
    limits : Limits
    before : mapping of str to Condition
    verdicts : mapping of str to Verdict
    at : int
    arrest : str or None
        The arrest that holds.
    kinds : sequence of str
        In the order in which they are decided.
    max_unknown : int
        See `MAX_UNKNOWN`.
    """
    changes: list[Change] = []
    conditions = dict(before)
    for kind in kinds:
        own, verdict = conditions.pop(kind, None), verdicts.get(kind)
        if own is None and (verdict is None or not verdict.met):
            continue
        if not config.enabled(kind) or kind in limits.off:
            if own is not None and own.holds:
                changes.append(_ended(kind, own, at + 1, at, "switched_off"))
            continue
        suppressing = arrest if kind in FOLLOWS_ARREST else None
        for other in NUMERIC_SUPPRESSED_BY.get(kind, ()) if suppressing is None else ():
            if other in conditions and conditions[other].holds:
                suppressing = other
                break
        change, own = _decide(config, kind, own, verdict, at, suppressing, max_unknown)
        if change is not None:
            changes.append(change)
        if own is not None and (suppressing is None or suppressing not in (arrest, "apnoea")):
            conditions[kind] = own  # after an arrest or an apnoea its delay begins anew
    changes.sort(key=_is_onset)
    return changes, conditions


def _is_onset(change: Change) -> bool:
    return isinstance(change, Began)  # when a condition replaces another, the end precedes the onset


_SENSOR_VALUES: Final[tuple[NumericName, ...]] = tuple(name for names in SENSORS.values() for name in names)


def _decide(
    config: AlarmConfig,
    kind: AlarmKind,
    own: Condition | None,
    verdict: Verdict | None,
    at: int,
    suppressing: AlarmKind | None,
    max_unknown: int,
) -> tuple[Change | None, Condition | None]:
    """Return the change of a condition, and the condition after it."""
    if own is not None and own.holds:
        return _continue(kind, own, verdict, at, suppressing, max_unknown)
    if verdict is None or not verdict.met:
        return None, None
    if own is None:
        own = Condition(False, at, 0, at, verdict.value, verdict.limit)
    own = _with(kind, own, verdict, at)
    if suppressing is not None:
        return None, replace(own, earliest=at + 1)
    if at - own.onset < config.delay_s.get(kind, 0.0) * FS:
        return None, own
    own = replace(own, holds=True, onset=max(own.onset, own.earliest))
    return Began(kind, own.onset, at, "rule_met", verdict.value, verdict.limit), own


def _continue(
    kind: AlarmKind,
    own: Condition,
    verdict: Verdict | None,
    at: int,
    suppressing: AlarmKind | None,
    max_unknown: int,
) -> tuple[Change | None, Condition | None]:
    last = own.evaluated
    if verdict is not None:
        own = _with(kind, own, verdict, at)
    if suppressing is not None:
        ended = _ended(kind, own, at + 1, at, "replaced", suppressing)
        if verdict is None or not verdict.met:
            return ended, None
        return ended, Condition(False, at, at + 1, at, verdict.value, verdict.limit)
    if verdict is not None and not verdict.persists:
        return _ended(kind, own, last + 1, at, "rule_no_longer_met"), None
    if at - own.evaluated > max_unknown:
        return _ended(kind, own, own.evaluated + 1, at, "signal_unusable"), None
    return None, own


def _with(kind: AlarmKind, own: Condition, verdict: Verdict, at: int) -> Condition:
    """Return a condition after a verdict: with the worst value so far."""
    value, worst = verdict.value, own.value
    if value is not None and verdict.persists:
        worse = max if kind in numeric_rules.RISING else min
        worst = value if worst is None else worse(worst, value)
    return replace(own, evaluated=at, value=worst, limit=own.limit if verdict.limit is None else verdict.limit)


def _ended(
    kind: AlarmKind, own: Condition, end: int, at: int, reason: ClearedReason, by: AlarmKind | None = None
) -> Ended:
    return Ended(kind, own.onset, max(end, own.onset + 1), at, reason, own.value, own.limit, replaced_by=by)
