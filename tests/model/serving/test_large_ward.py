"""A worker of a large ward over a real broker: chunks in shard messages, on their own topics, and both ways."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from model.pipeline.analysis import Models
from model.serving import forecast_output
from model.serving.service import serve
from model.serving.warm_up import warm_up
from stream.clock import rfc3339
from stream.mqtt.client import Client
from stream.records.record import Record
from stream.wire.alarm_messages import Command
from stream.wire.detail import SetDetail
from stream.wire.messages import Forecast, Message, Waveform
from stream.wire.shard import Shard
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role, pattern
from stream.wire.ward_batches import ward_ecg
from stream.wire.ward_messages import WardForecast
from tests.brokers import Mosquitto
from tests.model.serving.worker_harness import chunks, until

pytestmark = [pytest.mark.usefixtures("no_tasks_left"), pytest.mark.timeout(180)]

BEDS = ("icu-032", "icu-039", "icu-085")
"""Of one shard of a ward: 0 of 24, and so 0 of 2."""


@pytest.fixture(scope="module", autouse=True)
def compiled(models: Models) -> None:
    """Compile the analysis before: it would block the event loop, which the clients share."""
    warm_up(models)


@asynccontextmanager
async def working(mosquitto: Mosquitto, models: Models, **options: object) -> AsyncIterator[Client]:
    """Run a worker; provide a client that hears it, and may speak."""
    kinds = [pattern(kind) for kind in (Kind.FORECAST, Kind.WARD_FORECAST)]
    kinds += [pattern(Kind.STATUS, role=Role.WORKER), pattern(Kind.PROCESS, role=Role.WORKER)]
    async with Client(mosquitto.address, role=None, subscriptions=kinds) as client, asyncio.timeout(40):
        worker = asyncio.create_task(serve(mosquitto.address, models, ledger_path=None, max_wait_s=600, **options))  # type: ignore[arg-type]
        try:
            while not isinstance((await client.receive()).message, ProcessStatus):
                assert not worker.done()
            yield client
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker


def ticks(patient: Record, seconds: float) -> list[list[Waveform]]:
    """Return the chunks of all beds, one list for each tick."""
    return [list(tick) for tick in zip(*(until(chunks(patient, bed=bed), seconds) for bed in BEDS), strict=True)]


async def processed(client: Client, beds: Sequence[str], last_seq: int) -> tuple[list[Message], dict[str, BedStatus]]:
    """Return all messages until the status of each bed names the last chunk, and these statuses."""
    found: list[Message] = []
    statuses: dict[str, BedStatus] = {}
    while len(statuses) < len(beds):
        message = (await client.receive()).message
        assert message is not None
        found.append(message)
        if isinstance(message, BedStatus) and message.last_seq == last_seq:
            statuses[message.bed] = message
    return found, statuses


async def test_a_bed_changes_its_way_and_flows_both_ways_without_a_gap_or_a_duplicate(
    mosquitto: Mosquitto, models: Models, patient: Record
) -> None:
    made = ticks(patient, 3.0)
    async with working(mosquitto, models) as client:
        for seq, tick in enumerate(made):
            own_first, shard, own_then = {0: (0, 1, 0), 1: (1, 0, 0), 2: (1, 1, 0), 3: (0, 1, 1)}[seq // 3 % 4]
            for chunk in tick * own_first:
                client.send(chunk)
            if shard:
                client.send(ward_ecg(tick))
            for chunk in tick * own_then:
                client.send(chunk)
            assert await client.flush(10)
        client.send(made[-1][0])  # a real duplicate, or the copy of the last one
        client.send(made[-1][0])
        _, statuses = await processed(client, BEDS, len(made) - 1)
        while (
            (last := (await client.receive()).message) is None or not isinstance(last, BedStatus) or last.bed != BEDS[0]
        ):
            pass
    for bed in BEDS:
        counters = statuses[bed].counters
        assert counters["gaps"] == counters["lost_samples"] == counters["rejected"] == 0, bed
        assert statuses[bed].counters["samples_forecast"] == 36 * len(made)
    assert [statuses[bed].counters["duplicates"] for bed in BEDS[1:]] == [0, 0]
    assert 1 <= last.counters["duplicates"] <= 2


async def test_a_lost_shard_message_is_a_gap_of_each_of_its_beds(
    mosquitto: Mosquitto, models: Models, patient: Record
) -> None:
    made = ticks(patient, 2.5)
    async with working(mosquitto, models) as client:
        for seq, tick in enumerate(made):
            if seq != 10:
                client.send(ward_ecg(tick))
        _, statuses = await processed(client, BEDS, len(made) - 1)
    assert [(s.counters["gaps"], s.counters["lost_samples"]) for s in statuses.values()] == [(1, 36)] * len(BEDS)


async def test_forecasts_of_a_large_ward_share_messages_but_for_the_bed_that_somebody_asks_for(
    mosquitto: Mosquitto, models: Models, patient: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast_output, "IN_FULL", len(BEDS) - 1)
    made = ticks(patient, 2.5)
    async with working(mosquitto, models) as client:
        when = rfc3339(time.time_ns())
        client.send(Command(command_id="0" * 32, bed=BEDS[1], who="test", when=when, action=SetDetail()))
        assert await client.flush(10)
        for tick in made:
            client.send(ward_ecg(tick))
        found, _ = await processed(client, BEDS, len(made) - 1)
    own = [message for message in found if isinstance(message, Forecast)]
    shared = [message for message in found if isinstance(message, WardForecast)]
    assert {message.bed for message in own[len(BEDS) :]} == {BEDS[1]}, "until all beds are known, each has its own"
    assert all(set(message.names) <= set(BEDS) for message in shared)
    assert sum(BEDS[0] in message.names for message in shared) >= len(made) - 3


async def test_each_of_several_processes_takes_its_beds_from_a_shard_message(
    mosquitto: Mosquitto, models: Models, patient: Record
) -> None:
    """Seven processes do not divide 24: one of them finds its bed among others."""
    shard = next(Shard(index, 7) for index in range(7) if BEDS[0] in Shard(index, 7))
    mine = [bed for bed in BEDS if bed in shard]
    made = ticks(patient, 2.5)
    async with working(mosquitto, models, shard=shard) as client:
        for tick in made:
            client.send(ward_ecg(tick))
        found, _ = await processed(client, mine, len(made) - 1)
    served = {message.bed for message in found if isinstance(message, BedStatus)}
    assert served == set(mine) != set(BEDS)
