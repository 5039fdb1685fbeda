"""The durable alarm store: one SQLite file with events, commands and strips, each stored once.

It can be read while it is written: ``sqlite3 alarms.sqlite 'select * from alarms'``. ``add`` returns once the events
are on the disk (WAL, ``synchronous=FULL``), so an event acknowledged after ``add`` is not lost.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from monitor.alarm_log import schema
from monitor.alarm_log.rows import EVENT_FIELDS, STRIP_FIELDS, alarm_of, cells, strip_of
from monitor.common.strip import Strip
from monitor.common.strip_forecast import StripForecast
from stream.clock import rfc3339
from stream.errors import StorageError
from stream.timebase import FS
from stream.wire.alarm_messages import PRIORITIES, Alarm, Command
from stream.wire.truth_message import Truth

STRIPS_PER_BED = 1000
"""Maximum number of strips per bed, 30 MB; the oldest of the lowest priority is deleted first. Events are kept."""

_SMALL_CACHE = "PRAGMA cache_size = -256"
"""KiB instead of SQLite's 2 MiB, which would fill for hours: rows are added at the end, so few pages are read twice."""


def _insert(table: str, columns: Sequence[str], conflict: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))}) ON CONFLICT {conflict}"


_EVENT = ", ".join(f'events."{name}"' for name in EVENT_FIELDS)
_ADD_EVENT = _insert("events", (*EVENT_FIELDS, "received_at"), "(event_id) DO NOTHING")
_ADD_COMMAND = _insert(
    "commands", ("command_id", "bed", "who", "when", "action", "received_at"), "(command_id) DO NOTHING"
)
_ADD_STRIP = _insert(
    "strips",
    (*STRIP_FIELDS, "fs", "written_at"),
    "(alarm_id) DO UPDATE SET samples = excluded.samples, complete = excluded.complete, "
    "written_at = excluded.written_at WHERE NOT strips.complete",
)
_ADD_TRUTH = _insert(
    "truths",
    ("bed", "session", "index", "when", "truth_id", "what", "phase", "name", "message", "received_at"),
    "DO NOTHING",
)
_ADD_FORECAST = _insert(
    "forecasts", ("alarm_id", "leads", "points"), "(alarm_id) DO UPDATE SET points = excluded.points"
)
_KNOWN_FORECAST = "SELECT points FROM forecasts WHERE alarm_id = ? AND leads = ? AND typeof(points) = 'blob'"
_DROP_FORECASTS = "DELETE FROM forecasts WHERE alarm_id NOT IN (SELECT alarm_id FROM strips)"
_EVENTS_AFTER = f"SELECT number, {_EVENT} FROM events WHERE number > ? ORDER BY number LIMIT ?"
_RANK = "CASE priority " + " ".join(f"WHEN '{name}' THEN {rank}" for rank, name in enumerate(PRIORITIES)) + " END"
_DROP_STRIPS = f"""
DELETE FROM strips WHERE alarm_id IN (
    SELECT alarm_id FROM strips WHERE bed = ?
    ORDER BY {_RANK} DESC, rowid
    LIMIT max(0, (SELECT count(*) FROM strips WHERE bed = ?) - ?))
"""
_WITHOUT_STRIP = (
    f"SELECT {_EVENT}, "
    + ", ".join(f'strips."{name}"' for name in STRIP_FIELDS)
    + " FROM events LEFT JOIN strips ON strips.alarm_id = events.alarm_id "
    "WHERE phase = 'raised' AND complete IS NOT 1 ORDER BY number DESC LIMIT ?"
)
_STATEMENTS = (
    _ADD_EVENT,
    _ADD_COMMAND,
    _ADD_STRIP,
    _ADD_TRUTH,
    _ADD_FORECAST,
    _KNOWN_FORECAST,
    _DROP_STRIPS,
    _DROP_FORECASTS,
    _EVENTS_AFTER,
    _WITHOUT_STRIP,
    "SELECT * FROM alarms",
)
"""All that the logger executes, and the view for users."""


