"""State of the alarms of one bed, and its conversion to and from the retained list of active alarms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from model.alarms import advisories
from model.conditions.changes import Began
from stream.clock import rfc3339, unix_ns
from stream.wire.alarm_messages import (
    ADVISORIES,
    KINDS,
    MAX_PAUSE_S,
    PRIORITIES,
    ActiveAlarms,
    Advisory,
    Alarm,
    AlarmKind,
    Command,
    Limits,
)

LISTED_COMMANDS = 8
"""Commands in the list of active alarms."""

REMEMBERED_COMMANDS = 64
"""Commands that are recognised when repeated; after a restart, only the listed ones are."""

MAX_ALARM_BYTES, MAX_COMMAND_BYTES = 3000, 1500
"""Largest restored alarm and command, as JSON: with one alarm of each kind, the list stays below the limit of a
payload, whatever the alarms that follow contain."""

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

    @property
    def latest(self) -> int:
        """The last observed sample."""
        return max(self.sample - 1, 0)


@dataclass(frozen=True, slots=True)
class AlarmState:
    """State of the alarms of one bed.

    Attributes
    ----------
    limits : Limits
    active : tuple of Alarm
        Alarms whose condition holds or that are latched, the latest event of each, ordered by `_rank`.
    advisory : Advisory or None
        The entry that counts advisories; its latest one may still hold.
    ended : tuple of Alarm
        The last technical alarm of each kind that was cleared.
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
    advisory: Advisory | None = None
    ended: tuple[Alarm, ...] = ()
    conditions: tuple[Began, ...] = ()
    unconfirmed: tuple[tuple[str, int], ...] = ()
    audio_paused_until: int | None = None
    alarms_paused_until: int | None = None
    commands: tuple[Command, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether time alone changes the state: restored alarms are to be confirmed, or there is a pause."""
        paused = self.audio_paused_until is not None or self.alarms_paused_until is not None
        return paused or bool(self.unconfirmed)

    @property
    def open(self) -> tuple[Alarm, ...]:
        """The alarms and the advisory whose condition holds."""
        latest = () if self.advisory is None else (self.advisory.latest,)
        return tuple(alarm for alarm in (*self.active, *latest) if alarm.end is None)

    def open_alarm(self, kind: AlarmKind) -> Alarm | None:
        """Return the alarm or advisory of a kind whose condition holds, or None."""
        return next((alarm for alarm in self.open if alarm.kind == kind), None)

    def with_event(self, event: Alarm, *, keep: bool) -> AlarmState:
        """Return the state after an event; ``keep`` decides whether an alarm stays in the list."""
        if event.kind in ADVISORIES:
            return replace(self, advisory=advisories.push(self.advisory, event))
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
        advisory=state.advisory,
        limits=state.limits,
        audio_paused_until=None if audio is None else rfc3339(audio),
        alarms_paused_until=None if alarms is None else rfc3339(alarms),
        commands=state.commands[-LISTED_COMMANDS:],
    )


def restore(message: ActiveAlarms, now_ns: int) -> AlarmState:
    """Return the state that an earlier worker published.

    What no worker publishes is ignored: alarms of other beds, a second alarm of a kind, oversized texts. Otherwise a
    list that an intruder wrote could make the lists that follow it too large to be received.
    """
    alarms: dict[AlarmKind, Alarm] = {}
    for alarm in message.alarms:
        if alarm.kind not in ADVISORIES and _is_plausible(alarm, message.bed):
            alarms.setdefault(alarm.kind, alarm)
    advisory = message.advisory
    return AlarmState(
        active=tuple(alarms.values()),
        advisory=advisory if advisory is not None and _is_plausible(advisory.latest, message.bed) else None,
        limits=message.limits,
        audio_paused_until=_pause_end(message.audio_paused_until, now_ns),
        alarms_paused_until=_pause_end(message.alarms_paused_until, now_ns),
        commands=tuple(c for c in message.commands if len(msgspec.json.encode(c)) <= MAX_COMMAND_BYTES),
    )


def _is_plausible(alarm: Alarm, bed: str) -> bool:
    return alarm.bed == bed and len(msgspec.json.encode(alarm)) <= MAX_ALARM_BYTES


def _pause_end(text: str | None, now_ns: int) -> int | None:
    """Return the end of a restored pause in Unix ns; it lasts no longer than a command can request."""
    return None if text is None else min(unix_ns(text), now_ns + MAX_PAUSE_NS)
