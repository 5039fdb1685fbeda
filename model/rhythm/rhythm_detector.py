"""From beats and signal to conditions: when one begins and ends, and which of several is reported.

The rules (`model.rhythm.rules`) are applied at the end of each stride to the beats that were known by then. Where
several conditions would report the same, only the gravest holds: when it begins, the lesser ones end.

While the signal is not usable nothing begins, and what holds goes on for a while. A kind that is switched off is not
followed at all, so it hides no other. After a gap in the signal the caller calls `close`, and begins anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from model.beats.beat_detector import Beat
from model.conditions.changes import Began, Change, Ended
from model.conditions.precedence import SILENCED_BY
from model.conditions.settings import AlarmConfig
from model.rhythm import atrial_fibrillation, beat_history, rules, vitals
from model.rhythm.atrial_fibrillation import Irregularity
from model.rhythm.beat_history import Recent
from model.rhythm.rules import Finding, SignalStatus
from model.rhythm.vitals import Minute, VitalSigns
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, ClearedReason, Limits

LONGEST_UNKNOWN = 10 * FS
"""Samples for which a condition goes on while its rule cannot be judged."""


@dataclass(frozen=True, slots=True)
class Held:
    """A condition that holds.

    Attributes
    ----------
    kind : str
    onset : int
    judged : int
        The last observed sample when its rule could last be judged.
    value, limit : float or None
        The worst so far.
    beats : int
        The most so far.
    """

    kind: AlarmKind
    onset: int
    judged: int
    value: float | None
    limit: float | None
    beats: int


@dataclass(frozen=True, slots=True)
class RhythmState:
    """All that is carried from step to step.

    Attributes
    ----------
    start : int
        Index of the first sample of the epoch.
    strides : int
        Strides observed.
    recent : Recent
    irregular : Irregularity
    minute : Minute
    suspected : int or None
        The last observed sample when the signal last looked like fibrillation.
    held : tuple of Held
        The gravest first.
    met_since : dict of str to int
        Conditions whose delay is running, each with the sample at which its rule was met.
    over : dict of str to int
        The end of the last stretch of each kind.
    """

    start: int
    strides: int
    recent: Recent
    irregular: Irregularity
    minute: Minute
    suspected: int | None = None
    held: tuple[Held, ...] = ()
    met_since: dict[AlarmKind, int] = field(default_factory=dict)
    over: dict[AlarmKind, int] = field(default_factory=dict)


def begin(start: int) -> RhythmState:
    """Return the state at the start of an epoch, whose first sample has the index ``start``."""
    return RhythmState(start, 0, Recent(start), Irregularity(), Minute())


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
        Of the bed, as they are now.
    state : RhythmState
    beats : sequence of Beat
        Those that became known in these strides, in order.
    signal : sequence of SignalStatus
        One for each stride, in order.

    Returns
    -------
    tuple of Began or Ended
        In order; where a condition takes another's place, the end comes first.
    tuple of VitalSigns
        One for each whole second of signal since the start.
    state : RhythmState
    """
    changes: list[Change] = []
    described = []
    first = 0
    for now in signal:
        stop = first
        while stop < len(beats) and beats[stop].at <= now.at:
            stop += 1
        found, state = _stride(config, limits, state, beats[first:stop], now)
        first = stop
        changes += found
        if state.strides % vitals.STRIDES == 0:
            state = replace(state, minute=vitals.close_second(state.minute))
            described.append(_vital_signs(config, limits, state, now))
    if first < len(beats):
        raise ValueError(f"beat known at {beats[first].at}, after the last stride: beats come with their strides")
    return tuple(changes), tuple(described), state


def close(state: RhythmState, at: int) -> tuple[Ended, ...]:
    """Return the ends of all conditions that hold, because the signal breaks off after sample ``at``."""
    return tuple(_ended(held, at + 1, at, "signal_interrupted") for held in state.held)


def _stride(
    config: AlarmConfig, limits: Limits, state: RhythmState, beats: Sequence[Beat], now: SignalStatus
) -> tuple[list[Change], RhythmState]:
    recent, irregular, pauses = _push_beats(config, state, beats, now)
    ventricular = sum(beat.type == "V" for beat in beats) if now.usable else 0
    minute = replace(
        state.minute,
        usable_now=state.minute.usable_now + now.usable,
        ventricular_now=state.minute.ventricular_now + ventricular,
    )
    state = replace(
        state,
        strides=state.strides + 1,
        recent=recent,
        irregular=irregular,
        minute=minute,
        suspected=now.at if now.fibrillation_suspected else state.suspected,
    )
    off = config.disabled.union(limits.off)
    findings = {finding.kind: finding for finding in rules.find(config, limits, recent, irregular, now)}
    return _follow(config, state, findings, pauses, off, now.at)


