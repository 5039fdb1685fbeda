"""The alarm store, on real files."""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alarm_log import store as alarm_log
from monitor.alarm_log.schema import SCHEMA
from monitor.alarm_log.store import AlarmLog
from monitor.common.strip import Strip
from stream.errors import StorageError
from stream.wire.alarm_messages import KINDS, REASONS, Acknowledge, Alarm, Command
from stream.wire.messages import INVALID
from tests.monitor.alarm_log import old_layouts

SESSION = "0123456789abcdef" * 2


def alarm(number: int, **changes: Any) -> Alarm:
    """Return an event with onset ``number``."""
    alarm_id = f"{SESSION}-residual-{number}"
    fields: dict[str, Any] = {
        "event_id": f"{alarm_id}-raised",
        "alarm_id": alarm_id,
        "bed": "bed-1",
        "session": SESSION,
        "record": "mitdb/208",
        "kind": "residual",
        "priority": "medium",
        "phase": "raised",
        "onset": number,
        "end": None,
        "when": "2026-01-31T12:00:00.000Z",
        "text": "Unusual complex",
        "observed": 1.25,
        "predicted": -0.5,
        "score": 7.5,
        "threshold": 6.0,
        "duration_s": 0.0,
    }
    return Alarm(**{**fields, **changes})


def cleared(number: int) -> Alarm:
    """Return the ``cleared`` event of alarm ``number``."""
    return alarm(
        number, event_id=alarm(number).alarm_id + "-cleared", phase="cleared", end=number + 360, duration_s=1.0
    )


def acknowledged(number: int, by: str = "nurse 1") -> Alarm:
    """Return the ``acknowledged`` event of alarm ``number``."""
    return alarm(number, event_id=alarm(number).alarm_id + "-acknowledged", phase="acknowledged", acknowledged_by=by)


def command(number: int) -> Command:
    """Return a command that acknowledges alarm ``number``."""
    return Command(
        command_id=f"{number:032x}",
        bed="bed-1",
        who="nurse 1",
        when="2026-01-31T12:00:15.000Z",
        action=Acknowledge(alarm_id=alarm(number).alarm_id),
    )


def strip(number: int, valid: int = 7200, **changes: Any) -> Strip:
    """Return the strip of alarm ``number``; samples from ``valid`` on are missing."""
    samples = np.arange(7200).astype("<i2")
    samples[valid:] = INVALID
    fields: dict[str, Any] = {
        "alarm_id": alarm(number).alarm_id,
        "bed": "bed-1",
        "session": SESSION,
        "priority": "medium",
        "start": number,
        "leads": ("MLII",),
        "gain": (200.0,),
        "zero": (1024,),
        "samples": samples.tobytes(),
        "complete": valid == 7200,
    }
    return Strip(**{**fields, **changes})


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query, read over a second connection."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


# --- the file -------------------------------------------------------------------------------------------------------


