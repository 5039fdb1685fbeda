"""A TCP proxy on loopback that reads MQTT: records what a client publishes, changes it, or falls silent.

It reads packets itself, so it shares nothing with the code under test.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.reliability.processes import free_port

CONNECT, PUBLISH, PUBACK = 1, 3, 4


@dataclass(frozen=True)
class Publish:
    """A PUBLISH packet of a client.

    Attributes
    ----------
    topic : str
    payload : bytes
    packet : bytes
        The whole packet.
    mid : bytes
        Packet id; empty with QoS 0.
    at_s : float
        Monotonic time of its arrival.
    """

    topic: str
    payload: bytes
    packet: bytes
    mid: bytes
    at_s: float

    def with_payload(self, payload: bytes) -> bytes:
        """Return the packet with another payload of the same length."""
        assert len(payload) == len(self.payload)
        return self.packet[: len(self.packet) - len(payload)] + payload


Edit = Callable[[Publish], Sequence[bytes] | None]
"""Returns the packets to forward instead of one; None: drop it, and acknowledge it as the broker would."""


def read_length(data: bytes | bytearray, start: int) -> tuple[int, int] | None:
    """Decode a variable-length integer; return its value and the index after it, None if it is incomplete."""
    value = 0
    for i in range(4):
        if start + i >= len(data):
            return None
        byte = data[start + i]
        value |= (byte & 0x7F) << (7 * i)
        if not byte & 0x80:
            return value, start + i + 1
    raise ValueError("not an MQTT packet")


def split(buffer: bytearray) -> list[bytes]:
    """Remove all complete packets from a buffer and return them."""
    packets = []
    while len(buffer) >= 2:
        length = read_length(buffer, 1)
        if length is None or len(buffer) < length[0] + length[1]:
            break
        end = length[0] + length[1]
        packets.append(bytes(buffer[:end]))
        del buffer[:end]
    return packets


def parse_publish(packet: bytes, version: int) -> Publish:
    """Read a PUBLISH packet of MQTT 3.1.1 (``version`` 4) or 5."""
    length = read_length(packet, 1)
    assert length is not None
    at = length[1]
    size = int.from_bytes(packet[at : at + 2], "big")
    topic = packet[at + 2 : at + 2 + size].decode()
    at += 2 + size
    mid = packet[at : at + 2] if packet[0] & 0x06 else b""
    at += len(mid)
    if version >= 5:
        properties = read_length(packet, at)
        assert properties is not None
        at = properties[0] + properties[1]
    return Publish(topic, packet[at:], packet, mid, time.monotonic())


class _Link:
    """One connection of a client through the proxy."""

    def __init__(self) -> None:
        self.version = 4
        self.open = asyncio.Event()
        self.open.set()


class Proxy:
    """A proxy in a thread; inside its context it listens on `port`.

    Parameters
    ----------
    target : int
        Port of the broker.
    record : callable, optional
        Whether to keep a PUBLISH on this topic in `published`.
    edit : callable, optional
        Changes what is forwarded; see `Edit`. Called in the proxy's thread.

    Attributes
    ----------
    port : int
    published : list of Publish
        What the client sent, as the broker should have received it.
    accepted_s : list of float
        Monotonic times at which connections were opened.
    """

    def __init__(self, target: int, record: Callable[[str], bool] | None = None, edit: Edit | None = None) -> None:
        self.port = free_port()
        self.published: list[Publish] = []
        self.accepted_s: list[float] = []
        self._target = target
        self._record = record
        self._edit = edit
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name=f"proxy-{self.port}")

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the proxy does not listen")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def open_links(self) -> int:
        """Number of connections that are open now."""
        return len(self._links)

    def freeze(self) -> None:
        """Make all open connections half-open: nothing passes either way, and nothing is closed."""

        def close_links() -> None:
            for link in self._links:
                link.open.clear()

        self._loop.call_soon_threadsafe(close_links)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def connected(client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
            # Tasks of our own: asyncio would log the cancelled ones of a coroutine.
            task = asyncio.create_task(self._connect(client_in, client_out))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", self.port)
        self._listening.set()
        await self._stop.wait()
        server.close()
        remaining = list(tasks)
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)

    async def _connect(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        self.accepted_s.append(time.monotonic())
        link = _Link()
        self._links.add(link)
        writers = [client_out]
        try:
            with contextlib.suppress(OSError):
                broker_in, broker_out = await asyncio.open_connection("127.0.0.1", self._target)
                writers.append(broker_out)
                up = asyncio.create_task(self._from_client(link, client_in, broker_out, client_out))
                down = asyncio.create_task(self._from_broker(link, broker_in, client_out))
                try:
                    # A half-open link is not closed by its broken side.
                    await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in (up, down):
                        task.cancel()
                    await asyncio.gather(up, down, return_exceptions=True)
        finally:
            self._links.discard(link)
            for writer in writers:
                writer.close()

    async def _from_client(
        self,
        link: _Link,
        client_in: asyncio.StreamReader,
        broker_out: asyncio.StreamWriter,
        client_out: asyncio.StreamWriter,
    ) -> None:
        buffer = bytearray()
        while data := await client_in.read(65536):
            await link.open.wait()
            buffer += data
            for packet in split(buffer):
                if broker_out.is_closing():
                    return
                kind = packet[0] >> 4
                if kind == CONNECT:
                    start = read_length(packet, 1)
                    assert start is not None
                    link.version = packet[start[1] + 2 + int.from_bytes(packet[start[1] : start[1] + 2], "big")]
                if kind != PUBLISH:
                    broker_out.write(packet)
                    continue
                publish = parse_publish(packet, link.version)
                if self._record is not None and self._record(publish.topic):
                    self.published.append(publish)
                forward = [packet] if self._edit is None else self._edit(publish)
                if forward is None:
                    if publish.mid:
                        client_out.write(bytes([PUBACK << 4, 2]) + publish.mid)
                    continue
                broker_out.writelines(forward)
            await broker_out.drain()

    async def _from_broker(
        self, link: _Link, broker_in: asyncio.StreamReader, client_out: asyncio.StreamWriter
    ) -> None:
        while data := await broker_in.read(65536):
            await link.open.wait()
            if client_out.is_closing():
                return
            client_out.write(data)
            await client_out.drain()
