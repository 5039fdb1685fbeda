"""The messages of a ward over a real broker: which client receives which, and how large they may be."""

import asyncio
import contextlib
from collections.abc import Sequence

import paho.mqtt.client as paho
import pytest

from stream.mqtt.client import Client
from stream.wire import codec
from stream.wire.shard import WARD_SHARDS, Shard, ward_shard
from stream.wire.topics import Kind, Topic, pattern, ward_patterns
from stream.wire.ward_batches import ward_ecg
from stream.wire.ward_messages import MAX_WARD_BYTES, WardEcg
from tests.brokers import Mosquitto
from tests.waveforms import chunk

pytestmark = pytest.mark.usefixtures("no_tasks_left")


def ward_tick(seq: int, beds: Sequence[str], n: int = 36) -> WardEcg:
    return ward_ecg([chunk(seq, n, bed=bed) for bed in beds])


async def test_a_worker_receives_the_messages_of_its_own_shards_only(mosquitto: Mosquitto) -> None:
    """Each of three processes; all beds of the ward are received by exactly one of them."""
    beds = [f"icu-{number:03}" for number in range(1, 101)]
    found: list[set[str]] = []
    async with asyncio.timeout(30), contextlib.AsyncExitStack() as stack:
        workers = []
        for index in range(3):
            filters = ward_patterns(Kind.WARD_ECG, Shard(index, 3))
            client = Client(mosquitto.address, role=None, subscriptions=filters, shard=Shard(index, 3))
            workers.append(await stack.enter_async_context(client))
        publisher = await stack.enter_async_context(Client(mosquitto.address, role=None))
        for shard in range(WARD_SHARDS):
            publisher.send(ward_tick(0, [bed for bed in beds if ward_shard(bed) == shard]))
        for worker in workers:
            messages = [(await worker.receive()).message for _ in range(WARD_SHARDS // 3)]
            assert all(isinstance(message, WardEcg) for message in messages)
            found.append({name for message in messages if isinstance(message, WardEcg) for name in message.names})
            assert worker.counters["received"] == WARD_SHARDS // 3
            assert worker.lateness.total_s > 0
    assert sorted(bed for some in found for bed in some) == beds


async def test_a_ward_may_send_a_mebibyte_and_a_bed_64_kib(mosquitto: Mosquitto) -> None:
    """Of more than that the payload is rejected, and what follows is received."""
    beds = [name for number in range(1000) if ward_shard(name := f"b{number}") == 3][:36]
    large, small = ward_tick(0, beds, 3600), ward_tick(1, beds)
    topic, own = str(codec.topic_of(large)), str(Topic(Kind.ECG, "bed-1"))
    assert 250_000 < len(codec.encode(large)) < MAX_WARD_BYTES
    patterns = [pattern(Kind.WARD_ECG), pattern(Kind.ECG)]
    for protocol in (paho.MQTTv5, paho.MQTTv311):
        async with Client(mosquitto.address, role=None, subscriptions=patterns) as client, asyncio.timeout(30):
            stranger = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=protocol)
            stranger.connect("127.0.0.1", mosquitto.port)
            stranger.loop_start()
            stranger.publish(topic, codec.encode(large))
            stranger.publish(topic, bytes(MAX_WARD_BYTES + 1))
            stranger.publish(own, bytes(codec.MAX_BYTES + 1))
            stranger.publish(topic, b"not MessagePack")
            stranger.publish(topic.replace("/3/", "/4/"), codec.encode(small)).wait_for_publish(10)
            stranger.publish(topic, codec.encode(small)).wait_for_publish(10)
            assert [(await client.receive()).message for _ in range(2)] == [large, small]
            assert client.counters["rejected"] == 4
            stranger.disconnect()
            stranger.loop_stop()


async def test_beds_in_the_messages_of_a_ward_take_places(mosquitto: Mosquitto) -> None:
    beds = [name for number in range(1000) if ward_shard(name := f"b{number}") == 3][:4]
    patterns = [pattern(Kind.WARD_ECG), pattern(Kind.BEATS)]
    async with (
        Client(mosquitto.address, role=None, subscriptions=patterns, places=3) as client,
        Client(mosquitto.address, role=None) as publisher,
        asyncio.timeout(30),
    ):
        publisher.send(ward_tick(0, beds))
        await client.receive()
        assert client.refused == (beds[3],)
        assert client.counters["beds_refused"] == 1
