"""After an outage, Mosquitto with its default settings loses nothing that a paced sender catches up with."""

import time

import paho.mqtt.client as paho
import pytest

from stream.mqtt.client import Client
from stream.wire import codec
from stream.wire.messages import Waveform
from stream.wire.topics import Kind, Topic, pattern
from tests.brokers import Mosquitto
from tests.waveforms import chunk

BEDS = [f"bed-{n}" for n in range(22)]
BACKLOG = 80
"""Chunks of 100 ms per bed, queued while the broker is away; Mosquitto keeps 1,000 messages for a subscriber."""

BUSY_S = 1.5

pytestmark = pytest.mark.usefixtures("no_tasks_left")


class BusySubscriber:
    """A subscriber that is busy for a while when the first message arrives, and takes no other meanwhile."""

    def __init__(self, broker: Mosquitto) -> None:
        self.received: dict[str, list[int]] = {}
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.connect(broker.address.host, broker.port)
        self._client.subscribe(pattern(Kind.ECG), qos=1)
        self._client.loop_start()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if not self.received:
            time.sleep(BUSY_S)
        chunk = codec.decode(Topic(Kind.ECG, message.topic.split("/")[2]), message.payload)
        assert isinstance(chunk, Waveform)
        self.received.setdefault(chunk.bed, []).append(chunk.seq)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.timeout(120)
async def test_a_busy_subscriber_misses_nothing_of_what_is_caught_up(mosquitto: Mosquitto) -> None:
    async with Client(mosquitto.address, role=None, resume_delay_s=2.0, paced=True) as sender:
        mosquitto.kill()
        for seq in range(BACKLOG):
            for bed in BEDS:
                sender.send(chunk(seq, bed=bed))
        mosquitto.start()
        subscriber = BusySubscriber(mosquitto)
        try:
            assert await sender.flush(60)
            deadline = time.monotonic() + 20
            while sum(map(len, subscriber.received.values())) < BACKLOG * len(BEDS) and time.monotonic() < deadline:
                await sender.flush(0.05)
                time.sleep(0.01)
        finally:
            subscriber.stop()
        assert subscriber.received == {bed: list(range(BACKLOG)) for bed in BEDS}


async def test_what_is_left_is_sent_at_once_when_the_sender_ends(mosquitto: Mosquitto) -> None:
    async with Client(mosquitto.address, role=None, subscriptions=[pattern(Kind.ECG)]) as listener:
        async with Client(mosquitto.address, role=None, paced=True) as sender:
            for seq in range(100):
                sender.send(chunk(seq))
        received = [await listener.receive() for _ in range(100)]
    assert [r.message.seq for r in received if isinstance(r.message, Waveform)] == list(range(100))
