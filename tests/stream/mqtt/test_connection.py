"""The client against servers that close the connection at every stage."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from stream.errors import BrokerError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.wire.topics import Kind, Role, pattern
from tests.waveforms import chunk

STAGES = ("accepted", "connect", "connack", "suback", "later", "reset")


class ClosingServer:
    """Answers as a broker does, and closes each connection at a random stage."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stage = self._rng.choice(STAGES)
        try:
            if stage == "accepted":
                return
            await reader.read(4096)
            if stage == "connect":
                return
            writer.write(b"\x20\x02\x00\x00")  # CONNACK
            if stage == "connack":
                return
            packet = await reader.read(4096)
            at = packet.find(b"\x82")  # SUBSCRIBE
            writer.write(b"\x90\x03" + packet[at + 2 : at + 4] + b"\x01")  # SUBACK
            if stage == "suback":
                return
            await asyncio.sleep(self._rng.uniform(0, 0.2))
            if stage == "reset":
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        finally:
            writer.close()


async def test_a_connection_that_closes_at_any_stage_leaves_no_error_and_no_socket() -> None:
    rng = random.Random(208)
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    server = await asyncio.start_server(ClosingServer(rng).serve, "127.0.0.1", 0)
    address = BrokerAddress("127.0.0.1", server.sockets[0].getsockname()[1])

    async def send_some() -> None:
        with contextlib.suppress(BrokerError):
            async with Client(address, role=Role.PUBLISHER, subscriptions=[pattern(Kind.COMMAND)]) as client:
                for seq in range(rng.randrange(1, 40)):
                    client.send(chunk(seq))
                    await asyncio.sleep(rng.choice([0, 0.001, 0.02]))

    async def open_files() -> int:
        await asyncio.sleep(0.3)  # closing takes some turns of the loop
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = await open_files()
    for _ in range(6):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(rng.uniform(0.2, 1.5)):  # as SIGTERM, at any moment
                await asyncio.gather(*(send_some() for _ in range(4)))
    server.close()
    await server.wait_closed()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert not problems
    assert await open_files() <= before


async def test_a_socket_that_opens_after_its_attempt_was_cancelled_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []
    opening, cancelled = threading.Event(), threading.Event()
    connect = socket.create_connection

    def slow(*args: Any, **options: Any) -> socket.socket:
        opening.set()
        assert cancelled.wait(10)
        opened.append(connect(*args, **options))
        return opened[-1]

    monkeypatch.setattr(socket, "create_connection", slow)

    async def attempt(port: int) -> None:
        async with Client(BrokerAddress("127.0.0.1", port), role=Role.PUBLISHER, subscriptions=[]):
            pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        task = asyncio.create_task(attempt(server.getsockname()[1]))
        await asyncio.to_thread(opening.wait, 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        cancelled.set()
        await asyncio.get_running_loop().shutdown_default_executor()
    assert [one.fileno() for one in opened] == [-1]
