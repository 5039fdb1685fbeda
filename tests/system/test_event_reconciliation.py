"""No alarm event is lost: neither by a broker that keeps no state and is killed, nor by a worker that is killed."""

import asyncio
import contextlib
import csv
import random
import signal
import sqlite3
import time
from pathlib import Path

import msgspec
import pytest

from stream.mqtt.client import Client
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.topics import Kind, pattern
from tests.brokers import Mosquitto
from tests.system.commands import environment, running, wait_until
from tests.system.fork_server import Forks, forks

KILLS = 3
WORKER_KILLS = 4


def stored(path: Path) -> list[str]:
    """Return the ids of all stored events."""
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return [row[0] for row in db.execute("SELECT event_id FROM events")]


def sent(path: Path) -> list[Alarm]:
    """Return all events that the worker sent, each once, in order."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return list({event.event_id: event for line in lines if (event := msgspec.json.decode(line, type=Alarm))}.values())


@pytest.mark.timeout(240)
def test_a_broker_without_persistence_that_is_killed_loses_no_event(mosquitto: Mosquitto, tmp_path: Path) -> None:
    database, log = tmp_path / "alarms.sqlite", tmp_path / "sent.jsonl"
    env = environment(mosquitto.address, SENT_EVENTS=str(log))
    with (
        forks(env, tmp_path / "worker.log", "tests.system.logged_forks") as worker,
        running("alarms", "--db", str(database), env=env, output=tmp_path / "alarms.log") as logger,
    ):
        worker.start("worker", "--no-state")
        wait_until(lambda: "worker is ready" in (tmp_path / "worker.log").read_text(), "the worker")
        wait_until(lambda: "connected" in (tmp_path / "alarms.log").read_text(), "the logger")
        with running("replay", "excerpt", "--loop", "--speed", "20", env=env, output=tmp_path / "replay.log"):
            for _ in range(KILLS):
                # The broker acknowledges events to the worker that the logger has not received when the broker dies.
                logger.send_signal(signal.SIGSTOP)
                before = len(sent(log))
                wait_until(lambda before=before: len(sent(log)) > before + 4, "further events")
                mosquitto.kill()
                mosquitto.start()
                logger.send_signal(signal.SIGCONT)
        wait_until(lambda: {event.event_id for event in sent(log)} <= set(stored(database)), "the last event", 30)
        assert worker.end(signal.SIGTERM) == 0
    ids = stored(database)
    assert len(ids) == len(set(ids)), "each is stored once"


def ledgers(paths: list[Path]) -> list[dict[str, str]]:
    """Return the complete rows of the ledgers of all workers, in order."""
    rows: list[dict[str, str]] = []
    for path in paths:
        whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
        rows += csv.DictReader(whole.splitlines())
    return rows


async def retained_list(broker: Mosquitto) -> ActiveAlarms:
    async with Client(broker.address, role=None, subscriptions=[pattern(Kind.ALARMS_ACTIVE)]) as client:
        message = (await client.receive()).message
    assert isinstance(message, ActiveAlarms)
    return message


@pytest.mark.timeout(300)
async def test_killed_workers_lose_no_event_and_name_what_they_missed(mosquitto: Mosquitto, tmp_path: Path) -> None:
    database, log, rng = tmp_path / "alarms.sqlite", tmp_path / "sent.jsonl", random.Random(208)
    env = environment(mosquitto.address, SENT_EVENTS=str(log))
    worked = [tmp_path / f"worked-{n}.csv" for n in range(WORKER_KILLS + 1)]

    def run(worker: Forks) -> None:
        replay = ["replay", "excerpt", "--loop", "--speed", "2", "--start", "100"]
        with contextlib.ExitStack() as publisher:
            for ledger in worked:
                worker.start("worker", "--state", str(tmp_path / "state"), "--ledger", str(ledger))
                if ledger == worked[0]:
                    wait_until(lambda: "worker is ready" in (tmp_path / "worker.log").read_text(), "the worker")
                    publisher.enter_context(running(*replay, env=env, output=tmp_path / "replay.log"))
                wait_until(lambda ledger=ledger: len(ledgers([ledger])) > 20, "two seconds of signal")
                before = len(sent(log))
                if rng.random() < 0.7:
                    wait_until(lambda before=before: len(sent(log)) > before, "another event")
                time.sleep(rng.uniform(0, 0.05))
                if ledger != worked[-1]:
                    assert worker.end(signal.SIGKILL) == -signal.SIGKILL
            publisher.close()
            wait_until(lambda: {event.event_id for event in sent(log)} <= set(stored(database)), "all events")
            assert worker.end(signal.SIGTERM) == 0

    with (
        forks(env, tmp_path / "worker.log", "tests.system.logged_forks") as worker,
        running("alarms", "--db", str(database), env=env, output=tmp_path / "alarms.log"),
    ):
        wait_until(lambda: "connected" in (tmp_path / "alarms.log").read_text(), "the logger")
        await asyncio.to_thread(run, worker)
    position = last = 0
    for row in ledgers(worked):
        if row["verdict"] == "duplicate":
            continue
        continued = int(row["start"]) - int(row["lost_samples"])
        # A worker killed between the ledger's row of a chunk and its checkpoint: the next one names that chunk as well.
        allowed = (position, position - last) if row["verdict"] == "gap" else (position,)
        assert continued in allowed, "each sample once, or in a gap"
        last = int(row["n"])
        position = int(row["start"]) + last
    gaps = [row for row in ledgers(worked) if row["verdict"] == "gap"]
    assert len(gaps) == WORKER_KILLS
    events = {event.event_id: event for event in sent(log)}
    for row in gaps:
        onset = int(row["start"]) - int(row["lost_samples"])
        named = events[f"{row['session']}-no_data-{onset}-cleared"]
        assert (named.reason, named.end) == ("samples_lost", int(row["start"]))
    final = await retained_list(mosquitto)
    open_ids = {alarm.alarm_id for alarm in final.alarms if alarm.end is None}
    phases: dict[str, set[str]] = {}
    for event in events.values():
        phases.setdefault(event.alarm_id, set()).add(event.phase)
    assert {alarm_id for alarm_id, seen in phases.items() if "cleared" not in seen} == open_ids
