"""``bedside worker --ray`` with a real Ray and Mosquitto: killed actors, lost machines, and the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from stream.mqtt.client import Client
from stream.mqtt.embedded_broker import free_port
from stream.wire.alarm_messages import Alarm
from stream.wire.status_messages import ProcessStatus
from stream.wire.topics import Kind, Role, pattern
from tests.brokers import Mosquitto
from tests.reliability.oracle import ledger
from tests.system.commands import bedside, environment, error_line, processes_with, running, wait_until
from tests.system.shards import BEDS, LEFT, listen, process_with_open, ready, taken

START_S = 200.0
"""Time limit for all actors to be ready on a machine that is busy with other tests."""

pytestmark = pytest.mark.timeout(500)


@contextmanager
def actors(*arguments: str, env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``bedside worker --ray`` in a process group of its own, as a terminal does."""
    with log.open("wb") as file:
        head = subprocess.Popen(
            [sys.executable, "-m", "monitor.cli", "worker", "--ray", *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
    try:
        yield head
    finally:
        if head.poll() is None:
            head.kill()
            head.wait()


def taken_elsewhere(folder: Path, index: int) -> Callable[[], bool]:
    """Return whether a later process of a shard has; the first of them may have been lost with the machine, too."""
    return lambda: any(taken(path, 40, LEFT[index])() for path in folder.glob(f"worked-{index}-*.csv"))


def processes_of(session: int) -> list[int]:
    """Return the processes of a session; those of Ray overwrite their environment with their name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, *ids = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if state != "Z" and int(ids[2]) == session:
            found.append(int(path.parts[2]))
    return found


def stored(store: Path) -> dict[str, int]:
    with closing(sqlite3.connect(store)) as db:
        return dict(db.execute("SELECT event_id, count(*) FROM events GROUP BY event_id"))


def check_beds_went_on(tmp_path: Path, events: list[Alarm]) -> None:
    """Check that each bed of shard 0 was served again, its gap named, and the others not disturbed."""
    before, after = ledger(tmp_path / "worked-0.csv"), ledger(tmp_path / "worked-0-1.csv")
    named = {event.bed: event for event in events if event.kind == "no_data" and event.phase == "cleared"}
    for bed in LEFT[0]:
        last = [row for row in before if row["bed"] == bed][-1]
        first = next(row for row in after if row["bed"] == bed)
        lost = int(first["start"]) - int(last["start"]) - int(last["n"])
        assert int(first["lost_samples"]) >= lost, "and what was analysed since the last copy"
        if int(first["lost_samples"]):
            begin = int(first["start"]) - int(first["lost_samples"])
            assert (named[bed].onset, named[bed].end) == (begin, int(first["start"]))
    assert not {row["verdict"] for row in ledger(tmp_path / "worked-1.csv")} - {"taken"}


async def test_a_killed_actor_is_replaced_its_beds_go_on_and_no_event_is_lost(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    env = environment(mosquitto.address, XDG_STATE_HOME=str(tmp_path / "state"), BEDSIDE_TEST=str(tmp_path))
    log, store = tmp_path / "worker.log", tmp_path / "alarms.sqlite"
    kinds = [pattern(Kind.ALARMS), pattern(Kind.PROCESS, role=Role.WORKER)]
    arguments = ("--workers", "2", "--max-wait", "600", "--ledger", str(tmp_path / "worked.csv"))
    replay = [f"--bed={bed}=synthetic" for bed in BEDS]
    online: dict[str, ProcessStatus] = {}
    events: dict[str, Alarm] = {}

    async def until(condition: Callable[[], bool], what: str, timeout_s: float = START_S) -> None:
        await asyncio.to_thread(wait_until, condition, what, timeout_s)

    async with Client(mosquitto.address, role=None, subscriptions=kinds) as listener:
        listening = asyncio.create_task(listen(listener, online, events))
        with (
            running("alarms", "--db", str(store), env=environment(mosquitto.address), output=tmp_path / "alarms.log"),
            actors(*arguments, env=env, log=log) as head,
        ):
            await until(ready(log, 2), "the actors")
            assert sorted((s.shard, s.shards) for s in online.values()) == [(0, 2), (1, 2)]
            with running("replay", *replay, "--start", "85", env=environment(mosquitto.address), output=tmp_path / "r"):
                for index in (0, 1):
                    await until(taken(tmp_path / f"worked-{index}.csv", 40, LEFT[index]), f"the beds of shard {index}")
                os.kill(process_with_open(tmp_path / "worked-0.csv"), signal.SIGKILL)
                await until(taken(tmp_path / "worked-0-1.csv", 40, LEFT[0]), "the beds of the killed actor")
                assert sorted((s.shard, s.shards) for s in online.values()) == [(0, 2), (1, 2)]
                assert head.poll() is None
            await until(lambda: set(events) <= set(stored(store)), "the last event in the store")
            # Ctrl-C reaches all processes that have not left the group.
            os.killpg(head.pid, signal.SIGINT)
            assert await asyncio.to_thread(head.wait, 60) == 0
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert "shard 0/2 has ended (its process died); another goes on with its beds" in log.read_text()
    assert "Traceback" not in log.read_text()
    check_beds_went_on(tmp_path, list(events.values()))
    assert set(stored(store).values()) == {1}
    wait_until(lambda: not processes_of(head.pid), "the end of all processes", 5)
    wait_until(lambda: not processes_with(f"BEDSIDE_TEST={tmp_path}"), "the end of what watches over them")


def test_nothing_outlives_a_head_that_was_killed(mosquitto: Mosquitto, tmp_path: Path) -> None:
    env = environment(mosquitto.address, BEDSIDE_TEST=str(tmp_path))
    with actors("--workers", "1", "--no-state", env=env, log=tmp_path / "log") as head:
        wait_until(ready(tmp_path / "log", 1), "the actor", START_S)
        assert len(processes_of(head.pid)) > 8
        head.kill()
    wait_until(lambda: not processes_of(head.pid), "the end of all processes")


@contextmanager
def machine(*arguments: str, env: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a node of a cluster, by itself a process of this computer."""
    folder.mkdir()
    ray = [str(Path(sys.executable).parent / "ray"), "start", "--block", "--disable-usage-stats"]
    with (folder / "log").open("wb") as log:
        node = subprocess.Popen([*ray, *arguments], env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        yield node
    finally:
        node.terminate()
        node.wait(60)


@pytest.fixture
def folder_of_ray() -> Iterator[str]:
    """Provide a folder with a short path, since it contains sockets."""
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield folder


@pytest.mark.slow
def test_the_beds_of_a_lost_machine_go_on_on_another(mosquitto: Mosquitto, tmp_path: Path, folder_of_ray: str) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    env = environment(
        mosquitto.address,
        XDG_STATE_HOME=str(tmp_path / "state"),
        RAY_worker_niceness="0",
        RAY_AUTH_MODE="token",
        RAY_AUTH_TOKEN="ab" * 16,
        RAY_TMPDIR=folder_of_ray,
        TMPDIR=folder_of_ray,
    )
    log, ledgers = tmp_path / "worker.log", tmp_path / "worked.csv"
    replay = [f"--bed={bed}=synthetic" for bed in BEDS]
    first = ("--head", f"--port={port}", "--node-ip-address=127.0.0.1", "--include-dashboard=false", "--num-cpus=0")
    other = (f"--address={address}", "--node-ip-address=127.0.0.1", "--num-cpus=2")
    with machine(*first, env=env, folder=tmp_path / "first"):
        wait_until(lambda: "Ray runtime started" in (tmp_path / "first/log").read_text(), "the cluster", START_S)
        ran = bedside("worker", "--ray", address, "--workers", "3", env=env, timeout_s=START_S)
        assert "--workers 3: the cluster has 0 processor cores" in error_line(ran.stderr)
        with machine(*other, env=env, folder=tmp_path / "second") as second:
            wait_until(lambda: "Ray runtime started" in (tmp_path / "second/log").read_text(), "a machine", START_S)
            with actors(
                address, "--workers", "2", "--max-wait", "600", "--ledger", str(ledgers), env=env, log=log
            ) as head:
                wait_until(ready(log, 2), "the actors", START_S)
                with (
                    running("replay", *replay, "--start", "85", env=env, output=tmp_path / "replay.log"),
                    machine(*other, env=env, folder=tmp_path / "third"),
                ):
                    for index in (0, 1):
                        path = tmp_path / f"worked-{index}.csv"
                        wait_until(taken(path, 40, LEFT[index]), f"the beds of shard {index}", START_S)
                    time.sleep(2)  # two checkpoints
                    os.killpg(second.pid, signal.SIGKILL)
                    for index in (0, 1):
                        wait_until(taken_elsewhere(tmp_path, index), f"the beds of shard {index} elsewhere", START_S)
                    head.send_signal(signal.SIGTERM)  # before the third machine ends
                    assert head.wait(60) == 0
    for index in (0, 1):
        assert f"shard {index}/2 has ended (its machine was lost); another goes on" in log.read_text()
        [path] = [path for path in tmp_path.glob(f"worked-{index}-*.csv") if ledger(path)]
        first_rows = {row["bed"]: row for row in reversed(ledger(path))}
        assert {row["verdict"] for row in first_rows.values()} == {"gap"}, "continued, from the copies at the head"


def test_errors_are_one_line(tmp_path: Path) -> None:
    for arguments, expected in (
        (("--ray", "127.0.0.1:1"), "no Ray at 127.0.0.1:1"),
        (("--ray", "ray://ward:10001"), "write HOST:PORT"),
        (("--ray", "--workers", "257"), "--workers '257'"),
    ):
        ran = bedside("worker", *arguments, "--no-state", env=environment())
        assert ran.returncode == 2
        assert expected in error_line(ran.stderr)
    absent = environment(PYTHONPATH=str(tmp_path))
    (tmp_path / "ray.py").write_text("raise ModuleNotFoundError('no ray', name='ray')")
    ran = bedside("worker", "--ray", "--no-state", env=absent)
    assert ran.returncode == 2
    assert error_line(ran.stderr).endswith("error: ray is not installed; run: pip install 'bedside[ray]'")


def test_an_error_of_an_actor_ends_the_command_in_one_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with actors("--workers", "1", "--weights", "no-such-file", env=environment(), log=log) as head:
        assert head.wait(START_S) == 2
    assert "no-such-file" in error_line(log.read_text())
