"""The schema of the alarm store, and its migrations. docs/alarm-log.md is the description for users."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from stream.errors import StorageError

SCHEMA = 5
"""Version of the schema, in ``PRAGMA user_version``."""

APPLICATION_ID = 0x42454453
"""``BEDS`` in ASCII, in ``PRAGMA application_id``: distinguishes alarm stores from other databases."""

_EVENTS = """
CREATE TABLE events (
    number          INTEGER PRIMARY KEY,
    event_id        TEXT NOT NULL UNIQUE,
    alarm_id        TEXT NOT NULL,
    bed             TEXT NOT NULL,
    session         TEXT NOT NULL,
    record          TEXT NOT NULL,
    kind            TEXT NOT NULL,
    priority        TEXT NOT NULL,
    phase           TEXT NOT NULL,
    onset           INTEGER NOT NULL,
    "end"           INTEGER,
    "when"          TEXT NOT NULL,
    text            TEXT NOT NULL,
    duration_s      REAL NOT NULL,
    acknowledged_by TEXT,
    latched         INTEGER NOT NULL,
    repeats         INTEGER NOT NULL,
    reason          TEXT,
    value           REAL,
    "limit"         REAL,
    beats           INTEGER,
    leads           TEXT NOT NULL DEFAULT '[]',
    replaced_by     TEXT,
    switched_off_by TEXT,
    observed        REAL,
    predicted       REAL,
    horizon_ms      REAL,
    score           REAL,
    threshold       REAL,
    received_at     TEXT NOT NULL
);
CREATE INDEX events_by_alarm ON events (alarm_id);
CREATE INDEX events_by_bed ON events (bed, session, onset);
"""

_OTHERS = """
CREATE TABLE commands (
    command_id  TEXT PRIMARY KEY,
    bed         TEXT NOT NULL,
    who         TEXT NOT NULL,
    "when"      TEXT NOT NULL,
    action      TEXT NOT NULL,
    received_at TEXT NOT NULL
);
CREATE TABLE strips (
    alarm_id   TEXT PRIMARY KEY,
    bed        TEXT NOT NULL,
    session    TEXT NOT NULL,
    priority   TEXT NOT NULL,
    start      INTEGER NOT NULL,
    fs         INTEGER NOT NULL,
    leads      TEXT NOT NULL,
    gain       TEXT NOT NULL,
    zero       TEXT NOT NULL,
    complete   INTEGER NOT NULL,
    written_at TEXT NOT NULL,
    samples    BLOB NOT NULL
);
CREATE INDEX strips_by_bed ON strips (bed);
"""

# Of a class alone: `bedside alarms --truth`.
_OF_CLASS = """
CREATE TABLE truths (
    number      INTEGER PRIMARY KEY,
    bed         TEXT NOT NULL,
    session     TEXT NOT NULL,
    "index"     INTEGER NOT NULL,
    "when"      TEXT NOT NULL,
    truth_id    TEXT NOT NULL,
    what        TEXT NOT NULL,
    phase       TEXT NOT NULL,
    name        TEXT NOT NULL,
    message     TEXT NOT NULL,
    received_at TEXT NOT NULL,
    UNIQUE (bed, session, truth_id, phase, "index", name)
);
CREATE TABLE forecasts (
    alarm_id TEXT PRIMARY KEY,
    leads    TEXT NOT NULL,
    points   BLOB NOT NULL
);
"""

# Events may be stored in another order than they happened: sent again after a broker forgot them, `raised` may be last.
_VIEW = """
CREATE VIEW alarms AS
    WITH lives AS (
        SELECT alarm_id, min(number) AS first,
               coalesce(min(CASE phase WHEN 'raised' THEN number END), min(number)) AS raised,
               coalesce(max(CASE WHEN "end" IS NOT NULL THEN number END),
                        max(CASE phase WHEN 'acknowledged' THEN number END), max(number)) AS last,
               min(CASE phase WHEN 'raised' THEN "when" END) AS raised_at,
               max(CASE phase WHEN 'cleared' THEN "when" END) AS cleared_at,
               min(CASE phase WHEN 'acknowledged' THEN "when" END) AS acknowledged_at,
               max(acknowledged_by) AS acknowledged_by,
               max("end") AS "end", max(duration_s) AS duration_s
        FROM events GROUP BY alarm_id
    )
    SELECT first AS number, l.alarm_id, f.bed, f.session, f.record, f.kind, f.priority,
           CASE WHEN l."end" IS NULL THEN 'raised' ELSE 'cleared' END AS phase,
           raised_at, cleared_at, acknowledged_at, l.acknowledged_by, e.latched,
           f.onset, l."end", l.duration_s, f.text, e.reason, e.value, e."limit", e.beats, e.leads,
           e.replaced_by, e.switched_off_by, e.observed, e.predicted, e.horizon_ms, e.score, e.threshold, f.repeats,
           CASE s.complete WHEN 1 THEN 'complete' WHEN 0 THEN 'incomplete' END AS strip
    FROM lives l JOIN events f ON f.number = l.raised JOIN events e ON e.number = l.last
    LEFT JOIN strips s ON s.alarm_id = l.alarm_id
    ORDER BY first;