def test_an_event_is_stored_once_and_read_back(tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        assert log.add([(alarm(1), 0), (cleared(1), 0), (alarm(1), 0)]) == [alarm(1), cleared(1)]
        assert log.add([(alarm(1, text="sent again"), 0)]) == []
    with AlarmLog(tmp_path / "a.sqlite") as log:
        assert log.add([(cleared(1), 0)]) == []
        assert list(log.events()) == [alarm(1), cleared(1)]


@settings(max_examples=20)
@given(st.lists(st.lists(st.integers(0, 12), max_size=10), max_size=8))
def test_repeated_events_in_any_batches_are_stored_once(batches: list[list[int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, AlarmLog(Path(folder) / "a.sqlite") as log:
        added = [event for batch in batches for event in log.add([(alarm(n), 0) for n in batch])]
        distinct = list(dict.fromkeys(n for batch in batches for n in batch))
        assert [event.onset for event in added] == distinct
        assert list(log.events()) == added


@given(st.data())
@settings(max_examples=20)
def test_all_fields_are_read_back(data: st.DataObject) -> None:
    number = st.none() | st.floats(-1e9, 1e9)
    event = alarm(
        data.draw(st.integers(0, 2**53)),
        kind=data.draw(st.sampled_from(KINDS)),
        acknowledged_by=data.draw(st.none() | st.text(min_size=1, max_size=64)),
        latched=data.draw(st.booleans()),
        repeats=data.draw(st.integers(0, 10**9)),
        end=data.draw(st.none() | st.integers(0, 2**53)),
        text=data.draw(st.text(st.characters(codec="utf-8"), max_size=200)),
        reason=data.draw(st.none() | st.sampled_from(REASONS)),
        beats=data.draw(st.none() | st.integers(0, 10**9)),
        leads=tuple(data.draw(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=16), max_size=2))),
        replaced_by=data.draw(st.none() | st.sampled_from(KINDS)),
        switched_off_by=data.draw(st.none() | st.text(min_size=1, max_size=64)),
        **{name: data.draw(number) for name in ("value", "limit", "observed", "predicted", "horizon_ms")},
        **{name: data.draw(number) for name in ("score", "threshold")},
    )
    with tempfile.TemporaryDirectory() as folder, AlarmLog(Path(folder) / "a.sqlite") as log:
        log.add([(event, 0)])
        assert list(log.events()) == [event]


def test_the_view_has_one_row_per_alarm(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path) as log:
        log.add([(alarm(1, latched=False), 0), (alarm(2), 1_000_000_000), (cleared(1), 0)])
        log.add([(acknowledged(1), 0)])
        log.add_strips([strip(2, valid=100)])
    assert rows(path, 'SELECT onset, phase, "end", duration_s, acknowledged_by, strip FROM alarms') == [
        (1, "cleared", 361, 1.0, "nurse 1", None),
        (2, "raised", None, 0.0, None, "incomplete"),
    ]
    assert rows(path, "SELECT raised_at, acknowledged_at FROM alarms WHERE onset = 1") == [(alarm(1).when,) * 2]
    assert rows(path, "SELECT received_at FROM events WHERE onset = 2") == [("1970-01-01T00:00:01.000Z",)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_view_does_not_depend_on_the_order_of_storing(tmp_path: Path, order: tuple[int, ...]) -> None:
    events = [
        alarm(1, text="Unusual complex", value=1.0, reason="rule_met"),
        acknowledged(1),
        msgspec.structs.replace(cleared(1), text="Unusual complex: ended", value=2.0, reason="rule_no_longer_met"),
    ]
    with AlarmLog(tmp_path / "a.sqlite") as log:
        for number in order:
            log.add([(events[number], 0)])
    assert rows(tmp_path / "a.sqlite", "SELECT number, phase, text, value, reason, acknowledged_by FROM alarms") == [
        (1, "cleared", "Unusual complex", 2.0, "rule_no_longer_met", "nurse 1")
    ]


@pytest.mark.parametrize(
    "older",
    [
        "DROP VIEW alarms; CREATE VIEW alarms AS SELECT 'old' AS text; PRAGMA user_version = 3",
        "PRAGMA user_version = 4",
    ],
)
def test_a_file_of_schema_3_or_4_has_the_new_view_and_the_tables_of_a_class(tmp_path: Path, older: str) -> None:
    path, new = tmp_path / "a.sqlite", tmp_path / "new.sqlite"
    with AlarmLog(path) as log:
        log.add([(cleared(1), 0), (alarm(1, text="raised"), 0)])
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(f"DROP TABLE truths; DROP TABLE forecasts; {older}")
    AlarmLog(path).close()
    AlarmLog(new).close()
    layout = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
    assert rows(path, layout) == rows(new, layout)
    assert rows(path, "PRAGMA user_version") == [(SCHEMA,)]
    assert rows(path, "SELECT text FROM alarms") == [("raised",)]


def test_a_command_is_stored_once(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path) as log:
        assert log.add_commands([(command(1), 0), (command(2), 0)]) == 2
        assert log.add_commands([(command(2), 0), (command(3), 0)]) == 1
    stored = rows(path, "SELECT command_id, who, action FROM commands ORDER BY rowid")
    assert [(found[0], found[1]) for found in stored] == [(command(n).command_id, "nurse 1") for n in (1, 2, 3)]
    assert json.loads(stored[0][2]) == {"do": "acknowledge", "alarm_id": alarm(1).alarm_id}


def test_a_strip_is_read_back_and_only_an_incomplete_one_is_replaced(tmp_path: Path) -> None:
    two_leads = strip(2, leads=("MLII", "V1"), gain=(200.0, 1e-3), zero=(1024, -7))
    with AlarmLog(tmp_path / "a.sqlite") as log:
        log.add_strips([strip(1, valid=100), two_leads])
        log.add_strips([strip(1, valid=7200)])
        log.add_strips([strip(1, valid=50)])
        assert list(log.strips()) == [strip(1), two_leads]


def test_alarms_without_a_complete_strip(tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        log.add([(event, 0) for n in range(5) for event in (alarm(n), cleared(n))])
        log.add_strips([strip(1), strip(3, valid=100)])
        assert log.without_complete_strip(3) == [(alarm(2), None), (alarm(3), strip(3, valid=100)), (alarm(4), None)]


def test_the_number_of_strips_is_bounded_and_high_priorities_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarm_log, "STRIPS_PER_BED", 20)
    path = tmp_path / "a.sqlite"
    with AlarmLog(path) as log:
        log.add_strips([strip(0, priority="high"), strip(1, bed="bed-2", priority="low")])
        log.add_strips([strip(n, priority="low") for n in range(10, 500)])
        assert [kept.start for kept in log.strips()] == [0, 1, *range(481, 500)]
    assert path.stat().st_size < 30 * 16384, "pages of deleted strips are reused"


@pytest.mark.parametrize("layout", [old_layouts.LAYOUT_1, old_layouts.LAYOUT_2])
def test_a_file_of_an_old_schema_is_migrated(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "a.sqlite"
    old = [event for n in (3, 1, 2) for event in (alarm(n), cleared(n))]
    old_layouts.make(path, layout, old)
    with AlarmLog(path) as log:
        assert log.client_id == "bedside-log-0123456789"
        assert list(log.events()) == old
        assert log.add([(alarm(1), 0), (acknowledged(1), 0)]) == [acknowledged(1)]
        log.add_strips([strip(1)])
    with AlarmLog(path) as log:
        assert list(log.events()) == [*old, acknowledged(1)]
    assert rows(path, "SELECT DISTINCT received_at FROM events WHERE number < 7") == [("2026-01-31T12:00:00.500Z",)]
    assert rows(path, "SELECT DISTINCT text, reason FROM alarms") == [(alarm(1).text, None)]
    assert rows(path, "PRAGMA user_version") == [(SCHEMA,)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    AlarmLog(tmp_path / "new.sqlite").close()
    layout = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
    assert rows(path, layout) == rows(tmp_path / "new.sqlite", layout)


def test_a_migration_on_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.sqlite"
    old = [alarm(n, text="x" * 200) for n in range(100)]
    old_layouts.make(path, old_layouts.LAYOUT_1, old)
    connect = sqlite3.connect

    def connect_full(database: Path, *args: Any, **options: Any) -> sqlite3.Connection:
        db = connect(database, *args, **options)
        if database == path:
            db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
        return db

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect_full)
        with pytest.raises(StorageError, match=r"full.*make room"):
            AlarmLog(path)
    assert rows(path, "PRAGMA user_version") == [(1,)]
    assert rows(path, "SELECT count(*) FROM alarms") == [(100,)]
    with AlarmLog(path) as log:
        assert list(log.events()) == old


def test_the_client_id_belongs_to_the_file(tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        first = log.client_id
    with AlarmLog(tmp_path / "a.sqlite") as log, AlarmLog(tmp_path / "b.sqlite") as other:
        assert log.client_id == first != other.client_id
        assert len(first) <= 23


def _folder(path: Path) -> None:
    path.mkdir()


def _text(path: Path) -> None:
    path.write_text("time,heart rate\n" * 100)


def _foreign(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE photos (id)")


def _newer(path: Path) -> None:
    AlarmLog(path).close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")


def _locked(path: Path) -> sqlite3.Connection:
    AlarmLog(path).close()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    return db


@pytest.mark.parametrize(
    ("prepare", "name", "expected"),
    [
        (None, "nowhere/a.sqlite", "folder that exists"),
        (_folder, "a.sqlite", "cannot be used"),
        (_text, "a.sqlite", "not a database"),
        (_foreign, "a.sqlite", "another program's"),
        (_newer, "a.sqlite", f"layout {SCHEMA + 1}"),
        (_locked, "a.sqlite", "end the other process"),
    ],
)
def test_an_unusable_file_is_a_one_line_error(
    tmp_path: Path, prepare: Callable[[Path], sqlite3.Connection | None] | None, name: str, expected: str
) -> None:
    connection = prepare(tmp_path / name) if prepare else None
    try:
        with pytest.raises(StorageError, match=expected) as caught:
            AlarmLog(tmp_path / name, wait_s=0.05)
        assert "\n" not in str(caught.value)
        assert name in str(caught.value)
    finally:
        if connection is not None:
            connection.close()


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("DROP TABLE meta", "meta"),
        ("DROP TABLE events", "events"),
        ("DROP TABLE strips", "strips"),
        ("DROP TABLE commands", "commands"),
        ("DROP VIEW alarms", "alarms"),
        ("ALTER TABLE events RENAME COLUMN beats TO other", "beats"),
        ("ALTER TABLE strips RENAME COLUMN samples TO other", "samples"),
        ("DROP TABLE commands; CREATE TABLE commands (command_id, bed, who, 'when', action, received_at)", "CONFLICT"),
        ("PRAGMA user_version = 1", "already exists"),
    ],
)
def test_damaged_tables_are_found_when_the_file_is_opened(tmp_path: Path, damage: str, expected: str) -> None:
    path = tmp_path / "a.sqlite"
    AlarmLog(path).close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA writable_schema = ON; PRAGMA legacy_alter_table = ON; " + damage)
    with pytest.raises(StorageError, match=expected) as caught:
        AlarmLog(path)
    assert "\n" not in str(caught.value)
    assert "move it away" in str(caught.value)


@pytest.mark.parametrize("value", ["'[1'", "'null'", "x'ff00'", "17"])
def test_a_damaged_value_is_a_one_line_error(tmp_path: Path, value: str) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path) as log:
        log.add([(alarm(1), 0)])
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"UPDATE events SET leads = {value}")
        db.commit()
    with AlarmLog(path) as log:
        for read in (log.events, lambda: log.without_complete_strip(10)):
            with pytest.raises(StorageError, match=r"a\.sqlite"):
                read()  # type: ignore[operator]


def test_a_file_with_a_second_name_is_rejected(tmp_path: Path) -> None:
    path, other = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    with AlarmLog(path) as log:
        other.hardlink_to(path)
        with pytest.raises(StorageError, match=r"b\.sqlite has 2 names \(hard links\)"):
            AlarmLog(other)
        log.add([(alarm(1), 0)])
    other.unlink()
    AlarmLog(path).close()


def test_a_second_logger_of_the_same_file_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    (tmp_path / "link.sqlite").symlink_to(path)
    with AlarmLog(path):
        for name in ("a.sqlite", "link.sqlite"):
            with pytest.raises(StorageError, match="open in another"):
                AlarmLog(tmp_path / name)
    AlarmLog(path).close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.sqlite", "link.sqlite"]


@pytest.mark.parametrize("kind", ["events", "strips", "commands"])
def test_on_a_full_disk_no_item_of_the_batch_is_stored(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path) as log:

        def store() -> None:
            if kind == "events":
                log.add([(alarm(n, text="x" * 200), 0) for n in range(100)])
            elif kind == "strips":
                log.add_strips([strip(n) for n in range(100)])
            else:
                log.add_commands([(command(n), 0) for n in range(100)])

        pages = log._db.execute("PRAGMA page_count").fetchone()[0]
        log._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StorageError, match=r"full.*make room"):
            store()
        assert rows(path, f"SELECT count(*) FROM {kind}") == [(0,)]
        log._db.execute("PRAGMA max_page_count = 1000000")
        store()
    assert rows(path, f"SELECT count(*) FROM {kind}") == [(100,)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_moved_file_stores_nothing_until_it_is_restored(tmp_path: Path, replaced: bool) -> None:
    path, aside = tmp_path / "alarms.sqlite", tmp_path / "aside.sqlite"
    with AlarmLog(path) as log:
        log.add([(alarm(1), 0)])
        path.rename(aside)
        if replaced:
            path.touch()
        with pytest.raises(StorageError, match="moved, removed or replaced"):
            log.add([(alarm(2), 0)])
        path.unlink(missing_ok=True)
        aside.rename(path)
        assert [event.onset for event in log.add([(alarm(2), 0)])] == [2]
        assert [event.onset for event in log.events()] == [1, 2]


def test_commands_and_strips_of_schema_2_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    old_layouts.make(path, old_layouts.LAYOUT_2, [alarm(1, latched=True, value=1.5), cleared(1), acknowledged(1)])
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO commands VALUES ('1', 'bed-1', 'nurse 1', 'now', '{}', 'now')")
        db.commit()
    with AlarmLog(path) as log:
        assert list(log.events()) == [alarm(1, latched=True, value=1.5), cleared(1), acknowledged(1)]
        log.add_strips([strip(1)])
        assert len(log.strips()) == 1
    assert rows(path, "SELECT who FROM commands") == [("nurse 1",)]
    assert rows(path, "SELECT onset, phase, acknowledged_by, strip FROM alarms") == [
        (1, "cleared", "nurse 1", "complete")
    ]
