"""The publisher process, over brokers."""

import asyncio
import contextlib
import csv
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream.clock import SteadyClock
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.records.catalog import Catalog, CatalogEntry
from stream.records.library import Library
from stream.records.synthetic.presets import LIVE, PRESETS
from stream.replay.playhead import ReplayConfig
from stream.replay.publisher_process import serve
from stream.wire import detail
from stream.wire.detail import IN_FULL, SetDetail
from stream.wire.messages import Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.replay_actions import ChooseRecord, Seek, SetPlaying, ShowEpisode
from stream.wire.shard import ALL_BEDS
from stream.wire.status_messages import BedStatus, Offer
from stream.wire.topics import Kind, Role, pattern
from stream.wire.truth_message import Truth
from stream.wire.ward_messages import WardEcg
from tests.brokers import Mosquitto
from tests.stream.replay.publisher_harness import command
from tests.stream.replay.test_playhead import traceable, with_numerics
from tests.waveforms import numeric, numerics


@pytest.mark.usefixtures("no_tasks_left")
async def test_commands_over_a_broker(broker: BrokerAddress, mitdb_dir: Path, tmp_path: Path) -> None:
    """Another record is selected by name, a path is rejected, and the status reports each change."""
    (tmp_path / "mitdb").mkdir()
    for suffix in (".hea", ".dat", ".atr"):
        (tmp_path / f"mitdb/100{suffix}").symlink_to(mitdb_dir / f"mitdb/100{suffix}")
    library = Library(Catalog(data_dir=tmp_path, cache_dir=tmp_path / "none"))
    clock = SteadyClock()
    patterns = [pattern(Kind.ECG), pattern(Kind.STATUS, role=Role.PUBLISHER)]
    async with Client(broker, role=None, subscriptions=patterns) as client, asyncio.timeout(30):
        task = asyncio.create_task(
            serve(broker, [(traceable(36_000), ReplayConfig())], library=library, ledger_path=None, clock=clock)
        )

        async def state(**expected: Any) -> BedStatus:
            while True:
                message = (await client.receive()).message
                if isinstance(message, BedStatus) and all(getattr(message, k) == v for k, v in expected.items()):
                    return message

        while not (offered := (await state(state="playing")).records):
            pass
        assert [offer.name for offer in offered] == [*PRESETS, LIVE, "mitdb/100"]
        client.send(command(1, ChooseRecord(record="../../etc/passwd"), clock.now_ns()))
        client.send(command(2, ChooseRecord(record="mitdb/100"), clock.now_ns()))
        chosen = await state(record="mitdb/100")
        assert chosen.duration == 650_000
        client.send(command(3, SetPlaying(playing=False), clock.now_ns()))
        await state(state="paused")
        client.send(command(4, Seek(position=360_000), clock.now_ns()))
        client.send(command(5, SetPlaying(playing=True), clock.now_ns()))
        while not (
            isinstance(chunk := (await client.receive()).message, Waveform)
            and chunk.record == "mitdb/100"
            and chunk.position == 360_000
        ):
            pass
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.usefixtures("no_tasks_left")
async def test_without_the_library_that_reads_records_commands_are_executed_or_answered(
    mosquitto: Mosquitto, mitdb_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wfdb", None)
    clock, library = SteadyClock(), Library(Catalog(data_dir=mitdb_dir, cache_dir=tmp_path))
    patterns = [pattern(Kind.STATUS, role=Role.PUBLISHER)]
    async with Client(mosquitto.address, role=None, subscriptions=patterns) as client, asyncio.timeout(30):
        replays = [(traceable(36_000), ReplayConfig())]
        task = asyncio.create_task(serve(mosquitto.address, replays, library=library, ledger_path=None, clock=clock))

        async def status() -> BedStatus:
            while not isinstance(one := (await client.receive()).message, BedStatus):
                pass
            return one

        while not (offered := (await status()).records):
            pass
        assert [offer.name for offer in offered] == ["excerpt", *PRESETS, LIVE]
        client.send(command(1, ChooseRecord(record="mitdb/100"), clock.now_ns()))
        client.send(command(2, ShowEpisode(rhythm="VT"), clock.now_ns()))
        client.send(command(3, Seek(position=3600), clock.now_ns()))
        while len(results := (await status()).commands) < 3:
            pass
        missing = "wfdb is not installed; run: pip install 'bedside[records]'"
        assert [result.refused for result in results] == [
            f"record 'mitdb/100' is not offered: {missing}",
            missing,
            None,
        ]
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.usefixtures("no_tasks_left")
async def test_ten_beds_over_a_broker(broker: BrokerAddress, tmp_path: Path) -> None:
    """Ten beds at twenty times real time: every chunk arrives once, in order, and is in the ledger."""
    record = traceable(3600)
    replays = [(record, ReplayConfig(bed=f"bed-{i}", speed=20.0)) for i in range(10)]
    path = tmp_path / "ledger.csv"
    got: dict[str, list[int]] = {config.bed: [] for _, config in replays}
    ended: set[str] = set()
    library = Library(Catalog(cache_dir=tmp_path))
    patterns = [pattern(Kind.ECG), pattern(Kind.STATUS, role=Role.PUBLISHER)]
    async with Client(broker, role=None, subscriptions=patterns) as listener, asyncio.timeout(30):
        task = asyncio.create_task(serve(broker, replays, library=library, ledger_path=path, clock=SteadyClock()))
        while len(ended) < 10 or any(len(seqs) < 100 for seqs in got.values()):
            message = (await listener.receive()).message
            if isinstance(message, Waveform):
                got[message.bed].append(message.seq)
            elif isinstance(message, BedStatus) and message.state == "ended":
                ended.add(message.bed)
        await task
    assert all(seqs == list(range(100)) for seqs in got.values())
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["bed"], int(row["seq"])) for row in rows} == {(bed, seq) for bed in got for seq in range(100)}
    assert all(int(row["sent_ns"]) >= int(row["due_ns"]) for row in rows)


