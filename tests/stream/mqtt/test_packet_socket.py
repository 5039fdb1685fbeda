"""The socket of a paho client, replaced by a fake: what is read, written, and left to paho."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from stream.mqtt import packets
from stream.mqtt.packet_socket import PacketSocket


class FakePaho:
    """The parts of a paho client that are used; a socket that takes `room` bytes."""

    def __init__(self) -> None:
        self.arrived: list[bytes | OSError] = []
        self.room = 1_000_000
        self.written = b""
        self.sends = 0
        self.failure: OSError | None = None
        self.read_by_paho: list[bytes] = []
        self.registered = 0
        self.ended: list[int] = []
        self.open = True
        self._last_bytes_received = self._last_msg_out = 0.0

    def _sock_recv(self, size: int) -> bytes:
        if not self.arrived:
            raise BlockingIOError
        data = self.arrived.pop(0)
        if isinstance(data, OSError):
            raise data
        assert len(data) <= size
        return data

    def _sock_send(self, data: bytes | bytearray) -> int:
        self.sends += 1
        if self.failure is not None:
            raise self.failure
        if not self.room:
            raise BlockingIOError
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.written += taken
        return len(taken)

    def loop_read(self) -> None:
        """Read as paho does, byte by byte, until there is no more."""
        data = b""
        try:
            while byte := self._sock_recv(1):
                data += byte
        except BlockingIOError:
            self.read_by_paho.append(data)
        else:
            self.read_by_paho.append(b"closed")

    def socket(self) -> object | None:
        return self if self.open else None

    def _loop_rc_handle(self, code: int) -> None:
        self.ended.append(code)

    def _call_socket_register_write(self) -> None:
        self.registered += 1


def socket_of(paho: FakePaho, on_packet: Callable[[int, bytes], None] = lambda first, body: None) -> PacketSocket:
    return PacketSocket(paho, on_packet)


def test_messages_and_acknowledgements_are_taken_and_all_else_is_left_to_paho() -> None:
    paho, taken = FakePaho(), []
    connected = socket_of(paho, lambda first, body: taken.append((first, body)))
    pingresp = packets.packet(0xD0, b"")
    paho.arrived = [packets.packet(0x30, b"\0\1tx") + pingresp + packets.encode_puback(5)]
    connected.read()
    assert taken == [(0x30, b"\0\1tx"), (0x40, b"\0\5")]
    assert paho.read_by_paho == [pingresp]
    assert connected.reads == 1
    assert paho._last_bytes_received > 0


def test_the_end_of_a_connection_is_left_to_paho() -> None:
    for end in (b"", ConnectionResetError()):
        paho = FakePaho()
        connected = socket_of(paho)
        paho.arrived = [end]
        connected.read()
        assert paho.read_by_paho == [b"closed"]


async def test_what_is_sent_in_one_turn_is_written_at_once() -> None:
    paho = FakePaho()
    connected = socket_of(paho)
    for number in range(10):
        connected.write(b"%d" % number)
    assert paho.written == b""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (paho.written, paho.sends) == (b"0123456789", 1)


async def test_answers_to_what_was_read_are_written_before_the_next_turn() -> None:
    paho = FakePaho()
    connected = socket_of(paho, lambda first, body: connected.write(b"ack"))
    paho.arrived = [packets.packet(0x30, b"\0\1tx") * 3]
    connected.read()
    assert (paho.written, paho.sends) == (b"ackackack", 1)


async def test_a_full_socket_gets_the_rest_in_order_once_it_is_writable() -> None:
    paho = FakePaho()
    connected = socket_of(paho)
    paho.room = 4
    connected.write(b"0123456789")
    connected.flush()
    assert (paho.written, paho.registered) == (b"0123", 1)
    for refused in (True, False):
        paho.room = 0 if refused else 100
        try:
            assert paho._sock_send(b"paho") == 4
        except BlockingIOError:
            assert refused
    assert paho.written == b"0123456789paho"


async def test_a_packet_of_paho_is_never_cut_by_another_one() -> None:
    paho = FakePaho()
    connected = socket_of(paho)
    paho.room = 2
    assert paho._sock_send(b"paho") == 4
    connected.write(b"own")
    paho.room = 100
    connected.flush()
    assert paho.written == b"pahoown"


async def test_a_failure_to_write_ends_the_connection_once() -> None:
    paho = FakePaho()
    connected = socket_of(paho)
    paho.failure = BrokenPipeError()
    connected.write(b"x")
    await asyncio.sleep(0)
    assert paho.ended == [7]
    paho.open = False
    connected.flush()
    assert paho.ended == [7]
