"""Feed with a real broker: messages are handed over in order, and the window never waits."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from monitor.view import feed as feed_module
from monitor.view.display_texts import english
from monitor.view.feed import QUIZ_KINDS, SUBSCRIBED_KINDS, Feed
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Received
from stream.mqtt.embedded_broker import free_port
from stream.wire import codec
from stream.wire.messages import Message, Waveform
from stream.wire.topics import QOS, RETAINED, Kind
from tests.brokers import Mosquitto
from tests.monitor.message_samples import alarm, status
from tests.waveforms import chunk


@pytest.fixture
def feed(mosquitto: Mosquitto) -> Iterator[Feed]:
    made = Feed(mosquitto.address)
    made.start()
    yield made
    made.stop()


class Sender:
    """Publisher on paho, independent of this project's client."""

    def __init__(self, port: int) -> None:
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def send(self, *messages: Message) -> None:
        for message in messages:
            topic = codec.topic_of(message)
            info = self._client.publish(str(topic), codec.encode(message), QOS[topic.kind], topic.kind in RETAINED)
        info.wait_for_publish(5)

    def send_raw(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, 1).wait_for_publish(5)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def sender(mosquitto: Mosquitto) -> Iterator[Sender]:
    made = Sender(mosquitto.port)
    yield made
    made.close()


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.01)


def collect(feed: Feed, count: int) -> list[Received]:
    """Drain until a number of bed messages was received."""
    got: list[Received] = []

    def enough() -> bool:
        got.extend(r for r in feed.drain() if r.topic.bed is not None)
        return len(got) >= count

    wait_until(enough)
    return got


def test_messages_arrive_complete_and_in_order(feed: Feed, sender: Sender) -> None:
    wait_until(lambda: feed.connected)
    sent = [*(chunk(seq) for seq in range(50)), alarm(100), status("worker", "learning")]
    sender.send(*sent)
    got = collect(feed, len(sent))
    assert [r.message for r in got if isinstance(r.message, Waveform)] == sent[:50]
    assert {type(r.message).__name__ for r in got} == {"Waveform", "Alarm", "BedStatus"}
    assert feed.drain() == []
    assert str(feed.address) in english(feed.phrase)


def test_a_window_receives_no_truth_and_that_of_a_quiz_no_reference() -> None:
    assert Kind.TRUTH not in SUBSCRIBED_KINDS
    assert set(SUBSCRIBED_KINDS) - set(QUIZ_KINDS) == {Kind.ANNOTATIONS, Kind.SCORE}


def test_a_late_feed_receives_retained_messages(mosquitto: Mosquitto, sender: Sender) -> None:
    sender.send(status("worker", "forecasting"))
    late = Feed(mosquitto.address)
    late.start()
    try:
        (got,) = collect(late, 1)
        assert got.retained
        assert got.message == status("worker", "forecasting")
    finally:
        late.stop()


def test_malformed_payloads_are_counted_and_stop_nothing(feed: Feed, sender: Sender) -> None:
    wait_until(lambda: feed.connected)
    for payload in (b"\xff" * 10, b"", b"{}"):
        sender.send_raw("bedside/v1/bed-1/ecg", payload)
    sender.send(chunk(0))
    (got,) = collect(feed, 1)
    assert got.message == chunk(0)
    assert feed.counters["rejected"] == 3


def test_when_nobody_drains_the_messages_wait(feed: Feed, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "MAX_HANDOVER", 10)
    wait_until(lambda: feed.connected)
    feed.drain()
    sender.send(*(chunk(seq) for seq in range(100)))
    wait_until(lambda: feed.counters["received"] >= 100)
    first = feed.drain()
    assert len(first) == 10
    got = [r for r in first if r.topic.bed is not None]
    got += collect(feed, 100 - len(got))
    assert [r.message.seq for r in got if isinstance(r.message, Waveform)] == list(range(100))


def test_without_a_broker_it_reports_why_and_keeps_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "CONNECT_TIMEOUT_S", 0.1)
    monkeypatch.setattr(feed_module, "RETRY_DELAY_S", 0.05)
    port = free_port()
    feed = Feed(BrokerAddress("127.0.0.1", port))
    feed.start()
    try:
        assert "connecting" in english(feed.phrase)
        wait_until(lambda: "cannot be reached" in english(feed.phrase))
        assert not feed.connected
        assert "trying again" in english(feed.phrase)
        broker = Mosquitto(tmp_path, port=port)
        broker.start()
        try:
            wait_until(lambda: feed.connected)
        finally:
            broker.stop()
        wait_until(lambda: not feed.connected)
        assert "lost" in english(feed.phrase) or "cannot be reached" in english(feed.phrase)
    finally:
        feed.stop()
        gc.collect()


def test_it_stops_at_any_time_and_leaves_no_thread(mosquitto: Mosquitto) -> None:
    never = Feed(mosquitto.address)
    never.stop()
    for wait_s in (0.0, 0.001, 0.003, 0.01, 0.03, 0.3):
        feed = Feed(mosquitto.address)
        feed.start()
        time.sleep(wait_s)
        feed.stop()
        assert not feed._thread.is_alive()
        del feed
        gc.collect()  # resources left open raise a warning when they are collected
