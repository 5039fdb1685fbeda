"""A ward as a user starts it, over a real broker."""

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from monitor.tools.bench_ward import bench_ward
from monitor.tools.ward_processes import WardSetup
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.mqtt.embedded_broker import free_port
from stream.replay.ward import WardConfig
from stream.wire.messages import Forecast, Vitals, Waveform
from stream.wire.status_messages import BedStatus
from stream.wire.topics import Kind, Role, pattern
from tests.brokers import Mosquitto, mosquitto_program
from tests.system.commands import bedside, environment, processes_with, running, wait_until

pytestmark = pytest.mark.timeout(180)


async def test_one_publisher_sends_all_beds_and_counts_what_it_sends(mosquitto: Mosquitto, tmp_path: Path) -> None:
    totals, output = tmp_path / "totals.json", tmp_path / "output"
    options = ("--ward", "8", "--from", "synthetic/ecg", "--prefix", "w", "--json", str(totals))
    chunks: Counter[str] = Counter()
    offered: set[tuple[str, ...]] = set()
    places: dict[str, int] = {}
    patterns = [pattern(Kind.ECG), pattern(Kind.STATUS, role=Role.PUBLISHER)]
    async with Client(mosquitto.address, role=None, subscriptions=patterns) as client:
        with running("replay", *options, env=environment(mosquitto.address), output=output):
            while len(chunks) < 8 or min(chunks.values()) < 30:
                match (await client.receive()).message:
                    case Waveform() as chunk:
                        chunks[chunk.bed] += 1
                        places.setdefault(chunk.bed, chunk.position)
                    case BedStatus() as status:
                        offered.add(tuple(offer.name for offer in status.records))
    assert set(chunks) == {f"w{number:03}" for number in range(1, 9)}
    assert len(set(places.values())) == 8
    assert offered == {("synthetic/ecg",)}
    found = json.loads(totals.read_text())
    assert found["beds"] == 8
    assert found["bytes"] > 100 * found["messages"] > 0
    lines = output.read_text().splitlines()
    assert lines[0] == "bedside replay: 8 beds, w001 to w008; loading synthetic/ecg"
    assert any("8 beds, " in line and "messages/s" in line and "waiting" in line for line in lines)
    assert "w008: published" in lines[-2]


@pytest.mark.parametrize("workers", [None, 2])
async def test_a_ward_is_measured_from_its_chunks_to_its_forecasts(workers: int | None) -> None:
    mosquitto_program()
    setup = WardSetup(WardConfig(8).names, ("--from", "synthetic/ecg"), free_port(), workers)
    lines: list[str] = []
    found = await bench_ward(setup, 3.0, lines.append, warm_up_s=1.0)
    assert (found["beds"], found["beds_served"], found["broker"]) == (8, 8, "mosquitto")
    assert found["workers"] == (workers or 1)
    assert found["unexplained_gaps"] == 0
    assert found["latency_ms"]["p50"] > 0
    assert isinstance(found["kept_up"], bool)
    assert isinstance(found["prompt"], bool)
    for role in ("publisher", "broker", "worker"):
        assert found[f"{role}_us_per_bed_s"] >= 0
        assert found["memory_mb"][role] > 1
    assert found["memory_mb"]["worker"] > 100, "that of the processes that analyse, not of their parent alone"
    assert [line.partition(":")[0] for line in lines[-3:]] == [
        "warming up, 1 of 1 s",
        "measuring, 3 of 3 s",
        "stopping",
    ]
    assert "8 beds, " in lines[-2]
    assert "8 served, latency " in lines[-2]


def test_a_ward_is_shown_and_ends_with_its_time(tmp_path: Path) -> None:
    mosquitto_program()
    mark = {"BEDSIDE_TEST_MARK": secrets.token_hex(8)}
    ended = bedside(
        "ward", "--beds", "3", "--from", "synthetic/ecg", "--seconds", "2", timeout_s=150, env=environment(**mark)
    )
    assert ended.returncode == 0, ended.stderr
    lines = ended.stderr.splitlines()
    assert sum("3 beds, " in line and "3 served, latency " in line for line in lines) == 2
    assert re.fullmatch(
        r"bedside ward: 3 beds, \d+ s: \d+ messages, \d+ alarms raised, 0 gaps, 0 beds with samples lost on the way",
        lines[-1],
    )
    assert not processes_with(f"BEDSIDE_TEST_MARK={mark['BEDSIDE_TEST_MARK']}")