class AlarmLog:
    """An open alarm store.

    Parameters
    ----------
    path : Path
        Created if missing; migrated if its schema is older.
    wait_s : float
        How long to wait, in s, for another process that writes to the file.

    Attributes
    ----------
    path : Path
    client_id : str
        MQTT client id of the persistent session; chosen at random when the file is created. A new file thus starts a
        new session, and a copied or moved file continues its own.

    Raises
    ------
    StorageError
        The file cannot be created or opened, is not an alarm store, is damaged, has a newer schema, has a second name
        (hard link), or is open in another logger.
    """

    def __init__(self, path: Path, *, wait_s: float = 1.0) -> None:
        self.path = path
        _check_single_name(path)
        with contextlib.ExitStack() as undo:
            try:
                self._db = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
                undo.callback(self._db.close)
                schema.check(self._db, path)
                self._lock_db, self._lock_path = self._lock()
                undo.callback(self._unlock)
                self.client_id = self._open()
                self._file = _identity(path)
            except sqlite3.Error as error:
                raise schema.failure(path, error) from None
            undo.pop_all()

    def _lock(self) -> tuple[sqlite3.Connection, Path]:
        """Lock out other loggers: two with one MQTT client id would disconnect each other without end.

        The lock is an exclusive transaction on a second, empty database: it works on every operating system and is
        released when the process ends.
        """
        path = Path(f"{self.path.resolve()}-owner")
        lock = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            lock.close()
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise StorageError(
                f"alarm store {self.path} is open in another 'bedside alarms': end that, or choose another --db file"
            ) from None
        return lock, path

    def _unlock(self) -> None:
        with contextlib.suppress(OSError):  # an empty file that remains is harmless
            self._lock_path.unlink()
        self._lock_db.close()

    def _open(self) -> str:
        """Migrate the file and return its client id."""
        self._db.execute(_SMALL_CACHE)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            schema.upgrade(self._db)
            for statement in _STATEMENTS:  # a missing table or column must not be found with the first alarm
                self._db.execute(f"EXPLAIN {statement}", (None,) * statement.count("?"))
            row: tuple[str] | None = self._db.execute("SELECT value FROM meta WHERE name = 'client_id'").fetchone()
            if row is None:
                row = (f"bedside-log-{secrets.token_hex(5)}",)  # 22 characters: every broker accepts 23
                self._db.execute("INSERT INTO meta VALUES ('client_id', ?)", row)
        return row[0]

    # --- writing ------------------------------------------------------------------------------------------------

    def add(self, events: Iterable[tuple[Alarm, int]]) -> list[Alarm]:
        """Store events in one transaction; they are on the disk on return.

        Parameters
        ----------
        events : iterable of (Alarm, int)
            Each with the Unix time in ns at which it was received. Events that are already stored are ignored:
            brokers may deliver twice.

        Returns
        -------
        list of Alarm
            The new events.

        Raises
        ------
        StorageError
            No event is stored: the disk is full, or the file is locked, damaged, or no longer at its path.
        """
        added = []
        with self._storing():
            for alarm, received_ns in events:
                row = cells(getattr(alarm, name) for name in EVENT_FIELDS)
                if self._db.execute(_ADD_EVENT, (*row, rfc3339(received_ns))).rowcount:
                    added.append(alarm)
        return added

    def add_commands(self, commands: Iterable[tuple[Command, int]]) -> int:
        """Store commands, each with the Unix time in ns at which it was received; return the number of new ones.

        Raises
        ------
        StorageError
            No command is stored.
        """
        added = 0
        with self._storing():
            for command, received_ns in commands:
                action = msgspec.json.encode(command.action).decode()
                row = (command.command_id, command.bed, command.who, command.when, action, rfc3339(received_ns))
                added += self._db.execute(_ADD_COMMAND, row).rowcount
        return added

    def add_strips(self, strips: Iterable[Strip], forecasts: Iterable[StripForecast] = ()) -> None:
        """Store strips, with forecasts of them; an incomplete strip that is already stored is replaced.

        A forecast goes on with what is stored of it: a logger that was restarted has received the rest alone.

        Raises
        ------
        StorageError
            No strip is stored.
        """
        with self._storing():
            for strip in strips:
                row = cells(getattr(strip, name) for name in STRIP_FIELDS)
                self._db.execute(_ADD_STRIP, (*row, FS, rfc3339(time.time_ns())))
                self._db.execute(_DROP_STRIPS, (strip.bed, strip.bed, STRIPS_PER_BED))
            for one in forecasts:
                alarm_id, leads = cells((one.alarm_id, one.leads))
                known = self._db.execute(_KNOWN_FORECAST, (alarm_id, leads)).fetchone()
                points = one.points if known is None else one.after(known[0]).points
                self._db.execute(_ADD_FORECAST, (alarm_id, leads, points))
            self._db.execute(_DROP_FORECASTS)

    def add_truths(self, truths: Iterable[tuple[Truth, int]]) -> None:
        """Store messages of truth, each with the Unix time in ns at which it was received; those stored are ignored.

        Raises
        ------
        StorageError
            No message is stored.
        """
        with self._storing():
            for truth, received_ns in truths:
                names = (truth.bed, truth.session, truth.index, truth.when, truth.truth_id)
                message = msgspec.json.encode(truth).decode()
                row = (*names, truth.what, truth.phase, truth.name, message, rfc3339(received_ns))
                self._db.execute(_ADD_TRUTH, row)

    # --- reading ------------------------------------------------------------------------------------------------

    def events(self) -> Sequence[Alarm]:
        """Return all events in the order in which they were stored."""
        with self._decoding():
            return [alarm_of(row) for row in self._rows(f"SELECT {_EVENT} FROM events ORDER BY number")]

    def without_complete_strip(self, limit: int) -> Sequence[tuple[Alarm, Strip | None]]:
        """Return the newest alarms without a complete strip, each with its incomplete strip; oldest first."""
        with self._decoding():
            return [
                (alarm_of(row[: len(EVENT_FIELDS)]), strip_of(row[len(EVENT_FIELDS) :]))
                for row in reversed(self._rows(_WITHOUT_STRIP, limit))
            ]

    def last_number(self) -> int:
        """Return the number of the newest event; 0 if there is none."""
        ((number,),) = self._rows("SELECT coalesce(max(number), 0) FROM events")
        return int(number)

    def reader(self) -> sqlite3.Connection:
        """Return another connection, read-only, that one other thread may use; the caller closes it."""
        try:
            reader = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            reader.execute(_SMALL_CACHE)
            return reader
        except sqlite3.Error as error:
            raise schema.failure(self.path, error) from None

    def events_after(self, reader: sqlite3.Connection, number: int, limit: int) -> Sequence[tuple[int, Alarm]]:
        """Return at most `limit` events with a greater number, each with its number; `reader` is of `reader`."""
        with self._decoding():
            return [(row[0], alarm_of(row[1:])) for row in reader.execute(_EVENTS_AFTER, (number, limit)).fetchall()]

    def strips(self) -> Sequence[Strip]:
        """Return all strips in the order in which they were stored."""
        names = ", ".join(STRIP_FIELDS)
        rows = self._rows(f"SELECT {names} FROM strips ORDER BY rowid")
        with self._decoding():
            return [strip for row in rows if (strip := strip_of(row)) is not None]

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        self._unlock()

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
    def _decoding(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, TypeError) as error:  # a value that this program did not write
            raise StorageError(
                f"alarm store {self.path} is damaged ({error}): move it away, or choose another --db file"
            ) from None

    @contextlib.contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            with self._transaction():
                yield
                # SQLite continues to write to a removed file without an error.
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
            if self._db.in_transaction:  # some errors roll back on their own
                self._db.execute("ROLLBACK")
            raise


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file; None if it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _check_single_name(path: Path) -> None:
    """Refuse a file with a second name (hard link): SQLite finds the newest data, and other users, by the name."""
    try:
        names = path.stat().st_nlink if path.is_file() else 1
    except OSError:
        return  # SQLite names the reason
    if names > 1:
        raise StorageError(
            f"alarm store {path} has {names} names (hard links), under which two loggers would damage it: "
            "remove the others, or copy the file"
        )
