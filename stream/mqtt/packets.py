"""PUBLISH and PUBACK packets of MQTT 3.1.1 and 5 as bytes, and where packets end in a stream of bytes. No socket.

These two are nearly all that travels, so `stream.mqtt.packet_socket` encodes and decodes them here; paho handles the
others.
"""

from __future__ import annotations

from typing import NamedTuple

from stream.wire import codec
from stream.wire.topics import ROOT
from stream.wire.ward_messages import MAX_WARD_BYTES

PUBLISH, PUBACK = 0x30, 0x40
"""Packet types: the upper four bits of the first byte."""

MAX_PACKET = codec.MAX_ACTIVE_BYTES + 2 + 0xFFFF + 2
"""Bytes that are kept of a received packet: the largest payload of a bed after the longest topic and an id."""

MAX_WARD_PACKET = MAX_WARD_BYTES + 1024
"""The same of a PUBLISH on a topic of a ward, all of which are short."""

_WARD = f"{ROOT}/_/ward/".encode()
_TOPIC_BYTES = 2 + len(_WARD)
"""Bytes after the length of a PUBLISH by which a topic of a ward is recognized."""

SUCCESS, FAILURE = 0, 0x80
"""Reason codes of MQTT 5: `FAILURE` and all above are refusals."""


class MalformedPacketError(ValueError):
    """Bytes that are not MQTT."""


class Published(NamedTuple):
    """A received PUBLISH.

    Attributes
    ----------
    topic : str
    payload : bytes
    retained : bool
    mid : int
        Message id to acknowledge; 0 with QoS 0.
    """

    topic: str
    payload: bytes
    retained: bool
    mid: int


def encode_publish(topic: bytes, payload: bytes, *, mid: int, retain: bool, mqtt_5: bool) -> bytes:
    """Return a PUBLISH packet with QoS 1; with QoS 0 if ``mid`` is 0."""
    first = PUBLISH | (0b10 if mid else 0) | retain
    parts = [len(topic).to_bytes(2, "big"), topic, mid.to_bytes(2, "big") if mid else b"", b"\0" if mqtt_5 else b""]
    return packet(first, b"".join([*parts, payload]))


def encode_puback(mid: int) -> bytes:
    """Return a PUBACK packet of success."""
    return packet(PUBACK, mid.to_bytes(2, "big"))


def packet(first: int, body: bytes) -> bytes:
    """Return a packet from its first byte and what follows its length."""
    size, length = len(body), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((first, *length, size)) + body


def decode_publish(first: int, body: bytes, *, mqtt_5: bool) -> Published:
    """Decode a PUBLISH packet; properties are skipped.

    The payload of a packet that was cut within its properties is what is left of it: too large to be accepted.

    Raises
    ------
    MalformedPacketError
        It is too short, or of QoS 2, which no subscription asks for.
    """
    qos = first >> 1 & 0b11
    at = 2 + int.from_bytes(body[:2], "big")
    topic = body[2:at].decode(errors="replace")
    mid = 0
    if qos:
        mid = int.from_bytes(body[at : at + 2], "big")
        at += 2
    if mqtt_5:
        size, at = _length(body, at) or (0, len(body) + 1)
        at += size
    if at > len(body) >= MAX_PACKET:
        at = 0
    if qos > 1 or at > len(body):
        raise MalformedPacketError("a PUBLISH packet of QoS 2, or too short")
    return Published(topic, body[at:], bool(first & 1), mid)


def decode_puback(body: bytes) -> tuple[int, int]:
    """Return message id and reason code of a PUBACK packet.

    Raises
    ------
    MalformedPacketError
        It has no message id.
    """
    if len(body) < 2:
        raise MalformedPacketError("a PUBACK packet without a message id")
    return int.from_bytes(body[:2], "big"), body[2] if len(body) > 2 else SUCCESS


class PacketCutter:
    """Cuts a stream of bytes into packets. Of a packet larger than it may be, only the beginning is kept."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skip = 0

    def cut(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the packets that are complete now, each as its first byte and what follows its length.

        Raises
        ------
        MalformedPacketError
            A length has more than four bytes.
        """
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        rest, packets, at = self._rest, [], 0
        rest += data
        while at < len(rest) and (found := _length(rest, at + 1)) is not None:
            size, begin = found
            if size > MAX_PACKET and len(rest) < begin + _TOPIC_BYTES:
                break
            kept = begin + min(size, _limit(rest[at], rest[begin : begin + _TOPIC_BYTES]))
            if kept > len(rest):
                break
            packets.append((rest[at], bytes(rest[begin:kept])))
            at = min(begin + size, len(rest))
            self._skip = begin + size - at
        del rest[:at]
        return packets


def _limit(first: int, beginning: bytes | bytearray) -> int:
    """Return the bytes that are kept of a packet, from its first byte and what follows its length."""
    of_ward = first & 0xF0 == PUBLISH and beginning[2:] == _WARD
    return MAX_WARD_PACKET if of_ward else MAX_PACKET


def _length(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Return a variable-length integer and the position after it; None if it is not complete."""
    size = 0
    for i in range(4):
        if at + i >= len(data):
            return None
        size |= (data[at + i] & 0x7F) << 7 * i
        if data[at + i] < 0x80:
            return size, at + i + 1
    raise MalformedPacketError("a length of more than four bytes")
