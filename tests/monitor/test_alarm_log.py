"""The alarm store and the logger that fills it, on real files and real brokers."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import alarms
from monitor.alarm_log import SCHEMA, AlarmLog
from stream.address import BrokerAddress
from stream.client import Client
from stream.errors import StorageError
from stream.messages import Alarm, ProcessStatus
from stream.topics import Kind, Role, pattern
from tests.brokers import Mosquitto

SESSION = "0123456789abcdef" * 2


def alarm(number: int, **changes: Any) -> Alarm:
    """Return an event whose onset tells its number."""
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
        "text": "reality left the forecast",
        "observed": 1.25,
        "predicted": -0.5,
        "score": 7.5,
        "threshold": 6.0,
        "duration_s": 0.0,
    }
    return Alarm(**{**fields, **changes})


def cleared(number: int) -> Alarm:
    """Return the event that ends alarm ``number``."""
    return alarm(
        number, event_id=alarm(number).alarm_id + "-cleared", phase="cleared", end=number + 360, duration_s=1.0
    )


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true; a test that waits for ever is ended by its time limit."""
    while not true():
        await asyncio.sleep(0.01)


# --- the file -------------------------------------------------------------------------------------------------------


def test_an_event_is_stored_once_and_comes_back_whole(tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        assert log.add([(alarm(1), 0), (cleared(1), 0), (alarm(1), 0)]) == [alarm(1), cleared(1)]
        assert log.add([(alarm(1, text="sent again"), 0)]) == []
    with AlarmLog(tmp_path / "a.sqlite") as log:
        assert log.add([(cleared(1), 0)]) == []
        assert list(log.events()) == [alarm(1), cleared(1)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 12), max_size=10), max_size=8))