async def test_others_can_watch_a_ward_until_ctrl_c_ends_it(tmp_path: Path) -> None:
    mosquitto_program()
    output = tmp_path / "output"
    mark = secrets.token_hex(8)
    options = ("--beds", "3", "--from", "synthetic/ecg", "--workers", "2")
    with running("ward", *options, env=environment(BEDSIDE_TEST_MARK=mark), output=output) as process:
        await asyncio.to_thread(wait_until, lambda: " served, " in output.read_text(), "the first line", 120)
        url = re.search(r"broker at (\S+);", output.read_text())
        assert url is not None
        address = BrokerAddress.from_environment(url[1])
        async with Client(address, role=None, subscriptions=[pattern(Kind.VITALS)]) as client:
            while not isinstance((await client.receive()).message, Vitals):
                pass
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait, 60) == 0
    assert not processes_with(f"BEDSIDE_TEST_MARK={mark}")
    assert "Traceback" not in output.read_text()
    assert "0 beds with samples lost on the way" in output.read_text().splitlines()[-1]


def test_ctrl_c_ends_all_processes_of_a_measurement(tmp_path: Path) -> None:
    mosquitto_program()
    name, value = "BEDSIDE_TEST_MARK", secrets.token_hex(8)
    command = [sys.executable, "-m", "monitor.cli", "bench", "ward", "--beds", "3", "--from", "synthetic/ecg"]
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--json", str(tmp_path / "j")], stdout=file, stderr=file, env=environment(**{name: value})
        )
    try:
        wait_until(lambda: len(processes_with(f"{name}={value}")) == 4, "broker, worker and publisher")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        wait_until(lambda: not processes_with(f"{name}={value}"), "the end of all processes", 10)
    finally:
        for pid in processes_with(f"{name}={value}"):
            os.kill(pid, signal.SIGKILL)
        process.wait()
    assert output.read_text().startswith("bedside bench: 3 beds, one worker; loading synthetic/ecg")
    assert "Traceback" not in output.read_text()
    assert not (tmp_path / "j").exists()


async def test_a_large_ward_is_analysed_from_shard_messages_and_shown_in_full_where_somebody_asks(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """A window draws one bed of 70: it alone flows on its own topics."""
    env = environment(mosquitto.address, BEDSIDE_PLACES="80")
    own: set[str] = set()
    forecast: set[str] = set()
    served: dict[str, BedStatus] = {}
    patterns = [*map(pattern, (Kind.ECG, Kind.FORECAST)), pattern(Kind.STATUS, role=Role.WORKER)]
    async with Client(mosquitto.address, role=None, subscriptions=patterns, places=80) as client:
        with ExitStack() as stack:
            worker = stack.enter_context(running("worker", "--no-state", env=env, output=tmp_path / "worker"))
            options = ("--ward", "70", "--from", "synthetic/ecg", "--leads", "1")
            stack.enter_context(running("replay", *options, env=env, output=tmp_path / "replay"))
            wait_until(lambda: "70 beds, " in (tmp_path / "replay").read_text(), "the ward")
            stack.enter_context(running("monitor", "--bed", "icu-007", env=env, output=tmp_path / "monitor"))
            async with asyncio.timeout(150):
                while len(served) < 70 or not own or not forecast:
                    match (await client.receive()).message:
                        case Waveform() as chunk:
                            own.add(chunk.bed)
                        case Forecast(bed=bed) if len(served) == 70:
                            forecast.add(bed)
                        case BedStatus() as status:
                            served[status.bed] = status
            assert worker.poll() is None
    assert own == {"icu-007"}
    assert sum(status.counters["duplicates"] + status.counters["rejected"] for status in served.values()) == 0
