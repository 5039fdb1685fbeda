"""Rhythm conditions of one bed: onset, end and precedence, from beats and signal status.

The rules (`model.rhythm.rules`) are evaluated at the end of each stride on the beats reported by then. Of several
conditions with the same cause only the most severe holds: its onset ends the less severe ones
(`model.conditions.precedence`).

While the signal is unusable no condition begins; active conditions continue for up to `MAX_UNKNOWN` samples, but
ventricular fibrillation, whose end is observed on a bad signal, for as long as it is detected. A disabled
kind is not tracked, so it does not suppress others. After a gap in the signal the caller calls `close` and starts again
with `begin`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from model.beats.beat import Beat
from model.conditions.changes import Began, Change, Ended
from model.conditions.precedence import SUPPRESSED_BY
from model.conditions.settings import AlarmConfig
from model.rhythm import atrial_fibrillation, beat_history, pulse_confirmation, rules, vitals
from model.rhythm.atrial_fibrillation import Irregularity
from model.rhythm.beat_history import BeatHistory
from model.rhythm.rules import RuleResult, SignalStatus
from model.rhythm.vitals import LastMinute, VitalSigns
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, ClearedReason, Limits

MAX_UNKNOWN = 10 * FS
"""Longest time for which a condition continues while its rule cannot be evaluated, samples."""


@dataclass(frozen=True, slots=True)
class ActiveCondition:
    """A condition that holds.

    Attributes
    ----------
    kind : str
    onset : int
        First sample.
    last_evaluated : int
        Last sample of the stride in which its rule was last evaluated.
    value, limit : float or None
        Worst measured value so far, and the limit.
    beats : int
        Largest number of beats so far.
    """

    kind: AlarmKind
    onset: int
    last_evaluated: int
    value: float | None
    limit: float | None
    beats: int


@dataclass(frozen=True, slots=True)
class RhythmState:
    """State carried from step to step.

    Attributes
    ----------
    start : int
        Index of the first sample of the epoch.
    strides : int
        Number of strides processed.
    history : BeatHistory
    irregularity : Irregularity
    last_minute : LastMinute
    last_suspected : int or None
        Last sample of the latest stride with suspected fibrillation.
    active : tuple of ActiveCondition
        Conditions that hold, most severe first.
    met_since : dict of str to int
        Kinds whose delay is running, with the sample at which the rule was first met.
    last_end : dict of str to int
        End of the last condition of each kind.
    """

    start: int
    strides: int
    history: BeatHistory
    irregularity: Irregularity
    last_minute: LastMinute
    last_suspected: int | None = None
    active: tuple[ActiveCondition, ...] = ()
    met_since: dict[AlarmKind, int] = field(default_factory=dict)
    last_end: dict[AlarmKind, int] = field(default_factory=dict)


def begin(start: int) -> RhythmState:
    """Return the state at the start of an epoch whose first sample has index ``start``."""
    return RhythmState(start, 0, BeatHistory(start), Irregularity(), LastMinute())


def after_gap(state: RhythmState, start: int) -> RhythmState:
    """Return the state after lost samples, before sample ``start``: runs and rates begin anew.

    The irregularity of the last beats is kept, and so are the counts of the last minute, in which lost seconds count as
    not usable.
    """
    lost = (start - state.start) // FS - state.strides // vitals.STRIDES_PER_SECOND
    return replace(
        begin(start),
        history=beat_history.interrupt(state.history, start - 1),
        irregularity=atrial_fibrillation.interrupt(state.irregularity),
        last_minute=vitals.after_gap(state.last_minute, lost),
    )


def step(
    config: AlarmConfig,
    limits: Limits,
    state: RhythmState,
    beats: Sequence[Beat],
    signal: Sequence[SignalStatus],
) -> tuple[tuple[Change, ...], tuple[VitalSigns, ...], RhythmState]:
    """Push the next strides of one bed.

    Parameters
    ----------
    config : AlarmConfig
    limits : Limits
        Current limits of the bed.
    state : RhythmState
    beats : sequence of Beat
        Beats reported in these strides, in order.
    signal : sequence of SignalStatus
        One per stride, in order.

    Returns
    -------
    tuple of Began or Ended
        In order; when a condition replaces another, the end precedes the onset.
    tuple of VitalSigns
        One per second of signal since the start of the epoch.
    state : RhythmState

    Raises
    ------
    ValueError
        A beat was reported after the last stride.
    """
    changes: list[Change] = []
    vital_signs = []
    first = 0
    for status in signal:
        stop = first
        while stop < len(beats) and beats[stop].at <= status.at:
            stop += 1
        new_changes, state = _stride(config, limits, state, beats[first:stop], status)
        first = stop
        changes += new_changes
        if state.strides % vitals.STRIDES_PER_SECOND == 0:
            state = replace(state, last_minute=vitals.close_second(state.last_minute))
            vital_signs.append(_vital_signs(config, limits, state, status))
    if first < len(beats):
        raise ValueError(f"beat reported at {beats[first].at}, after the last stride: pass it with its stride")
    return tuple(changes), tuple(vital_signs), state


def close(state: RhythmState, at: int) -> tuple[Ended, ...]:
    """Return the ends of all active conditions, because the signal is interrupted after sample ``at``."""
    return tuple(_ended(condition, at + 1, at, "signal_interrupted") for condition in state.active)


def _stride(
    config: AlarmConfig, limits: Limits, state: RhythmState, beats: Sequence[Beat], status: SignalStatus
) -> tuple[list[Change], RhythmState]:
    history, irregularity, pauses = _push_beats(config, state, beats, status)
    ventricular = sum(beat.type == "V" for beat in beats) if status.usable else 0
    last_minute = replace(
        state.last_minute,
        usable_now=state.last_minute.usable_now + status.usable,
        ventricular_now=state.last_minute.ventricular_now + ventricular,
    )
    state = replace(
        state,
        strides=state.strides + 1,
        history=history,
        irregularity=irregularity,
        last_minute=last_minute,
        last_suspected=status.at if status.fibrillation_suspected else state.last_suspected,
    )
    disabled = config.disabled.union(limits.off)
    results = {result.kind: result for result in rules.evaluate(config, limits, history, irregularity, status)}
    return _update_conditions(config, state, results, pauses, disabled, status.at)


def _push_beats(
    config: AlarmConfig, state: RhythmState, beats: Sequence[Beat], status: SignalStatus
) -> tuple[BeatHistory, Irregularity, list[RuleResult]]:
    """Push the beats of one stride, and return the asystoles that their RR intervals show.

    Beats during fibrillation are unreliable: they only restart the time without beats.
    """
    history, irregularity = state.history, state.irregularity
    if not status.usable:
        return beat_history.interrupt(history, status.at), atrial_fibrillation.interrupt(irregularity), []
    if status.fibrillation_since is not None:
        silent_since = beats[-1].index if beats else history.silent_since
        history = beat_history.interrupt(history, silent_since - 1)
        return history, atrial_fibrillation.interrupt(irregularity), []
    pauses = []
    for beat in beats:
        history = beat_history.push(history, beat)
        irregularity = atrial_fibrillation.push(irregularity, beat)
        seconds = rules.pause_s(config, history)
        if seconds is None:
            continue
        onset, end = history.indexes[-2:]
        suspected = state.last_suspected is not None and state.last_suspected >= onset
        if not suspected and not pulse_confirmation.goes_on(status.pulse, onset):
            pauses.append(RuleResult("asystole", True, False, onset, end, seconds, config.asystole_s))
    return history, irregularity, pauses


def _update_conditions(
    config: AlarmConfig,
    state: RhythmState,
    results: Mapping[AlarmKind, RuleResult],
    pauses: list[RuleResult],
    disabled: frozenset[AlarmKind],
    at: int,
) -> tuple[list[Change], RhythmState]:
    """Update the active conditions with the results of the rules."""
    ended: list[Ended] = []
    began: list[Change] = []
    active: dict[AlarmKind, ActiveCondition] = {}
    previous = {condition.kind: condition for condition in state.active}
    met_since: dict[AlarmKind, int] = {}
    last_end = state.last_end

    def end(
        condition: ActiveCondition, index: int, reason: ClearedReason, replaced_by: AlarmKind | None = None
    ) -> None:
        nonlocal last_end
        last = _ended(condition, index, at, reason, replaced_by)
        last_end = {**last_end, condition.kind: last.end}
        ended.append(last)

    for kind, more_severe in SUPPRESSED_BY.items():
        condition, result = previous.get(kind), results.get(kind)
        if condition is None and (result is None or not result.met):
            continue
        suppressing = next((other for other in more_severe if other in active), None)
        if condition is not None:
            if result is not None:
                condition = _with_worst(condition, result, at)
            if kind in disabled:
                end(condition, at + 1, "switched_off")
            elif suppressing is not None:
                end(condition, at + 1, "replaced", suppressing)
            elif result is not None and not result.persists:
                end(condition, result.end, "rule_no_longer_met")
            elif at - condition.last_evaluated > MAX_UNKNOWN:
                end(condition, condition.last_evaluated + 1, "signal_unusable")
            else:
                active[kind] = condition
        elif result is not None and suppressing is None and kind not in disabled:
            met_since[kind] = state.met_since.get(kind, at)
            if at - met_since[kind] >= config.delay_s.get(kind, 0.0) * FS:
                del met_since[kind]
                earliest_onset = max(
                    (last_end[other] for other in (kind, *more_severe) if other in last_end), default=state.start
                )
                onset = min(max(result.onset, earliest_onset), at)
                active[kind] = ActiveCondition(kind, onset, at, result.value, result.limit, result.beats)
                began.append(_began(active[kind], at))
    for pause in pauses:
        if "asystole" not in disabled and "asystole" not in previous:
            onset = max(pause.onset, last_end.get("asystole", state.start))
            condition = ActiveCondition("asystole", onset, at, pause.value, pause.limit, 0)
            began.append(_began(condition, at))
            last = _ended(condition, pause.end, at, "rule_no_longer_met")
            last_end = {**last_end, "asystole": last.end}
            began.append(last)
    return [*ended, *began], replace(state, active=tuple(active.values()), met_since=met_since, last_end=last_end)


def _with_worst(condition: ActiveCondition, result: RuleResult, at: int) -> ActiveCondition:
    """Return the condition with the worst measured value so far."""
    value = result.value
    if value is None or (condition.value is not None and not _worse(condition.kind, value, condition.value)):
        value = condition.value
    limit = condition.limit if result.limit is None else result.limit
    return ActiveCondition(condition.kind, condition.onset, at, value, limit, max(condition.beats, result.beats))


def _worse(kind: AlarmKind, value: float, other: float) -> bool:
    return value < other if kind in ("extreme_bradycardia", "heart_rate_low") else value > other


def _began(condition: ActiveCondition, at: int) -> Began:
    return Began(
        condition.kind, condition.onset, at, "rule_met", condition.value, condition.limit, condition.beats or None
    )


def _ended(
    condition: ActiveCondition, end: int, at: int, reason: ClearedReason, replaced_by: AlarmKind | None = None
) -> Ended:
    end = max(min(end, at + 1), condition.onset + 1)
    value = condition.value
    if condition.kind == "asystole":
        value = (end - condition.onset) / FS
    return Ended(
        condition.kind,
        condition.onset,
        end,
        at,
        reason,
        value,
        condition.limit,
        condition.beats or None,
        replaced_by=replaced_by,
    )


def _vital_signs(config: AlarmConfig, limits: Limits, state: RhythmState, status: SignalStatus) -> VitalSigns:
    """Return the vital signs; the rhythm name also uses conditions that are disabled."""
    history = state.history
    active = {condition.kind for condition in state.active}
    if status.usable:
        active |= {f.kind for f in rules.evaluate(config, limits, history, state.irregularity, status) if f.met}
    trusted = status.usable and status.fibrillation_since is None
    beating = trusted and bool(history.indexes) and status.at - history.indexes[-1] <= rules.MAX_SILENCE
    heart_rate = history.heart_rate if beating else None
    known = "ventricular_fibrillation" in active  # it continues on a bad signal
    rr = history.indexes[-1] - history.indexes[-2] if beating and len(history.indexes) > 1 else None
    return VitalSigns(
        status.at,
        heart_rate,
        None if rr is None else 1000 * rr / FS,
        vitals.pvc_per_min(state.last_minute) if status.usable else None,
        vitals.rhythm_name(history, heart_rate, active, state.irregularity.p_wave_present)
        if status.usable or known
        else "unknown",
        status.quality,
    )
