"""A publisher finds out whether another one sends its bed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from stream.clock import SteadyClock
from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.records.catalog import Catalog
from stream.records.library import Library
from stream.records.synthetic.presets import synthetic_record
from stream.replay import bed_claims
from stream.replay.bed_claims import BedClaims
from stream.replay.playhead import ReplayConfig
from stream.replay.publisher_process import serve
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role, pattern


def process(instance: str = "a", state: Any = "online", beds: tuple[str, ...] = ("bed-1",)) -> ProcessStatus:
    return ProcessStatus(role="publisher", instance=instance, state=state, when="", beds=beds)


def bed(state: Any, instance: str = "a") -> BedStatus:
    return BedStatus(
        bed="bed-1", role="publisher", instance=instance, state=state, when="", record="p", session="ab" * 16
    )


def claims() -> BedClaims:
    return BedClaims(["bed-1", "bed-2"], "me")


def test_a_claim_counts_once_it_is_repeated() -> None:
    known = claims()
    known.update(process(), retained=True)
    assert known.claimed(alive=False) == ("bed-1", "a")
    assert known.claimed(alive=True) is None
    known.update(process(), retained=False)
    assert known.claimed(alive=True) == ("bed-1", "a")


@pytest.mark.parametrize(
    "status",
    [process(state="offline"), bed("ended"), process(beds=("bed-3",)), process(beds=())],
    ids=["offline", "ended", "another bed", "no bed"],
)
def test_a_bed_that_is_not_sent_any_more_is_free(status: ProcessStatus | BedStatus) -> None:
    known = claims()
    known.update(process(), retained=True)
    known.update(status, retained=False)
    assert known.claimed(alive=False) is None


def test_the_status_of_a_bed_is_a_claim_unless_its_process_is_offline() -> None:
    known = claims()
    known.update(bed("playing"), retained=False)
    assert known.claimed(alive=True) == ("bed-1", "a")
    known.update(process(state="offline"), retained=True)
    assert known.claimed(alive=False) is None


def test_the_end_of_one_publisher_does_not_free_the_bed_of_another() -> None:
    known = claims()
    known.update(process("b"), retained=False)
    known.update(bed("ended", "a"), retained=True)
    assert known.claimed(alive=True) == ("bed-1", "b")


def test_a_publisher_does_not_stop_itself() -> None:
    known = claims()
    known.update(process("me"), retained=False)
    assert known.claimed(alive=False) is None


async def publish(broker: BrokerAddress, folder: Path, bed: str = "bed-1") -> None:
    library = Library(Catalog(cache_dir=folder))
    replays = [(synthetic_record(), ReplayConfig(bed=bed))]
    await serve(broker, replays, library=library, ledger_path=None, clock=SteadyClock())


async def wait_for_chunk(listener: Client) -> None:
    async for received in listener:
        if received.topic.kind is Kind.ECG:
            return


@pytest.mark.usefixtures("no_tasks_left")
async def test_a_second_publisher_of_a_bed_ends_with_one_line(broker: BrokerAddress, tmp_path: Path) -> None:
    async with Client(broker, role=None, subscriptions=[pattern(Kind.ECG)]) as listener, asyncio.timeout(60):
        first = asyncio.create_task(publish(broker, tmp_path))
        await wait_for_chunk(listener)
        with pytest.raises(UsageError, match=r"another publisher \([0-9a-f]+\) sends bed bed-1 on .*: end it"):
            await publish(broker, tmp_path)
        other = asyncio.create_task(publish(broker, tmp_path, "bed-2"))
        async for received in listener:
            if received.topic.bed == "bed-2":
                break
        assert not first.done()
        for task in (first, other):
            task.cancel()
        await asyncio.gather(first, other, return_exceptions=True)


@pytest.mark.usefixtures("no_tasks_left")
async def test_the_status_of_a_dead_publisher_does_not_stop_a_new_one(
    broker: BrokerAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker died with the publisher, so the status was not replaced by the last will."""
    monkeypatch.setattr(bed_claims, "CONFIRM_S", 0.5)
    kinds = [pattern(Kind.ECG), pattern(Kind.PROCESS, role=Role.PUBLISHER)]
    async with Client(broker, role=None, subscriptions=kinds) as listener, asyncio.timeout(60):
        listener.send(process("dead"))
        listener.send(bed("playing", "dead"))
        await listener.flush(10)
        publisher = asyncio.create_task(publish(broker, tmp_path))
        await wait_for_chunk(listener)
        publisher.cancel()
        await asyncio.gather(publisher, return_exceptions=True)
