"""``bedside alarms`` is killed with -9 thirty times while alarms and ECG arrive: each event is stored once."""

import asyncio
import contextlib
import random
import signal
import sqlite3
import time
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
from tests.system.fork_server import Forks, forks
from tests.waveforms import chunk

KILLS = 30
CHUNK_SAMPLES = 3 * 360


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
async def test_after_many_kills_each_event_is_stored_once(tmp_path: Path) -> None:
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
