"""One MQTT connection, from CONNECT until it is lost. The only importer of aiomqtt.

Each connection creates a new paho client: paho keeps a QoS 1 message whose ``publish()`` raised and delivers it later,
so a retry on the same object would send it twice.
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, NoReturn, Self

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from stream.mqtt.address import BrokerAddress
from stream.mqtt.outbox import IN_FLIGHT
from stream.wire.topics import QOS, RETAINED, Topic

LOGGER_NAME = "bedside.mqtt"
"""Logger of aiomqtt and paho. Their errors are also raised, so the ``bedside`` command silences it."""

KEEPALIVE_S = 10
ACK_TIMEOUT_S = 5.0
"""Maximum wait for CONNACK and SUBACK."""

CONNECTION_ERRORS = (aiomqtt.MqttError, OSError, UnicodeError)
"""Exceptions of a connection: lost or refused, unknown host, a host name that cannot be encoded."""

_SERVER_UNAVAILABLE = (3, 0x88)
"""CONNACK codes of MQTT 3.1.1 and 5 for "server unavailable", the only temporary refusal."""

OnMessage = Callable[[str, bytes, bool, int], None]
"""Called with topic, payload, retained flag and message id."""


class Connection:
    """A connection; open inside its context.

    Parameters
    ----------
    address : BrokerAddress
    client_id : str
    clean_session : bool
        False: the broker keeps subscriptions and unacknowledged messages while the client is disconnected.
    will : (Topic, bytes) or None
        Last will: published by the broker, retained, if this connection ends without DISCONNECT.
    on_message : callable
        Called for each message as it arrives. It must not block, and must see to it that `acknowledge` is called.

    Raises
    ------
    aiomqtt.MqttError, OSError, UnicodeError
        `CONNECTION_ERRORS`, from every method.
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
        queue = _CallbackQueue(on_message)
        self._mqtt = _LoopClient(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            identifier=client_id,
            clean_session=clean_session,
            will=aiomqtt.Will(str(will[0]), will[1], qos=1, retain=True) if will else None,
            keepalive=KEEPALIVE_S,
            timeout=ACK_TIMEOUT_S,
            queue_type=lambda maxsize: queue,  # noqa: ARG005
            tls_context=ssl.create_default_context() if address.tls else None,
            logger=logging.getLogger(LOGGER_NAME),
        )
        self._mqtt.pending_calls_threshold = 10 * IN_FLIGHT
        # aiomqtt has no call for late acknowledgement; paho's own is reached through its private attribute.
        self._mqtt._client.manual_ack_set(True)

    async def __aenter__(self) -> Self:
        try:
            await self._mqtt.__aenter__()
        except BaseException:
            self._mqtt.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._mqtt.__aexit__(kind, error, trace)
        finally:
            self._mqtt.close()

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe with QoS 1 and wait for the broker's acknowledgement."""
        if filters:
            await self._mqtt.subscribe([(text, 1) for text in filters])

    async def publish(self, topic: Topic, payload: bytes) -> None:
        """Publish; with QoS 1, wait for the broker's acknowledgement."""
        kind = topic.kind
        await self._mqtt.publish(str(topic), payload, qos=QOS[kind], retain=kind in RETAINED, timeout=math.inf)

    def acknowledge(self, mid: int) -> None:
        """Acknowledge a received message; no effect on QoS 0 messages, whose id is 0."""
        if mid:
            self._mqtt._client.ack(mid, 1)

    async def run(self) -> NoReturn:
        """Receive until the connection is lost; then raise."""
        async for _ in self._mqtt.messages:
            raise AssertionError("a message was queued instead of passed to on_message")
        raise aiomqtt.MqttError("the broker closed the connection")


class _LoopClient(aiomqtt.Client):
    """aiomqtt's client with two corrections of how it adds paho's socket to the event loop.

    - aiomqtt adds the socket in a later callback. By then paho may have closed it, and its number may be free (the loop
      reports "Bad file descriptor") or belong to another socket. Here only a socket that is still open is added. paho
      opens it, and may close it, in another thread; hence the lock.
    - A connection attempt that fails or is cancelled leaves its socket in the loop. `close` removes it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._socket: Any = None
        self._socket_lock = threading.Lock()
        super().__init__(*args, **options)

    def close(self) -> None:
        """Close the socket if it is open, and mark the reason of the disconnection as retrieved."""
        self._client._sock_close()
        self._mark_retrieved()

    def _mark_retrieved(self) -> None:
        for future in (self._connected, self._disconnected):
            if future.done() and not future.cancelled():
                future.exception()

    def _on_disconnect(self, *args: Any, **options: Any) -> None:
        if not self._connected.cancelled():  # aiomqtt would ask it for its exception
            super()._on_disconnect(*args, **options)
        self._mark_retrieved()  # aiomqtt discards the reason if the connection is lost just after CONNACK

    def _on_socket_open(self, client: Any, userdata: Any, sock: Any) -> None:  # noqa: ARG002
        def add() -> None:
            with self._socket_lock:
                if self._socket is sock:
                    self._loop.add_reader(sock.fileno(), self._read)
                    self._misc_task = self._loop.create_task(self._misc_loop())

        with self._socket_lock:
            self._socket = sock
        self._loop.call_soon_threadsafe(add)

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:  # noqa: ARG002
        def add() -> None:
            with self._socket_lock:
                if self._socket is sock:
                    self._loop.add_writer(sock.fileno(), self._write)

        self._loop.call_soon_threadsafe(add)

    def _on_socket_close(self, client: Any, userdata: Any, sock: Any) -> None:
        with self._socket_lock:
            self._socket = None
            if sock.fileno() >= 0:
                self._loop.remove_writer(sock.fileno())
            super()._on_socket_close(client, userdata, sock)

    def _read(self) -> None:
        self._io(self._client.loop_read)
        # A TLS socket may keep decrypted bytes, which the loop does not see.
        while (pending := getattr(self._client.socket(), "pending", None)) is not None and pending():
            self._io(self._client.loop_read)

    def _write(self) -> None:
        self._io(self._client.loop_write)

    def _io(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the reason of the disconnection, whatever it is
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
                self._mark_retrieved()


class _CallbackQueue(asyncio.Queue[aiomqtt.Message]):
    """Replaces aiomqtt's unbounded queue: passes each message to a callback."""

    def __init__(self, on_message: OnMessage) -> None:
        super().__init__()
        self._on_message = on_message

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Pass the message to the callback."""
        payload = item.payload if isinstance(item.payload, bytes) else b""
        self._on_message(str(item.topic), payload, bool(item.retain), item.mid)


def first_exception(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception in a group, descending into nested groups."""
    problem: BaseException = group
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return problem


def is_refusal(problem: BaseException) -> bool:
    """Return whether the broker refused this client."""
    return isinstance(problem, MqttConnectError) and getattr(problem.rc, "value", problem.rc) not in _SERVER_UNAVAILABLE


def is_untrusted(problem: BaseException) -> bool:
    """Return whether the broker's certificate failed verification. aiomqtt keeps the cause in ``__context__``."""
    return isinstance(problem.__context__, ssl.SSLCertVerificationError)


async def finish_pending_connections() -> None:
    """Wait for connection attempts whose task was cancelled; the last call before an event loop is closed.

    aiomqtt connects in a thread of the loop's executor and then adds its reader and task to the loop, even if the
    waiting task was cancelled. After this call they exist, and are cancelled with the loop.
    """
    await asyncio.get_running_loop().shutdown_default_executor()
    await asyncio.sleep(0)
