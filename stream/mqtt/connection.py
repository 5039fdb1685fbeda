"""One MQTT connection, from CONNECT until it is lost. The only importer of aiomqtt.

Each connection is a new paho client: paho keeps a QoS 1 message whose ``publish()`` raised and delivers it later, so
trying again on the same object would send it twice.
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NoReturn, Self

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from stream.mqtt.address import BrokerAddress
from stream.mqtt.outbox import IN_FLIGHT
from stream.wire.topics import QOS, RETAINED, Topic

LOG = "bedside.mqtt"
"""Logger of aiomqtt and paho. What they log is also raised, so the ``bedside`` command silences it."""

KEEPALIVE_S = 10
TIMEOUT_S = 5.0
"""How long CONNACK and SUBACK may take."""

CONNECTION_ERRORS = (aiomqtt.MqttError, OSError, UnicodeError)
"""What a connection raises: lost or refused, no such host, a host name that cannot be encoded."""

_TEMPORARY = (3, 0x88)
"""CONNACK codes of MQTT 3.1.1 and 5 for "server unavailable", the only refusal that passes."""

OnMessage = Callable[[str, bytes, bool, int], None]
"""Receives topic, payload, whether it was retained, and the message id to acknowledge."""


class Connection:
    """A connection that is open while the context lasts.

    Parameters
    ----------
    address : BrokerAddress
    client_id : str
    clean_session : bool
        False: the broker keeps subscriptions and unacknowledged messages while the client is away.
    will : (Topic, bytes) or None
        What the broker publishes, retained, if this connection ends without DISCONNECT.
    on_message : callable
        Called for each message as it arrives; it must not block, and must have it acknowledged.

    Raises
    ------
    aiomqtt.MqttError, OSError, UnicodeError
        See `CONNECTION_ERRORS`; from every method.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        client_id: str,
        clean_session: bool,
        will: tuple[Topic, bytes] | None,
        on_message: OnMessage,
    ) -> None:
        intake = _Intake(on_message)
        self._mqtt = aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            identifier=client_id,
            clean_session=clean_session,
            will=aiomqtt.Will(str(will[0]), will[1], qos=1, retain=True) if will else None,
            keepalive=KEEPALIVE_S,
            timeout=TIMEOUT_S,
            queue_type=lambda maxsize: intake,  # type: ignore[arg-type]  # noqa: ARG005
            tls_context=ssl.create_default_context() if address.tls else None,
            logger=logging.getLogger(LOG),
        )
        self._mqtt.pending_calls_threshold = 10 * IN_FLIGHT
        # aiomqtt has no call for late acknowledgement; paho's own is reached through its private attribute.
        self._mqtt._client.manual_ack_set(True)

    async def __aenter__(self) -> Self:
        await self._mqtt.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._mqtt.__aexit__(kind, error, trace)

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe with QoS 1 and wait for the broker's acknowledgement."""
        if filters:
            await self._mqtt.subscribe([(text, 1) for text in filters])

    async def publish(self, topic: Topic, payload: bytes) -> None:
        """Publish, and wait for the broker's acknowledgement where the topic's QoS has one."""
        kind = topic.kind
        await self._mqtt.publish(str(topic), payload, qos=QOS[kind], retain=kind in RETAINED, timeout=math.inf)

    def acknowledge(self, mid: int) -> None:
        """Acknowledge a received message; one of QoS 0 has the id 0 and needs none."""
        if mid:
            self._mqtt._client.ack(mid, 1)

    async def run(self) -> NoReturn:
        """Receive until the connection is lost, which raises."""
        async for _ in self._mqtt.messages:
            raise AssertionError("the intake let a message through")
        raise aiomqtt.MqttError("the broker closed the connection")


class _Intake(asyncio.Queue[aiomqtt.Message]):
    """Takes the place of aiomqtt's own unbounded inbox, and hands each message on at once."""

    def __init__(self, on_message: OnMessage) -> None:
        super().__init__()
        self._on_message = on_message

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Hand the message on."""
        payload = item.payload if isinstance(item.payload, bytes) else b""
        self._on_message(str(item.topic), payload, bool(item.retain), item.mid)


def first_exception(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception in a group that is no group itself."""
    problem: BaseException = group
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return problem


def is_refusal(problem: BaseException) -> bool:
    """Return whether the broker refuses this client."""
    return isinstance(problem, MqttConnectError) and getattr(problem.rc, "value", problem.rc) not in _TEMPORARY


def is_untrusted(problem: BaseException) -> bool:
    """Return whether the broker's certificate was rejected here. aiomqtt keeps the cause as a suppressed context."""
    return isinstance(problem.__context__, ssl.SSLCertVerificationError)


async def finish_pending_connections() -> None:
    """Let a connection end that was abandoned while it was being made; the last call of an event loop.

    aiomqtt connects in a thread of the loop's executor, and adds its reader and its task to the loop even if no task
    waits any more; after this they exist, and are cancelled with the loop.
    """
    await asyncio.get_running_loop().shutdown_default_executor()
    await asyncio.sleep(0)
