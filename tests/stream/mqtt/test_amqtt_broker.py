import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.mqtt.amqtt_broker import DelayedDisconnect, ResumedReader
from stream.mqtt.embedded_broker import embedded_broker, free_port

CONNECT_5 = bytes.fromhex("10 15 0004 4d515454 05 02 000a 05 27 00010000 0003 616263".replace(" ", ""))
"""CONNECT of MQTT 5 with the property maximum packet size, client id "abc"."""


async def test_a_disconnect_is_processed_after_all_earlier_messages() -> None:
    """Three messages are queued when the client disconnects; the broker distributes them with a delay."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    for number in range(3):
        queue.put_nowait(number)

    async def disconnected() -> str:
        return "DISCONNECT"

    handler: Any = SimpleNamespace(mqtt_deliver_next_message=queue.get, wait_disconnect=disconnected)
    DelayedDisconnect(SimpleNamespace(delivered_message_queue=queue), handler)  # type: ignore[arg-type]
    disconnect = asyncio.create_task(handler.wait_disconnect())
    for number in range(3):
        assert await handler.mqtt_deliver_next_message() == number
        await asyncio.sleep(0.01)  # distributing
        assert not disconnect.done()
    waiting = asyncio.create_task(handler.mqtt_deliver_next_message())
    assert await asyncio.wait_for(disconnect, 1) == "DISCONNECT"
    waiting.cancel()
    await asyncio.wait([waiting])


async def answer(address: Any, sent: bytes) -> bytes:
    """Send, end the sending direction, and return what is received until the connection is closed."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(sent)
    if sent != CONNECT_5:
        writer.write_eof()
    received = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return received


async def test_mqtt_5_is_refused_at_once() -> None:
    async with embedded_broker(port=free_port()) as address:
        assert await answer(address, CONNECT_5) == b"\x20\x02\x00\x01", "CONNACK: unacceptable protocol version"


@pytest.mark.parametrize("length", range(len(CONNECT_5[:8])))
async def test_a_connection_that_ends_within_connect_is_closed(length: int) -> None:
    async with embedded_broker(port=free_port()) as address:
        assert await answer(address, CONNECT_5[:length]) == b""


@given(st.binary(max_size=20), st.integers(0, 20), st.lists(st.integers(0, 7)))
def test_a_resumed_reader_reads_the_bytes_of_the_stream_in_order(data: bytes, cut: int, sizes: list[int]) -> None:
    async def read() -> bytes:
        rest = asyncio.StreamReader()
        rest.feed_data(data[cut:])
        rest.feed_eof()
        reader = ResumedReader(data[:cut], rest)
        got, left = b"", len(data)
        for size in sizes:
            got += await reader.read(min(size, left))
            left = len(data) - len(got)
        return got + await reader.read()

    assert asyncio.run(read()) == data
