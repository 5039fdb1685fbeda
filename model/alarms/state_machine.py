"""The life of alarms as a pure state machine: conditions and commands in, alarm events and a new state out.

- A condition that begins raises an alarm, its end clears it. One of high priority that nobody has acknowledged is then
  *latched*: it stays in the list until someone does.
- A kind has one alarm in the list. Raised again while the last one is latched, it takes that one's place and counts it
  (``repeats``). A graver kind of the same family takes the place of the lesser ones that are latched: acknowledging
  the one that matters is enough.
- A pause of the tone ends with the next alarm of high or medium priority, a pause of all alarms with the next of high
  priority. Alarms are raised and stored during a pause all the same.
- Commands carry who and when. One that is old, or was executed before, is ignored.

Conditions are counted in samples, pauses in wall time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

import msgspec

from model.conditions.changes import Began, Change
from model.conditions.precedence import SUPPRESSED_BY
from model.conditions.settings import AlarmConfig
from stream.clock import rfc3339, unix_ns
from stream.errors import MessageError
from stream.timebase import FS
from stream.wire.alarm_messages import (
    KINDS,
    MAX_PAUSE_S,
    PRIORITIES,
    Acknowledge,
    ActiveAlarms,
    Alarm,
    AlarmKind,
    ClearedReason,
    Command,
    Limits,
    PauseAlarms,
    PauseAudio,
    SetLimits,
)
from stream.wire.command_filter import check
from stream.wire.phrases import with_text

LISTED_COMMANDS = 8
"""Commands in the list of active alarms."""

REMEMBERED_COMMANDS = 64
"""Commands that are recognized when they are repeated; after a restart, only those in the list."""

MAX_PAUSE_NS = MAX_PAUSE_S * 1_000_000_000

PATIENCE = 45 * FS
"""Samples after a restart within which an alarm found in the list must be confirmed, or it is cleared: the
forecaster needs 12 s to learn the patient, a tachycardia 17 beats."""

PATIENCE_BY_KIND: Mapping[AlarmKind, int] = {
    "asystole": 10 * FS,
    "ventricular_fibrillation": 10 * FS,
    "atrial_fibrillation": 180 * FS,
}
"""Asystole and fibrillation that go on are detected 4.0 to 4.3 s after a start in their midst (record 207): they
should not be listed for long when they are over. The entropy of atrial fibrillation needs 127 words of three beats."""


@dataclass(frozen=True, slots=True)
class AlarmContext:
    """The bed, record and moment in which something happens to an alarm.

    Attributes
    ----------
    bed, session, record : str
    sample : int
        Index after the last observed sample.
    now_ns : int
        Unix time.
    """

    bed: str
    session: str
    record: str
    sample: int
    now_ns: int


@dataclass(frozen=True, slots=True)
class AlarmState:
    """The alarms of one bed.

    Attributes
    ----------
    limits : Limits
    active : tuple of Alarm
        Those that last or are latched, the latest event of each, the gravest first.
    holding : tuple of Began
        The conditions that hold now, also those that are switched off.
    inherited : tuple of (str, int)
        Alarms found in the list at the start, by id, each with the sample by which its condition must be confirmed.
    audio_paused_until, alarms_paused_until : int or None
        Unix time in ns.
    commands : tuple of Command
        The last that took effect, newest last.
    """

    limits: Limits
    active: tuple[Alarm, ...] = ()
    holding: tuple[Began, ...] = ()
    inherited: tuple[tuple[str, int], ...] = ()
    audio_paused_until: int | None = None
    alarms_paused_until: int | None = None
    commands: tuple[Command, ...] = ()


Step = tuple[tuple[Alarm, ...], AlarmState]


def to_message(bed: str, state: AlarmState) -> ActiveAlarms:
    """Return the state as a message."""
    audio, alarms = state.audio_paused_until, state.alarms_paused_until
    return ActiveAlarms(
        bed=bed,
        alarms=state.active,
        limits=state.limits,
        audio_paused_until=None if audio is None else rfc3339(audio),
        alarms_paused_until=None if alarms is None else rfc3339(alarms),
        commands=state.commands[-LISTED_COMMANDS:],
    )


def restore(message: ActiveAlarms, now_ns: int) -> AlarmState:
    """Return the alarms, limits, pauses and commands that an earlier worker left."""
    return AlarmState(
        active=tuple(alarm for alarm in message.alarms if alarm.bed == message.bed),
        limits=message.limits,
        audio_paused_until=_moment(message.audio_paused_until, now_ns),
        alarms_paused_until=_moment(message.alarms_paused_until, now_ns),
        commands=message.commands,
    )


def resume(state: AlarmState, context: AlarmContext) -> Step:
    """Go on with restored alarms, now that the bed sends: those of this session hold until the rules decide.

    Alarms of another session are cleared, because their samples will not come again, and so is missing data.
    """
    events: list[Alarm] = []
    inherited = []
    for alarm in state.active:
        if alarm.end is not None:
            continue
        if alarm.session != context.session:
            cleared, state = _clear(state, alarm, _known(alarm, context), "new_session", context)
            events.append(cleared)
        elif alarm.kind == "no_data":
            cleared, state = _clear(state, alarm, _known(alarm, context), "data_resumed", context)
            events.append(cleared)
        else:
            inherited.append((alarm.alarm_id, context.sample + PATIENCE_BY_KIND.get(alarm.kind, PATIENCE)))
    return tuple(events), replace(state, inherited=tuple(inherited))


def finish(state: AlarmState, context: AlarmContext) -> Step:
    """End all alarms that last, because the record has ended."""
    events = []
    for alarm in [alarm for alarm in state.active if alarm.end is None]:
        cleared, state = _clear(state, alarm, _known(alarm, context), "record_ended", context)
        events.append(cleared)
    return tuple(events), replace(state, holding=(), inherited=())


def process(config: AlarmConfig, state: AlarmState, change: Change, context: AlarmContext) -> Step:
    """Process the begin or the end of a condition."""
    if isinstance(change, Began):
        return _begin(config, state, change, context)
    state = replace(state, holding=tuple(began for began in state.holding if began.kind != change.kind))
    lasting = _lasting(state, change.kind)
    if lasting is None:
        return (), state
    lasting = _measured(msgspec.structs.replace(lasting, replaced_by=change.replaced_by), change)
    cleared, state = _clear(state, lasting, max(change.end, lasting.onset), change.reason, context)
    return (cleared,), state


def advance_time(state: AlarmState, context: AlarmContext) -> Step:
    """Advance time: clear inherited alarms that were not confirmed in time, and end pauses."""
    events = []
    for alarm_id, deadline in state.inherited:
        if context.sample < deadline:
            continue
        alarm = next((a for a in state.active if a.alarm_id == alarm_id and a.end is None), None)
        if alarm is not None:
            cleared, state = _clear(state, alarm, _known(alarm, context), "not_confirmed", context)
            events.append(cleared)
    state = replace(state, inherited=tuple(item for item in state.inherited if context.sample < item[1]))
    audio, alarms = state.audio_paused_until, state.alarms_paused_until
    if audio is not None and audio <= context.now_ns:
        state = replace(state, audio_paused_until=None)
    if alarms is not None and alarms <= context.now_ns:
        state = replace(state, alarms_paused_until=None)
    return tuple(events), state


def execute(config: AlarmConfig, state: AlarmState, command: Command, context: AlarmContext) -> Step:
    """Execute a command.

    Raises
    ------
    MessageError
        It is old, repeated, or about an alarm that is not in the list: nothing was done.
    """
    check(command, context.now_ns, [known.command_id for known in state.commands])
    events: tuple[Alarm, ...] = ()
    match command.action:
        case Acknowledge(alarm_id=alarm_id):
            events, state = _acknowledge(state, alarm_id, command.who, context)
        case PauseAudio(seconds=seconds):
            state = replace(state, audio_paused_until=_until(seconds, context))
        case PauseAlarms(seconds=seconds):
            state = replace(state, alarms_paused_until=_until(seconds, context))
        case SetLimits(limits=limits):
            events, state = _limit(config, state, limits, command.who, context)
    return events, replace(state, commands=(*state.commands, command)[-REMEMBERED_COMMANDS:])


def _begin(config: AlarmConfig, state: AlarmState, began: Began, context: AlarmContext) -> Step:
    state = replace(state, holding=(*(b for b in state.holding if b.kind != began.kind), began))
    if not config.enabled(began.kind) or began.kind in state.limits.off:
        return (), state
    lasting = _lasting(state, began.kind)
    if lasting is not None:  # found in the list at the start, and confirmed now: it goes on
        inherited = tuple(item for item in state.inherited if item[0] != lasting.alarm_id)
        return (), replace(state, inherited=inherited)
    latched = next((alarm for alarm in state.active if alarm.kind == began.kind), None)
    alarm = _raised(config, began, 0 if latched is None else latched.repeats + 1, context)
    lesser = {kind for kind, graver in SUPPRESSED_BY.items() if alarm.kind in graver}
    kept = [a for a in state.active if a.kind != alarm.kind and not (a.latched and a.kind in lesser)]
    return (alarm,), replace(
        state,
        active=_sorted((*kept, alarm)),
        audio_paused_until=None if alarm.priority in ("high", "medium") else state.audio_paused_until,
        alarms_paused_until=None if alarm.priority == "high" else state.alarms_paused_until,
    )


def _raised(config: AlarmConfig, began: Began, repeats: int, context: AlarmContext) -> Alarm:
    alarm_id = f"{context.session}-{began.kind}-{began.onset}"
    alarm = Alarm(
        event_id=f"{alarm_id}-raised",
        alarm_id=alarm_id,
        bed=context.bed,
        session=context.session,
        record=context.record,
        kind=began.kind,
        priority=config.priority(began.kind),
        phase="raised",
        onset=began.onset,
        end=None,
        when=rfc3339(context.now_ns),
        text="",
        duration_s=(began.at + 1 - began.onset) / FS,
        repeats=repeats,
        reason=began.reason,
    )
    return with_text(_measured(alarm, began))


def _measured(alarm: Alarm, change: Change) -> Alarm:
    """Return the alarm with the values of a change; those that it lacks stay."""
    known: dict[str, object] = {
        name: value
        for name in ("value", "limit", "beats", "leads")
        if (value := getattr(change, name)) not in (None, ())
    }
    if change.evidence is not None:
        known |= {field.name: getattr(change.evidence, field.name) for field in fields(change.evidence)}
    return msgspec.structs.replace(alarm, **known)


def _clear(
    state: AlarmState, alarm: Alarm, end: int, reason: ClearedReason, context: AlarmContext
) -> tuple[Alarm, AlarmState]:
    """Return the event that clears an alarm; the alarm stays in the list if it latches."""
    cleared = msgspec.structs.replace(
        alarm,
        event_id=f"{alarm.alarm_id}-cleared",
        phase="cleared",
        end=end,
        when=rfc3339(context.now_ns),
        reason=reason,
        duration_s=(end - alarm.onset) / FS,
        latched=alarm.priority == "high" and alarm.acknowledged_by is None,
    )
    cleared = with_text(cleared)
    return cleared, _put(state, cleared, keep=cleared.latched)


def _acknowledge(state: AlarmState, alarm_id: str, who: str, context: AlarmContext) -> Step:
    alarm = next((a for a in state.active if a.alarm_id == alarm_id), None)
    if alarm is None:
        raise MessageError(f"alarm {alarm_id!r} is not active on {context.bed}: nothing to acknowledge")
    if alarm.acknowledged_by is not None:
        raise MessageError(f"alarm {alarm_id!r} was acknowledged by {alarm.acknowledged_by!r} before")
    event = msgspec.structs.replace(
        alarm,
        event_id=f"{alarm_id}-acknowledged",
        phase="acknowledged",
        when=rfc3339(context.now_ns),
        acknowledged_by=who,
        latched=False,
    )
    return (event,), _put(state, event, keep=event.end is None)


def _limit(config: AlarmConfig, state: AlarmState, limits: Limits, who: str, context: AlarmContext) -> Step:
    """Set limits: what is switched off now is cleared, what is switched on again and still holds is raised."""
    back_on = set(state.limits.off) - set(limits.off)
    state = replace(state, limits=limits)
    events = []
    for kind in limits.off:
        for alarm in [a for a in state.active if a.kind == kind]:
            if alarm.end is None:
                named = msgspec.structs.replace(alarm, switched_off_by=who)
                cleared, state = _clear(state, named, _known(alarm, context), "switched_off", context)
                events.append(cleared)
            # Whoever switches a kind off has acknowledged its alarm.
            state = _put(state, alarm, keep=False)
    for began in [b for b in state.holding if b.kind in back_on]:
        raised, state = _begin(config, state, replace(began, onset=context.sample, at=context.sample), context)
        events.extend(raised)
    return tuple(events), state


def _put(state: AlarmState, event: Alarm, *, keep: bool) -> AlarmState:
    others = tuple(alarm for alarm in state.active if alarm.alarm_id != event.alarm_id)
    return replace(state, active=_sorted((*others, event)) if keep else others)


def _sorted(alarms: Iterable[Alarm]) -> tuple[Alarm, ...]:
    return tuple(sorted(alarms, key=_rank))


def _rank(alarm: Alarm) -> tuple[int, bool, int, int]:
    """Rank by priority, then what lasts before what is latched, then by gravity, then the newest first."""
    return PRIORITIES.index(alarm.priority), alarm.end is not None, KINDS.index(alarm.kind), -alarm.onset


def _lasting(state: AlarmState, kind: AlarmKind) -> Alarm | None:
    return next((alarm for alarm in state.active if alarm.kind == kind and alarm.end is None), None)


def _until(seconds: int, context: AlarmContext) -> int | None:
    return context.now_ns + seconds * 1_000_000_000 if seconds else None


def _moment(text: str | None, now_ns: int) -> int | None:
    """Return the end of a pause; no list, whoever wrote it, silences a bed for longer than a command can."""
    return None if text is None else min(unix_ns(text), now_ns + MAX_PAUSE_NS)


def _known(alarm: Alarm, context: AlarmContext) -> int:
    """Return the sample up to which an alarm is known to have lasted."""
    known = alarm.onset + round(alarm.duration_s * FS)
    return max(known, context.sample) if alarm.session == context.session else known
