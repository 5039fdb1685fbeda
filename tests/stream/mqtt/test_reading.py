"""What a connection takes from the broker: bounded in memory, and without delay for a busy event loop."""

import asyncio
import sys
import time
import tracemalloc

import paho.mqtt.publish
import pytest

from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.mqtt.connection import ProtocolVersion
from stream.wire import codec
from stream.wire.topics import Kind, pattern
from tests.brokers import Mosquitto
from tests.waveforms import chunk

MB = 1_000_000

pytestmark = pytest.mark.usefixtures("no_tasks_left")


async def publish_zeros(address: BrokerAddress, size: int, *, retain: bool = False) -> None:
    """Publish a payload of zeros in another process, whose memory does not count here."""
    script = (
        "import sys, paho.mqtt.publish as mqtt\n"
        "port, size, retain = map(int, sys.argv[1:])\n"
        "mqtt.single('bedside/v1/bed-1/ecg', bytes(size), qos=1, retain=bool(retain), hostname='127.0.0.1', port=port)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(address.port), str(size), str(int(retain))
    )
    assert await process.wait() == 0


@pytest.mark.parametrize("retain", [False, True])
async def test_an_oversized_payload_is_rejected_without_being_stored(mosquitto: Mosquitto, retain: bool) -> None:
    """With MQTT 3.1.1; fails if paho no longer reads through the attributes that `stream.mqtt.connection` replaces."""
    if retain:
        await publish_zeros(mosquitto.address, 60 * MB, retain=True)
    tracemalloc.start()
    try:
        listener = Client(mosquitto.address, role=None, subscriptions=[pattern(Kind.ECG)])
        listener._link.protocol = ProtocolVersion.V311
        async with listener, Client(mosquitto.address, role=None) as sender:
            if not retain:
                await publish_zeros(mosquitto.address, 60 * MB)
            sender.send(chunk(0))
            async with asyncio.timeout(30):
                received = await listener.receive()
                while not listener.counters["rejected"]:
                    await asyncio.sleep(0.01)
            assert received.message == chunk(0)
            assert (listener.counters["rejected"], listener.counters["reconnects"]) == (1, 0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 15 * MB


async def test_the_broker_withholds_an_oversized_payload_with_mqtt_5(mosquitto: Mosquitto) -> None:
    async with (
        Client(mosquitto.address, role=None, subscriptions=[pattern(Kind.ECG)]) as listener,
        Client(mosquitto.address, role=None) as sender,
    ):
        await publish_zeros(mosquitto.address, MB)
        sender.send(chunk(0))
        async with asyncio.timeout(10):
            assert (await listener.receive()).message == chunk(0)
        assert (listener.counters["rejected"], listener.counters["reconnects"]) == (0, 0)


async def test_the_largest_valid_payload_with_the_longest_topic_is_complete(mosquitto: Mosquitto) -> None:
    large = chunk(0, 10_800)
    async with (
        Client(mosquitto.address, role=None, subscriptions=[pattern(Kind.ECG)]) as listener,
        Client(mosquitto.address, role=None) as sender,
    ):
        sender.send(large)
        async with asyncio.timeout(10):
            assert (await listener.receive()).message == large


async def test_one_turn_of_the_event_loop_takes_many_messages(mosquitto: Mosquitto) -> None:
    """A busy process yields to its event loop once per step, while the broker's queue for it holds 1000 messages."""
    address = mosquitto.address
    async with Client(address, role=None, subscriptions=[pattern(Kind.ECG)]) as listener:
        messages = [("bedside/v1/bed-1/ecg", codec.encode(chunk(seq)), 1, False) for seq in range(200)]
        paho.mqtt.publish.multiple(messages, hostname=address.host, port=address.port)  # the loop is blocked meanwhile
        turns = 0
        while listener.counters["received"] < 200 and turns < 30:
            time.sleep(0.01)  # the busy process
            await asyncio.sleep(0)
            turns += 1
        assert listener.counters["received"] == 200