@pytest.mark.usefixtures("no_tasks_left")
async def test_numerics_over_a_broker(broker: BrokerAddress, tmp_path: Path) -> None:
    """They are restored if a stranger overwrites them, follow a seek at once, and are removed at the end."""
    replays = [(with_numerics(36_000, 1 / 60), ReplayConfig())]
    clock = SteadyClock()
    library = Library(Catalog(cache_dir=tmp_path))
    async with Client(broker, role=None, subscriptions=[pattern(Kind.NUMERICS)]) as listener, asyncio.timeout(60):
        task = asyncio.create_task(serve(broker, replays, library=library, ledger_path=None, clock=clock))
        first = (await listener.receive()).message
        assert isinstance(first, Numerics)
        assert (first.epoch, first.index, first.values[0].value) == (0, 0, 1.0)
        async with Client(broker, role=None) as stranger:
            stranger.send(numerics(values=(numeric("spo2", 12.0),)))
        # The next ones of the record are a minute away: this is the first message again.
        while (await listener.receive()).message != first:
            pass
        listener.send(command(1, Seek(position=3600), clock.now_ns()))
        after_seek = (await listener.receive()).message
        assert isinstance(after_seek, Numerics)
        assert (after_seek.session, after_seek.epoch) == (first.session, 1)
        assert (after_seek.values[0].value, after_seek.values[0].age_s) == (1.0, 10.0)
        async with Client(broker, role=None, subscriptions=[pattern(Kind.NUMERICS)]) as late:
            assert (await late.receive()).message == after_seek, "retained"
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert (await listener.receive()).message is None


@pytest.mark.usefixtures("no_tasks_left")
async def test_shutdown_does_not_wait_for_the_record_list(mosquitto: Mosquitto) -> None:
    read: list[int] = []
    reading = threading.Event()

    class Slow(Library):
        def listing(self) -> Iterator[tuple[CatalogEntry, Offer | None]]:
            for number in range(1000):
                read.append(number)
                reading.set()
                time.sleep(0.01)
                yield CatalogEntry(f"mitdb/{number}", ("MLII",), "local folder"), None

    task = asyncio.create_task(
        serve(
            mosquitto.address,
            [(traceable(36_000), ReplayConfig())],
            library=Slow(Catalog()),
            ledger_path=None,
            clock=SteadyClock(),
        )
    )
    assert await asyncio.to_thread(reading.wait, 30)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await asyncio.get_running_loop().shutdown_default_executor()
    assert len(read) < 200, "the rest was not read"


