"""The durable store of alarms: one SQLite file, each event, command and strip once.

Safe to read while it is written: ``sqlite3 alarms.sqlite 'select * from alarms'``. ``add`` returns when the events are
on the disk (WAL, ``synchronous=FULL``), so whoever acknowledges after it loses nothing.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from monitor.alarm_log import schema
from monitor.alarm_log.strips import Strip
from stream.clock import rfc3339
from stream.errors import StorageError
from stream.timebase import FS
from stream.wire.alarm_messages import PRIORITIES, Alarm, Command

STRIPS_PER_BED = 1000
"""At most 30 MB of each bed; the least grave, then the oldest, give way. Events never do."""

FIELDS = Alarm.__struct_fields__
STRIP_FIELDS = ("alarm_id", "bed", "session", "priority", "start", "leads", "gain", "zero", "samples", "complete")


def _insert(table: str, columns: Sequence[str], conflict: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))}) ON CONFLICT {conflict}"


_EVENT = ", ".join(f'events."{name}"' for name in FIELDS)
_ADD_EVENT = _insert("events", (*FIELDS, "received_at"), "(event_id) DO NOTHING")
_ADD_COMMAND = _insert(
    "commands", ("command_id", "bed", "who", "when", "action", "received_at"), "(command_id) DO NOTHING"
)
_ADD_STRIP = _insert(
    "strips",
    (*STRIP_FIELDS, "fs", "written_at"),
    "(alarm_id) DO UPDATE SET samples = excluded.samples, complete = excluded.complete, "
    "written_at = excluded.written_at WHERE NOT strips.complete",
)
_RANK = "CASE priority " + " ".join(f"WHEN '{name}' THEN {rank}" for rank, name in enumerate(PRIORITIES)) + " END"
_DROP_STRIPS = f"""
DELETE FROM strips WHERE alarm_id IN (
    SELECT alarm_id FROM strips WHERE bed = ?
    ORDER BY {_RANK} DESC, rowid
    LIMIT max(0, (SELECT count(*) FROM strips WHERE bed = ?) - ?))
"""


class AlarmLog:
    """An open alarm store.

    Parameters
    ----------
    path : Path
        Made when it is not there; brought to the newest layout when it has an older one.
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
        with contextlib.ExitStack() as undo:
            try:
                self._db = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
                undo.callback(self._db.close)
                schema.check(self._db, path)
                self._owner, self._owner_path = self._own()
                undo.callback(self._disown)
                self.client_id = self._open()
                self._file = _identity(path)
            except sqlite3.Error as error:
                raise schema.failure(path, error) from None
            undo.pop_all()

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

    def _disown(self) -> None:
        with contextlib.suppress(OSError):  # an empty file that stays does no harm
            self._owner_path.unlink()
        self._owner.close()

    def _open(self) -> str:
        """Bring the file to the newest layout, and return its client id."""
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            schema.upgrade(self._db)
            row: tuple[str] | None = self._db.execute("SELECT value FROM meta WHERE name = 'client_id'").fetchone()
            if row is None:
                row = (f"bedside-log-{secrets.token_hex(5)}",)  # 22 characters: every broker takes 23
                self._db.execute("INSERT INTO meta VALUES ('client_id', ?)", row)
        return row[0]

    # --- writing ------------------------------------------------------------------------------------------------

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
            None of them is stored: the disk is full; the file is locked, damaged, or no longer at its path.
        """
        fresh = []
        with self._storing():
            for alarm, received_ns in events:
                row = _cells(getattr(alarm, name) for name in FIELDS)
                if self._db.execute(_ADD_EVENT, (*row, rfc3339(received_ns))).rowcount:
                    fresh.append(alarm)
        return fresh

    def add_commands(self, commands: Iterable[tuple[Command, int]]) -> int:
        """Store commands, each with the Unix time in ns at which it was received; return how many were new.

        Raises
        ------
        StorageError
            None of them is stored.
        """
        fresh = 0
        with self._storing():
            for command, received_ns in commands:
                action = msgspec.json.encode(command.action).decode()
                row = (command.command_id, command.bed, command.who, command.when, action, rfc3339(received_ns))
                fresh += self._db.execute(_ADD_COMMAND, row).rowcount
        return fresh

    def add_strips(self, strips: Iterable[Strip]) -> None:
        """Store strips; one that is stored already is replaced if it was incomplete.

        Raises
        ------
        StorageError
            None of them is stored.
        """
        with self._storing():
            for strip in strips:
                row = _cells(getattr(strip, name) for name in STRIP_FIELDS)
                self._db.execute(_ADD_STRIP, (*row, FS, rfc3339(time.time_ns())))
                self._db.execute(_DROP_STRIPS, (strip.bed, strip.bed, STRIPS_PER_BED))

    # --- reading ------------------------------------------------------------------------------------------------

    def events(self) -> Sequence[Alarm]:
        """Return all stored events in the order of their storing."""
        return [_alarm(row) for row in self._rows(f"SELECT {_EVENT} FROM events ORDER BY number")]

    def without_complete_strip(self, limit: int) -> Sequence[tuple[Alarm, Strip | None]]:
        """Return the newest alarms without a complete strip, each with what there is of it; the oldest first."""
        strip = ", ".join(f'strips."{name}"' for name in STRIP_FIELDS)
        rows = self._rows(
            f"SELECT {_EVENT}, {strip} FROM events LEFT JOIN strips ON strips.alarm_id = events.alarm_id "
            "WHERE phase = 'raised' AND complete IS NOT 1 ORDER BY number DESC LIMIT ?",
            limit,
        )
        return [(_alarm(row[: len(FIELDS)]), _strip(row[len(FIELDS) :])) for row in reversed(rows)]

    def strips(self) -> Sequence[Strip]:
        """Return all stored strips in the order of their storing."""
        names = ", ".join(STRIP_FIELDS)
        rows = self._rows(f"SELECT {names} FROM strips ORDER BY rowid")
        return [strip for row in rows if (strip := _strip(row)) is not None]

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        self._disown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise schema.failure(self.path, error) from None

    @contextlib.contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            with self._transaction():
                yield
                # SQLite goes on writing to a file that was removed, and says nothing.
                if _identity(self.path) != self._file:
                    raise StorageError(
                        f"alarm store {self.path} was moved, removed or replaced: put it back where it was, "
                        "or start 'bedside alarms' again for a new one"
                    )
        except sqlite3.Error as error:
            raise schema.failure(self.path, error) from None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # some errors have rolled it back already
                self._db.execute("ROLLBACK")
            raise


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells one file from another; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _cells(values: Iterable[object]) -> list[object]:
    """Return values as SQLite stores them: tuples as JSON."""
    return [json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else value for value in values]


def _alarm(row: Sequence[Any]) -> Alarm:
    cells = dict(zip(FIELDS, row, strict=True))
    return Alarm(**{**cells, "latched": bool(cells["latched"]), "leads": tuple(json.loads(cells["leads"]))})


def _strip(row: Sequence[Any]) -> Strip | None:
    cells = dict(zip(STRIP_FIELDS, row, strict=True))
    if cells["alarm_id"] is None:
        return None
    lists = {name: tuple(json.loads(cells[name])) for name in ("leads", "gain", "zero")}
    return Strip(**{**cells, **lists, "complete": bool(cells["complete"])})
