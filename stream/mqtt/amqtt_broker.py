"""amqtt's broker with three defects of amqtt 0.12 corrected. The only importer of amqtt.

- amqtt sends a new client the retained messages that match any client's subscriptions. Here it gets those that match
  its own.
- amqtt acknowledges a message when it is queued, and discards the queue when the sender disconnects. A client that
  sends faster than the broker distributes, waits for every PUBACK and disconnects, loses acknowledged messages. From
  Python 3.12 on a few hundred messages suffice, because ``asyncio.wait_for`` no longer yields between two packets
  that have arrived, so reading precedes distribution. Here a disconnect is processed only after all messages received
  before it have been distributed.
- amqtt leaves a connection open that ends before a valid CONNECT or just after it, until no file descriptor is left.
  Here it is closed, and so is one that sends no CONNECT within `CONNECT_TIMEOUT_S`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from amqtt.broker import Broker
from amqtt.errors import AMQTTError, CodecError
from amqtt.errors import BrokerError as AmqttError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

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
        """Serve one connection until it ends."""
        try:
            await super().stream_connected(reader, writer, listener_name)
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
