"""Unusual complexes that last or come often: a condition on the episodes of the anomaly detector.

One unusual complex is an advisory. The condition ``unusual_complexes`` begins when an episode has lasted for some
seconds without a break, or when several within a minute contain no ventricular beat. It ends after a minute without
such an episode, so that it does not begin and end with each.

A ventricular beat explains an episode: the monitor counts these beats per minute, and their runs are alarms. In ten
records of MIT-BIH (`model.evaluation.alarm_list_entries.ORDINARY_WARD`) 2,037 of 2,136 episodes contain one. If these
counted, too, there would be 4.8 alarms per bed and hour, during 59 % of the time; without them there are 1.4, during
5 %.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.beats.beat import VENTRICULAR, Beat, BeatRows, to_rows
from model.conditions.changes import Began, Change, Ended, Evidence
from model.conditions.settings import AlarmConfig
from model.signal.arrays import IntArray
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, ClearedReason, RaisedReason

KIND: AlarmKind = "unusual_complexes"

NEVER = 2**62
"""A sample that is not reached."""

WINDOW = 60 * FS
"""Samples in which episodes are counted, and without one the condition ends."""

MARGIN = FS // 5
"""Samples before and after an episode in which a ventricular beat explains it."""


@dataclass(frozen=True, slots=True)
class UnusualComplex:
    """An episode of the anomaly detector.

    Attributes
    ----------
    onset, end : int
    leads : tuple of str
    evidence : Evidence
    """

    onset: int
    end: int
    leads: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class FrequentState:
    """State carried from step to step.

    Attributes
    ----------
    lasting : Began or None
        The episode that lasts.
    recent : tuple of UnusualComplex
        Episodes of the last minute that no ventricular beat explains, oldest first.
    ventricular : tuple of int
        R peaks of the ventricular beats of the two minutes before the last beat or episode.
    began : Began or None
        The condition, if it holds.
    worst : UnusualComplex or None
        The one with the highest score since the onset of the condition.
    count : int
        Number since the onset of the condition.
    end : int
        Index after the last sample of the latest one.
    start : int
        Index of the first sample since the start of the epoch or the last gap; the condition begins no earlier.
    due : int
        Sample at which the condition may begin or end without a new episode. Until then, and without a ventricular
        beat, there is nothing to do.
    """

    lasting: Began | None = None
    recent: tuple[UnusualComplex, ...] = ()
    ventricular: tuple[int, ...] = ()
    began: Began | None = None
    worst: UnusualComplex | None = None
    count: int = 0
    end: int = 0
    start: int = 0
    due: int = 0


def after_gap(state: FrequentState, start: int) -> FrequentState:
    """Return the state after lost samples, before sample ``start``: the episodes of the last minute still count."""
    return FrequentState(recent=state.recent, ventricular=state.ventricular, end=state.end, start=start)


def step(
    config: AlarmConfig,
    state: FrequentState,
    episodes: Sequence[Change],
    beats: Sequence[Beat],
    strides: Sequence[int],
    restarts: Sequence[int] = (),
) -> tuple[tuple[Change, ...], FrequentState]:
    """Push the episodes and beats reported in some strides.

    Parameters
    ----------
    config : AlarmConfig
    state : FrequentState
    episodes : sequence of Began or Ended
        Of the anomaly detector, in order.
    beats : sequence of Beat
        In order. A beat is reported before the end of its episode is.
    strides : sequence of int
        Last sample of each stride, in order.
    restarts : sequence of int
        As in `advance`.

    Returns
    -------
    tuple of Began or Ended
        At most one for each stride.
    FrequentState
    """
    states, slots, ends = [state], np.zeros(1, np.int64), np.array([strides])
    found = advance(
        config,
        states,
        slots,
        ends,
        to_rows([beats]),
        [(0, episode) for episode in episodes],
        [(0, at) for at in restarts],
    )
    return tuple(change for _, change in found), states[0]


def advance(
    config: AlarmConfig,
    states: list[FrequentState],
    slots: IntArray,
    ends: IntArray,
    beats: BeatRows,
    episodes: Sequence[tuple[int, Change]],
    restarts: Sequence[tuple[int, int]] = (),
) -> list[tuple[int, Change]]:
    """Push the episodes and beats reported in some strides of some beds, and change the states of these beds.

    Parameters
    ----------
    config : AlarmConfig
    states : list of FrequentState
        State of each slot.
    slots : ndarray of int64, shape (beds,)
        Slot of each bed.
    ends : ndarray of int64, shape (beds, strides)
        Last sample of each stride, in order.
    beats : BeatRows
    episodes : sequence of (int, Began or Ended)
        Beds, and changes of the anomaly detector; of each bed in order.
    restarts : sequence of (int, int)
        Beds, and last samples of the strides after which the anomaly detector began anew, because a lead was back: all
        episodes before are forgotten, and the condition ends.

    Returns
    -------
    list of (int, Began or Ended)
        Beds, and changes: at most one of a bed for each stride, in order.
    """
    reported: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = np.flatnonzero(beats.kind == VENTRICULAR)
    beds = np.searchsorted(beats.first, rows, "right") - 1
    for bed, at, r_peak in zip(beds.tolist(), beats.at[rows].tolist(), beats.r_peak[rows].tolist(), strict=True):
        reported[bed].append((at, r_peak))
    changed: dict[int, list[Change]] = defaultdict(list)
    for bed, change in episodes:
        changed[bed].append(change)
    restarted: dict[int, list[int]] = defaultdict(list)
    for bed, at in restarts:
        restarted[bed].append(at)
    changes: list[tuple[int, Change]] = []
    for bed, (slot, last) in enumerate(zip(slots.tolist(), ends[:, -1].tolist(), strict=True)):
        if bed in reported or bed in changed or bed in restarted or last >= states[slot].due:
            new = reported[bed], changed[bed], restarted[bed]
            found, states[slot] = _advance(config, states[slot], ends[bed].tolist(), *new)
            changes += [(bed, change) for change in found]
    return changes


def _advance(
    config: AlarmConfig,
    state: FrequentState,
    ends: Sequence[int],
    beats: Sequence[tuple[int, int]],
    episodes: Sequence[Change],
    restarts: Sequence[int],
) -> tuple[list[Change], FrequentState]:
    """Push what was reported in some strides of one bed; of each ventricular beat the sample of the report, R peak."""
    changes: list[Change] = []
    reported, waiting = list(beats), list(episodes)
    for at in ends:
        if at in restarts:
            waiting = [change for change in waiting if change.at > at]
            if state.began is not None:
                changes.append(_ended(state, state.began, at + 1, at, "signal_unusable"))
            state = FrequentState(end=state.end, start=at + 1, due=NEVER)
        while reported and reported[0][0] <= at:
            peaks = (*state.ventricular, reported.pop(0)[1])
            state = replace(state, ventricular=tuple(peak for peak in peaks if peak > at - 2 * WINDOW))
        if not (waiting and waiting[0].at <= at) and at < state.due:
            continue
        state = replace(state, ventricular=tuple(peak for peak in state.ventricular if peak > at - 2 * WINDOW))
        while waiting and waiting[0].at <= at:
            state = _push(config, state, waiting.pop(0))
        change, state = _evaluate(config, state, at)
        state = replace(state, due=_due(config, state, at))
        if change is not None:
            changes.append(change)
    return changes, state


def _due(config: AlarmConfig, state: FrequentState, at: int) -> int:
    """Return the sample after ``at`` at which an episode leaves the window, or the lasting one has lasted enough."""
    samples = [one.end + WINDOW for one in state.recent]
    if state.lasting is not None:
        samples.append(state.lasting.onset + math.ceil(config.unusual_s * FS))
    return min((sample for sample in samples if sample > at), default=NEVER)


def close(state: FrequentState, at: int) -> Ended | None:
    """Return the end of the condition, because the signal is interrupted after sample ``at``; None if none holds."""
    return None if state.began is None else _ended(state, state.began, at + 1, at, "signal_interrupted")


def _push(config: AlarmConfig, state: FrequentState, change: Change) -> FrequentState:
    if isinstance(change, Began):
        return replace(state, lasting=change)
    assert change.evidence is not None
    explained = any(change.onset - MARGIN <= peak < change.end + MARGIN for peak in state.ventricular)
    if explained and not _is_sustained(config, change.onset, change.at):
        return replace(state, lasting=None)
    latest = UnusualComplex(change.onset, change.end, change.leads, change.evidence)
    return replace(
        state,
        lasting=None,
        recent=(*state.recent, latest),
        worst=_worst((latest, *filter(None, [state.worst]))),
        count=state.count + 1,
        end=change.end,
    )


def _is_sustained(config: AlarmConfig, onset: int, at: int) -> bool:
    return at - onset >= config.unusual_s * FS


def _evaluate(config: AlarmConfig, state: FrequentState, at: int) -> tuple[Change | None, FrequentState]:
    state = replace(state, recent=tuple(one for one in state.recent if one.end > at - WINDOW))
    lasting = state.lasting
    if lasting is not None and not _is_sustained(config, lasting.onset, at):
        lasting = None
    if state.began is not None:
        if state.recent or lasting is not None:
            return None, state
        ended = _ended(state, state.began, state.end, at, "rule_no_longer_met")
        return ended, replace(state, began=None, worst=None)
    if lasting is not None:
        return _begin(state, "sustained", lasting.onset, at, lasting, 1)
    if len(state.recent) >= config.unusual_per_min:
        worst = _worst(state.recent)
        return _begin(state, "rule_met", state.recent[0].onset, at, worst, len(state.recent))
    return None, replace(state, worst=None)


def _begin(
    state: FrequentState, reason: RaisedReason, onset: int, at: int, worst: Began | UnusualComplex, count: int
) -> tuple[Began, FrequentState]:
    began = Began(KIND, max(onset, state.start), at, reason, float(count), leads=worst.leads, evidence=worst.evidence)
    if isinstance(worst, Began):  # it counts when it ends
        return began, replace(state, began=began, worst=None, count=0)
    return began, replace(state, began=began, worst=worst, count=count)


def _worst(complexes: Sequence[UnusualComplex]) -> UnusualComplex:
    return max(complexes, key=lambda one: one.evidence.score)


def _ended(state: FrequentState, began: Began, end: int, at: int, reason: ClearedReason) -> Ended:
    worst = began if state.worst is None else state.worst
    count = max(state.count, 1)
    return Ended(KIND, began.onset, end, at, reason, float(count), leads=worst.leads, evidence=worst.evidence)
