"""Alarm stores of earlier schema versions."""

import contextlib
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from stream.wire.alarm_messages import Alarm

LAYOUT_1 = """
CREATE TABLE events (
    event_id    TEXT PRIMARY KEY,
    alarm_id    TEXT NOT NULL,
    bed         TEXT NOT NULL,
    session     TEXT NOT NULL,
    record      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    priority    TEXT NOT NULL,
    phase       TEXT NOT NULL,
    onset       INTEGER NOT NULL,
    "end"       INTEGER,
    "when"      TEXT NOT NULL,
    text        TEXT NOT NULL,
    observed    REAL NOT NULL,
    predicted   REAL NOT NULL,
    score       REAL NOT NULL,
    threshold   REAL NOT NULL,
    duration_s  REAL NOT NULL,
    received_at TEXT NOT NULL
);
CREATE INDEX events_by_bed ON events (bed, session, onset);
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE VIEW alarms AS
    SELECT bed, record, kind, priority,
           min(CASE phase WHEN 'raised' THEN "when" END) AS raised_at,
           max(CASE phase WHEN 'cleared' THEN "when" END) AS cleared_at,
           onset, max("end") AS "end",
           max(duration_s) AS duration_s, max(score) AS score, threshold,
           CASE max(phase = 'cleared') WHEN 1 THEN 'cleared' ELSE 'raised' END AS phase,
           alarm_id
    FROM events GROUP BY alarm_id ORDER BY min("when"), onset;
PRAGMA application_id = 1111835731;
PRAGMA user_version = 1;
"""

LAYOUT_2 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
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
    value           REAL,
    "limit"         REAL,
    observed        REAL,
    predicted       REAL,
    score           REAL,
    threshold       REAL,
    received_at     TEXT NOT NULL
);
CREATE INDEX events_by_alarm ON events (alarm_id);
CREATE INDEX events_by_bed ON events (bed, session, onset);
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
CREATE VIEW alarms AS
    WITH lives AS (
        SELECT alarm_id, min(number) AS first, max(number) AS last,
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
           f.onset, l."end", l.duration_s, f.text, e.value, e."limit",
           e.observed, e.predicted, e.score, e.threshold, f.repeats,
           CASE s.complete WHEN 1 THEN 'complete' WHEN 0 THEN 'incomplete' END AS strip
    FROM lives l JOIN events f ON f.number = l.first JOIN events e ON e.number = l.last
    LEFT JOIN strips s ON s.alarm_id = l.alarm_id
    ORDER BY first;
PRAGMA application_id = 1111835731;
PRAGMA user_version = 2;
"""


def make(path: Path, layout: str, events: Iterable[Alarm]) -> None:
    """Create a store of an old schema that contains events."""
    table = layout[layout.index("CREATE TABLE events (") :].split(");")[0]
    names = [name for name in re.findall(r'^    "?([a-z_]+)"? +[A-Z]', table, re.MULTILINE) if name != "number"]
    columns = ", ".join(f'"{name}"' for name in names)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(layout)
        db.execute("INSERT INTO meta VALUES ('client_id', 'bedside-log-0123456789')")
        for event in events:
            row = (*(getattr(event, name) for name in names[:-1]), "2026-01-31T12:00:00.500Z")
            db.execute(f"INSERT INTO events ({columns}) VALUES ({', '.join('?' * len(row))})", row)
        db.commit()
