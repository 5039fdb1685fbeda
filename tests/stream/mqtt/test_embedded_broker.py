import asyncio
import socket

import pytest

from stream.errors import BrokerError, UsageError
from stream.mqtt.client import Client
from stream.mqtt.embedded_broker import embedded_broker, free_port
from stream.wire.messages import ProcessStatus, Waveform
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
