"""The durable store of alarm events: one SQLite file, each event once.

Safe to read while it is written: ``sqlite3 alarms.sqlite 'select * from alarms'``. ``add`` returns when the events are
on the disk (WAL, ``synchronous=FULL``), so whoever acknowledges after it loses nothing.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from stream.clock import rfc3339
from stream.errors import StorageError
from stream.messages import Alarm

SCHEMA = 1
"""Version of the layout, kept in ``PRAGMA user_version``."""

_APPLICATION = 0x42454453
"""``BEDS``, kept in ``PRAGMA application_id``: tells our files from other people's databases."""

_LAYOUT = f"""
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
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {SCHEMA};
"""

FIELDS = Alarm.__struct_fields__


class AlarmLog:
    """An open alarm store.

    Parameters
    ----------
    path : Path
        Made when it is not there.
    wait_s : float
        How long to wait for another process that writes to the file.

    Attributes
    ----------
    path : Path
    client_id : str
        Chosen at random when the file is made. The broker keeps, under this MQTT client id, what this very file has
        not acknowledged; so a new file starts a new session, and a copied or moved one goes on with its own.

    Raises
    ------
    StorageError
        The file cannot be made or opened, is no alarm store, is of a newer layout, or another logger has it open.
    """

    def __init__(self, path: Path, *, wait_s: float = 1.0) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
        except sqlite3.Error as error:
            raise self._failure(error) from None
        try:
            self._open()
            self._owner, self._owner_path = self._own()
        except sqlite3.Error as error:
            self._db.close()
            raise self._failure(error) from None
        except StorageError:
            self._db.close()
            raise

    def _own(self) -> tuple[sqlite3.Connection, Path]:
        """Keep other loggers away: two with one MQTT client id would throw each other off the broker for ever.

        The lock is that of a second, empty database: it works on every system, and goes with the process.
        """
        path = Path(f"{self.path.resolve()}-owner")
        owner = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            owner.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            owner.close()
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise StorageError(
                f"alarm store {self.path} is open in another 'bedside alarms': end that, or choose another --db file"
            ) from None
        return owner, path

    def _open(self) -> None:
        application, version = self._pragma("application_id"), self._pragma("user_version")
        tables = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if application != _APPLICATION and tables:
            raise StorageError(f"{self.path} is another program's database: choose another --db file")
        if version > SCHEMA:
            raise StorageError(
                f"{self.path} has layout {version}, and this bedside knows {SCHEMA}: "
                "update bedside, or choose another --db file"
            )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            # Two that start on one new file at once: the second finds the layout made.
            if self._pragma("user_version") == 0:
                for statement in _LAYOUT.split(";\n"):
                    self._db.execute(statement)
            row = self._db.execute("SELECT value FROM meta WHERE name = 'client_id'").fetchone()
            if row is None:
                row = (f"bedside-log-{secrets.token_hex(5)}",)  # 22 characters: every broker takes 23
                self._db.execute("INSERT INTO meta VALUES ('client_id', ?)", row)
            self._db.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self.client_id: str = row[0]

    def add(self, events: Iterable[tuple[Alarm, int]]) -> list[Alarm]:
        """Store events in one transaction; on return they are on the disk.

        Parameters
        ----------
        events : iterable of (Alarm, int)
            Each with the Unix time in ns at which it was received. One that is stored already stays as it was:
            brokers deliver again.

        Returns
        -------
        list of Alarm
            Those that were new.

        Raises
        ------
        StorageError
            None of them is stored: the disk is full, the file is locked or damaged.
        """
        columns = ", ".join(f'"{name}"' for name in (*FIELDS, "received_at"))
        marks = ", ".join("?" * (len(FIELDS) + 1))
        insert = f"INSERT INTO events ({columns}) VALUES ({marks}) ON CONFLICT (event_id) DO NOTHING"
        fresh = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for alarm, received_ns in events:
                row = (*(getattr(alarm, name) for name in FIELDS), rfc3339(received_ns))
                if self._db.execute(insert, row).rowcount:
                    fresh.append(alarm)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._failure(error) from None
        return fresh

    def events(self) -> Sequence[Alarm]:
        """Return all stored events in the order of their storing."""
        columns = ", ".join(f'"{name}"' for name in FIELDS)
        try:
            rows = self._db.execute(f"SELECT {columns} FROM events ORDER BY rowid").fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from None
        return [Alarm(**dict(zip(FIELDS, row, strict=True))) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        with contextlib.suppress(OSError):  # an empty file that stays does no harm
            self._owner_path.unlink()
        self._owner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pragma(self, name: str) -> int:
        value: int = self._db.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _failure(self, error: sqlite3.Error) -> StorageError:
        mend = {
            sqlite3.SQLITE_CANTOPEN: "choose a --db file in a folder that exists and that you may write to",
            sqlite3.SQLITE_READONLY: "choose a --db file that you may write to",
            sqlite3.SQLITE_PERM: "choose a --db file that you may write to",
            sqlite3.SQLITE_NOTADB: "choose another --db file",
            sqlite3.SQLITE_CORRUPT: "move the damaged file away",
            sqlite3.SQLITE_FULL: "make room on its disk",
            sqlite3.SQLITE_IOERR: "look at its disk",
            sqlite3.SQLITE_BUSY: "end the other process that writes to it",
            sqlite3.SQLITE_LOCKED: "end the other process that writes to it",
        }
        # The low byte of an extended code is the kind of error.
        code = getattr(error, "sqlite_errorcode", None)
        hint = mend.get(code & 0xFF, "choose another --db file") if code is not None else "choose another --db file"
        return StorageError(f"alarm store {self.path} cannot be used ({error}): {hint}")