def _push_beats(
    config: AlarmConfig, state: RhythmState, beats: Sequence[Beat], now: SignalStatus
) -> tuple[Recent, Irregularity, list[Finding]]:
    """Push the beats of one stride; beats that cannot be trusted only end the silence."""
    recent, irregular = state.recent, state.irregular
    if not now.usable:
        return beat_history.interrupt(recent, now.at), atrial_fibrillation.interrupt(irregular), []
    if now.fibrillation_since is not None:
        quiet_from = beats[-1].index if beats else recent.quiet_from
        recent = beat_history.interrupt(recent, quiet_from - 1)
        return recent, atrial_fibrillation.interrupt(irregular), []
    pauses = []
    for beat in beats:
        recent = beat_history.push(recent, beat)
        irregular = atrial_fibrillation.push(irregular, beat)
        seconds = rules.pause_s(config, recent)
        if seconds is None:
            continue
        onset, end = recent.indexes[-2:]
        if state.suspected is None or state.suspected < onset:
            pauses.append(Finding("asystole", True, False, onset, end, seconds, config.asystole_s))
    return recent, irregular, pauses


def _follow(
    config: AlarmConfig,
    state: RhythmState,
    findings: Mapping[AlarmKind, Finding],
    pauses: list[Finding],
    off: frozenset[AlarmKind],
    at: int,
) -> tuple[list[Change], RhythmState]:
    """Compare the conditions that hold with the findings of the rules."""
    ended: list[Ended] = []
    began: list[Change] = []
    holding: dict[AlarmKind, Held] = {}
    before = {held.kind: held for held in state.held}
    met_since: dict[AlarmKind, int] = {}
    over = state.over

    def end(held: Held, index: int, reason: ClearedReason, replaced_by: AlarmKind | None = None) -> None:
        nonlocal over
        last = _ended(held, index, at, reason, replaced_by)
        over = {**over, held.kind: last.end}
        ended.append(last)

    for kind, graver in SILENCED_BY.items():
        held, finding = before.get(kind), findings.get(kind)
        if held is None and (finding is None or not finding.met):
            continue
        graver_now = next((other for other in graver if other in holding), None)
        if held is not None:
            if finding is not None:
                held = _updated(held, finding, at)
            if kind in off:
                end(held, at + 1, "switched_off")
            elif graver_now is not None:
                end(held, at + 1, "replaced", graver_now)
            elif finding is not None and not finding.stays:
                end(held, finding.end, "rule_no_longer_met")
            elif at - held.judged > LONGEST_UNKNOWN:
                end(held, held.judged + 1, "signal_unusable")
            else:
                holding[kind] = held
        elif finding is not None and graver_now is None and kind not in off:
            met_since[kind] = state.met_since.get(kind, at)
            if at - met_since[kind] >= config.delay_s.get(kind, 0.0) * FS:
                del met_since[kind]
                floor = max((over[other] for other in (kind, *graver) if other in over), default=state.start)
                onset = min(max(finding.onset, floor), at)
                holding[kind] = Held(kind, onset, at, finding.value, finding.limit, finding.beats)
                began.append(_began(holding[kind], at))
    for pause in pauses:
        if "asystole" not in off and "asystole" not in before:
            onset = max(pause.onset, over.get("asystole", state.start))
            held = Held("asystole", onset, at, pause.value, pause.limit, 0)
            began.append(_began(held, at))
            last = _ended(held, pause.end, at, "rule_no_longer_met")
            over = {**over, "asystole": last.end}
            began.append(last)
    return [*ended, *began], replace(state, held=tuple(holding.values()), met_since=met_since, over=over)


def _updated(held: Held, finding: Finding, at: int) -> Held:
    """Keep the worst measured value."""
    value = finding.value
    if value is None or (held.value is not None and not _worse(held.kind, value, held.value)):
        value = held.value
    limit = held.limit if finding.limit is None else finding.limit
    return Held(held.kind, held.onset, at, value, limit, max(held.beats, finding.beats))


def _worse(kind: AlarmKind, value: float, other: float) -> bool:
    return value < other if kind in ("extreme_bradycardia", "heart_rate_low") else value > other


def _began(held: Held, at: int) -> Began:
    return Began(held.kind, held.onset, at, "rule_met", held.value, held.limit, held.beats or None)


def _ended(held: Held, end: int, at: int, reason: ClearedReason, replaced_by: AlarmKind | None = None) -> Ended:
    end = max(min(end, at + 1), held.onset + 1)
    value = held.value
    if held.kind == "asystole":
        value = (end - held.onset) / FS
    return Ended(held.kind, held.onset, end, at, reason, value, held.limit, held.beats or None, replaced_by=replaced_by)


def _vital_signs(config: AlarmConfig, limits: Limits, state: RhythmState, now: SignalStatus) -> VitalSigns:
    """Return the vital signs; conditions that are switched off are named all the same."""
    recent = state.recent
    holding = {held.kind for held in state.held}
    if now.usable:
        holding |= {f.kind for f in rules.find(config, limits, recent, state.irregular, now) if f.met}
    trusted = now.usable and now.fibrillation_since is None
    beating = trusted and bool(recent.indexes) and now.at - recent.indexes[-1] <= rules.SILENT
    heart_rate = recent.heart_rate if beating else None
    rr = recent.indexes[-1] - recent.indexes[-2] if beating and len(recent.indexes) > 1 else None
    return VitalSigns(
        now.at,
        heart_rate,
        None if rr is None else 1000 * rr / FS,
        vitals.pvc_per_min(state.minute) if now.usable else None,
        vitals.name_rhythm(recent, heart_rate, holding) if now.usable else "unknown",
        now.quality,
    )
