"""Export of the alarm store: alarms as CSV or JSON lines, strips as WFDB records.

The store is opened read-only and may be in use. WFDB records are written by a function passed in.
"""

from __future__ import annotations

import csv
import datetime
import json
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from monitor.alarm_log.reader import open_read_only
from monitor.common.record_writer import RecordWriter
from stream.clock import rfc3339
from stream.errors import StorageError, UsageError
from stream.wire.topics import check_bed

Format = Literal["csv", "jsonl", "wfdb"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "wfdb")


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Selects the alarms to export.

    Attributes
    ----------
    bed : str or None
        None: all beds.
    since : str or None
        Earliest time of the alarm: RFC 3339, a date or a date with time, UTC by default.

    Raises
    ------
    UsageError
        The bed name or the time is invalid.
    """

    bed: str | None = None
    since: str | None = None

    def __post_init__(self) -> None:
        if self.bed is not None:
            check_bed(self.bed)
        self.since_utc()

    def since_utc(self) -> str | None:
        """Return `since` in the format of the store."""
        if self.since is None:
            return None
        try:
            moment = datetime.datetime.fromisoformat(self.since)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=datetime.UTC)
            return rfc3339(round(moment.timestamp() * 1e9))
        except (ValueError, OverflowError):
            raise UsageError(f"--since {self.since!r} is not a time: write --since 2026-01-31T12:00:00Z") from None


def export(path: Path, form: Format, out: Path, alarm_filter: AlarmFilter, write_record: RecordWriter) -> str:
    """Export the selected alarms; return a one-line summary.

    Parameters
    ----------
    path : Path
        The alarm store.
    form : {"csv", "jsonl", "wfdb"}
    out : Path
        A file; for ``wfdb`` a folder, created if missing.
    alarm_filter : AlarmFilter
    write_record : callable
        Writes a WFDB record; used for ``wfdb``.

    Raises
    ------
    StorageError
        The store does not exist or is damaged; `out` exists or cannot be written.
    """
    with open_read_only(path) as db:
        if form == "wfdb":
            count = _write_strips(db, out, alarm_filter, write_record)
            return f"{count} strips written to {out}"
        count = _write_table(db, form, out, alarm_filter)
        return f"{count} alarms written to {out}"


def _select(db: sqlite3.Connection, columns: str, tables: str, alarm_filter: AlarmFilter) -> sqlite3.Cursor:
    return db.execute(
        f"SELECT {columns} FROM {tables} WHERE (:bed IS NULL OR alarms.bed = :bed) "
        "AND (:since IS NULL OR coalesce(raised_at, cleared_at, acknowledged_at) >= :since) ORDER BY number",
        {"bed": alarm_filter.bed, "since": alarm_filter.since_utc()},
    )


def _write_table(db: sqlite3.Connection, form: Format, out: Path, alarm_filter: AlarmFilter) -> int:
    rows = _select(db, "*", "alarms", alarm_filter)
    names = [column[0] for column in rows.description]
    count = 0
    try:
        file = out.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise StorageError(f"{out} exists: move it away, or choose another --out file") from None
    except OSError as error:
        raise _not_writable(out, error) from None
    try:
        with file:
            table = csv.writer(file, lineterminator="\n")
            if form == "csv":
                table.writerow(names)
            for count, row in enumerate(rows, start=1):  # noqa: B007
                if form == "csv":
                    table.writerow(row)
                else:
                    file.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")
    except BaseException as error:
        out.unlink(missing_ok=True)  # an incomplete table could be mistaken for a complete one
        if isinstance(error, OSError):
            raise _not_writable(out, error) from None
        raise
    return count


def _write_strips(db: sqlite3.Connection, out: Path, alarm_filter: AlarmFilter, write_record: RecordWriter) -> int:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(out, error) from None
    columns = "alarms.*, strips.start, strips.leads, strips.gain, strips.zero, strips.samples"
    rows = _select(db, columns, "alarms JOIN strips USING (alarm_id)", alarm_filter)
    names = [column[0] for column in rows.description]
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        alarm = dict(zip(names, row, strict=True))
        leads = json.loads(alarm["leads"])
        write_record(
            out / record_name(alarm),
            np.frombuffer(alarm["samples"], "<i2").reshape(-1, len(leads)),
            leads=leads,
            gain=json.loads(alarm["gain"]),
            zero=json.loads(alarm["zero"]),
            comments=list(_comments(alarm)),
            notes=_notes(alarm, len(alarm["samples"]) // (2 * len(leads))),
        )
    return count


def record_name(alarm: dict[str, Any]) -> str:
    """Return the record name of an alarm's strip: WFDB allows only letters, digits and ``_``."""
    return re.sub(r"[^A-Za-z0-9]", "_", f"{alarm['bed']}_{alarm['number']}_{alarm['kind']}")


def _comments(alarm: dict[str, Any]) -> Iterable[str]:
    yield "bedside alarm strip; from a simulator, not a medical device"
    for name in ("alarm_id", "bed", "record", "kind", "priority", "text", "raised_at", "cleared_at"):
        if alarm[name] is not None:
            yield f"{name}: {alarm[name]}"
    if alarm["acknowledged_by"] is not None:
        yield f"acknowledged: {alarm['acknowledged_at']} by {alarm['acknowledged_by']}"
    yield f"strip: {alarm['strip']}, from sample {alarm['start']} of session {alarm['session']}"


def _notes(alarm: dict[str, Any], n: int) -> list[tuple[int, str]]:
    onset, kind = alarm["onset"] - alarm["start"], alarm["kind"]
    notes = [(onset, f"{kind} begins")]
    if alarm["end"] is not None and onset <= (end := alarm["end"] - alarm["start"]) < n:
        notes.append((end, f"{kind} ends"))
    return notes


def _not_writable(out: Path, error: OSError) -> StorageError:
    return StorageError(f"{out} cannot be written ({error.strerror}): choose another --out")
