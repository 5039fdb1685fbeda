"""No alarm event is lost: neither by a broker that keeps no state and is killed, nor by a worker that is killed."""

import contextlib
import signal
import sqlite3
from pathlib import Path

import msgspec
import pytest

from stream.wire.alarm_messages import Alarm
from tests.brokers import Mosquitto
from tests.system.commands import environment, running, wait_until

KILLS = 5


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
        running(env=env, output=tmp_path / "worker.log", module="tests.system.logged_worker"),
        running("alarms", "--db", str(database), env=env, output=tmp_path / "alarms.log") as logger,
    ):
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
    ids = stored(database)
    assert len(ids) == len(set(ids)), "each is stored once"
