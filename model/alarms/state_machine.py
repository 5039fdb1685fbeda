"""Alarms of one bed as a pure state machine: conditions and commands in, alarm events and a new state out.

- The start of a condition raises an alarm, its end clears it. A cleared alarm of high priority that has not been
  acknowledged is *latched*: it stays in the list until it is acknowledged.
- The list holds at most one alarm of each kind. An alarm raised while one of its kind is latched replaces the latched
  one and counts it (``repeats``). It also replaces latched alarms of less severe kinds of the same family, so one
  acknowledgement is enough.
- A technical alarm that returns within `RETURN_SAMPLES` after its end counts the earlier ones, too (``repeats``):
  noise that comes and goes is one line of the list.
- An alarm of high or medium priority ends a pause of the tone; an alarm of high priority ends a pause of all alarms.
  Alarms are raised and stored during a pause.
- An advisory is raised and cleared like an alarm, but stays out of the list, which has one entry for all of them
  (`model.alarms.advisories`).
- A command carries its user and its time. Old and repeated commands are rejected.

Conditions are timed in samples, pauses in wall time; a step of the clock moves them (`shift_pauses`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

import msgspec

from model.alarms import advisories
from model.alarms.state import REMEMBERED_COMMANDS, AlarmContext, AlarmState, by_rank
from model.conditions.changes import Began, Change
from model.conditions.precedence import SUPPRESSED_BY
from model.conditions.settings import AlarmConfig
from stream.clock import rfc3339
from stream.errors import MessageError
from stream.timebase import FS
from stream.wire.alarm_messages import (
    ADVISORIES,
    TECHNICAL,
    Acknowledge,
    Alarm,
    AlarmKind,
    ClearedReason,
    Command,
    Limits,
    PauseAlarms,
    PauseAudio,
    SetLimits,
)
from stream.wire.alarm_texts import with_text
from stream.wire.command_filter import check
from stream.wire.fields import MAX_FINITE

CONFIRMATION_SAMPLES = 45 * FS
"""Samples after a restart within which the condition of a restored alarm must be confirmed; otherwise the alarm is
cleared. The forecaster needs 12 s to learn the patient, the tachycardia rule 17 beats."""

CONFIRMATION_SAMPLES_BY_KIND: Mapping[AlarmKind, int] = {
    "asystole": 10 * FS,
    "ventricular_fibrillation": 10 * FS,
    "atrial_fibrillation": 180 * FS,
    "unusual_complexes": 90 * FS,
    "two_publishers": 10 * FS,
}
"""Exceptions. Asystole and ventricular fibrillation are detected 4.0 to 4.3 s after a start in their midst (record
207), so they are cleared soon after their end. The entropy of atrial fibrillation needs 63 words of three beats, which
may last two minutes; the count of unusual complexes needs a minute once the patient is learned."""

RETURN_SAMPLES = 120 * FS
"""Samples after the end of a technical alarm within which it returns. In record 200 of MIT-BIH one lead is noisy 13
times in half an hour; 11 of these returned within two minutes."""

Transition = tuple[tuple[Alarm, ...], AlarmState]
"""Events, and the state after them."""


def resume(state: AlarmState, context: AlarmContext) -> Transition:
    """Continue with restored alarms when the bed sends its first samples.

    Alarms of this session stay until their condition is confirmed or its deadline has passed. Alarms of another session
    and ``no_data`` are cleared, and so is an advisory: it would be over before the patient is learned, and must not
    be taken for the next one.
    """
    events: list[Alarm] = []
    unconfirmed = []
    for alarm in state.open:
        if alarm.session != context.session:
            cleared, state = _clear(state, alarm, _known_end(alarm, context), "new_session", context)
            events.append(cleared)
        elif alarm.kind == "no_data":
            cleared, state = _clear(state, alarm, _known_end(alarm, context), "data_resumed", context)
            events.append(cleared)
        elif alarm.kind in ADVISORIES:
            cleared, state = _clear(state, alarm, _known_end(alarm, context), "not_confirmed", context)
            events.append(cleared)
        else:
            allowed = CONFIRMATION_SAMPLES_BY_KIND.get(alarm.kind, CONFIRMATION_SAMPLES)
            unconfirmed.append((alarm.alarm_id, context.sample + allowed))
    return tuple(events), replace(state, unconfirmed=tuple(unconfirmed))


def finish(state: AlarmState, context: AlarmContext) -> Transition:
    """Clear all alarms whose condition holds, because the record has ended."""
    events = []
    for alarm in state.open:
        cleared, state = _clear(state, alarm, _known_end(alarm, context), "record_ended", context)
        events.append(cleared)
    return tuple(events), replace(state, conditions=(), unconfirmed=())


def process(config: AlarmConfig, state: AlarmState, change: Change, context: AlarmContext) -> Transition:
    """Process the start or end of a condition."""
    if isinstance(change, Began):
        return _begin(config, state, change, context)
    state = replace(state, conditions=tuple(began for began in state.conditions if began.kind != change.kind))
    alarm = state.open_alarm(change.kind)
    if alarm is None:
        return (), state
    alarm = _with_values(msgspec.structs.replace(alarm, replaced_by=change.replaced_by), change)
    cleared, state = _clear(state, alarm, max(change.end, alarm.onset), change.reason, context, change.at)
    return (cleared,), state


def advance_time(state: AlarmState, context: AlarmContext) -> Transition:
    """Clear restored alarms that were not confirmed in time, and end pauses that are over."""
    events = []
    for alarm_id, deadline in state.unconfirmed:
        if context.sample < deadline:
            continue
        alarm = next((a for a in state.open if a.alarm_id == alarm_id), None)
        if alarm is not None:
            cleared, state = _clear(state, alarm, _known_end(alarm, context), "not_confirmed", context)
            events.append(cleared)
    state = replace(state, unconfirmed=tuple(item for item in state.unconfirmed if context.sample < item[1]))
    audio, alarms = state.audio_paused_until, state.alarms_paused_until
    if audio is not None and audio <= context.now_ns:
        state = replace(state, audio_paused_until=None)
    if alarms is not None and alarms <= context.now_ns:
        state = replace(state, alarms_paused_until=None)
    return tuple(events), state


def shift_pauses(state: AlarmState, by_ns: int) -> AlarmState:
    """Move the ends of the pauses: the clock that they are read from was stepped."""
    audio, alarms = state.audio_paused_until, state.alarms_paused_until
    return replace(
        state,
        audio_paused_until=None if audio is None else max(audio + by_ns, 0),
        alarms_paused_until=None if alarms is None else max(alarms + by_ns, 0),
    )


def execute(config: AlarmConfig, state: AlarmState, command: Command, context: AlarmContext) -> Transition:
    """Execute a command.

    Raises
    ------
    MessageError
        The command is old or repeated, or its alarm is not in the list. The state is unchanged.
    """
    check(command, context.now_ns, [known.command_id for known in state.commands])
    events: tuple[Alarm, ...] = ()
    match command.action:
        case Acknowledge(alarm_id=alarm_id):
            events, state = _acknowledge(state, alarm_id, command.who, context)
        case PauseAudio(seconds=seconds):
            state = replace(state, audio_paused_until=_pause_end(seconds, context))
        case PauseAlarms(seconds=seconds):
            state = replace(state, alarms_paused_until=_pause_end(seconds, context))
        case SetLimits(limits=limits):
            events, state = _set_limits(config, state, limits, command.who, context)
    return events, replace(state, commands=(*state.commands, command)[-REMEMBERED_COMMANDS:])


def _begin(config: AlarmConfig, state: AlarmState, began: Began, context: AlarmContext) -> Transition:
    state = replace(state, conditions=(*(b for b in state.conditions if b.kind != began.kind), began))
    if not config.enabled(began.kind) or began.kind in state.limits.off:
        return (), state
    restored = state.open_alarm(began.kind)
    if restored is not None:  # its condition is confirmed: it continues
        unconfirmed = tuple(item for item in state.unconfirmed if item[0] != restored.alarm_id)
        return (), replace(state, unconfirmed=unconfirmed)
    if began.kind in ADVISORIES:
        advisory = _raised_event(config, began, 0, context)
        return (advisory,), state.with_event(advisory, keep=False)
    alarm = _raised_event(config, began, _repeats(state, began, context), context)
    less_severe = {kind for kind, more_severe in SUPPRESSED_BY.items() if alarm.kind in more_severe}
    kept = [a for a in state.active if a.kind != alarm.kind and not (a.latched and a.kind in less_severe)]
    return (alarm,), replace(
        state,
        active=by_rank((*kept, alarm)),
        audio_paused_until=None if alarm.priority in ("high", "medium") else state.audio_paused_until,
        alarms_paused_until=None if alarm.priority == "high" else state.alarms_paused_until,
    )


def _repeats(state: AlarmState, began: Began, context: AlarmContext) -> int:
    """Return the number of earlier alarms that an alarm counts: the latched one's, or those it returns after."""
    for earlier in state.active:
        if earlier.kind == began.kind:
            return earlier.repeats + 1
    for earlier in state.ended:
        returned = earlier.end is not None and began.onset - earlier.end <= RETURN_SAMPLES
        if earlier.kind == began.kind and earlier.session == context.session and returned:
            return earlier.repeats + 1
    return 0


