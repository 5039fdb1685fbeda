import asyncio
import gc
from typing import Any

import pytest

from stream.mqtt.connection import IN_FLIGHT
from stream.mqtt.outbox import Outbox
from stream.wire import codec
from stream.wire.topics import QOS, Kind, Topic
from stream.wire.ward_batches import ward_ecg
from tests.stream.wire.test_codec import WARD_BEDS
from tests.waveforms import chunk

ECG = Topic(Kind.ECG, "bed-1")
ACTIVE = Topic(Kind.ALARMS_ACTIVE, "bed-1")

pytestmark = pytest.mark.usefixtures("no_tasks_left")


class Broker:
    """A fake broker; tests set when it acknowledges and when its connection is lost."""

    def __init__(self) -> None:
        self.published: list[tuple[Topic, bytes]] = []
        self._acknowledges = False
        self._waiting: list[asyncio.Future[None]] = []

    def publish(self, topic: Topic, payload: bytes) -> asyncio.Future[None] | None:
        self.published.append((topic, payload))
        if not QOS[topic.kind]:
            return None
        acknowledged = asyncio.get_running_loop().create_future()
        self._waiting.append(acknowledged)
        if self._acknowledges:
            self.acknowledge()
        return acknowledged

    def acknowledge(self) -> None:
        """Acknowledge all messages, also later ones."""
        self._acknowledges = True
        for acknowledged in self._waiting:
            acknowledged.set_result(None)
        self._waiting.clear()

    def lose(self) -> None:
        self._waiting[0].set_exception(ConnectionResetError())


def payloads(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


async def run_loop() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


async def test_at_most_twenty_messages_are_in_flight() -> None:
    outbox, broker = Outbox(30.0), Broker()
    for payload in payloads(50):
        outbox.put(ECG, payload)
    delivering = asyncio.create_task(outbox.deliver(broker.publish, IN_FLIGHT))
    await run_loop()
    assert [payload for _, payload in broker.published] == payloads(IN_FLIGHT)
    assert len(outbox) == 50
    broker.acknowledge()
    async with asyncio.timeout(10):
        await outbox.wait_empty()
    assert [payload for _, payload in broker.published] == payloads(50)
    delivering.cancel()
    await asyncio.wait([delivering])


async def test_messages_in_flight_at_a_lost_connection_are_resent_in_order() -> None:
    outbox, first, second = Outbox(30.0), Broker(), Broker()
    for payload in payloads(30):
        outbox.put(ECG, payload)
    delivering = asyncio.create_task(outbox.deliver(first.publish, IN_FLIGHT))
    await run_loop()
    first.lose()
    with pytest.raises(ConnectionResetError):
        await delivering
    assert len(outbox) == 30
    second.acknowledge()
    delivering = asyncio.create_task(outbox.deliver(second.publish, IN_FLIGHT))
    async with asyncio.timeout(10):
        await outbox.wait_empty()
    assert [payload for _, payload in second.published] == payloads(30)
    delivering.cancel()
    await asyncio.wait([delivering])


async def test_of_several_failures_the_first_is_raised_and_no_other_is_left() -> None:
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    outbox, waiting = Outbox(30.0), []

    def publish(topic: Topic, payload: bytes) -> asyncio.Future[None]:
        waiting.append(asyncio.get_running_loop().create_future())
        return waiting[-1]

    for payload in payloads(3):
        outbox.put(ECG, payload)
    delivering = asyncio.create_task(outbox.deliver(publish, IN_FLIGHT))
    await run_loop()
    for number, acknowledged in enumerate(waiting):
        acknowledged.set_exception(ConnectionResetError(number))
        await asyncio.sleep(0)
    with pytest.raises(ConnectionResetError, match="0"):
        await delivering
    await run_loop()
    waiting.clear()
    gc.collect()
    assert not problems
    assert len(outbox) == 3


async def test_retained_messages_are_appended_again_after_a_reconnect() -> None:
    outbox, broker = Outbox(30.0), Broker()
    broker.acknowledge()
    outbox.retain(ACTIVE, b"one")
    outbox.retain(ACTIVE, b"two")
    outbox.put(ECG, b"wave")
    delivering = asyncio.create_task(outbox.deliver(broker.publish, IN_FLIGHT))
    await outbox.wait_empty()
    outbox.put_retained()
    await outbox.wait_empty()
    assert broker.published == [(ACTIVE, b"one"), (ACTIVE, b"two"), (ECG, b"wave"), (ACTIVE, b"two")]
    outbox.remove(ACTIVE)
    outbox.put_retained()
    await outbox.wait_empty()
    assert broker.published[4:] == [(ACTIVE, b"")]
    delivering.cancel()
    await asyncio.wait([delivering])


async def test_release_waiters_ends_wait_empty() -> None:
    outbox = Outbox(30.0)
    outbox.put(ECG, b"wave")
    outbox.release_waiters()
    await outbox.wait_empty()
    assert len(outbox) == 1


async def test_alarms_go_before_what_waits_and_forecasts_last() -> None:
    outbox, broker = Outbox(30.0), Broker()
    broker.acknowledge()
    kinds = [
        Kind.FORECAST,
        Kind.VITALS,
        Kind.NUMERICS,
        Kind.STATUS,
        Kind.ECG,
        Kind.ALARMS_ACTIVE,
        Kind.ALARMS,
        Kind.PROCESS,
    ]
    for kind in kinds:
        outbox.put(Topic(kind, "bed-1"), b"x", 0.1)
    delivering = asyncio.create_task(outbox.deliver(broker.publish, IN_FLIGHT))
    await outbox.wait_empty()
    sent = [topic.kind for topic, _ in broker.published]
    assert sent == [*kinds[5:], Kind.STATUS, Kind.ECG, Kind.VITALS, Kind.NUMERICS, Kind.FORECAST]
    delivering.cancel()
    await asyncio.wait([delivering])


async def test_wait_at_most_returns_once_few_messages_are_left() -> None:
    outbox, broker = Outbox(30.0), Broker()
    for payload in payloads(50):
        outbox.put(ECG, payload)
    waiting = asyncio.create_task(outbox.wait_at_most(10))
    delivering = asyncio.create_task(outbox.deliver(broker.publish, IN_FLIGHT))
    await run_loop()
    assert not waiting.done()
    broker.acknowledge()
    async with asyncio.timeout(10):
        await waiting
    assert len(outbox) <= 10
    outbox.put(ECG, b"more")
    outbox.release_waiters()
    await outbox.wait_at_most(0)
    delivering.cancel()
    await asyncio.wait([delivering])


async def test_discarded_messages_are_not_sent() -> None:
    outbox, broker = Outbox(30.0), Broker()
    outbox.retain(ACTIVE, b"list")
    outbox.put(ECG, b"wave")
    outbox.discard()
    outbox.put_retained()
    outbox.put(ECG, b"after")
    broker.acknowledge()
    delivering = asyncio.create_task(outbox.deliver(broker.publish, IN_FLIGHT))
    await outbox.wait_empty()
    assert broker.published == [(ECG, b"after")]
    delivering.cancel()
    await asyncio.wait([delivering])


def test_dropped_messages_of_a_shard_count_for_each_of_their_beds() -> None:
    outbox, one, both = Outbox(1.0), WARD_BEDS[:1], WARD_BEDS[:2]
    for seq in range(30):
        message = ward_ecg([chunk(seq, bed=bed) for bed in (both if seq < 5 else one)])
        outbox.put(codec.topic_of(message), codec.encode(message), 0.1)
    assert [outbox.dropped_of_ward(bed) for bed in WARD_BEDS] == [20, 5, 0]