def test_any_repetition_in_any_batches_stores_each_event_once(batches: list[list[int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, AlarmLog(Path(folder) / "a.sqlite") as log:
        fresh = [event for batch in batches for event in log.add([(alarm(n), 0) for n in batch])]
        first_seen = list(dict.fromkeys(n for batch in batches for n in batch))
        assert [event.onset for event in fresh] == first_seen
        assert list(log.events()) == fresh


def test_the_view_shows_one_line_per_alarm(tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        log.add([(alarm(1), 0), (alarm(2), 1_000_000_000), (cleared(1), 0)])
    with contextlib.closing(sqlite3.connect(tmp_path / "a.sqlite")) as db:
        rows = db.execute('SELECT onset, phase, "end", duration_s FROM alarms').fetchall()
        received = db.execute("SELECT received_at FROM events WHERE onset = 2").fetchone()[0]
    assert rows == [(1, "cleared", 361, 1.0), (2, "raised", None, 0.0)]
    assert received == "1970-01-01T00:00:01.000Z"


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
    ("spoil", "name", "words"),
    [
        (None, "nowhere/a.sqlite", "folder that exists"),
        (_folder, "a.sqlite", "cannot be used"),
        (_text, "a.sqlite", "not a database"),
        (_foreign, "a.sqlite", "another program's"),
        (_newer, "a.sqlite", f"layout {SCHEMA + 1}"),
        (_locked, "a.sqlite", "end the other process"),
    ],
)
def test_a_file_that_cannot_serve_is_one_line(
    tmp_path: Path, spoil: Callable[[Path], sqlite3.Connection | None] | None, name: str, words: str
) -> None:
    holder = spoil(tmp_path / name) if spoil else None
    try:
        with pytest.raises(StorageError, match=words) as caught:
            AlarmLog(tmp_path / name, wait_s=0.05)
        assert "\n" not in str(caught.value)
        assert name in str(caught.value)
    finally:
        if holder is not None:
            holder.close()


def test_a_second_logger_of_one_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    (tmp_path / "link.sqlite").symlink_to(path)
    with AlarmLog(path):
        for name in ("a.sqlite", "link.sqlite"):
            with pytest.raises(StorageError, match="open in another"):
                AlarmLog(tmp_path / name)
    AlarmLog(path).close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.sqlite", "link.sqlite"]


def test_a_full_disk_stores_nothing_of_the_batch_and_heals(tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        pages = log._db.execute("PRAGMA page_count").fetchone()[0]
        log._db.execute(f"PRAGMA max_page_count = {pages}")
        batch = [(alarm(n, text="x" * 200), 0) for n in range(100)]
        with pytest.raises(StorageError, match=r"full.*make room"):
            log.add(batch)
        assert not log.events()
        log._db.execute("PRAGMA max_page_count = 1000000")
        assert len(log.add(batch)) == 100


# --- the logger -----------------------------------------------------------------------------------------------------


def logger(address: BrokerAddress, log: AlarmLog) -> Client:
    """Return a connection as `monitor.alarms.serve` makes it."""
    return Client(address, role=Role.LOGGER, subscriptions=[pattern(Kind.ALARMS)], persistent_id=log.client_id)


async def test_it_stores_each_event_and_prints_it_after(broker: BrokerAddress, tmp_path: Path) -> None:
    out = io.StringIO()
    with AlarmLog(tmp_path / "a.sqlite") as log:
        async with logger(broker, log) as client, Client(broker, role=Role.WORKER) as worker:
            storing = asyncio.create_task(alarms.store(client, log, out))
            for n in range(100):
                worker.send(alarm(n))
                worker.send(alarm(n))
            await until(lambda: client.counters["stored"] + client.counters["repeated"] == 200)
            storing.cancel()
            await asyncio.wait([storing])
            assert client.counters["repeated"] == 100
        assert [event.onset for event in log.events()] == list(range(100))
    assert [json.loads(line)["onset"] for line in out.getvalue().splitlines()] == list(range(100))


async def test_what_could_not_be_stored_is_not_acknowledged(
    mosquitto: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path, wait_s=0.01) as log:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        async with logger(mosquitto.address, log) as client, Client(mosquitto.address, role=Role.WORKER) as worker:
            storing = asyncio.create_task(alarms.store(client, log))
            for n in range(30):
                worker.send(alarm(n))
            assert await worker.flush(10)
            await until(lambda: client.counters["store_failures"] >= 2)
            storing.cancel()
            await asyncio.wait([storing])
        assert not log.events()
        assert capsys.readouterr().err.count("end the other process") == 1
        holder.execute("ROLLBACK")
        holder.close()

        async with logger(mosquitto.address, log) as client:
            storing = asyncio.create_task(alarms.store(client, log))
            await until(lambda: client.counters["stored"] == 30)
            storing.cancel()
            await asyncio.wait([storing])
        assert [event.onset for event in log.events()] == list(range(30))


async def test_it_goes_on_when_the_file_is_free_again(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path, wait_s=0.01) as log:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        async with logger(mosquitto.address, log) as client, Client(mosquitto.address, role=Role.WORKER) as worker:
            storing = asyncio.create_task(alarms.store(client, log))
            for n in range(50):
                worker.send(alarm(n))
            await until(lambda: client.counters["store_failures"] >= 1)
            holder.execute("ROLLBACK")
            holder.close()
            await until(lambda: client.counters["stored"] == 50)
            assert client.counters["repeated"] == 0
            storing.cancel()
            await asyncio.wait([storing])


async def test_killed_in_mid_stream_it_loses_nothing_and_stores_nothing_twice(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    path, total = tmp_path / "a.sqlite", 600
    environment = {**os.environ, "BEDSIDE_BROKER": str(mosquitto.address)}
    command = [sys.executable, "-m", "monitor.cli", "alarms", "--db", str(path)]

    def stored() -> int:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            count: int = db.execute("SELECT count(*) FROM events").fetchone()[0]
            return count

    onlooker = Client(mosquitto.address, role=None, subscriptions=[pattern(Kind.PROCESS, role=Role.LOGGER)])
    async with Client(mosquitto.address, role=Role.WORKER) as worker, onlooker:
        process = subprocess.Popen(command, env=environment)
        try:
            status = (await onlooker.receive()).message
            assert isinstance(status, ProcessStatus)
            assert status.state == "online"

            async def send_all() -> None:
                for n in range(total):
                    worker.send(alarm(n))
                    await asyncio.sleep(0.002)

            sending = asyncio.create_task(send_all())
            for share in (0.1, 0.4, 0.7):
                await until(lambda share=share: stored() >= share * total)  # type: ignore[misc]
                process.kill()
                process.wait()
                process = subprocess.Popen(command, env=environment)
            await sending
            assert await worker.flush(10)
            await until(lambda: stored() >= total)
        finally:
            process.terminate()
            status_at_end = process.wait(10)
    assert status_at_end == 0
    with AlarmLog(path) as log:
        assert sorted(event.onset for event in log.events()) == list(range(total))
