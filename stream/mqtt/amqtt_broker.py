"""amqtt's broker with four defects of amqtt 0.12 corrected. The only importer of amqtt.

- amqtt sends a new client the retained messages that match any client's subscriptions. Here it gets those that match
  its own.
- amqtt acknowledges a message when it is queued, and discards the queue when the sender disconnects. A client that
  sends faster than the broker distributes, waits for every PUBACK and disconnects, loses acknowledged messages. From
  Python 3.12 on a few hundred messages suffice, because ``asyncio.wait_for`` no longer yields between two packets
  that have arrived, so reading precedes distribution. Here a disconnect is processed only after all messages received
  before it have been distributed.
- amqtt reads the CONNECT packet of MQTT 5 as one of 3.1.1 and may wait forever for bytes that do not come. Here it is
  answered at once with "unacceptable protocol version", so that the client can try 3.1.1.
- amqtt leaves a connection open that ends before a valid CONNECT or just after it, until no file descriptor is left.
  Here it is closed, and so is one that sends no CONNECT within `CONNECT_TIMEOUT_S`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.errors import AMQTTError, CodecError
from amqtt.errors import BrokerError as AmqttError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

_MQTT_5 = 5
_UNACCEPTABLE_PROTOCOL = b"\x20\x02\x00\x01"
"""CONNACK of MQTT 3.1.1."""

__all__ = ["AmqttError", "CorrectedBroker", "corrected_broker"]

CONNECT_TIMEOUT_S = 10.0
"""Maximum time from the connection to its CONNECT."""


class CorrectedBroker(Broker):
    """amqtt's broker with the corrections described in the module docstring."""

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        if any(subscriber is session for subscriber, _ in self._subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """Serve one connection until it ends; answer a CONNECT of MQTT 5."""
        try:
            start = await _start_of_connect(reader)
            if start is None:
                return
            if start[-1] == _MQTT_5:
                writer.write(_UNACCEPTABLE_PROTOCOL)
                return
            await self.external_connected(ResumedReader(start, reader), StreamWriterAdapter(writer), listener_name)
        except asyncio.CancelledError:
            return  # the process ends; before Python 3.12 asyncio reports a cancelled connection as an error
        finally:
            writer.close()

    async def _initialize_client_session(self, *connection: Any) -> tuple[BrokerProtocolHandler, Session]:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                handler, session = await super()._initialize_client_session(*connection)
                return handler, session
        except (CodecError, TimeoutError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise AMQTTError(f"no valid CONNECT: {error}") from error  # expected by `_client_connected`

    async def _client_message_loop(self, client_session: Session, handler: BrokerProtocolHandler) -> None:
        # A static method creates the handler, so its class cannot be replaced; two methods of the object are.
        DelayedDisconnect(client_session, handler)
        if handler._reader_task is None or handler._reader_task.done():
            await handler.handle_connection_closed()  # it closed before `handler` could notify anyone
        await super()._client_message_loop(client_session, handler)


async def _start_of_connect(reader: asyncio.StreamReader) -> bytes | None:
    """Return the first bytes of a connection, of CONNECT up to its protocol level; None if they do not come."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            start = await reader.readexactly(2)
            while start[-1] & 0x80 and len(start) < 5:  # the length of the packet takes one to four bytes
                start += await reader.readexactly(1)
            return start + await reader.readexactly(len(b"\0\4MQTT") + 1)
    except (asyncio.IncompleteReadError, TimeoutError, OSError):
        return None


class ResumedReader(StreamReaderAdapter):
    """Reads bytes that were read before, then the rest of a stream."""

    def __init__(self, start: bytes, rest: asyncio.StreamReader) -> None:
        super().__init__(rest)
        self._start = start

    async def read(self, n: int = -1) -> bytes:
        """Read ``n`` bytes; -1: all until the end of the stream."""
        if not self._start:
            return bytes(await super().read(n))
        cut = len(self._start) if n < 0 else n
        start, self._start = self._start[:cut], self._start[cut:]
        return start + bytes(await super().read(n if n < 0 else n - len(start)))


class DelayedDisconnect:
    """Delays the disconnect of one client until its messages have been distributed.

    amqtt requests the next message only after it has distributed the previous one.
    """

    def __init__(self, session: Session, handler: BrokerProtocolHandler) -> None:
        self._queue = session.delivered_message_queue
        self._next_message = handler.mqtt_deliver_next_message
        self._wait_disconnect = handler.wait_disconnect
        self._drained = asyncio.Event()
        handler.mqtt_deliver_next_message = self.next_message
        handler.wait_disconnect = self.wait_disconnect

    async def next_message(self) -> Any:
        """Return the client's next message."""
        if self._queue.empty():
            self._drained.set()
        message = await self._next_message()
        self._drained.clear()
        return message

    async def wait_disconnect(self) -> Any:
        """Wait for the disconnect, then for the distribution of all messages before it."""
        packet = await self._wait_disconnect()
        await self._drained.wait()
        return packet


def corrected_broker(host: str, port: int) -> CorrectedBroker:
    """Return a broker that is not started yet; it accepts any client, and its libraries log nothing."""
    for name in ("amqtt", "transitions", "passlib"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return CorrectedBroker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
