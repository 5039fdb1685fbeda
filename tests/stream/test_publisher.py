import asyncio
import csv
import itertools
import logging
from pathlib import Path

import pytest

from stream.address import BrokerAddress
from stream.client import Client
from stream.clock import SteadyClock
from stream.ledger import ledger
from stream.messages import BedStatus, Message, Waveform
from stream.publisher import Bed, Publisher, serve
from stream.replay import ReplayConfig, replay
from stream.topics import Kind, Role, pattern
from tests.stream.test_replay import BEGIN_NS, traceable


class FakeClock:
    """A clock that a sleep moves on, a little too far each time: hours pass in milliseconds."""

    def __init__(self, late_ns: int = 0) -> None:
        self.now = BEGIN_NS
        self.late_ns = late_ns

    def now_ns(self) -> int:
        return self.now

    async def sleep_until(self, moment_ns: int) -> None:
        self.now = max(self.now, moment_ns + self.late_ns)


def publisher(beds: list[Bed], sent: list[tuple[int, Message]], clock: FakeClock, lost: int = 0) -> Publisher:
    return Publisher(
        beds,
        send=lambda message: sent.append((clock.now_ns(), message)),
        dropped=lambda bed: lost,
        instance="ab12",
        clock=clock,
        write=lambda *values: None,
    )


def waveforms(sent: list[tuple[int, Message]], bed: str) -> list[tuple[int, Waveform]]:
    return [(now, m) for now, m in sent if isinstance(m, Waveform) and m.bed == bed]


def statuses(sent: list[tuple[int, Message]], bed: str) -> list[BedStatus]:
    return [m for _, m in sent if isinstance(m, BedStatus) and m.bed == bed]


async def test_an_hour_of_late_wakings_does_not_add_up() -> None:
    record, sent, clock = traceable(30_000), [], FakeClock(late_ns=3_000_000)
    config = ReplayConfig(loop=True)
    hour = itertools.takewhile(lambda chunk: chunk.start < 3600 * 360, replay(record, config, BEGIN_NS))
    await publisher([Bed(config, hour)], sent, clock).run()
    lateness = {now - chunk.due_ns for now, chunk in waveforms(sent, "bed-1")}
    assert lateness == {3_000_000}
    assert sum(chunk.n for _, chunk in waveforms(sent, "bed-1")) >= 3600 * 360


async def test_beds_of_different_chunks_and_speeds_share_the_loop() -> None:
    record, sent, clock = traceable(3000), [], FakeClock()
    configs = [ReplayConfig(bed="a", chunk=36), ReplayConfig(bed="b", chunk=100, speed=3.0)]
    await publisher([Bed(c, replay(record, c, BEGIN_NS)) for c in configs], sent, clock).run()
    for bed in "ab":
        assert all(now == chunk.due_ns for now, chunk in waveforms(sent, bed))
        assert sum(chunk.n for _, chunk in waveforms(sent, bed)) == 3000
        last = statuses(sent, bed)[-1]
        assert (last.state, last.counters["samples_published"], last.last_seq) == (
            "ended",
            3000,
            waveforms(sent, bed)[-1][1].seq,
        )
    assert [now for now, _ in sent] == sorted(now for now, _ in sent)


async def test_a_suspended_machine_sends_what_is_overdue_at_once() -> None:
    record, sent, clock = traceable(3600), [], FakeClock()
    config = ReplayConfig()

    async def nap(moment_ns: int) -> None:
        clock.now = max(clock.now, moment_ns + (5_000_000_000 if len(waveforms(sent, "bed-1")) == 10 else 0))

    clock.sleep_until = nap  # type: ignore[method-assign]
    await publisher([Bed(config, replay(record, config, BEGIN_NS))], sent, clock).run()
    lateness = [now - chunk.due_ns for now, chunk in waveforms(sent, "bed-1")]
    assert max(lateness) == 5_000_000_000
    assert lateness[-1] == 0, "the deadlines stayed where they were"


async def test_chunks_that_gave_way_are_counted_and_announced(caplog: pytest.LogCaptureFixture) -> None:
    record, sent, clock = traceable(3600), [], FakeClock()
    config = ReplayConfig()
    with caplog.at_level(logging.WARNING, "bedside.publisher"):
        await publisher([Bed(config, replay(record, config, BEGIN_NS))], sent, clock, lost=7).run()
    assert statuses(sent, "bed-1")[-1].counters["chunks_dropped"] == 7
    assert len(caplog.records) == 1
    assert "7 chunks lost" in caplog.text


@pytest.mark.usefixtures("no_tasks_left")
async def test_over_a_real_broker(broker: BrokerAddress, tmp_path: Path) -> None:
    """Ten beds at twenty times real time: every chunk arrives once, in order, and the ledger names each."""
    record = traceable(3600)
    replays = [(record, ReplayConfig(bed=f"bed-{i}", speed=20.0)) for i in range(10)]
    path = tmp_path / "ledger.csv"
    got: dict[str, list[int]] = {config.bed: [] for _, config in replays}
    ended: set[str] = set()
    patterns = [pattern(Kind.ECG), pattern(Kind.STATUS, role=Role.PUBLISHER)]
    async with Client(broker, role=None, subscriptions=patterns) as listener, asyncio.timeout(30):
        task = asyncio.create_task(serve(broker, replays, ledger_path=path, clock=SteadyClock()))
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


def test_a_ledger_that_cannot_be_written_is_one_helpful_line(tmp_path: Path) -> None:
    from stream.errors import StorageError

    with pytest.raises(StorageError, match="--ledger"), ledger(tmp_path / "missing" / "ledger.csv", "a"):
        pass
