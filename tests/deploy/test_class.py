"""With access control an instructor's account logs a class, and an observer's records it, without its truth."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from stream.mqtt.client import Client
from stream.wire.topics import Role
from stream.wire.truth_message import Truth
from tests.deploy.ward import Ward
from tests.system.commands import environment, running, wait_until
from tests.waveforms import SESSION, chunk


def truths(path: Path) -> int:
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM truths").fetchone()[0])


async def test_a_class_is_logged_and_recorded_with_the_rights_of_its_roles(ward: Ward, tmp_path: Path) -> None:
    store, out = tmp_path / "class.sqlite", tmp_path / "out"
    logs = {name: tmp_path / f"{name}.log" for name in ("instructor", "observer")}
    env = {name: environment(**ward.environment(name)) for name in logs}
    with (
        running("alarms", "--db", str(store), "--truth", env=env["instructor"], output=logs["instructor"]) as log,
        running("record", "--out", str(out), env=env["observer"], output=logs["observer"]) as recorder,
    ):
        wait_until(lambda: all("connected" in path.read_text() for path in logs.values()), "both")
        async with Client(ward.with_certificate("publisher"), role=Role.PUBLISHER) as publisher:
            publisher.send(
                Truth(
                    bed="bed-1",
                    session=SESSION,
                    epoch=0,
                    index=360,
                    when="2026-01-31T12:00:00.000Z",
                    truth_id="vt",
                    what="rhythm",
                    phase="at",
                    name="VT",
                    synthetic=True,
                )
            )
            for second in range(8):
                publisher.send(chunk(second, 360))
            assert await publisher.flush(10)
            wait_until(lambda: truths(store) == 1, "truth in the store")
            wait_until(lambda: any(out.glob("bed-1/*.dat")), "a record")
        for process in (log, recorder):
            process.terminate()
            assert process.wait(20) == 0
    assert "1 records of 1 beds" in logs["observer"].read_text()
