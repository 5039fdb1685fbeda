"""Unusual complexes that last or come often: a condition on the episodes of the anomaly detector.

One unusual complex is an advisory. The condition ``unusual_complexes`` begins when an episode has lasted for some
seconds without a break, or when several have begun within a minute. It ends after a minute without an unusual complex,
so that it does not begin and end with each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.conditions.changes import Began, Change, Ended, Evidence
from model.conditions.settings import AlarmConfig
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, ClearedReason, RaisedReason

KIND: AlarmKind = "unusual_complexes"

WINDOW = 60 * FS
"""Samples in which episodes are counted, and without one the condition ends."""


@dataclass(frozen=True, slots=True)
class UnusualComplex:
    """An episode of the anomaly detector, as last reported.

    Attributes
    ----------
    onset : int
    end : int or None
        None while it lasts.
    leads : tuple of str
    evidence : Evidence
    """

    onset: int
    end: int | None
    leads: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class FrequentState:
    """State carried from step to step.

    Attributes
    ----------
    recent : tuple of UnusualComplex
        Those that lasted or ended in the last minute, oldest first.
    began : Began or None
        The condition, if it holds.
    worst : UnusualComplex or None
        The one with the highest score since the onset of the condition.
    count : int
        Number since the onset of the condition.
    end : int
        Index after the last sample of the latest one.
    """

    recent: tuple[UnusualComplex, ...] = ()
    began: Began | None = None
    worst: UnusualComplex | None = None
    count: int = 0
    end: int = 0


def step(
    config: AlarmConfig, state: FrequentState, episodes: Sequence[Change], strides: Sequence[int]
) -> tuple[tuple[Change, ...], FrequentState]:
    """Push the episodes reported in some strides.

    Parameters
    ----------
    config : AlarmConfig
    state : FrequentState
    episodes : sequence of Began or Ended
        Of the anomaly detector, in order.
    strides : sequence of int
        Last sample of each stride, in order.

    Returns
    -------
    tuple of Began or Ended
        At most one for each stride.
    FrequentState
    """
    changes = []
    first = 0
    for at in strides:
        stop = first
        while stop < len(episodes) and episodes[stop].at <= at:
            state = _push(state, episodes[stop])
            stop += 1
        first = stop
        change, state = _evaluate(config, state, at)
        if change is not None:
            changes.append(change)
    return tuple(changes), state


def close(state: FrequentState, at: int) -> Ended | None:
    """Return the end of the condition, because the signal is interrupted after sample ``at``; None if none holds."""
    return None if state.began is None else _ended(state, state.began, at + 1, at, "signal_interrupted")


def _push(state: FrequentState, change: Change) -> FrequentState:
    assert change.evidence is not None
    end = change.end if isinstance(change, Ended) else None
    latest = UnusualComplex(change.onset, end, change.leads, change.evidence)
    return replace(
        state,
        recent=(*(other for other in state.recent if other.onset != latest.onset), latest),
        worst=_worst((latest, *filter(None, [state.worst]))),
        count=state.count + (end is None),
        end=state.end if end is None else end,
    )


def _evaluate(config: AlarmConfig, state: FrequentState, at: int) -> tuple[Change | None, FrequentState]:
    recent = tuple(one for one in state.recent if one.end is None or one.end > at - WINDOW)
    since: tuple[UnusualComplex, ...]
    reason: RaisedReason
    lasting = recent[-1] if recent and recent[-1].end is None else None
    state = replace(state, recent=recent)
    if state.began is not None:
        if recent:
            return None, state
        ended = _ended(state, state.began, state.end, at, "rule_no_longer_met")
        return ended, replace(state, began=None, worst=None)
    if lasting is not None and at - lasting.onset >= config.unusual_s * FS:
        since, reason = (lasting,), "sustained"
    elif len(recent) >= config.unusual_per_min:
        since, reason = recent, "rule_met"
    else:
        return None, replace(state, worst=None)
    worst = _worst(since)
    began = Began(KIND, since[0].onset, at, reason, float(len(since)), leads=worst.leads, evidence=worst.evidence)
    return began, replace(state, began=began, worst=worst, count=len(since))


def _worst(complexes: Sequence[UnusualComplex]) -> UnusualComplex:
    return max(complexes, key=lambda one: one.evidence.score)


def _ended(state: FrequentState, began: Began, end: int, at: int, reason: ClearedReason) -> Ended:
    assert state.worst is not None
    worst = state.worst
    return Ended(
        began.kind, began.onset, end, at, reason, float(state.count), leads=worst.leads, evidence=worst.evidence
    )
