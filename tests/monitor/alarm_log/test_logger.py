"""The alarm logger, on brokers; see also tests/system/test_alarm_kills.py."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from monitor.alarm_log.class_reader import read_sessions
from monitor.alarm_log.export import AlarmFilter
from monitor.alarm_log.logger import Logger, events_client, waveform_client
from monitor.alarm_log.printer import EventPrinter
from monitor.alarm_log.store import AlarmLog
from stream.errors import StorageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.wire.alarm_messages import Action, ActiveAlarms, Alarm, Command, EventsRequest
from stream.wire.answer import Answer
from stream.wire.detail import SetDetail
from stream.wire.messages import INVALID
from stream.wire.status_messages import ProcessStatus
from stream.wire.topics import Kind, Role, pattern
from stream.wire.truth_message import Truth
from stream.wire.ward_batches import ward_ecg
from tests.brokers import Mosquitto
from tests.monitor import message_samples
from tests.monitor.alarm_log.test_store import alarm, command, rows
from tests.waveforms import SESSION, chunk


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true; the time limit of the test ends an endless wait."""
    while not condition():
        await asyncio.sleep(0.01)


@asynccontextmanager
async def running_logger(
    address: BrokerAddress, log: AlarmLog, printer: EventPrinter | None = None
) -> AsyncIterator[tuple[Counter[str], Counter[str]]]:
    """Run a logger; provide the counters of its two connections."""
    async with events_client(address, log) as events, waveform_client(address) as waves:
        running = asyncio.create_task(Logger(events, waves, log, printer).run())
        try:
            yield events.counters, waves.counters
        finally:
            running.cancel()
            await asyncio.wait([running])
        assert running.cancelled()


def store_messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "bedside.alarms"]


@pytest.fixture(autouse=True)
def log_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bedside.alarms")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock the file, as another writer."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def stream(publisher: Client, first_s: int, last_s: int) -> int:
    """Send one chunk per second of signal; return the number of chunks."""
    for seq in range(first_s, last_s):
        publisher.send(chunk(seq, 360))
    return last_s - first_s


def onset_at(second: int, **changes: object) -> Alarm:
    return message_samples.alarm(second * 360, **changes)


# --- events ---------------------------------------------------------------------------------------------------------


def printed_onsets(output: bytes) -> list[int]:
    return [msgspec.json.decode(line, type=Alarm).onset for line in output.splitlines()]


