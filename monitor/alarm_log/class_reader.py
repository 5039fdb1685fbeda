"""Read what the log of a class has stored, as sessions of beds; read-only, and the store may be in use."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.alarm_log.export import AlarmFilter
from monitor.alarm_log.reader import open_read_only
from monitor.alarm_log.rows import EVENT_FIELDS, STRIP_FIELDS, alarm_of, strip_of
from monitor.common.strip import Strip
from monitor.common.strip_forecast import StripForecast
from stream.clock import unix_ns
from stream.wire.alarm_messages import Action, Alarm, Command
from stream.wire.truth_message import Truth

CLASS_S = 6 * 3600
"""Longest time between the ends of two sessions of a class, s."""

_MARGIN_NS = 60_000_000_000
"""Commands this long before the first and after the last event of a session belong to it."""


_OF_SESSION = "WHERE bed = ? AND session = ?"
_EVENT_NAMES, _STRIP_NAMES = (", ".join(f'"{name}"' for name in names) for names in (EVENT_FIELDS, STRIP_FIELDS))
_SESSIONS = """
SELECT bed, session, min("when"), max("when") FROM
    (SELECT bed, session, "when" FROM events UNION ALL SELECT bed, session, "when" FROM truths)
WHERE (:bed IS NULL OR bed = :bed) AND "when" >= :since GROUP BY bed, session ORDER BY min("when")
"""
_EVENTS = f'SELECT {_EVENT_NAMES} FROM events {_OF_SESSION} ORDER BY "when", number'
_TRUTHS = f'SELECT message FROM truths {_OF_SESSION} ORDER BY "when", number'
_COMMANDS = 'SELECT command_id, who, "when", action FROM commands WHERE bed = ? ORDER BY "when"'
_STRIPS = f"SELECT {_STRIP_NAMES} FROM strips {_OF_SESSION}"
_FORECASTS = f"SELECT alarm_id, f.leads, points FROM forecasts f JOIN strips USING (alarm_id) {_OF_SESSION}"

_actions = msgspec.json.Decoder(Action)


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
        Of strips, float32 of shape (k, 1 + 2 × leads), as in `monitor.common.strip_forecast.StripForecast`.
    """

    bed: str
    session: str
    truths: tuple[Truth, ...]
    events: tuple[Alarm, ...]
    commands: tuple[Command, ...]
    strips: Mapping[str, Strip]
    forecasts: Mapping[str, npt.NDArray[np.float32]]


def read_sessions(path: Path, wanted: AlarmFilter, last: int | None = None) -> Sequence[ClassSession]:
    """Return sessions with events of alarms or truth, oldest first.

    Parameters
    ----------
    path : Path
        The alarm store.
    wanted : AlarmFilter
        Bed, and earliest time of an event. Without a time: the latest class, sessions that ended at most `CLASS_S`
        before the last one.
    last : int or None
        At most so many of the latest.

    Raises
    ------
    StorageError
        The store does not exist, or is damaged.
    """
    values = {"bed": wanted.bed, "since": wanted.since_utc() or ""}
    with open_read_only(path) as db:
        found = [_Found(*row) for row in db.execute(_SESSIONS, values)]
        if wanted.since is None and found:
            newest_ns = max(one.last_ns for one in found)
            found = [one for one in found if one.last_ns >= newest_ns - CLASS_S * 1_000_000_000]
        chosen = found if last is None else found[-last:]
        return [_read(db, one, _stop_ns(one, found)) for one in chosen]


class _Found(NamedTuple):
    """A session in the store: the times of its first and its last event."""

    bed: str
    session: str
    first: str
    last: str

    @property
    def first_ns(self) -> int:
        return unix_ns(self.first)

    @property
    def last_ns(self) -> int:
        return unix_ns(self.last)


def _stop_ns(one: _Found, found: Sequence[_Found]) -> int:
    """Return the time until which commands belong to a session: until the next one of the bed."""
    later = [other.first_ns for other in found if other.bed == one.bed and other.first_ns > one.first_ns]
    return min([one.last_ns + _MARGIN_NS, *later])


def _read(db: sqlite3.Connection, found: _Found, stop_ns: int) -> ClassSession:
    key = (found.bed, found.session)
    events = [alarm_of(row) for row in db.execute(_EVENTS, key)]
    truths = [msgspec.json.decode(text, type=Truth) for (text,) in db.execute(_TRUTHS, key)]
    commands = [
        Command(command_id=command_id, bed=found.bed, who=who, when=when, action=_actions.decode(action))
        for command_id, who, when, action in db.execute(_COMMANDS, (found.bed,))
        if found.first_ns - _MARGIN_NS <= unix_ns(when) < stop_ns
    ]
    strips = [strip for row in db.execute(_STRIPS, key) if (strip := strip_of(row)) is not None]
    forecasts = {
        alarm_id: StripForecast(alarm_id, tuple(json.loads(leads)), points).array()
        for alarm_id, leads, points in db.execute(_FORECASTS, key)
    }
    by_id = {strip.alarm_id: strip for strip in strips}
    return ClassSession(*key, tuple(truths), tuple(events), tuple(commands), by_id, forecasts)


def first_ns(session: ClassSession) -> int:
    """Return the Unix time in ns of the first event."""
    return min(_times(session))


def last_ns(session: ClassSession) -> int:
    """Return the Unix time in ns of the last event."""
    return max(_times(session))


def _times(session: ClassSession) -> list[int]:
    """Return the times of all events; an invalid one would make a class last for decades."""
    texts = [*(one.when for one in session.truths), *(one.when for one in session.events)]
    return [time for text in texts if (time := unix_ns(text))] or [0]
