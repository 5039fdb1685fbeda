"""From beats and signal to conditions: when one begins and ends, and which of several is told.

The rules (`model.rhythm.rules`) are applied at the end of each stride, on the grid that counts from the epoch's
start, to the beats that were known by then; so cutting the stream into other chunks changes nothing. One condition
speaks for the patient where several would say the same: when a graver one begins, the lesser end.

While the signal is not usable nothing begins, and what holds goes on for a while unseen. A kind that is switched off
is not followed at all, so it hides no other. What this module does not know, such as a gap, the caller tells it with a
new `begin` after `close`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from model.beats.beat_detector import Beat
from model.conditions.changes import Began, Change, Ended
from model.conditions.precedence import SILENCED_BY
from model.conditions.settings import AlarmConfig
from model.rhythm import atrial_fibrillation, beat_history, rules, vitals
from model.rhythm.atrial_fibrillation import Irregularity
from model.rhythm.beat_history import Recent
from model.rhythm.rules import Finding, SignalNow
from model.rhythm.vitals import Minute, VitalsNow
from model.signal.state_codec import DAMAGED_STATE
from stream.errors import StorageError
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, EndedReason, Limits

UNSEEN = 10 * FS
"""Samples for which a condition goes on while its rule knows nothing."""


@dataclass(frozen=True, slots=True)
class Held:
    """A condition that holds.

    Attributes
    ----------
    kind : str
    onset : int
    seen : int
        The last observed sample when its rule last knew anything.
    value, limit : float or None
        The worst so far.
    beats : int
        The most so far.
    """

    kind: AlarmKind
    onset: int
    seen: int
    value: float | None
    limit: float | None
    beats: int


@dataclass(frozen=True, slots=True)
class RhythmState:
    """All that is carried from chunk to chunk.

    Attributes
    ----------
    start : int
        Index of the first sample of the epoch.
    strides : int
        Strides seen.
    recent : Recent
    irregular : Irregularity
    minute : Minute
    waiting : tuple of Beat
        Beats that become known after the last stride.
    restless : int or None
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
    waiting: tuple[Beat, ...] = ()
    restless: int | None = None
    held: tuple[Held, ...] = ()
    met_since: dict[AlarmKind, int] = field(default_factory=dict)
    over: dict[AlarmKind, int] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the state as MessagePack."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> RhythmState:
        """Return the state that `to_bytes` wrote.

        Raises
        ------
        StorageError
            The bytes are no such state.
        """
        try:
            return msgspec.msgpack.decode(data, type=cls)
        except (msgspec.DecodeError, ValueError) as error:
            raise StorageError(DAMAGED_STATE) from error


def begin(start: int) -> RhythmState:
    """Return the state at the start of an epoch, whose first sample has the index ``start``."""
    return RhythmState(start, 0, Recent(start), Irregularity(), Minute())


def step(
    config: AlarmConfig,
    limits: Limits,
    state: RhythmState,
    beats: Sequence[Beat],
    signal: Sequence[SignalNow],
) -> tuple[tuple[Change, ...], tuple[VitalsNow, ...], RhythmState]:
    """Take what was observed further.

    Parameters
    ----------
    config : AlarmConfig
    limits : Limits
        Of the bed, as they are now.
    state : RhythmState
    beats : sequence of Beat
        In order; each must come no later than the stride that ends at or after its ``at``.
    signal : sequence of SignalNow
        One for each whole stride, in order; any number.

    Returns
    -------
    tuple of Began or Ended
        In order; where a condition takes another's place, the end comes first.
    tuple of VitalsNow
        One for each whole second of signal since the start.
    state : RhythmState
    """
    if beats:
        state = replace(state, waiting=(*state.waiting, *beats))
    changes: list[Change] = []
    said = []
    for now in signal:
        found, state = _stride(config, limits, state, now)
        changes += found
        if state.strides % vitals.STRIDES == 0:
            state = replace(state, minute=vitals.close_second(state.minute))
            said.append(_vitals(config, limits, state, now))
    return tuple(changes), tuple(said), state


def close(state: RhythmState, at: int) -> tuple[Ended, ...]:
    """Return the ends of all conditions that hold, because the signal breaks off after sample ``at``."""
    return tuple(_ended(held, at + 1, at, "signal_interrupted") for held in state.held)


