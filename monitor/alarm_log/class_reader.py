"""Read what the log of a class has stored, as sessions of beds; read-only, and the store may be in use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.alarm_log.export import AlarmFilter
from monitor.alarm_log.reader import open_read_only
from monitor.alarm_log.rows import EVENT_FIELDS, STRIP_FIELDS, alarm_of, strip_of
from monitor.common.strip import Strip
from stream.clock import unix_ns
from stream.wire.alarm_messages import Action, Alarm, Command
from stream.wire.truth_message import Truth

_MARGIN_NS = 60_000_000_000
"""Commands this long before the first and after the last event of a session belong to it."""


@dataclass(frozen=True, slots=True)
class ClassSession:
    """One session of a bed as it was stored.

    Attributes
    ----------
    bed, session : str
    truths : tuple of Truth
    events : tuple of Alarm
        Alarm events.
    commands : tuple of Command
        Of the bed, while the session lasted.
    strips : mapping of str to Strip
        By `Alarm.alarm_id`, or by `monitor.alarm_log.class_log.strip_id`.
    forecasts : mapping of str to ndarray
        Of strips, float32 of shape (k, 1 + 2 × leads), as in `monitor.alarm_log.class_log.StripForecast`.
    """

    bed: str
    session: str
    truths: tuple[Truth, ...]
    events: tuple[Alarm, ...]
    commands: tuple[Command, ...]
    strips: Mapping[str, Strip]
    forecasts: Mapping[str, npt.NDArray[np.float32]]


def read_sessions(path: Path, wanted: AlarmFilter) -> Sequence[ClassSession]:
    """Return the sessions with events of alarms or truth, oldest first.

    Parameters
    ----------
    path : Path
        The alarm store.
    wanted : AlarmFilter
        Bed, and earliest time of an event.

    Raises
    ------
    StorageError
        The store does not exist, or is damaged.
    """
    since = wanted.since_utc() or ""
    with open_read_only(path) as db:
        columns = ", ".join(f'"{name}"' for name in EVENT_FIELDS)
        chosen = '(:bed IS NULL OR bed = :bed) AND "when" >= :since'
        values = {"bed": wanted.bed, "since": since}
        events: list[Alarm] = [
            alarm_of(row) for row in db.execute(f"SELECT {columns} FROM events WHERE {chosen}", values)
        ]
        truths: list[Truth] = [
            msgspec.json.decode(text, type=Truth)
            for (text,) in db.execute(f"SELECT message FROM truths WHERE {chosen}", values)
        ]
        commands: list[Command] = [
            Command(command_id=row[0], bed=row[1], who=row[2], when=row[3], action=_action(row[4]))
            for row in db.execute(
                f'SELECT command_id, bed, who, "when", action FROM commands WHERE {chosen} ORDER BY "when"', values
            )
        ]
        names = ", ".join(f'"{name}"' for name in STRIP_FIELDS)
        strips = [strip_of(row) for row in db.execute(f"SELECT {names} FROM strips")]
        forecasts = {
            alarm_id: np.frombuffer(points, "<f4").reshape(-1, 1 + 2 * len(json.loads(leads)))
            for alarm_id, leads, points in db.execute("SELECT alarm_id, leads, points FROM forecasts")
        }
    found = dict.fromkeys([(one.bed, one.session) for one in truths] + [(one.bed, one.session) for one in events])
    sessions = [
        ClassSession(
            bed,
            session,
            tuple(sorted((t for t in truths if (t.bed, t.session) == (bed, session)), key=lambda t: t.when)),
            tuple(sorted((e for e in events if (e.bed, e.session) == (bed, session)), key=lambda e: e.when)),
            (),
            {strip.alarm_id: strip for strip in strips if strip and (strip.bed, strip.session) == (bed, session)},
            forecasts,
        )
        for bed, session in found
    ]
    sessions.sort(key=first_ns)
    return [_with_commands(one, sessions, commands) for one in sessions]


def first_ns(session: ClassSession) -> int:
    """Return the Unix time in ns of the first event."""
    return min(_times(session))


def last_ns(session: ClassSession) -> int:
    """Return the Unix time in ns of the last event."""
    return max(_times(session))


def _times(session: ClassSession) -> list[int]:
    return [*(unix_ns(one.when) for one in session.truths), *(unix_ns(one.when) for one in session.events)]


def _with_commands(
    session: ClassSession, sessions: Sequence[ClassSession], commands: Sequence[Command]
) -> ClassSession:
    """Return a session with the commands that were given while it lasted."""
    later = [first_ns(one) for one in sessions if one.bed == session.bed and first_ns(one) > first_ns(session)]
    stop = min([last_ns(session) + _MARGIN_NS, *later])
    own = tuple(
        one for one in commands if one.bed == session.bed and first_ns(session) - _MARGIN_NS <= unix_ns(one.when) < stop
    )
    return replace(session, commands=own)


def _action(text: str) -> Action:
    action: Action = _actions.decode(text)
    return action


_actions = msgspec.json.Decoder(Action)
