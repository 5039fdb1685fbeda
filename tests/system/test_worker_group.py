"""``bedside worker --workers 2`` with real processes and Mosquitto."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from stream.mqtt.client import Client
from stream.wire.alarm_messages import Alarm
from stream.wire.status_messages import ProcessStatus
from stream.wire.topics import Kind, Role, pattern
from tests.brokers import Mosquitto
from tests.reliability.oracle import ledger
from tests.system.commands import bedside, environment, error_line, processes_with, running, wait_until
from tests.system.shards import BEDS, LEFT, listen, process_with_open, ready, taken


@pytest.mark.timeout(240)
async def test_a_killed_process_is_replaced_its_beds_go_on_and_no_event_is_lost(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    assert all(LEFT.values())
    env = environment(mosquitto.address, XDG_STATE_HOME=str(tmp_path / "state"))
    log, store = tmp_path / "worker.log", tmp_path / "alarms.sqlite"
    kinds = [pattern(Kind.ALARMS), pattern(Kind.PROCESS, role=Role.WORKER)]
    arguments = ("worker", "--workers", "2", "--max-wait", "600", "--ledger", str(tmp_path / "worked.csv"))
    replay = [f"--bed={bed}=synthetic" for bed in BEDS]
    online: dict[str, ProcessStatus] = {}
    events: dict[str, Alarm] = {}

    def stored() -> set[str]:
        with closing(sqlite3.connect(store)) as db:
            return {event_id for (event_id,) in db.execute("SELECT event_id FROM events")}

    async def until(condition: Callable[[], bool], what: str) -> None:
        await asyncio.to_thread(wait_until, condition, what, 100)

    async with Client(mosquitto.address, role=None, subscriptions=kinds) as listener:
        listening = asyncio.create_task(listen(listener, online, events))
        with (
            running("alarms", "--db", str(store), env=env, output=tmp_path / "alarms.log"),
            running(*arguments, env=env, output=log) as parent,
        ):
            await until(ready(log, 2), "the workers")
            assert sorted((s.shard, s.shards) for s in online.values()) == [(0, 2), (1, 2)]
            with running("replay", *replay, "--start", "85", env=env, output=tmp_path / "replay.log"):
                await until(taken(tmp_path / "worked-0.csv", 40, LEFT[0]), "the beds of shard 0")
                await until(taken(tmp_path / "worked-1.csv", 40, LEFT[1]), "the beds of shard 1")
                assert {row["bed"] for row in ledger(tmp_path / "worked-1.csv")} == set(LEFT[1])
                os.kill(process_with_open(tmp_path / "worked-0.csv"), signal.SIGKILL)
                await until(taken(tmp_path / "worked-0-1.csv", 40, LEFT[0]), "the beds of the killed process")
                assert sorted((s.shard, s.shards) for s in online.values()) == [(0, 2), (1, 2)]
                second = await asyncio.to_thread(bedside, "worker", "--workers", "3", env=env)
                assert second.returncode == 2
                assert "serves" in error_line(second.stderr)
                assert parent.poll() is None
            await until(lambda: set(events) <= stored(), "the last event in the store")
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert parent.returncode == 0
    assert "shard 0/2 has ended (killed by SIGKILL); another goes on with its beds" in log.read_text()
    assert "Traceback" not in log.read_text()
    named = {event.bed: event for event in events.values() if event.kind == "no_data" and event.phase == "cleared"}
    for bed in LEFT[0]:
        before = [row for row in ledger(tmp_path / "worked-0.csv") if row["bed"] == bed][-1]
        after = next(row for row in ledger(tmp_path / "worked-0-1.csv") if row["bed"] == bed)
        lost = int(after["start"]) - int(before["start"]) - int(before["n"])
        assert int(after["lost_samples"]) >= lost, "the blind interval, and perhaps a chunk after the last checkpoint"
        assert lost == 0 or (named[bed].onset, named[bed].end) == (
            int(after["start"]) - int(after["lost_samples"]),
            int(after["start"]),
        )
    assert not {row["verdict"] for row in ledger(tmp_path / "worked-1.csv")} - {"taken"}, "the others go on undisturbed"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_command(mosquitto: Mosquitto, tmp_path: Path, number: signal.Signals) -> None:
    log, mark = tmp_path / "worker.log", f"BEDSIDE_TEST={tmp_path}"
    env = environment(mosquitto.address, BEDSIDE_TEST=str(tmp_path))
    with running("worker", "--workers", "2", env=env, output=log) as parent:
        wait_until(ready(log, 2), "the workers", 100)
        assert len(processes_with(mark)) == 4, "the parent, two workers, and a spare one"
        parent.send_signal(number)
        parent.wait(30)
        wait_until(lambda: not processes_with(mark), "the end of all processes")
    assert parent.returncode == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_what_is_not_compiled_is_compiled_before_the_workers_start(tmp_path: Path, number: signal.Signals) -> None:
    log, mark = tmp_path / "worker.log", f"BEDSIDE_TEST={tmp_path}"
    env = environment(BEDSIDE_TEST=str(tmp_path), NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    with running("worker", "--workers", "2", "--no-state", env=env, output=log) as parent:
        both = min(len(os.sched_getaffinity(0)), 2)
        wait_until(lambda: len(processes_with(mark)) > both, "the processes that compile")
        time.sleep(1)
        assert len(processes_with(mark)) == 1 + both, "the parent, and those that compile"
        assert log.read_text().startswith("bedside worker: compiling the analysis, once")
        parent.send_signal(number)
        parent.wait(10)
        wait_until(lambda: not processes_with(mark), "the end of all processes")
    assert parent.returncode == (130 if number == signal.SIGINT else -number)
    assert "Traceback" not in log.read_text()


def test_without_a_broker_the_command_ends_with_status_2(tmp_path: Path) -> None:
    ran = bedside("worker", "--workers", "1", "--broker", "mqtt://127.0.0.1:1", "--no-state")
    assert ran.returncode == 2
    assert "127.0.0.1:1" in error_line(ran.stderr)