def _stride(
    config: AlarmConfig, limits: Limits, state: RhythmState, now: SignalNow
) -> tuple[list[Change], RhythmState]:
    known = 0
    while known < len(state.waiting) and state.waiting[known].at <= now.at:
        known += 1
    beats, waiting = state.waiting[:known], state.waiting[known:]
    recent, irregular, pauses = _hear(config, state, beats, now)
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
        waiting=waiting,
        restless=now.at if now.restless else state.restless,
    )
    off = config.disabled.union(limits.off)
    findings = {finding.kind: finding for finding in rules.find(config, limits, recent, irregular, now)}
    return _follow(config, state, findings, pauses, off, now.at)


def _hear(
    config: AlarmConfig, state: RhythmState, beats: tuple[Beat, ...], now: SignalNow
) -> tuple[Recent, Irregularity, list[Finding]]:
    """Take the beats of one stride; beats that cannot be trusted only end the silence."""
    recent, irregular = state.recent, state.irregular
    if not now.usable:
        return beat_history.interrupt(recent, now.at), atrial_fibrillation.interrupt(irregular), []
    if now.fibrillation_since is not None:
        quiet_from = beats[-1].index if beats else recent.quiet_from
        recent = beat_history.interrupt(recent, quiet_from - 1)
        return recent, atrial_fibrillation.interrupt(irregular), []
    pauses = []
    for beat in beats:
        recent = beat_history.take(recent, beat)
        irregular = atrial_fibrillation.take(irregular, beat)
        seconds = rules.pause_s(config, recent)
        if seconds is None:
            continue
        onset, end = recent.indexes[-2:]
        if state.restless is None or state.restless < onset:
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
    """Compare what holds with what the rules say."""
    ended: list[Ended] = []
    began: list[Change] = []
    holding: dict[AlarmKind, Held] = {}
    before = {held.kind: held for held in state.held}
    met_since: dict[AlarmKind, int] = {}
    over = state.over

    def end(held: Held, index: int, reason: EndedReason, replaced_by: AlarmKind | None = None) -> None:
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
                held = _seen(held, finding, at)
            if kind in off:
                end(held, at + 1, "switched_off")
            elif graver_now is not None:
                end(held, at + 1, "replaced", graver_now)
            elif finding is not None and not finding.stays:
                end(held, finding.end, "rule_no_longer_met")
            elif at - held.seen > UNSEEN:
                end(held, held.seen + 1, "signal_unusable")
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


def _seen(held: Held, finding: Finding, at: int) -> Held:
    """Keep the worst of what was measured."""
    value = finding.value
    if value is None or (held.value is not None and not _worse(held.kind, value, held.value)):
        value = held.value
    limit = held.limit if finding.limit is None else finding.limit
    return Held(held.kind, held.onset, at, value, limit, max(held.beats, finding.beats))


def _worse(kind: AlarmKind, value: float, other: float) -> bool:
    return value < other if kind in ("extreme_bradycardia", "heart_rate_low") else value > other


def _began(held: Held, at: int) -> Began:
    return Began(held.kind, held.onset, at, "rule_met", held.value, held.limit, held.beats or None)


def _ended(held: Held, end: int, at: int, reason: EndedReason, replaced_by: AlarmKind | None = None) -> Ended:
    end = max(min(end, at + 1), held.onset + 1)
    value = held.value
    if held.kind == "asystole":
        value = (end - held.onset) / FS
    return Ended(held.kind, held.onset, end, at, reason, value, held.limit, held.beats or None, replaced_by=replaced_by)


def _vitals(config: AlarmConfig, limits: Limits, state: RhythmState, now: SignalNow) -> VitalsNow:
    """Say how the patient stands; conditions that are switched off are named all the same."""
    recent = state.recent
    holding = {held.kind for held in state.held}
    if now.usable:
        holding |= {f.kind for f in rules.find(config, limits, recent, state.irregular, now) if f.met}
    trusted = now.usable and now.fibrillation_since is None
    heard = trusted and bool(recent.indexes) and now.at - recent.indexes[-1] <= rules.SILENT
    heart_rate = recent.heart_rate if heard else None
    rr = recent.indexes[-1] - recent.indexes[-2] if heard and len(recent.indexes) > 1 else None
    return VitalsNow(
        now.at,
        heart_rate,
        None if rr is None else 1000 * rr / FS,
        vitals.pvc_per_min(state.minute) if now.usable else None,
        vitals.name_rhythm(recent, heart_rate, holding) if now.usable else "unknown",
    )
