"""Reads and writes the socket of a paho client: PUBLISH and PUBACK packets itself, all others through paho.

paho spends some 100 µs on each message and its acknowledgement: a system call for each packet that it writes and for
each of three parts of a packet that it reads, locks, objects for reason codes and properties. Here all that was sent
within one turn of the event loop is written at once, and a read takes what has arrived, so that a busy process
acknowledges many messages per turn and the broker's queue for it does not overflow. Memory is bounded, too: MQTT 3.1.1
has no maximum packet size, and paho collects a packet of up to 256 MB before it shows it to anyone. Of a packet
larger than its topic allows only the beginning is kept: it arrives with a payload that exceeds `codec.max_bytes`, is
rejected and acknowledged. To refuse it by disconnecting would not help: the broker would deliver it again, and a
retained one after each reconnect.

paho has no public means for this. The class relies on ``_sock_recv(size)`` and ``_sock_send(bytes)``, through which
all bytes pass, on ``loop_read()`` being called when the socket is readable, on ``_loop_rc_handle(code)``, which ends a
connection, and on ``_last_bytes_received`` and ``_last_msg_out``, from which paho sees when to ask the broker for a
sign of life.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from stream.mqtt.packets import PUBACK, PUBLISH, PacketCutter, packet

READ_SIZE = 64 * 1024
"""Bytes that are read from the socket in one turn of the event loop."""

_CONNECTION_LOST = 7
"""paho's MQTT_ERR_CONN_LOST."""


class PacketSocket:
    """The packets of a paho client.

    Parameters
    ----------
    client : paho.mqtt.client.Client
        Before it connects.
    on_packet : callable
        Called with the first byte and the body of each received PUBLISH and PUBACK.

    Attributes
    ----------
    reads : int
        Number of times that anything was read.
    """

    def __init__(self, client: Any, on_packet: Callable[[int, bytes], None]) -> None:
        self.reads = 0
        self._client = client
        self._on_packet = on_packet
        self._cutter = PacketCutter()
        self._receive, self._send, self._paho_read = client._sock_recv, client._sock_send, client.loop_read
        self._for_paho = b""
        self._closed = False
        self._unsent = bytearray()
        self._writing: asyncio.Handle | None = None
        client._sock_recv = self._receive_for_paho
        client._sock_send = self._send_for_paho
        client.loop_read = self.read

    def read(self) -> None:
        """Process what has arrived, and write the answers."""
        try:
            data = self._receive(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._closed = True
            self._paho_read()
            return
        self.reads += 1
        self._client._last_bytes_received = time.monotonic()
        for first, body in self._cutter.cut(data):
            if first & 0xF0 in (PUBLISH, PUBACK):
                self._on_packet(first, body)
            else:
                self._for_paho = packet(first, body)
                self._paho_read()
                if self._client.socket() is None:
                    return  # the broker has ended the connection
        self.flush()

    def _receive_for_paho(self, size: int) -> bytes:
        data, self._for_paho = self._for_paho[:size], self._for_paho[size:]
        if not data and not self._closed:
            raise BlockingIOError
        return data

    def write(self, data: bytes) -> None:
        """Write in the next turn of the event loop, with all that is written until then."""
        self._unsent += data
        if self._writing is None:
            self._writing = asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write now what the socket takes; the rest once it is writable."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        if not self._unsent or self._client.socket() is None:
            return
        try:
            sent = self._send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._client._loop_rc_handle(_CONNECTION_LOST)
            return
        del self._unsent[:sent]
        self._client._last_msg_out = time.monotonic()
        if self._unsent:
            self._client._call_socket_register_write()

    def _send_for_paho(self, data: bytes | bytearray) -> int:
        """Write a packet of paho's after what was written before; it is taken as a whole or not at all."""
        self.flush()
        if self._unsent:
            raise BlockingIOError
        sent: int = self._send(data)
        self._unsent += data[sent:]
        return len(data)
