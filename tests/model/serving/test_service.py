"""The worker as a process, over a real broker."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiomqtt
import msgspec
import pytest

from model.pipeline.analysis import Models
from model.serving.service import serve
from stream.clock import SteadyClock, rfc3339
from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.records.catalog import Catalog
from stream.records.library import Library
from stream.records.record import Record
from stream.records.synthetic.presets import synthetic_record
from stream.replay.playhead import ReplayConfig
from stream.replay.publisher_process import serve as publish
from stream.wire import codec
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.messages import Forecast, Message, Waveform
from stream.wire.shard import ALL_BEDS, Shard
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role, pattern
from stream.wire.wave_message import Wave
from tests.brokers import Mosquitto
from tests.model.serving.worker_harness import (
    SESSION,
    assert_same_forecasts,
    chunks,
    publisher_status,
    run,
    summaries,
    until,
)


@pytest.mark.usefixtures("no_tasks_left")
async def test_live_and_offline_agree(broker: BrokerAddress, models: Models, patient: Record, tmp_path: Path) -> None:
    kinds = [
        pattern(Kind.FORECAST),
        pattern(Kind.ALARMS),
        pattern(Kind.STATUS, role=Role.WORKER),
        pattern(Kind.PROCESS),
    ]
    record = Record("p", patient.leads, patient.gain, patient.zero, patient.adu, True, "test")
    messages: list[Message] = []
    async with Client(broker, role=None, subscriptions=kinds) as listener, asyncio.timeout(60):
        worker = asyncio.create_task(serve(broker, models, ledger_path=None, max_wait_s=600))
        while not isinstance((await listener.receive()).message, ProcessStatus):
            pass
        replays = [(record, ReplayConfig(speed=10.0))]
        publisher = asyncio.create_task(
            publish(
                broker, replays, library=Library(Catalog(cache_dir=tmp_path)), ledger_path=None, clock=SteadyClock()
            )
        )
        async for received in listener:
            if received.message is not None:
                messages.append(received.message)
            if sum(isinstance(m, Forecast) for m in messages) == record.n // 36 and not worker.cancelling():
                worker.cancel()
            if isinstance(received.message, BedStatus) and received.message.state == "stopped":
                break
        await asyncio.gather(worker, publisher, return_exceptions=True)
    offline = run(models, [[c] for c in chunks(record)])
    offline.worker.statuses.update(publisher_status("ended"))
    assert_same_forecasts([m for m in messages if isinstance(m, Forecast)], offline.of(Forecast))
    assert summaries([m for m in messages if isinstance(m, Alarm)]) == summaries(offline.of(Alarm))
    assert offline.of(Alarm)


@pytest.mark.usefixtures("no_tasks_left")
async def test_waves_reach_the_worker_and_any_subscriber(
    broker: BrokerAddress, models: Models, silent: Record, tmp_path: Path
) -> None:
    """The ECG of this record loses its beats; the pulse contradicts the alarms."""
    kinds = [pattern(kind) for kind in (Kind.WAVE, Kind.ECG, Kind.ALARMS, Kind.FORECAST, Kind.PROCESS)]
    samples: list[Wave | Waveform] = []
    alarms, forecasts = set(), 0
    async with Client(broker, role=None, subscriptions=kinds) as listener, asyncio.timeout(60):
        worker = asyncio.create_task(serve(broker, models, ledger_path=None, max_wait_s=600))
        while not isinstance((await listener.receive()).message, ProcessStatus):
            pass
        replays = [(silent, ReplayConfig(speed=10.0))]
        library = Library(Catalog(cache_dir=tmp_path))
        publisher = asyncio.create_task(
            publish(broker, replays, library=library, ledger_path=None, clock=SteadyClock())
        )
        while forecasts < silent.n // 36:
            message = (await listener.receive()).message
            if isinstance(message, Wave | Waveform):
                samples.append(message)
            alarms |= {message.kind} if isinstance(message, Alarm) else set()
            forecasts += isinstance(message, Forecast)
        worker.cancel()
        await asyncio.gather(worker, publisher, return_exceptions=True)
    assert [type(message) for message in samples] == [Wave, Waveform] * (silent.n // 36)
    [wave] = silent.waves
    sent = b"".join(message.samples for message in samples if isinstance(message, Wave))
    assert sent == wave.adu.astype("<i2").tobytes()
    assert not alarms & {"asystole", "extreme_bradycardia"}


@pytest.mark.usefixtures("no_tasks_left")
async def test_one_of_two_workers_that_start_together_serves(broker: BrokerAddress, models: Models) -> None:
    both = [asyncio.create_task(serve(broker, models, ledger_path=None)) for _ in range(2)]
    done, serving = await asyncio.wait(both, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    assert isinstance(done.pop().exception(), UsageError)
    await asyncio.sleep(0.3)
    assert not serving.copy().pop().done()
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


@pytest.mark.usefixtures("no_tasks_left")
async def test_a_second_worker_ends_with_an_error(broker: BrokerAddress, models: Models) -> None:
    process_topics = [pattern(Kind.PROCESS, role=Role.WORKER)]
    async with Client(broker, role=None, subscriptions=process_topics) as listener, asyncio.timeout(30):
        first_worker = asyncio.create_task(serve(broker, models, ledger_path=None))
        while not isinstance((await listener.receive()).message, ProcessStatus):
            pass
        with pytest.raises(UsageError, match=r"serves .* already"):
            await serve(broker, models, ledger_path=None)
        first_worker.cancel()
        await asyncio.gather(first_worker, return_exceptions=True)
        third = asyncio.create_task(serve(broker, models, ledger_path=None))
        await asyncio.sleep(0.5)
        assert not third.done()
        third.cancel()
        await asyncio.gather(third, return_exceptions=True)


@pytest.mark.usefixtures("no_tasks_left")
async def test_workers_of_different_shards_serve_side_by_side(
    broker: BrokerAddress, models: Models, tmp_path: Path
) -> None:
    kinds = [pattern(Kind.STATUS, role=Role.WORKER), pattern(Kind.PROCESS, role=Role.WORKER)]
    shards = [Shard(0, 2), Shard(1, 2)]
    beds = [next(bed for n in range(9) if (bed := f"bed-{n}") in shard) for shard in shards]
    async with Client(broker, role=None, subscriptions=kinds) as listener, asyncio.timeout(60):
        workers = [
            asyncio.create_task(serve(broker, models, ledger_path=None, state=tmp_path, shard=shard))
            for shard in shards
        ]
        sending = [asyncio.create_task(_send_chunks(listener, bed)) for bed in beds]
        processes: dict[str, Shard] = {}
        served: dict[str, str] = {}
        while len(served) < 2:
            match (await listener.receive()).message:
                case ProcessStatus() as status:
                    processes[status.instance] = Shard(status.shard, status.shards)
                case BedStatus() as bed_status:
                    served[bed_status.bed] = bed_status.instance
        assert {bed: processes[instance] for bed, instance in served.items()} == dict(zip(beds, shards, strict=True))
        for competing in (ALL_BEDS, Shard(1, 2), Shard(2, 3)):
            with pytest.raises(UsageError, match=r"serves .* already"):
                await serve(broker, models, ledger_path=None, shard=competing)
        assert not any(worker.done() for worker in workers)
        for task in (*sending, *workers):
            task.cancel()
        await asyncio.gather(*sending, *workers, return_exceptions=True)


@pytest.mark.usefixtures("no_tasks_left")
async def test_a_worker_that_lost_its_connection_yields_to_another(mosquitto: Mosquitto, models: Models) -> None:
    broker = mosquitto.address
    process_topics = [pattern(Kind.PROCESS, role=Role.WORKER)]
    async with Client(broker, role=None, subscriptions=process_topics) as listener, asyncio.timeout(30):
        disconnected = asyncio.create_task(serve(broker, models, ledger_path=None))
        received = await listener.receive()
        assert isinstance(received.message, ProcessStatus)
        now = rfc3339(SteadyClock().now_ns())
        other = ProcessStatus(role="worker", instance="another", state="online", when=now)
        listener.send(other)
        await listener.flush(5)
        await asyncio.sleep(0.3)
        assert not disconnected.done(), "a worker that starts later yields"
        # A client with the same id makes the broker close the connection.
        same_id = aiomqtt.Client(broker.host, broker.port, identifier=f"bedside-worker-{received.message.instance}")
        async with same_id:
            pass
        await asyncio.sleep(1)
        assert not disconnected.done(), "a retained status may be that of a process that has ended"
        listener.send(other)
        with pytest.raises(UsageError, match=r"another.* already"):
            await disconnected


@pytest.mark.usefixtures("no_tasks_left")
async def test_a_retained_status_of_a_dead_worker_does_not_stop_the_next(broker: BrokerAddress, models: Models) -> None:
    """Not even one that is dated in the future; its beds are taken over under a higher lease."""
    kinds = [pattern(Kind.FORECAST), pattern(Kind.ALARMS_ACTIVE), pattern(Kind.STATUS, role=Role.WORKER)]
    dead = ProcessStatus(role="worker", instance="dead", state="online", when="2099-01-01T00:00:00.000Z")
    fields = {"bed": "bed-1", "role": "worker", "when": "", "record": "p", "session": SESSION}
    async with Client(broker, role=None, subscriptions=kinds) as listener, asyncio.timeout(60):
        listener.send(dead)
        listener.send(BedStatus(**fields, instance="dead", state="forecasting", lease=6))  # type: ignore[arg-type]
        await listener.flush(5)
        worker = asyncio.create_task(serve(broker, models, ledger_path=None))
        sending = asyncio.create_task(_send_chunks(listener))
        leases = set()
        async for received in listener:
            if isinstance(received.message, Forecast | ActiveAlarms):
                leases.add((type(received.message), received.message.lease))
            if len(leases) == 2:
                break
        assert leases == {(Forecast, 7), (ActiveAlarms, 7)}
        for task in (sending, worker):
            task.cancel()
        await asyncio.gather(sending, worker, return_exceptions=True)


@pytest.mark.usefixtures("no_tasks_left")
async def test_a_worker_ends_silently_when_another_serves_its_bed_under_a_higher_lease(
    broker: BrokerAddress, models: Models
) -> None:
    kinds = [pattern(Kind.FORECAST), pattern(Kind.STATUS, role=Role.WORKER), pattern(Kind.PROCESS, role=Role.WORKER)]
    fields = {"bed": "bed-1", "role": "worker", "when": "", "record": "p", "session": SESSION}
    higher = BedStatus(**fields, instance="another", state="forecasting", lease=2)  # type: ignore[arg-type]
    async with Client(broker, role=None, subscriptions=kinds) as listener, asyncio.timeout(60):
        worker = asyncio.create_task(serve(broker, models, ledger_path=None))
        sending = asyncio.create_task(_send_chunks(listener))
        while not isinstance((await listener.receive()).message, Forecast):
            pass
        listener.send(higher)
        await listener.flush(5)
        await asyncio.sleep(0.3)
        assert not worker.done(), "a single message ends nobody"
        listener.send(ProcessStatus(role="worker", instance="another", state="online", when=""))
        with pytest.raises(UsageError, match=r"another.* already"):
            await worker
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        states = []
        while (received := listener.receive_nowait()) is not None:
            if isinstance(received.message, BedStatus):
                states.append(received.message.state)
        assert "stopped" not in states, "the status of the other worker is not overwritten"


async def _send_chunks(client: Client, bed: str = "bed-1") -> None:
    """Send a bed in real time."""
    for chunk in chunks(synthetic_record(), bed=bed):
        client.send(chunk)
        await asyncio.sleep(0.1)


async def test_a_retained_waveform_is_ignored(broker: BrokerAddress, models: Models, patient: Record) -> None:
    kinds = [pattern(Kind.FORECAST), pattern(Kind.ALARMS), pattern(Kind.PROCESS)]
    stream = until(chunks(patient), 8)
    old = msgspec.structs.replace(stream[0], session="e" * 32)
    async with aiomqtt.Client(broker.host, broker.port) as stranger:
        await stranger.publish("bedside/v1/bed-1/ecg", codec.encode(old), qos=1, retain=True)
    async with Client(broker, role=None, subscriptions=kinds) as listener, asyncio.timeout(60):
        worker = asyncio.create_task(serve(broker, models, ledger_path=None))
        while not isinstance((await listener.receive()).message, ProcessStatus):
            pass
        forecasts = 0
        for chunk in stream[50:]:
            listener.send(chunk)
        while forecasts < 30:
            message = (await listener.receive()).message
            assert not isinstance(message, Alarm), "the samples before the first chunk are not lost"
            forecasts += isinstance(message, Forecast) and message.session == stream[0].session
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
