"""The window hangs for ten seconds: worker and alarm log lose nothing, and the window recovers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path

import pytest

from monitor.view.commands import command
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.wire.alarm_messages import Limits, SetLimits
from tests.brokers import Mosquitto
from tests.system.commands import environment, running, wait_until
from tests.system.test_broker_restart import rows, samples

pytest.importorskip("PySide6.QtWidgets", reason="needs the extra 'gui' and Qt's libraries", exc_type=ImportError)

HANG_S = 10.0


async def set_limits(address: BrokerAddress, limits: Limits) -> None:
    async with Client(address, role=None) as client:
        client.send(command("bed-1", "test", time.time_ns(), SetLimits(limits=limits)))
        assert await client.flush(10)


def raised(database: Path) -> list[str]:
    """Return the kinds of all stored ``raised`` events."""
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        return [kind for (kind,) in db.execute("SELECT kind FROM events WHERE phase = 'raised'")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process")
@pytest.mark.timeout(180)
def test_worker_and_alarm_log_lose_nothing_while_the_window_hangs(mosquitto: Mosquitto, tmp_path: Path) -> None:
    env = environment(mosquitto.address)
    published, worked, database = tmp_path / "published.csv", tmp_path / "worked.csv", tmp_path / "alarms.sqlite"
    picture, log = tmp_path / "monitor.png", tmp_path / "monitor.log"
    with (
        running("worker", "--ledger", str(worked), env=env, output=tmp_path / "worker.log"),
        running("alarms", "--db", str(database), env=env, output=tmp_path / "alarms.log"),
        running("monitor", "--station", "--screenshot", str(picture), env=env, output=log) as monitor,
    ):
        wait_until(lambda: "worker is ready" in (tmp_path / "worker.log").read_text(), "the worker")
        with running(
            "replay",
            "--bed=bed-1=synthetic",
            "--bed=bed-2=synthetic",
            "--loop",
            "--ledger",
            str(published),
            env=env,
            output=tmp_path / "replay.log",
        ):
            wait_until(lambda: samples(rows(worked), "bed-1") > 8 * 360, "eight seconds of signal")
            before = raised(database)
            assert monitor.poll() is None, log.read_text()
            os.kill(monitor.pid, signal.SIGSTOP)
            stopped = time.monotonic()
            asyncio.run(set_limits(mosquitto.address, Limits(heart_rate_low=30, heart_rate_high=40)))
            wait_until(lambda: "heart_rate_high" in raised(database)[len(before) :], "the alarm in the log")
            time.sleep(max(stopped + HANG_S - time.monotonic(), 0))
            os.kill(monitor.pid, signal.SIGCONT)
            time.sleep(2)
            assert monitor.poll() is None, log.read_text()
        wait_until(lambda: rows(worked)[-1]["start"] == rows(published)[-1]["start"], "the last chunk", 20)
        monitor.send_signal(signal.SIGTERM)
        assert monitor.wait(20) == 0, log.read_text()
    assert picture.exists()
    for bed in ("bed-1", "bed-2"):
        sent = [row for row in rows(published) if row["bed"] == bed]
        processed = [row for row in rows(worked) if row["bed"] == bed]
        assert len(sent) > 10 * (8 + HANG_S)
        assert [row["seq"] for row in processed] == [row["seq"] for row in sent], "each chunk once, in order"
        assert {row["lost_samples"] for row in processed} == {"0"}