def _raised_event(config: AlarmConfig, began: Began, repeats: int, context: AlarmContext) -> Alarm:
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
        duration_s=_bounded((began.at + 1 - began.onset) / FS),
        repeats=repeats,
        reason=began.reason,
        at=began.at,
    )
    return with_text(_with_values(alarm, began))


def _with_values(alarm: Alarm, change: Change) -> Alarm:
    """Return the alarm with the values of a change; values that the change lacks stay as they are."""
    known: dict[str, object] = {
        name: _bounded(value) if isinstance(value, float) else value
        for name in ("value", "limit", "beats", "leads")
        if (value := getattr(change, name)) not in (None, ())
    }
    if change.evidence is not None:
        for field in fields(change.evidence):
            value = getattr(change.evidence, field.name)
            known[field.name] = _bounded(value) if isinstance(value, float) else value
    return msgspec.structs.replace(alarm, **known)


def _bounded(value: float) -> float:
    """Return a value within the range of messages: sample indices may imply gaps of thousands of years."""
    return min(max(value, -MAX_FINITE), MAX_FINITE)


def _clear(
    state: AlarmState, alarm: Alarm, end: int, reason: ClearedReason, context: AlarmContext, at: int | None = None
) -> tuple[Alarm, AlarmState]:
    """Return the event that clears an alarm, found at sample ``at``, by default the latest; it may stay in the list."""
    cleared = msgspec.structs.replace(
        alarm,
        event_id=f"{alarm.alarm_id}-cleared",
        phase="cleared",
        end=end,
        when=rfc3339(context.now_ns),
        reason=reason,
        duration_s=_bounded((end - alarm.onset) / FS),
        latched=alarm.priority == "high" and alarm.acknowledged_by is None,
        at=context.latest if at is None else at,
    )
    cleared = with_text(cleared)
    if cleared.kind in TECHNICAL:
        others = (earlier for earlier in state.ended if earlier.kind != cleared.kind)
        state = replace(state, ended=(*others, cleared))
    return cleared, state.with_event(cleared, keep=cleared.latched)


