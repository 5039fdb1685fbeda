"""Reading of an alarm store that a logger may be writing: read-only, one short connection for each question."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from monitor.alarm_log import schema
from monitor.alarm_log.rows import EVENT_FIELDS, STRIP_FIELDS, alarm_of, strip_of
from monitor.common.strip import Strip
from monitor.common.strip_forecast import StripForecast
from stream.clock import rfc3339
from stream.errors import StorageError
from stream.wire.alarm_messages import ADVISORIES, Alarm

PAST_EVENTS = 400
"""Number of events of a bed that a window reads when it opens."""

PAST_NS = 12 * 3600 * 1_000_000_000
"""Age of the oldest of them, ns: the list has times of day without a date."""

_WAIT_S = 0.2
"""How long to wait for a writer; in WAL mode it blocks no reader, but for the moment in which it opens the file."""


def _names(fields: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in fields)


_STRIP = f"SELECT {_names(STRIP_FIELDS)} FROM strips WHERE alarm_id = ?"
_FORECAST = "SELECT leads, points FROM forecasts WHERE alarm_id = ?"
_PAST = (
    f'SELECT {_names(EVENT_FIELDS)} FROM events WHERE bed = ? AND "when" >= ? '
    f"AND kind NOT IN ({', '.join('?' * len(ADVISORIES))}) ORDER BY number DESC LIMIT ?"
)


@contextlib.contextmanager
def open_read_only(path: Path, wait_s: float = 5.0) -> Iterator[sqlite3.Connection]:
    """Open an alarm store for reading.

    Raises
    ------
    StorageError
        The store does not exist, is empty, damaged, of an older or newer layout, or not an alarm store.
    """
    if not path.is_file():
        raise StorageError(f"alarm store {path} does not exist: name the --db file of 'bedside alarms'")
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=wait_s)) as db:
            layout = schema.check(db, path)
            if layout == 0:
                raise StorageError(
                    f"{path} is empty: if it is a copy, copy {path.name}-wal too, which contains the newest data; "
                    "if not, 'bedside alarms' has stored nothing in it yet"
                )
            if layout < schema.SCHEMA:
                raise StorageError(
                    f"{path} has an older layout: open it once with 'bedside alarms --db', which upgrades it"
                )
            yield db
    except sqlite3.Error as error:
        raise schema.failure(path, error) from None
    except (ValueError, TypeError) as error:  # a value that this program did not write
        raise StorageError(f"alarm store {path} is damaged ({error}): choose another --db file") from None


class StoreReader:
    """Strips with their forecasts, and past events of an alarm store.

    Nothing is kept open, so the file may be replaced, and the logger may start later than its readers.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def strip(self, alarm_id: str) -> Strip | None:
        """Return the strip of an alarm; None if the store has none.

        Raises
        ------
        StorageError
            As for `open_read_only`.
        """
        with open_read_only(self.path, _WAIT_S) as db:
            row = db.execute(_STRIP, (alarm_id,)).fetchone()
            return None if row is None else strip_of(row)

    def forecast(self, alarm_id: str) -> StripForecast | None:
        """Return the forecast of the strip of an alarm; None if the store has none.

        Raises
        ------
        StorageError
            As for `open_read_only`.
        """
        with open_read_only(self.path, _WAIT_S) as db:
            row = db.execute(_FORECAST, (alarm_id,)).fetchone()
            found = None if row is None else StripForecast(alarm_id, tuple(json.loads(row[0])), row[1])
            if found is not None:
                found.array()  # raises what is wrong with it
            return found

    def past_events(self, bed: str, now_ns: int) -> Sequence[Alarm]:
        """Return the last `PAST_EVENTS` events of a bed, advisories apart, in the order in which they were stored.

        Parameters
        ----------
        bed : str
        now_ns : int
            Unix time; events of more than `PAST_NS` before are left out.

        Raises
        ------
        StorageError
            As for `open_read_only`.
        """
        with open_read_only(self.path, _WAIT_S) as db:
            rows = db.execute(_PAST, (bed, rfc3339(now_ns - PAST_NS), *sorted(ADVISORIES), PAST_EVENTS)).fetchall()
            return [alarm_of(row) for row in reversed(rows)]