async def test_each_event_is_stored_and_then_printed(broker: BrokerAddress, tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log, (tmp_path / "out").open("wb") as out:
        with EventPrinter(log, out.fileno()) as printer:
            async with running_logger(broker, log, printer) as (counters, _):
                async with Client(broker, role=Role.WORKER) as worker:
                    for n in range(100):
                        worker.send(alarm(n))
                        worker.send(alarm(n))
                    await until(lambda: counters["stored"] + counters["repeated"] == 200)
            assert counters["repeated"] == 100
        assert not printer.failed
        assert [event.onset for event in log.events()] == list(range(100))
    assert printed_onsets((tmp_path / "out").read_bytes()) == list(range(100))


async def test_the_logger_asks_for_events_after_each_connect(mosquitto: Mosquitto, tmp_path: Path) -> None:
    requests = [pattern(Kind.EVENTS_REQUEST)]
    async with Client(mosquitto.address, role=None, subscriptions=requests) as worker:
        with AlarmLog(tmp_path / "a.sqlite") as log:
            async with running_logger(mosquitto.address, log) as (counters, _):
                assert isinstance((await worker.receive()).message, EventsRequest)
                with socket.create_connection((mosquitto.address.host, mosquitto.address.port)) as other:
                    # A CONNECT of MQTT 3.1.1 with the same client id makes the broker close the logger's connection.
                    name = log.client_id.encode()
                    body = b"\x00\x04MQTT\x04\x00\x00\x00" + len(name).to_bytes(2, "big") + name
                    other.sendall(b"\x10" + bytes([len(body)]) + body)
                    await until(lambda: counters["reconnects"] == 1)
                assert isinstance((await worker.receive()).message, EventsRequest)


async def test_events_that_could_not_be_stored_are_not_acknowledged(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path, wait_s=0.01) as log:
        with locked(path):
            async with running_logger(mosquitto.address, log) as (counters, _):
                async with Client(mosquitto.address, role=Role.WORKER) as worker:
                    for n in range(30):
                        worker.send(alarm(n))
                    assert await worker.flush(10)
                await until(lambda: counters["store_failures"] >= 2)
        assert not log.events()
        assert caplog.text.count("events are held") == 1

        async with running_logger(mosquitto.address, log) as (counters, _):
            await until(lambda: counters["stored"] == 30)
        assert [event.onset for event in log.events()] == list(range(30))


async def test_storing_resumes_once_the_file_is_unlocked(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path, wait_s=0.01) as log:
        async with running_logger(mosquitto.address, log) as (counters, _):
            async with Client(mosquitto.address, role=Role.WORKER) as worker:
                with locked(path):
                    for n in range(50):
                        worker.send(alarm(n))
                    await until(lambda: counters["store_failures"] >= 1)
                await until(lambda: counters["stored"] == 50)
            assert counters["repeated"] == 0
    lines = store_messages(caplog)
    assert ["held" in line for line in lines] == [True, False]
    assert "can be written again" in lines[1]


async def test_a_logger_killed_while_storing_stores_each_event_once(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path, total = tmp_path / "a.sqlite", 600
    environment = {**os.environ, "BEDSIDE_BROKER": str(mosquitto.address)}
    run = [sys.executable, "-m", "monitor.cli", "alarms", "--db", str(path)]

    def stored() -> int:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            count: int = db.execute("SELECT count(*) FROM events").fetchone()[0]
            return count

    observer = Client(mosquitto.address, role=None, subscriptions=[pattern(Kind.PROCESS, role=Role.LOGGER)])
    async with Client(mosquitto.address, role=Role.WORKER) as worker, observer:
        process = subprocess.Popen(run, env=environment)
        try:
            status = (await observer.receive()).message
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
                process = subprocess.Popen(run, env=environment)
            await sending
            assert await worker.flush(10)
            await until(lambda: stored() >= total)
        finally:
            process.terminate()
            status_at_end = process.wait(10)
    assert status_at_end == 0
    with AlarmLog(path) as log:
        assert sorted(event.onset for event in log.events()) == list(range(total))


# --- strips and commands --------------------------------------------------------------------------------------------


async def test_a_strip_is_stored_once_its_last_sample_is_received(broker: BrokerAddress, tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        async with running_logger(broker, log) as (counters, _), Client(broker, role=None) as bed:
            sent = stream(bed, 0, 21)
            await until(lambda: counters["chunks"] == sent)
            bed.send(onset_at(20))
            await until(lambda: counters["stored"] == 1)
            stream(bed, 21, 30)
            await until(lambda: counters["strips"] == 1)
        (strip,) = log.strips()
    assert strip.complete
    assert strip.start == 3600
    assert np.array_equal(strip.adu()[:, 0], np.arange(3600, 10_800) % 10_000)
    assert rows(tmp_path / "a.sqlite", "SELECT strip FROM alarms") == [("complete",)]


async def test_the_strip_of_a_bed_of_a_large_ward_comes_from_the_messages_of_its_shard(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """From 15 s on somebody asks for the bed, so that it flows both ways."""
    with AlarmLog(tmp_path / "a.sqlite") as log:
        async with (
            running_logger(mosquitto.address, log) as (counters, _),
            Client(mosquitto.address, role=None) as bed,
        ):
            for seq in range(310):
                bed.send(ward_ecg([chunk(seq)]))
                if seq >= 150:
                    bed.send(chunk(seq))
                if seq % 20 == 0:
                    assert await bed.flush(10)
                if seq == 210:
                    bed.send(onset_at(20))
            await until(lambda: counters["strips"] == 1 and counters["chunks"] >= 310)
            assert counters["chunks"] == 310
        (strip,) = log.strips()
    assert strip.complete
    assert np.array_equal(strip.adu()[:, 0], np.arange(3600, 10_800) % 10_000)


async def test_ecg_is_not_queued_while_the_logger_is_disconnected(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        async with running_logger(mosquitto.address, log):
            pass
        async with Client(mosquitto.address, role=Role.PUBLISHER) as bed:
            for first in range(0, 1200, 20):
                stream(bed, first, first + 20)
                assert await bed.flush(10)
            for second in (1100, 1150, 1190):
                bed.send(onset_at(second))
        async with running_logger(mosquitto.address, log) as (counters, _):
            await until(lambda: counters["stored"] == 3)
            assert counters["chunks"] == 0


async def test_an_incomplete_strip_is_completed_by_the_next_process(broker: BrokerAddress, tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        async with Client(broker, role=None) as bed:
            async with running_logger(broker, log) as (counters, _):
                sent = stream(bed, 0, 21)
                bed.send(onset_at(20))
                await until(lambda: counters["stored"] == 1 and counters["chunks"] == sent)
            (half,) = log.strips()
            assert not half.complete
            assert (half.adu()[11 * 360 :] == INVALID).all()
            async with running_logger(broker, log) as (counters, _):
                stream(bed, 21, 31)
                await until(lambda: counters["strips"] == 1)
            (whole,) = log.strips()
    assert whole.complete
    assert np.array_equal(whole.adu()[:, 0], np.arange(3600, 10_800) % 10_000)


async def test_the_end_of_a_session_finishes_its_strips(broker: BrokerAddress, tmp_path: Path) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        async with running_logger(broker, log) as (counters, _), Client(broker, role=None) as bed:
            sent = stream(bed, 0, 21)
            bed.send(onset_at(20))
            await until(lambda: counters["stored"] == 1 and counters["chunks"] == sent)
            bed.send(message_samples.status("publisher", "ended"))
            await until(lambda: counters["strips"] == 1)
        assert [strip.complete for strip in log.strips()] == [False]


async def test_on_a_full_disk_strips_are_held_and_stored_later(
    broker: BrokerAddress, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        async with running_logger(broker, log) as (counters, _), Client(broker, role=None) as bed:
            for second in (10, 11, 12):
                bed.send(onset_at(second))
            await until(lambda: counters["stored"] == 3)
            pages = log._db.execute("PRAGMA page_count").fetchone()[0]
            log._db.execute(f"PRAGMA max_page_count = {pages}")
            stream(bed, 0, 25)
            await until(lambda: counters["store_failures"] >= 2)
            assert not log.strips()
            log._db.execute("PRAGMA max_page_count = 1000000")
            await until(lambda: counters["strips"] == 3)
        assert [strip.complete for strip in log.strips()] == [True] * 3
    lines = store_messages(caplog)
    assert ["make room on its disk; strips are held" in line for line in lines] == [True, False]
    assert "can be written again" in lines[1]


async def test_events_do_not_wait_for_held_strips(
    broker: BrokerAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("no")

    with AlarmLog(tmp_path / "a.sqlite") as log:
        monkeypatch.setattr(log, "add_strips", fail)
        async with running_logger(broker, log) as (counters, _), Client(broker, role=None) as bed:
            bed.send(onset_at(10))
            stream(bed, 0, 25)
            await until(lambda: counters["store_failures"] >= 1)
            for second in range(30, 60):
                bed.send(onset_at(second))
            await until(lambda: counters["stored"] == 31)
            assert counters["strips"] == 0


async def test_strips_that_cannot_be_stored_at_shutdown_are_reported(
    broker: BrokerAddress, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path, wait_s=0.01) as log:
        with contextlib.ExitStack() as lock:
            async with running_logger(broker, log) as (counters, _), Client(broker, role=None) as bed:
                bed.send(onset_at(10))
                await until(lambda: counters["stored"] == 1)
                lock.enter_context(locked(path))
                sent = stream(bed, 0, 15)
                await until(lambda: counters["chunks"] == sent)
        assert not log.strips()
        assert len(log.events()) == 1
    assert "events are not" in caplog.text


async def test_executed_commands_are_stored_once(broker: BrokerAddress, tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path) as log:
        async with Client(broker, role=Role.WORKER) as worker:
            worker.send(ActiveAlarms(bed="bed-1", commands=tuple(command(n) for n in range(5))))
            assert await worker.flush(10)
            async with running_logger(broker, log) as (counters, _):
                await until(lambda: counters["commands"] == 5)
                worker.send(ActiveAlarms(bed="bed-1", commands=tuple(command(n) for n in range(1, 7))))
                await until(lambda: counters["commands"] == 7)
    stored = [found for (found,) in rows(path, "SELECT command_id FROM commands ORDER BY rowid")]
    assert stored == [command(n).command_id for n in range(7)]


async def test_events_of_a_worker_that_another_one_has_replaced_are_not_stored(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    path = tmp_path / "alarms.sqlite"
    with AlarmLog(path) as log:
        async with (
            running_logger(mosquitto.address, log) as (counters, _),
            Client(mosquitto.address, role=None) as worker,
        ):
            for number, lease in enumerate((1, 2, 2, 1)):
                worker.send(message_samples.alarm(number, lease=lease))
            async with asyncio.timeout(20):
                await until(lambda: counters["stored"] + counters["superseded"] == 4)
        assert [event.onset for event in log.events()] == [0, 1, 2]
        assert counters["superseded"] == 1


# --- a class --------------------------------------------------------------------------------------------------------


async def test_the_log_of_a_class_stores_truth_commands_and_forecasts_each_once(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    truth = Truth(
        bed="bed-1", session=SESSION, epoch=0, index=1800, when="2026-01-31T12:00:00.000Z", truth_id="vt-1",
        what="rhythm", phase="begin", name="VT", synthetic=True,
    )  # fmt: skip
    answer = command_of(Answer(rhythm="VT", session=SESSION, index=2000))
    with AlarmLog(tmp_path / "class.sqlite") as log:
        async with (
            events_client(mosquitto.address, log) as events,
            waveform_client(mosquitto.address, truth=True) as waves,
            Client(mosquitto.address, role=Role.PUBLISHER) as publisher,
        ):
            running = asyncio.create_task(Logger(events, waves, log).run())
            for message in (truth, truth, answer, answer, command_of(SetDetail())):
                publisher.send(message)
            for second in range(16):
                publisher.send(message_samples.forecast(second * 360 - 1 + 36, mean=1.5))
                publisher.send(chunk(second, 360))
            path = tmp_path / "class.sqlite"
            await until(lambda: bool(rows(path, "SELECT * FROM forecasts")))
            running.cancel()
            await asyncio.wait([running])
        [session] = read_sessions(path, AlarmFilter())
    assert session.truths == (truth,)
    assert session.commands == (answer,)
    [strip] = session.strips.values()
    assert (strip.start, strip.complete) == (0, True)
    assert set(session.forecasts[strip.alarm_id][:, 1].tolist()) == {1.5}


def command_of(action: Action) -> Command:
    return Command(
        command_id=secrets.token_hex(16), bed="bed-1", who="student 1", when="2026-01-31T12:00:01.000Z", action=action
    )


async def test_the_forecast_of_a_strip_is_stored_with_it(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with AlarmLog(path) as log:
        async with running_logger(mosquitto.address, log) as (counters, _), Client(mosquitto.address, role=None) as bed:
            for second in range(22):
                bed.send(message_samples.forecast(second * 360 + 35, mean=1.5))
                bed.send(chunk(second, 360))
            bed.send(onset_at(10))
            await until(lambda: counters["strips"] == 1)
        [(points,)] = rows(path, "SELECT points FROM forecasts")
    assert {mean for _, mean, _ in np.frombuffer(points, "<f4").reshape(-1, 3).tolist()} == {1.5}
