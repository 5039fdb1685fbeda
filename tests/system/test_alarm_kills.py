"""``bedside alarms`` is killed with -9 a hundred times while alarms and ECG arrive: each event is stored once."""

import asyncio
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.alarm_log.store import AlarmLog
from stream.mqtt.client import Client
from stream.wire.messages import INVALID
from stream.wire.topics import Kind, Role, pattern
from tests.brokers import Mosquitto
from tests.monitor.message_samples import alarm
from tests.system.commands import environment, wait_until
from tests.waveforms import chunk

KILLS = 100
CHUNK_SAMPLES = 3 * 360


class Forks:
    """Commands started in forks, without the cost of their imports."""

    def __init__(self, server: "subprocess.Popen[str]") -> None:
        self._server = server
        self._pid = 0

    def start(self, *arguments: str) -> None:
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(arguments) + "\n")
        self._server.stdin.flush()
        self._pid = int(self._read_line())

    def end(self, number: signal.Signals) -> int:
        """Send a signal to the command; return its exit status."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)
        status = int(self._read_line())
        self._pid = 0
        return status

    def stop(self) -> None:
        """Kill the command if it runs."""
        if self._pid:
            self.end(signal.SIGKILL)

    def _read_line(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline()


@contextmanager
def forks(env: dict[str, str], log: Path) -> Iterator[Forks]:
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.system.forks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env=env,
        )
    with server:  # at the end its standard input is closed, and it exits
        commands = Forks(server)
        try:
            yield commands
        finally:
            commands.stop()


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


async def publish(client: Client, done: asyncio.Event) -> int:
    """Send ECG at about a hundred times real time, with one alarm per chunk; return the number of alarms."""
    seq = 0
    while not done.is_set():
        client.send(chunk(seq, CHUNK_SAMPLES, speed=100.0))
        client.send(alarm(seq * CHUNK_SAMPLES))
        seq += 1
        await asyncio.sleep(0.01)
    assert await client.flush(30), "the broker acknowledged all"
    return seq


@pytest.mark.timeout(240)
async def test_after_a_hundred_kills_each_event_is_stored_once(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 0")
    broker.start()
    path, rng = tmp_path / "alarms.sqlite", random.Random(208)
    kills_at: list[int] = []

    def stored(table: str = "events") -> int:
        return int(rows(path, f"SELECT count(*) FROM {table}")[0][0])

    def kill_repeatedly(logger: Forks) -> None:
        for _ in range(KILLS):
            # Some kills hit it while it opens the file or connects, most while it stores, whatever the machine's speed.
            awaited = rng.choices([None, "events", "strips"], [3, 6, 1])[0]
            before = stored(awaited) if awaited else 0
            logger.start("alarms", "--db", str(path))
            if awaited:
                wait_until(lambda table=awaited, before=before: stored(table) > before, f"another row of {awaited}")
            time.sleep(rng.uniform(0.0, 0.2))
            assert logger.end(signal.SIGKILL) == -signal.SIGKILL
            kills_at.append(stored())

    env = environment(broker.address, OPENBLAS_NUM_THREADS="1")
    subscriptions = [pattern(Kind.PROCESS, role=Role.LOGGER)]
    try:
        with forks(env, tmp_path / "logger.log") as logger:
            async with Client(broker.address, role=Role.PUBLISHER, subscriptions=subscriptions) as client:
                # The first connection creates the persistent session of this file.
                logger.start("alarms", "--db", str(path))
                await client.receive()
                assert logger.end(signal.SIGTERM) == 0
                done = asyncio.Event()
                publishing = asyncio.create_task(publish(client, done))
                await asyncio.to_thread(kill_repeatedly, logger)
                done.set()
                total = await publishing
            logger.start("alarms", "--db", str(path))
            wait_until(lambda: stored() >= total, "the last event")
            assert logger.end(signal.SIGKILL) == -signal.SIGKILL
    finally:
        broker.stop()
    assert len(set(kills_at)) > KILLS / 2, "most kills hit a logger that was storing"
    assert rows(path, "SELECT onset FROM events ORDER BY onset") == [(seq * CHUNK_SAMPLES,) for seq in range(total)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    with AlarmLog(path) as log:
        strips = log.strips()
    alarm_ids = {alarm(seq * CHUNK_SAMPLES).alarm_id for seq in range(total)}
    assert strips
    for strip in strips:
        assert strip.alarm_id in alarm_ids
        adu = strip.adu()[:, 0]
        index = np.arange(strip.start, strip.start + adu.size) % 10_000
        assert ((adu == index) | (adu == INVALID)).all()
        assert strip.complete == (adu != INVALID).all()
