"""``bedside record`` over a broker: adu for adu, killed with -9 and started again, and on a full disk."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stream.mqtt.client import Client
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.records.wfdb_reader import load, read
from stream.replay.playhead import ReplayConfig, replay
from stream.timebase import FS
from stream.wire.messages import Waveform
from stream.wire.topics import Role
from tests.brokers import Mosquitto
from tests.system.commands import environment, error_line, running, wait_until
from tests.waveforms import SESSION

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


def headers(folder: Path) -> list[Path]:
    return sorted(folder.glob("bed-1/*.hea"))


def recorded(folder: Path) -> int:
    """Return the samples of all records, according to their headers."""
    return sum(int(header.read_text().split()[3]) for header in headers(folder))


async def send(client: Client, chunks: Iterator[Waveform], until: int) -> None:
    for chunk in chunks:
        client.send(chunk)
        if chunk.end >= until:
            break
    assert await client.flush(30)


@pytest.mark.timeout(180)
async def test_a_replay_is_recorded_adu_for_adu_across_a_kill(
    mosquitto: Mosquitto, mitdb_dir: Path, tmp_path: Path
) -> None:
    record = load("mitdb/100", Catalog(data_dir=mitdb_dir))
    out, env = tmp_path / "out", environment(mosquitto.address)
    config = ReplayConfig(chunk=360, speed=1000.0)
    chunks = replay(record, config, 1_770_000_000_000_000_000, SESSION)
    async with Client(mosquitto.address, role=Role.PUBLISHER) as client:
        with running("record", "--out", str(out), "--rotate", "60", env=env, output=tmp_path / "1.log") as process:
            wait_until(lambda: "connected" in (tmp_path / "1.log").read_text(), "the recorder")
            await send(client, chunks, 150 * FS)
            wait_until(lambda: recorded(out) >= 140 * FS, "140 s")
            process.send_signal(signal.SIGKILL)
            process.wait()
        lasting = recorded(out)
        assert lasting >= 140 * FS, "at most 10 s are lost"
        log = tmp_path / "2.log"
        with running("record", "--out", str(out), "--bed", "bed-1", env=env, output=log) as process:
            wait_until(lambda: "connected" in log.read_text(), "the recorder")
            await send(client, chunks, 200 * FS)
            wait_until(lambda: recorded(out) >= lasting + 48 * FS, "the rest")
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    assert "is complete now: the recording process ended unexpectedly" in log.read_text()
    assert "1 records of 1 beds" in log.read_text()
    assert [header.stem[-5:] for header in headers(out)] == ["_0001", "_0002", "_0003", "_0004"]
    parts = [read(header.with_suffix(""), name="x", source="x") for header in headers(out)]
    assert all((one.leads, one.gain, one.zero) == (record.leads, record.gain, record.zero) for one in parts)
    assert_equal(record, 0, np.concatenate([one.adu for one in parts[:3]]))
    assert_equal(record, 150 * FS, parts[3].adu)
    assert parts[3].n == 50 * FS
    assert parts[3].annotations is not None
    [gap] = parts[3].annotations.aux
    assert gap.startswith(f"gap: samples {lasting} to {150 * FS - 1} of the session")


def assert_equal(record: Record, first: int, adu: np.ndarray) -> None:
    np.testing.assert_array_equal(adu, record.adu[first : first + len(adu)])


async def test_on_a_full_disk_it_ends_with_one_line_and_a_readable_record(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """The largest size of a file stands in for the size of a disk: the write fails in the middle in the same way."""
    out, log = tmp_path / "out", tmp_path / "log"

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    command = [sys.executable, "-m", "monitor.cli", "record", "--out", str(out)]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command, env=environment(mosquitto.address), stderr=stderr, stdout=stderr, preexec_fn=small_files
        )
    try:
        wait_until(lambda: "connected" in log.read_text(), "the recorder")
        record = load("synthetic/ecg")
        async with Client(mosquitto.address, role=Role.PUBLISHER) as client:
            await send(client, replay(record, ReplayConfig(chunk=360, speed=1000.0), 0, SESSION), 60 * FS)
            assert process.wait(30) == 2
    finally:
        process.kill()
        process.wait()
    assert "cannot be written (File too large): make room, or choose another --out" in error_line(log.read_text())
    [header] = headers(out)
    stored = read(header.with_suffix(""), name="x", source="x")
    assert stored.n >= 30 * FS
    assert_equal(record, 0, stored.adu)
