"""``bedside alarms`` with a reader that stalls or leaves, with a copy of its store, and with its store taken away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.wire.topics import Kind, Role, pattern
from tests.brokers import Mosquitto
from tests.monitor.alarm_log.test_store import alarm
from tests.system.commands import environment, wait_until

EVENTS = 600
"""Their lines are about 400 KB, far more than a pipe takes."""


def stored(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM events").fetchone()[0])


@contextmanager
def logger(
    address: BrokerAddress, path: Path, *options: str, stdout: int, stderr: int
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "monitor.cli", "alarms", "--db", str(path), *options]
    process = subprocess.Popen(command, env=environment(address), stdout=stdout, stderr=stderr)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@contextmanager
def file(path: Path) -> Iterator[int]:
    with path.open("wb") as opened:
        yield opened.fileno()


async def online(observer: Client, count: int) -> None:
    """Wait for the status of `count` loggers."""
    instances: set[str] = set()
    while len(instances) < count:
        status = (await observer.receive()).message
        if status is not None and getattr(status, "state", "") == "online":
            instances.add(status.instance)  # type: ignore[union-attr]


def observer_of(address: BrokerAddress) -> Client:
    return Client(address, role=None, subscriptions=[pattern(Kind.PROCESS, role=Role.LOGGER)])


async def send(worker: Client, first: int, last: int) -> None:
    for number in range(first, last):
        worker.send(alarm(number))
    assert await worker.flush(30)


async def until(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what)


@pytest.mark.parametrize("errors_too", [False, True], ids=["stdout", "stdout and stderr"])
async def test_a_pipe_that_nobody_reads_stops_neither_storing_nor_sigterm(
    mosquitto: Mosquitto, tmp_path: Path, errors_too: bool
) -> None:
    path, (reading, writing) = tmp_path / "a.sqlite", os.pipe()
    async with observer_of(mosquitto.address) as observer, Client(mosquitto.address, role=Role.WORKER) as worker:
        with (
            file(tmp_path / "err") as errors,
            logger(
                mosquitto.address, path, "--jsonl", stdout=writing, stderr=writing if errors_too else errors
            ) as process,
        ):
            os.close(writing)
            await online(observer, 1)
            await send(worker, 0, EVENTS)
            await until(lambda: stored(path) == EVENTS, "the last event")
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 20) == 0
    with os.fdopen(reading, "rb") as pipe:
        printed = [line for line in pipe.read().splitlines() if line.startswith(b"{")]
    assert 0 < len(printed) < EVENTS
    if not errors_too:
        assert f"events after number {len(printed)} of" in (tmp_path / "err").read_text()


async def test_a_reader_that_leaves_costs_one_line_and_the_exit_status(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path, (reading, writing) = tmp_path / "a.sqlite", os.pipe()
    async with observer_of(mosquitto.address) as observer, Client(mosquitto.address, role=Role.WORKER) as worker:
        with (
            file(tmp_path / "err") as errors,
            logger(mosquitto.address, path, "--jsonl", stdout=writing, stderr=errors) as process,
        ):
            os.close(writing)
            await online(observer, 1)
            os.close(reading)
            await send(worker, 0, 30)
            await until(lambda: stored(path) == 30, "the last event")
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 20) == 1
    lines = (tmp_path / "err").read_text().splitlines()
    assert ["its reader has left" in line for line in lines].count(True) == 1
    assert not [line for line in lines if not line.startswith("bedside alarms: ")]


async def test_of_two_loggers_with_copies_of_one_store_the_second_ends(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path, copy = tmp_path / "a.sqlite", tmp_path / "copy.sqlite"
    async with observer_of(mosquitto.address) as observer:
        with file(tmp_path / "err") as errors, logger(mosquitto.address, path, stdout=errors, stderr=errors) as first:
            await online(observer, 1)
            with contextlib.closing(sqlite3.connect(path)) as db, contextlib.closing(sqlite3.connect(copy)) as other:
                db.backup(other)  # the newest data are in another file
            with (
                file(tmp_path / "err-copy") as errors_of_copy,
                logger(mosquitto.address, copy, stdout=errors_of_copy, stderr=errors_of_copy) as second,
            ):
                assert await asyncio.to_thread(second.wait, 30) == 2
            assert first.poll() is None
            async with Client(mosquitto.address, role=Role.WORKER) as worker:
                await send(worker, 0, 10)
            await until(lambda: stored(path) == 10, "the events after the copy's end")
            first.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(first.wait, 20) == 0
    last = (tmp_path / "err-copy").read_text().splitlines()[-1]
    assert "error: another logger uses a copy of" in last
    assert "Traceback" not in (tmp_path / "err-copy").read_text() + (tmp_path / "err").read_text()


def _move(path: Path) -> Callable[[], None]:
    aside = path.with_name("aside.sqlite")
    path.rename(aside)
    return lambda: aside.rename(path) and None


def _lock(path: Path) -> Callable[[], None]:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    def release() -> None:
        other.execute("ROLLBACK")
        other.close()

    return release


@pytest.mark.parametrize(("take", "reason"), [(_move, "moved, removed or replaced"), (_lock, "database is locked")])
async def test_a_store_that_is_taken_away_is_reported_and_what_came_meanwhile_is_stored_later(
    mosquitto: Mosquitto, tmp_path: Path, take: Callable[[Path], Callable[[], None]], reason: str
) -> None:
    path, log = tmp_path / "a.sqlite", tmp_path / "err"
    async with observer_of(mosquitto.address) as observer, Client(mosquitto.address, role=Role.WORKER) as worker:
        with file(log) as errors, logger(mosquitto.address, path, stdout=errors, stderr=errors) as process:
            await online(observer, 1)
            await send(worker, 0, 5)
            await until(lambda: stored(path) == 5, "the first events")
            give_back = take(path)
            await send(worker, 5, 40)
            await until(lambda: "events are held" in log.read_text(), "the report")
            give_back()
            await until(lambda: stored(path) == 40, "the held events")
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 20) == 0
    text = log.read_text()
    assert text.count(reason) == 1
    assert "Traceback" not in text