"""

_NEW = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
{_EVENTS}
{_OTHERS}
{_OF_CLASS}
{_VIEW}
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA};
"""

# Some columns of version 1 are NOT NULL and must become nullable, which ALTER TABLE cannot do.
_FROM_1 = f"""
DROP VIEW alarms;
DROP INDEX events_by_bed;
ALTER TABLE events RENAME TO events_1;
{_EVENTS}
{_OTHERS}
INSERT INTO events (event_id, alarm_id, bed, session, record, kind, priority, phase, onset, "end", "when", text,
                    duration_s, latched, repeats, observed, predicted, score, threshold, received_at)
    SELECT event_id, alarm_id, bed, session, record, kind, priority, phase, onset, "end", "when", text,
           duration_s, 0, 0, observed, predicted, score, threshold, received_at
    FROM events_1 ORDER BY rowid;
DROP TABLE events_1;
{_OF_CLASS}
{_VIEW}
PRAGMA user_version = {SCHEMA};
"""

_COLUMNS_2 = (
    'number, event_id, alarm_id, bed, session, record, kind, priority, phase, onset, "end", "when", text, duration_s, '
    'acknowledged_by, latched, repeats, value, "limit", observed, predicted, score, threshold, received_at'
)

# The table is rebuilt, so that every file has the same column order.
_FROM_2 = f"""
DROP VIEW alarms;
DROP INDEX events_by_alarm;
DROP INDEX events_by_bed;
ALTER TABLE events RENAME TO events_2;
{_EVENTS}
INSERT INTO events ({_COLUMNS_2})
    SELECT {_COLUMNS_2}
    FROM events_2 ORDER BY number;
DROP TABLE events_2;
{_OF_CLASS}
{_VIEW}
PRAGMA user_version = {SCHEMA};
"""


_FROM_3 = f"""
DROP VIEW alarms;
{_OF_CLASS}
{_VIEW}
PRAGMA user_version = {SCHEMA};
"""

_FROM_4 = f"""
{_OF_CLASS}
PRAGMA user_version = {SCHEMA};
"""


def pragma(db: sqlite3.Connection, name: str) -> int:
    """Return the integer value of a pragma."""
    value: int = db.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def check(db: sqlite3.Connection, path: Path) -> int:
    """Return the file's schema version, 0 if it is empty; read-only.

    Raises
    ------
    StorageError
        The file is another program's database, or its schema is newer than `SCHEMA`.
    """
    version = pragma(db, "user_version")
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if pragma(db, "application_id") != APPLICATION_ID and tables:
        raise StorageError(f"{path} is another program's database: choose another --db file")
    if version > SCHEMA:
        raise StorageError(
            f"{path} has layout {version}, and this bedside supports up to {SCHEMA}: update bedside, "
            "or choose another --db file"
        )
    return version


def upgrade(db: sqlite3.Connection) -> None:
    """Migrate the file to `SCHEMA`, within the open transaction."""
    script = {0: _NEW, 1: _FROM_1, 2: _FROM_2, 3: _FROM_3, 4: _FROM_4}.get(pragma(db, "user_version"), "")
    for statement in script.split(";\n"):
        db.execute(statement)


def failure(path: Path, error: sqlite3.Error) -> StorageError:
    """Return the error for an error of SQLite, with a remedy."""
    remedies = {
        sqlite3.SQLITE_CANTOPEN: "choose a --db file in a folder that exists and that you may write to",
        sqlite3.SQLITE_READONLY: "choose a --db file that you may write to",
        sqlite3.SQLITE_PERM: "choose a --db file that you may write to",
        sqlite3.SQLITE_ERROR: "its tables are not those of an alarm store: move it away, or choose another --db file",
        sqlite3.SQLITE_NOTADB: "choose another --db file",
        sqlite3.SQLITE_CORRUPT: "move the damaged file away",
        sqlite3.SQLITE_FULL: "make room on its disk",
        sqlite3.SQLITE_IOERR: "check its disk",
        sqlite3.SQLITE_BUSY: "end the other process that writes to it",
        sqlite3.SQLITE_LOCKED: "end the other process that writes to it",
    }
    # The low byte of an extended result code is the primary result code.
    code = getattr(error, "sqlite_errorcode", None)
    remedy = remedies.get(code & 0xFF, "choose another --db file") if code is not None else "choose another --db file"
    return StorageError(f"alarm store {path} cannot be used ({error}): {remedy}")