@pytest.mark.usefixtures("no_tasks_left")
@pytest.mark.parametrize("all_in_full", [False, True])
async def test_a_large_ward_is_sent_in_shards_and_in_full_what_somebody_asks_for(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, all_in_full: bool
) -> None:
    monkeypatch.setattr(detail, "LEASE_S", 1.0)
    names = [f"icu-{number:03}" for number in range(1, IN_FULL + 2)]
    replays = [(traceable(30_000), ReplayConfig(bed=name)) for name in names]
    patterns = [pattern(Kind.ECG), pattern(Kind.WARD_ECG)]
    own: list[Waveform] = []
    in_shards: dict[tuple[str, int], Waveform] = {}
    asked_ns = 0
    async with (
        Client(mosquitto.address, role=None, subscriptions=patterns, places=100) as listener,
        asyncio.timeout(60),
    ):
        task = asyncio.create_task(
            serve(
                mosquitto.address,
                replays,
                library=Library(Catalog(cache_dir=tmp_path)),
                ledger_path=None,
                clock=SteadyClock(),
                all_in_full=all_in_full,
            )
        )
        while len(own) < 3000 if all_in_full else not own or len(in_shards) < 65 * 40:
            message = (await listener.receive()).message
            if isinstance(message, WardEcg):
                in_shards |= {(one.bed, one.seq): one for one in message.chunks(ALL_BEDS)}
            elif isinstance(message, Waveform):
                own.append(message)
            if not asked_ns and len(in_shards) > 65 * 5:
                asked_ns = time.time_ns()
                listener.send(command(1, SetDetail(), asked_ns, "icu-007"))
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    if all_in_full:
        assert not in_shards
        assert {one.bed for one in own} == set(names)
        return
    assert {one.bed for one in own} == {"icu-007"}
    assert 5 <= len(own) <= 15, "for the second of its lease"
    assert [one.seq for one in own] == list(range(own[0].seq, own[0].seq + len(own)))
    assert all(in_shards[one.bed, one.seq] == one for one in own)
    for name in names:
        seqs = sorted(seq for bed, seq in in_shards if bed == name)
        assert seqs == list(range(len(seqs)))


@pytest.mark.usefixtures("no_tasks_left")
async def test_a_ward_as_large_as_a_small_one_is_sent_in_full(mosquitto: Mosquitto, tmp_path: Path) -> None:
    replays = [(traceable(720), ReplayConfig(bed=f"icu-{number:03}")) for number in range(IN_FULL)]
    found: set[str] = set()
    patterns = [pattern(Kind.ECG), pattern(Kind.WARD_ECG)]
    async with (
        Client(mosquitto.address, role=None, subscriptions=patterns, places=100) as listener,
        asyncio.timeout(60),
    ):
        library = Library(Catalog(cache_dir=tmp_path))
        task = asyncio.create_task(
            serve(mosquitto.address, replays, library=library, ledger_path=None, clock=SteadyClock())
        )
        while len(found) < IN_FULL:
            message = (await listener.receive()).message
            assert isinstance(message, Waveform)
            found.add(message.bed)
        await task


@pytest.mark.usefixtures("no_tasks_left")
async def test_an_episode_over_a_broker(mosquitto: Mosquitto, mitdb_dir: Path, tmp_path: Path) -> None:
    """It is offered, shown to every subscriber, told on the topic of truth, and refused for a path."""
    clock, library = SteadyClock(), Library(Catalog(data_dir=mitdb_dir, cache_dir=tmp_path))
    patterns = [pattern(Kind.ECG), pattern(Kind.TRUTH), pattern(Kind.STATUS, role=Role.PUBLISHER)]
    replays = [(traceable(36_000), ReplayConfig())]
    async with (
        Client(mosquitto.address, role=None, subscriptions=patterns) as client,
        Client(mosquitto.address, role=None, subscriptions=patterns) as other,
        asyncio.timeout(60),
    ):
        task = asyncio.create_task(serve(mosquitto.address, replays, library=library, ledger_path=None, clock=clock))

        async def offered() -> BedStatus:
            while not (isinstance(one := (await client.receive()).message, BedStatus) and one.rhythms):
                pass
            return one

        assert {"VT", "VFL", "AFIB", "ASYS"} <= {offer.rhythm for offer in (await offered()).rhythms}
        outside = ShowEpisode(record=str(mitdb_dir / "mitdb" / "205"), start_s=1.0, end_s=2.0)
        client.send(command(1, outside, clock.now_ns()))
        client.send(command(2, ShowEpisode(record="mitdb/205", start_s=1460.5, end_s=1465.2), clock.now_ns()))
        for listener in (client, other):
            refused, shown, truths = [], [], []
            while not truths:
                message = (await listener.receive()).message
                if isinstance(message, BedStatus):
                    refused += [result.refused for result in message.commands if result.refused]
                    shown += [message.episode] if message.episode is not None else []
                elif isinstance(message, Truth):
                    truths.append(message)
            assert "not on disk" in refused[0]
            assert (shown[0].rhythm, shown[0].record, shown[0].returns) == ("VT", "mitdb/205", True)
            assert (truths[0].phase, truths[0].name, truths[0].epoch) == ("begin", "VT", 1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
