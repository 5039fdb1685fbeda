import asyncio
import errno
import socket
import struct
from pathlib import Path

import pytest

from stream.errors import BrokerError, UsageError
from stream.mqtt.client import Client
from stream.mqtt.embedded_broker import _ExceptionHandler, embedded_broker, free_port
from stream.wire.messages import Waveform
from stream.wire.status_messages import ProcessStatus
from stream.wire.topics import Kind, Role, pattern
from tests.waveforms import chunk


async def test_it_listens_on_loopback_and_frees_its_port() -> None:
    port = free_port()
    async with embedded_broker(port=port) as address:
        assert str(address) == f"mqtt://127.0.0.1:{port}"
        async with Client(address, role=None) as client:
            assert client.connected
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)


async def test_a_port_in_use_is_a_one_line_error() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(BrokerError, match=f"{port}.*--port") as error:
            async with embedded_broker(port=port):
                pass
    assert "\n" not in str(error.value)


async def test_an_invalid_port_is_a_one_line_error() -> None:
    with pytest.raises(UsageError, match="99999"):
        async with embedded_broker(port=99999):
            pass


CONNECT = bytes.fromhex("10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 61 62")


async def test_connections_that_close_before_or_just_after_connect_leave_no_file_open() -> None:
    """Two hundred: without a byte, within CONNECT, after garbage, after a whole CONNECT, and with a reset."""

    def open_files() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    async with embedded_broker(port=free_port()) as address:
        before = open_files()
        for number in range(200):
            with socket.create_connection((address.host, address.port), 10) as client:
                client.sendall((b"", CONNECT[:9], b"\xff\x07garbage", CONNECT, CONNECT[:9])[number % 5])
                if number % 5 == 4:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await asyncio.sleep(0)
        async with asyncio.timeout(30):
            while open_files() > before:
                await asyncio.sleep(0.05)
            async with Client(address, role=None) as client:
                assert client.connected


async def test_without_file_descriptors_the_broker_says_so_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    handler, loop = _ExceptionHandler(), asyncio.get_running_loop()
    for _ in range(100):
        handler(loop, {"message": "socket.accept() out of system resource", "exception": OSError(errno.EMFILE, "Full")})
    (record,) = caplog.records
    assert "ulimit" in record.getMessage()


async def test_acknowledged_messages_of_a_disconnected_sender_are_delivered() -> None:
    """A thousand chunks, sent faster than the broker distributes them, followed by the sender's DISCONNECT."""
    patterns = [pattern(Kind.ECG), pattern(Kind.PROCESS)]
    seqs: list[int] = []
    async with embedded_broker(port=free_port()) as address, asyncio.timeout(60):
        async with Client(address, role=None, subscriptions=patterns) as listener:
            async with Client(address, role=Role.PUBLISHER) as sender:
                for seq in range(1000):
                    sender.send(chunk(seq, speed=1000.0))
                assert await sender.flush(30)
            async for received in listener:
                if isinstance(received.message, Waveform):
                    seqs.append(received.message.seq)
                elif isinstance(received.message, ProcessStatus) and received.message.state == "offline":
                    break
    assert seqs == list(range(1000))
