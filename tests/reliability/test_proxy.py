"""The proxy reads MQTT packets however TCP cuts them, and changes what passes between a client and a real broker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reliability.oracle import Watch
from tests.reliability.processes import Ward
from tests.reliability.proxy import Proxy, Publish, parse_publish, split


def packet(topic: str, payload: bytes, properties: bytes = b"") -> bytes:
    body = len(topic).to_bytes(2, "big") + topic.encode() + b"\0\7" + properties + payload
    length, rest = bytearray(), len(body)
    while True:
        rest, low = divmod(rest, 128)
        length.append(low | (0x80 if rest else 0))
        if not rest:
            return bytes([0x32]) + bytes(length) + body


@given(st.lists(st.binary(max_size=300), max_size=6), st.integers(1, 50))
def test_packets_are_found_however_the_stream_is_cut(payloads: list[bytes], size: int) -> None:
    stream = b"".join(packet("a/ecg", payload) for payload in payloads)
    buffer, found = bytearray(), []
    for start in range(0, len(stream), size):
        buffer += stream[start : start + size]
        found += split(buffer)
    assert [parse_publish(one, 4).payload for one in found] == payloads
    assert not buffer


def test_properties_of_mqtt_5_are_no_payload() -> None:
    publish = parse_publish(packet("a/ecg", b"payload", properties=b"\x03\x01\x00\x01"), 5)
    assert (publish.topic, publish.mid, publish.payload) == ("a/ecg", b"\0\7", b"payload")
    assert parse_publish(publish.with_payload(b"PAYLOAD"), 5).payload == b"PAYLOAD"


@pytest.mark.parametrize("version", [paho.MQTTv311, paho.MQTTv5])
def test_messages_are_recorded_doubled_and_dropped(tmp_path: Path, version: int) -> None:
    def edit(publish: Publish) -> Sequence[bytes] | None:
        return {b"double": [publish.packet] * 2, b"drop": None}.get(publish.payload, [publish.packet])

    with Ward(tmp_path) as ward, Watch(ward.port, ["#"]) as watch, Proxy(ward.port, lambda _: True, edit) as proxy:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=version)
        client.connect("127.0.0.1", proxy.port)
        client.loop_start()
        try:
            for payload in (b"drop", b"double", b"pass"):
                client.publish("bedside/v1/x", payload, qos=1).wait_for_publish(10)
        finally:
            client.disconnect()
            client.loop_stop()
        deadline = time.monotonic() + 10
        while len(watch.messages) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [message.payload for message in watch.messages] == [b"double", b"double", b"pass"]
        assert [publish.payload for publish in proxy.published] == [b"drop", b"double", b"pass"]


def test_a_frozen_link_stays_open_and_silent_while_a_new_one_works(tmp_path: Path) -> None:
    with Ward(tmp_path) as ward, Watch(ward.port, ["#"]) as watch, Proxy(ward.port) as proxy:
        with Watch(proxy.port, ["#"]) as old:
            proxy.freeze()
            with Watch(proxy.port, ["#"]) as new:
                watch.publish("x", b"hello")
                deadline = time.monotonic() + 10
                while not new.messages and time.monotonic() < deadline:
                    time.sleep(0.02)
                assert new.messages
                assert not old.messages
                assert proxy.open_links == 2
