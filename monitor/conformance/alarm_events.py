"""Alarm events, the list of active alarms, and commands."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar, get_args

import msgspec

from monitor.conformance import rules
from monitor.conformance.findings import Note
from stream.clock import unix_ns
from stream.wire.alarm_messages import ADVISORIES, TECHNICAL, ActiveAlarms, Alarm, ClearedReason, Command, RaisedReason
from stream.wire.command_filter import MAX_AGE_S

T = TypeVar("T")

SETTLED_NS = 2_000_000_000
"""Time in ns after an event within which the list need not show it."""

KEPT = 2_048
"""Events and commands of a bed that are remembered."""

_RAISED, _CLEARED = frozenset(get_args(RaisedReason)), frozenset(get_args(ClearedReason))


class BedAlarms:
    """The alarms of a bed as its events and lists tell them."""

    def __init__(self) -> None:
        self._events: OrderedDict[str, Alarm] = OrderedDict()
        self._open: OrderedDict[str, int] = OrderedDict()
        self._closed: OrderedDict[str, int] = OrderedDict()
        self._commands: OrderedDict[str, Command] = OrderedDict()

    def event(self, alarm: Alarm, now_ns: int, note: Note) -> None:
        """Check an event; monotonic time in ns."""
        _check_fields(alarm, note)
        known = self._events.get(alarm.event_id)
        content = msgspec.structs.replace(alarm, resent=False, lease=0)
        if known is not None:
            if content != known:
                note(rules.EVENT, f"{alarm.event_id} with another content")
            elif not alarm.resent:
                note(rules.PHASE, f"{alarm.event_id} twice, and not resent")
            return
        _keep(self._events, alarm.event_id, content)
        if alarm.resent:
            return
        if alarm.phase == "raised":
            if alarm.alarm_id in self._closed:
                note(rules.PHASE, f"{alarm.alarm_id} raised after it was cleared")
            elif alarm.kind not in ADVISORIES:
                _keep(self._open, alarm.alarm_id, now_ns)
        elif alarm.phase == "cleared" or (alarm.end is not None and not alarm.latched):
            self._open.pop(alarm.alarm_id, None)
            if alarm.latched:
                return
            _keep(self._closed, alarm.alarm_id, now_ns)

    def active(self, message: ActiveAlarms, now_ns: int, note: Note) -> None:
        """Check a list of active alarms; monotonic time in ns."""
        listed = {alarm.alarm_id for alarm in message.alarms}
        kinds = [alarm.kind for alarm in message.alarms]
        for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}):
            note(rules.LIST, f"{kinds.count(kind)} alarms of the kind {kind}")
        for alarm in message.alarms:
            if alarm.kind in ADVISORIES:
                note(rules.LIST, f"the advisory {alarm.alarm_id} among the alarms")
            elif alarm.end is not None and not alarm.latched:
                note(rules.LIST, f"{alarm.alarm_id}, which has ended and is not latched")
            elif _is_settled(self._closed, alarm.alarm_id, now_ns):
                note(rules.LIST, f"{alarm.alarm_id}, whose event cleared came before")
            if alarm.bed != message.bed:
                note(rules.CONTENT, f"an alarm of {alarm.bed} in the list of {message.bed}")
        for alarm_id in self._open:
            if alarm_id not in listed and _is_settled(self._open, alarm_id, now_ns):
                note(rules.LIST, f"no {alarm_id}, which was raised and not cleared")

    def command(self, command: Command, received_ns: int, note: Note) -> None:
        """Check a command; Unix time in ns."""
        age_s = (received_ns - unix_ns(command.when)) / 1e9
        if abs(age_s) > MAX_AGE_S:
            note(rules.COMMAND, f"the time {command.when}, {age_s:.0f} s from now")
        known = self._commands.get(command.command_id)
        if known is not None and known != command:
            note(rules.COMMAND, f"another command under the id {command.command_id}")
        _keep(self._commands, command.command_id, command)


def _keep(known: OrderedDict[str, T], key: str, value: T) -> None:
    known[key] = value
    if len(known) > KEPT:
        known.popitem(last=False)


def _is_settled(since: OrderedDict[str, int], alarm_id: str, now_ns: int) -> bool:
    return alarm_id in since and now_ns - since[alarm_id] > SETTLED_NS


def _check_fields(alarm: Alarm, note: Note) -> None:
    """Check what the fields of an event must have in common."""
    if alarm.event_id != f"{alarm.alarm_id}-{alarm.phase}":
        note(rules.ALARM_ID, f"event_id {alarm.event_id}", f"{alarm.alarm_id}-{alarm.phase}")
    expected = f"{alarm.session}-{alarm.kind}-{alarm.onset}"
    if alarm.alarm_id != expected:
        note(rules.ALARM_ID, f"alarm_id {alarm.alarm_id}", expected)
    wrong = {
        "raised with an end": alarm.phase == "raised" and alarm.end is not None,
        "cleared without an end": alarm.phase == "cleared" and alarm.end is None,
        "an end before its onset": alarm.end is not None and alarm.end < alarm.onset,
        "acknowledged by nobody": alarm.phase == "acknowledged" and alarm.acknowledged_by is None,
        "latched, but not cleared": alarm.latched and alarm.end is None,
        f"latched with priority {alarm.priority}": alarm.latched and alarm.priority != "high",
        "latched after it was acknowledged": alarm.latched and alarm.acknowledged_by is not None,
        f"cleared, high, unacknowledged and not latched: {alarm.kind}": alarm.phase == "cleared"
        and alarm.priority == "high"
        and alarm.acknowledged_by is None
        and not alarm.latched,
        f"priority {alarm.priority} of the kind {alarm.kind}": (alarm.priority == "technical")
        != (alarm.kind in TECHNICAL),
        f"raised for the reason {alarm.reason}": alarm.phase == "raised" and alarm.reason in _CLEARED - _RAISED,
        f"cleared for the reason {alarm.reason}": alarm.phase == "cleared" and alarm.reason in _RAISED - _CLEARED,
        "replaced by nothing": alarm.reason == "replaced" and alarm.replaced_by is None,
        "switched off by nobody": alarm.reason == "switched_off" and alarm.switched_off_by is None,
    }
    for seen, is_wrong in wrong.items():
        if is_wrong:
            note(rules.ALARM_FIELDS, seen)
