"""amqtt's broker with two of its faults corrected, both present in 0.12. The only importer of amqtt.

- A new client is sent whatever is retained under anyone's subscriptions, not under its own alone.
- A message is acknowledged when it is queued, and the queue is discarded when its sender disconnects: a client that
  sends faster than the broker distributes, waits for every PUBACK and disconnects, loses acknowledged messages. From
  Python 3.12 on this happens at a few hundred messages, because ``asyncio.wait_for`` no longer yields between two
  packets that have arrived, so reading comes before distributing. Here a disconnect is processed only once everything
  received before it has been distributed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from amqtt.broker import Broker
from amqtt.errors import BrokerError as AmqttError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

__all__ = ["AmqttError", "CorrectedBroker", "corrected_broker"]


class CorrectedBroker(Broker):
    """See the module."""

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        if any(subscriber is session for subscriber, _ in self._subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def _client_message_loop(self, client_session: Session, handler: BrokerProtocolHandler) -> None:
        # The handler is made by a static method of its class, so two of its methods are replaced on the object.
        Drain(client_session, handler)
        await super()._client_message_loop(client_session, handler)


class Drain:
    """Delays the disconnect of one client until what it sent has been distributed.

    amqtt asks for the next message only after it has distributed the one before.
    """

    def __init__(self, session: Session, handler: BrokerProtocolHandler) -> None:
        self._queue = session.delivered_message_queue
        self._next_message = handler.mqtt_deliver_next_message
        self._wait_disconnect = handler.wait_disconnect
        self._drained = asyncio.Event()
        handler.mqtt_deliver_next_message = self.next_message
        handler.wait_disconnect = self.wait_disconnect

    async def next_message(self) -> Any:
        """Return the next message that the client sent."""
        if self._queue.empty():
            self._drained.set()
        message = await self._next_message()
        self._drained.clear()
        return message

    async def wait_disconnect(self) -> Any:
        """Wait for a disconnect, then for the messages before it."""
        packet = await self._wait_disconnect()
        await self._drained.wait()
        return packet


def corrected_broker(host: str, port: int) -> CorrectedBroker:
    """Return a broker that is yet to be started and accepts anyone who reaches it; its libraries log nothing."""
    for name in ("amqtt", "transitions", "passlib"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return CorrectedBroker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
