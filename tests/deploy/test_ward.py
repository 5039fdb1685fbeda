"""The real commands, each in its role, through Mosquitto from the files of deploy/: replay to stored alarm."""

import asyncio
import json
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from stream.mqtt.client import Client
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.messages import Waveform
from stream.wire.topics import Kind, pattern
from tests.deploy.peer import Peer
from tests.deploy.ward import Ward, make_credentials
from tests.system.commands import environment, running, wait_until
from tests.waveforms import chunk

STREAMED = {"ecg", "forecast", "beats", "vitals", "alarms/active", "annotations", "status/publisher", "status/worker"}
"""Kinds of topic of a bed without alarm."""


def stored(path: Path) -> set[str]:
    """Return the phases of the alarm events in a store."""
    if not path.exists():
        return set()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        try:
            return {phase for (phase,) in database.execute("SELECT phase FROM events")}
        except sqlite3.OperationalError:  # not created yet
            return set()


def kinds(path: Path) -> set[str]:
    """Return the kinds of topic that tap has printed, from complete lines."""
    lines = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
    topics = [json.loads(line)["topic"] for line in lines if line.startswith("{")]
    return {topic.split("/", 3)[3] for topic in topics if topic.startswith("bedside/v1/bed-1/")}


@pytest.mark.timeout(400)
def test_from_replay_to_stored_alarm_with_one_role_each(ward: Ward, tmp_path: Path) -> None:
    database, tapped = tmp_path / "alarms.sqlite", tmp_path / "tap.log"

    def started(role: str, *command: str, name: str) -> object:
        return running(*command, env=environment(**ward.environment(role)), output=tmp_path / f"{name}.log")

    with ExitStack() as stack:
        stack.enter_context(started("observer", "tap", name="tap"))
        logger = stack.enter_context(started("logger", "alarms", "--db", str(database), name="logger"))
        worker = stack.enter_context(started("worker", "worker", name="worker"))
        wait_until(lambda: "worker is ready" in (tmp_path / "worker.log").read_text(), "the worker")
        window = stack.enter_context(started("monitor", "monitor", name="monitor"))
        replay = stack.enter_context(started("publisher", "replay", "synthetic", "--annotations", name="replay"))
        wait_until(lambda: kinds(tapped) >= STREAMED, "all kinds of message", 120)
        for process in (logger, worker, window, replay):
            assert process.poll() is None, "a process has ended"
        replay.kill()  # the broker publishes its last will, and the worker raises an alarm
        wait_until(lambda: "raised" in stored(database), "a stored alarm", 120)
        wait_until(lambda: "alarms" in kinds(tapped), "the alarm", 120)
    for name in ("logger", "worker", "monitor", "replay"):
        assert "refuse" not in (tmp_path / f"{name}.log").read_text()


@pytest.mark.timeout(300)
def test_an_instructor_runs_replay_and_window(ward: Ward, tmp_path: Path) -> None:
    env = environment(**ward.environment("instructor"))
    with (
        running("replay", "synthetic", env=env, output=tmp_path / "replay.log") as replay,
        running("monitor", "--seconds", "2", "--screenshot", str(tmp_path / "x.png"), env=env,
                output=tmp_path / "monitor.log") as window,
    ):  # fmt: skip
        assert window.wait(120) == 0, (tmp_path / "monitor.log").read_text()
        assert replay.poll() is None


async def test_clients_return_to_a_restarted_broker_which_has_kept_session_and_retained_messages(ward: Ward) -> None:
    """A publisher sends an alarm list and, while the reader of a persistent session is away, a chunk of ECG."""

    def reader() -> Client:
        filters = [pattern(Kind.ECG, "bed-1"), pattern(Kind.ALARMS_ACTIVE, "bed-9")]
        return Client(ward.with_certificate("logger"), role=None, subscriptions=filters, persistent_id="reader-4")

    async with asyncio.timeout(60):
        async with reader():
            pass
        async with (
            Client(ward.with_certificate("publisher"), role=None) as publisher,
            Client(ward.with_password("worker"), role=None) as worker,
        ):
            publisher.send(chunk(0))
            worker.send(ActiveAlarms(bed="bed-9"))
            assert await publisher.flush(10)
            assert await worker.flush(10)
            ward.stop()
            while publisher.connected or worker.connected:
                await asyncio.sleep(0.01)
            worker._outbox._retained.clear()  # what the broker has kept counts, not what the worker sends again
            ward.start()
            publisher.send(chunk(1))
            assert await publisher.flush(20)
            chunks, retained = [], []
            async with reader() as client:
                while len(chunks) < 2 or not retained:
                    received = await client.receive()
                    if isinstance(received.message, Waveform):
                        chunks.append(received.message)
                    elif received.retained:
                        retained.append(received.message)
    assert chunks == [chunk(0), chunk(1)]
    assert retained == [ActiveAlarms(bed="bed-9")]


def test_a_replaced_password_ends_the_connections_that_use_the_old_one(ward: Ward) -> None:
    old = ward.with_password("observer")
    with Peer(old) as peer:
        assert not peer.refused
        (ward.credentials / "observer.password").unlink()
        assert make_credentials(ward.credentials).returncode == 0
        ward.reload()
        wait_until(lambda: peer.lost, "the end of the connection")
    with Peer(old) as peer:
        assert peer.refused
    with Peer(ward.with_password("observer")) as peer:
        assert not peer.refused
