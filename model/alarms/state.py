"""State of the alarms of one bed, and its conversion to and from the retained list of active alarms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from model.conditions.changes import Began
from stream.clock import rfc3339, unix_ns
from stream.wire.alarm_messages import (
    KINDS,
    MAX_PAUSE_S,
    PRIORITIES,
    ActiveAlarms,
    Alarm,
    AlarmKind,
    Command,
    Limits,
)

LISTED_COMMANDS = 8
"""Commands in the list of active alarms."""

REMEMBERED_COMMANDS = 64
"""Commands that are recognised when repeated; after a restart, only the listed ones are."""

MAX_PAUSE_NS = MAX_PAUSE_S * 1_000_000_000
"""Longest pause in ns."""


@dataclass(frozen=True, slots=True)
class AlarmContext:
    """Bed, record and time of a transition.

    Attributes
    ----------
    bed, session, record : str
    sample : int
        Index after the last observed sample.
    now_ns : int
        Unix time in ns.
    """

    bed: str
    session: str
    record: str
    sample: int
    now_ns: int


@dataclass(frozen=True, slots=True)
class AlarmState:
    """State of the alarms of one bed.

    Attributes
    ----------
    limits : Limits
    active : tuple of Alarm
        Alarms whose condition holds or that are latched, the latest event of each, ordered by `_rank`.
    conditions : tuple of Began
        All conditions that hold, including those of kinds that are switched off.
    unconfirmed : tuple of (str, int)
        Restored alarms: id, and the sample by which the condition must be confirmed.
    audio_paused_until, alarms_paused_until : int or None
        Unix time in ns.
    commands : tuple of Command
        The last executed commands, newest last.
    """

    limits: Limits
    active: tuple[Alarm, ...] = ()
    conditions: tuple[Began, ...] = ()
    unconfirmed: tuple[tuple[str, int], ...] = ()
    audio_paused_until: int | None = None
    alarms_paused_until: int | None = None
    commands: tuple[Command, ...] = ()

    def open_alarm(self, kind: AlarmKind) -> Alarm | None:
        """Return the alarm of a kind whose condition holds, or None."""
        return next((alarm for alarm in self.active if alarm.kind == kind and alarm.end is None), None)

    def with_event(self, event: Alarm, *, keep: bool) -> AlarmState:
        """Return the state after an event of an alarm; ``keep`` decides whether the alarm stays in the list."""
        others = tuple(alarm for alarm in self.active if alarm.alarm_id != event.alarm_id)
        return replace(self, active=by_rank((*others, event)) if keep else others)


def by_rank(alarms: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """Return alarms in the order of the list."""
    return tuple(sorted(alarms, key=_rank))


def _rank(alarm: Alarm) -> tuple[int, bool, int, int]:
    """Rank by priority; then alarms whose condition holds before latched ones; then by kind; then newest first."""
    return PRIORITIES.index(alarm.priority), alarm.end is not None, KINDS.index(alarm.kind), -alarm.onset


def to_message(bed: str, state: AlarmState) -> ActiveAlarms:
    """Return the list of active alarms of a bed."""
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
    """Return the state that an earlier worker published; alarms of other beds are ignored."""
    return AlarmState(
        active=tuple(alarm for alarm in message.alarms if alarm.bed == message.bed),
        limits=message.limits,
        audio_paused_until=_pause_end(message.audio_paused_until, now_ns),
        alarms_paused_until=_pause_end(message.alarms_paused_until, now_ns),
        commands=message.commands,
    )


def _pause_end(text: str | None, now_ns: int) -> int | None:
    """Return the end of a restored pause in Unix ns; it lasts no longer than a command can request."""
    return None if text is None else min(unix_ns(text), now_ns + MAX_PAUSE_NS)
