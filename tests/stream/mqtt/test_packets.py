import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.mqtt import packets
from stream.mqtt.packets import MAX_PACKET, PUBLISH, MalformedPacketError, PacketCutter, Published
from stream.wire import codec

BODIES = st.one_of(st.binary(max_size=300), st.integers(0, 70_000).map(bytes))


@pytest.mark.parametrize("mqtt_5", [False, True])
@given(
    topic=st.text("abc/é", min_size=1, max_size=30), payload=BODIES, mid=st.integers(0, 0xFFFF), retain=st.booleans()
)
def test_a_message_arrives_as_it_was_published(
    mqtt_5: bool, topic: str, payload: bytes, mid: int, retain: bool
) -> None:
    encoded = packets.encode_publish(topic.encode(), payload, mid=mid, retain=retain, mqtt_5=mqtt_5)
    [(first, body)] = PacketCutter().cut(encoded)
    assert first & 0xF0 == PUBLISH
    assert packets.decode_publish(first, body, mqtt_5=mqtt_5) == Published(topic, payload, retain, mid)


def test_the_bytes_are_those_of_the_standard() -> None:
    publish = packets.encode_publish(b"a/b", b"hi", mid=258, retain=True, mqtt_5=False)
    assert publish == b"\x33\x09\x00\x03a/b\x01\x02hi"
    assert packets.encode_publish(b"a/b", b"hi", mid=0, retain=False, mqtt_5=True) == b"\x30\x08\x00\x03a/b\x00hi"
    assert packets.encode_puback(258) == b"\x40\x02\x01\x02"
    assert packets.packet(PUBLISH, bytes(200))[:3] == b"\x30\xc8\x01"


def test_properties_are_skipped() -> None:
    body = b"\x00\x01t" + b"\x00\x07" + b"\x05\x02\x00\x00\x00\x09" + b"payload"
    assert packets.decode_publish(PUBLISH | 2, body, mqtt_5=True) == Published("t", b"payload", False, 7)


def test_an_acknowledgement_has_a_reason_with_mqtt_5_only() -> None:
    assert packets.decode_puback(b"\x01\x02") == (258, 0)
    assert packets.decode_puback(b"\x01\x02\x87\x00") == (258, 0x87)


@pytest.mark.parametrize("mqtt_5", [False, True])
@given(first=st.integers(PUBLISH, PUBLISH | 0xF), body=st.binary(max_size=12))
def test_any_bytes_are_a_message_or_malformed(mqtt_5: bool, first: int, body: bytes) -> None:
    try:
        found = packets.decode_publish(first, body, mqtt_5=mqtt_5)
    except MalformedPacketError:
        return
    assert len(found.payload) <= len(body) - 2
    with pytest.raises(MalformedPacketError):
        packets.decode_publish(first, body[: int.from_bytes(body[:2], "big") + 1], mqtt_5=mqtt_5)


def test_an_acknowledgement_without_an_id_is_malformed() -> None:
    with pytest.raises(MalformedPacketError):
        packets.decode_puback(b"\x01")


@given(st.lists(st.tuples(st.integers(1, 255), BODIES), max_size=8), st.lists(st.integers(1, 5000), max_size=40))
def test_packets_are_complete_however_the_bytes_arrive(sent: list[tuple[int, bytes]], sizes: list[int]) -> None:
    stream = b"".join(packets.packet(*one) for one in sent)
    cutter, received = PacketCutter(), []
    for size in sizes:
        received += cutter.cut(stream[:size])
        stream = stream[size:]
    received += cutter.cut(stream)
    assert received == sent


@given(st.integers(100, 200_000), st.integers(MAX_PACKET, 3 * MAX_PACKET))
def test_of_an_oversized_packet_the_beginning_is_kept_and_the_next_one_is_whole(step: int, size: int) -> None:
    stream = packets.packet(PUBLISH, bytes(size)) + packets.packet(0x40, b"\0\1")
    cutter, received, most = PacketCutter(), [], 0
    for at in range(0, len(stream), step):
        received += cutter.cut(stream[at : at + step])
        most = max(most, len(cutter._rest))
    assert received == [(PUBLISH, bytes(MAX_PACKET)), (0x40, b"\0\1")]
    assert most <= MAX_PACKET + 5


def test_a_length_of_five_bytes_is_malformed() -> None:
    with pytest.raises(MalformedPacketError):
        PacketCutter().cut(b"\x30\xff\xff\xff\xff\x01")


def test_a_message_of_a_ward_may_be_larger_than_that_of_a_bed() -> None:
    ward, bed = b"bedside/v1/_/ward/3/ecg", b"bedside/v1/bed-1/ecg"
    for topic, most in ((ward, packets.MAX_WARD_PACKET), (bed, MAX_PACKET)):
        sent = packets.encode_publish(topic, bytes(2 * 1024 * 1024), mid=0, retain=False, mqtt_5=True)
        for step in (1, 5, 60):
            cutter, received = PacketCutter(), []
            for at in range(0, 60, step):  # the topic in pieces
                received += cutter.cut(sent[at : min(at + step, 60)])
            for at in range(60, len(sent), 65_536):
                received += cutter.cut(sent[at : at + 65_536])
            [(_, body)] = received
            assert len(body) == most
            assert len(cutter._rest) <= most


def test_a_packet_that_is_cut_within_its_properties_has_a_payload_that_is_too_large():
    properties = b"\x80\x80\x10" + bytes(2**18)
    topic = b"\0\1t"
    received = PacketCutter().cut(packets.packet(PUBLISH, topic + properties + b"{}"))
    published = packets.decode_publish(*received[0], mqtt_5=True)
    assert published.topic == "t"
    assert len(published.payload) > codec.MAX_BYTES