def _acknowledge(state: AlarmState, alarm_id: str, who: str, context: AlarmContext) -> Transition:
    alarm = next((a for a in state.active if a.alarm_id == alarm_id), None)
    if state.advisory is not None and advisories.is_covered(state.advisory, alarm_id):
        alarm = state.advisory.latest
    if alarm is None:
        raise MessageError(f"alarm {alarm_id!r} is not active on {context.bed}: nothing to acknowledge")
    if alarm.acknowledged_by is not None:
        raise MessageError(f"alarm {alarm_id!r} was acknowledged by {alarm.acknowledged_by!r} before")
    event = msgspec.structs.replace(
        alarm,
        event_id=f"{alarm.alarm_id}-acknowledged",
        phase="acknowledged",
        when=rfc3339(context.now_ns),
        acknowledged_by=who,
        latched=False,
        at=context.latest,
    )
    return (event,), state.with_event(event, keep=event.end is None)


def _set_limits(config: AlarmConfig, state: AlarmState, limits: Limits, who: str, context: AlarmContext) -> Transition:
    """Set limits; clear alarms of kinds switched off, raise alarms of kinds switched on whose condition holds."""
    switched_on = set(state.limits.off) - set(limits.off)
    state = replace(state, limits=limits)
    events = []
    for kind in limits.off:
        alarm = state.open_alarm(kind)
        if alarm is not None:
            switched_off = msgspec.structs.replace(alarm, switched_off_by=who)
            cleared, state = _clear(state, switched_off, _known_end(alarm, context), "switched_off", context)
            events.append(cleared)
        # Switching a kind off acknowledges its alarm, so it is not latched.
        state = replace(state, active=tuple(a for a in state.active if a.kind != kind))
        if kind in ADVISORIES:
            state = replace(state, advisory=None)
    for began in [b for b in state.conditions if b.kind in switched_on]:
        raised, state = _begin(config, state, replace(began, onset=context.sample, at=context.sample), context)
        events.extend(raised)
    return tuple(events), state


def _pause_end(seconds: int, context: AlarmContext) -> int | None:
    return context.now_ns + seconds * 1_000_000_000 if seconds else None


def _known_end(alarm: Alarm, context: AlarmContext) -> int:
    """Return the end (exclusive) of the interval in which the condition of an alarm is known to have held."""
    known = alarm.onset + round(alarm.duration_s * FS)
    return max(known, context.sample) if alarm.session == context.session else known
