"""One MQTT connection, from CONNECT until it is lost. The only importer of aiomqtt.

Each connection creates a new paho client: paho keeps a QoS 1 message whose ``publish()`` raised and delivers it later,
so a retry on the same object would send it twice.

MQTT 5 names the publications and subscriptions that a broker refuses. A broker that knows MQTT 3.1.1 only,
as the embedded one, says so at once; topics and payloads are the same.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, NoReturn, Self

import aiomqtt
from aiomqtt import ProtocolVersion
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from stream.mqtt import packets, tls
from stream.mqtt.address import BrokerAddress
from stream.mqtt.packet_socket import PacketSocket
from stream.wire.topics import QOS, RETAINED, Topic

__all__ = ["CONNECTION_ERRORS", "Connection", "NoAnswerError", "ProtocolVersion", "RefusedTopicError"]

LOGGER_NAME = "bedside.mqtt"
"""Logger of aiomqtt and paho. Their errors are also raised, so the ``bedside`` command silences it."""

KEEPALIVE_S = 10
"""Longest silence in s before paho asks the broker for an answer."""

OBSERVER_KEEPALIVE_S = 4
"""The same for clients that publish nothing: they notice a dead link by this alone, within twice the time."""

ACK_TIMEOUT_S = 5.0
"""Maximum wait for CONNACK and SUBACK."""

CONNECTION_ERRORS = (aiomqtt.MqttError, OSError, UnicodeError)
"""Exceptions of a connection: lost or refused, unknown host, a host name that cannot be encoded."""

_TEMPORARY = (3, 0x88, 0x89, 0x97, 0x9F)
"""Codes of temporary refusals: "server unavailable" of MQTT 3.1.1; of MQTT 5 this one, "server busy", "quota exceeded"
and "connection rate exceeded"."""
_UNSUPPORTED_PROTOCOL = (1, 0x84)

_NEVER = 0xFFFF_FFFF
"""Session expiry of MQTT 5: the session stays as long as the broker keeps it."""

IN_FLIGHT, MAX_IN_FLIGHT = 20, 100
"""Unacknowledged messages of QoS 1: the default of paho and Mosquitto, for brokers that do not say what they take; and
the most. Twenty would not suffice for hundreds of beds on a busy machine, where an answer takes some milliseconds."""

MAX_TOPICS = 65_536
"""Topics whose text is kept encoded."""

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
    tls_context : ssl.SSLContext or None
        From `stream.mqtt.tls.client_context`.
    protocol : ProtocolVersion
    will : (Topic, bytes) or None
        Last will: published by the broker, retained, if this connection ends without DISCONNECT.
    keepalive_s : int
    max_packet : int
        Larger ones are withheld by a broker of MQTT 5.
    on_message : callable
        Called for each message as it arrives. It must not block, and must see to it that `acknowledge` is called.

    Attributes
    ----------
    in_flight : int
        Messages of QoS 1 that may be published before the first of them is acknowledged.

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
        tls_context: ssl.SSLContext | None,
        protocol: ProtocolVersion,
        will: tuple[Topic, bytes] | None,
        on_message: OnMessage,
        keepalive_s: int = KEEPALIVE_S,
        max_packet: int = packets.MAX_PACKET,
    ) -> None:
        self.in_flight = IN_FLIGHT
        self._on_message = on_message
        self._mqtt_5 = protocol is ProtocolVersion.V5
        self._address, self._tls_context = address, tls_context
        self._unacknowledged: dict[int, tuple[Topic, asyncio.Future[None]]] = {}
        self._mqtt = _LoopClient(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            identifier=client_id,
            will=aiomqtt.Will(str(will[0]), will[1], qos=1, retain=True) if will else None,
            keepalive=keepalive_s,
            timeout=ACK_TIMEOUT_S,
            tls_context=tls_context,
            logger=logging.getLogger(LOGGER_NAME),
            **_session(protocol, clean_session, max_packet),
        )
        # aiomqtt drops the properties of CONNACK, and waits for the timeout if the connection is closed instead; paho's
        # own client is reached through its private attribute.
        self._mqtt._client.on_connect = self._on_connect
        self._mqtt._client.on_disconnect = self._on_disconnect
        self._packets = self._mqtt.packets = PacketSocket(self._mqtt._client, self._on_packet)

    async def __aenter__(self) -> Self:
        try:
            await self._mqtt.__aenter__()
        except BaseException as error:
            self._mqtt.close()
            unanswered = not isinstance(error, MqttConnectError) and not isinstance(error.__context__, OSError)
            if isinstance(error, aiomqtt.MqttError) and self._tls_context is not None and unanswered:
                problem = await asyncio.to_thread(tls.alert, self._address, self._tls_context)
                if problem is not None:
                    raise aiomqtt.MqttError(str(problem)) from problem
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._mqtt.__aexit__(kind, error, trace)
        finally:
            self._mqtt.close()

    async def subscribe(self, filters: Sequence[str], *, as_published: bool = False) -> None:
        """Subscribe with QoS 1 and wait for the broker's acknowledgement.

        Parameters
        ----------
        filters : sequence of str
        as_published : bool
            Of MQTT 5: deliver with the retain flag of the publisher, and nothing that is retained at present.

        Raises
        ------
        RefusedTopicError
            The broker refuses one of the filters.
        """
        if not filters:
            return
        if as_published:
            options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=2)
            results = await self._mqtt.subscribe([(text, options) for text in filters])
        else:
            results = await self._mqtt.subscribe([(text, 1) for text in filters])
        for text, result in zip(filters, results, strict=True):
            if isinstance(result, ReasonCode) and result.is_failure:
                raise RefusedTopicError("subscribe to", text, result)

    def publish(self, topic: Topic, payload: bytes) -> asyncio.Future[None] | None:
        """Publish; with QoS 1, return a future of the broker's acknowledgement, otherwise None.

        The future fails with `RefusedTopicError` if the broker refuses to publish on this topic. Only brokers of MQTT 5
        say so.
        """
        if self._mqtt._client.socket() is None:
            raise aiomqtt.MqttError("the connection is closed")
        mid = self._mqtt._client._mid_generate() if QOS[topic.kind] else 0
        retain = topic.kind in RETAINED
        self._packets.write(packets.encode_publish(_text(topic), payload, mid=mid, retain=retain, mqtt_5=self._mqtt_5))
        if not mid:
            return None
        acknowledged = asyncio.get_running_loop().create_future()
        self._unacknowledged[mid] = topic, acknowledged
        return acknowledged

    @property
    def reads(self) -> int:
        """Number of times that anything was read from the broker."""
        return self._packets.reads

    def acknowledge(self, mid: int) -> None:
        """Acknowledge a received message; no effect on QoS 0 messages, whose id is 0."""
        if mid:
            self._packets.write(packets.encode_puback(mid))

    async def run(self) -> NoReturn:
        """Receive until the connection is lost; then raise."""
        async for _ in self._mqtt.messages:
            raise AssertionError("paho received a message instead of on_message")
        raise aiomqtt.MqttError("the broker closed the connection")

    def _on_packet(self, first: int, body: bytes) -> None:
        """Process a received PUBLISH or PUBACK."""
        if first & 0xF0 == packets.PUBLISH:
            self._on_message(*packets.decode_publish(first, body, mqtt_5=self._mqtt_5))
            return
        mid, code = packets.decode_puback(body)
        topic, acknowledged = self._unacknowledged.pop(mid, (None, None))
        if acknowledged is None or acknowledged.done():
            return
        if code < packets.FAILURE:
            acknowledged.set_result(None)
        else:
            reason = ReasonCode(PacketTypes.PUBACK, identifier=code)
            acknowledged.set_exception(RefusedTopicError("publish on", str(topic), reason))
            acknowledged.exception()  # mark as retrieved: another refusal may have ended the sending already

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if self._mqtt_5:
            self.in_flight = min(getattr(properties, "ReceiveMaximum", MAX_IN_FLIGHT), MAX_IN_FLIGHT)
        self._mqtt._on_connect(client, userdata, flags, reason, properties)

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        connected = self._mqtt._connected
        if not connected.done():
            connected.set_exception(NoAnswerError("it closed the connection without an answer"))
            connected.exception()  # mark as retrieved: the attempt may have been cancelled
        self._mqtt._on_disconnect(client, userdata, flags, reason, properties)


class NoAnswerError(aiomqtt.MqttError):
    """The broker closed the connection instead of answering CONNECT."""


class RefusedTopicError(aiomqtt.MqttError):
    """The broker does not let this client publish or subscribe.

    Attributes
    ----------
    temporary : bool
        True if another attempt may succeed.
    """

    def __init__(self, action: str, topic: str, reason: ReasonCode) -> None:
        super().__init__(f"it may not {action} {topic}: {reason}")
        self.temporary = reason.value in _TEMPORARY


@lru_cache(MAX_TOPICS)
def _text(topic: Topic) -> bytes:
    return str(topic).encode()


def _session(protocol: ProtocolVersion, clean: bool, max_packet: int) -> dict[str, Any]:
    """Return the arguments of aiomqtt's client that depend on the protocol."""
    if protocol is not ProtocolVersion.V5:
        return {"protocol": protocol, "clean_session": clean}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    # A broker drops larger packets, whose payload or properties would only cost time.
    properties.MaximumPacketSize = max_packet
    if not clean:
        properties.SessionExpiryInterval = _NEVER
    return {"protocol": protocol, "clean_start": clean, "properties": properties}


class _LoopClient(aiomqtt.Client):
    """aiomqtt's client with three corrections of how it treats paho's socket.

    - aiomqtt adds the socket in a later callback. By then paho may have closed it, and its number may be free (the loop
      reports "Bad file descriptor") or belong to another socket. Here only a socket that is still open is added. paho
      opens it, and may close it, in another thread; hence the lock.
    - A connection attempt that fails or is cancelled leaves its socket in the loop. `close` removes it.
    - An attempt that is cancelled goes on in its thread, and may open the socket after `close`: the thread closes it.

    Attributes
    ----------
    packets : PacketSocket
    """

    packets: PacketSocket

    def __init__(self, *args: Any, **options: Any) -> None:
        self._socket: Any = None
        self._socket_lock = threading.Lock()
        self._closed = False
        super().__init__(*args, **options)

    def close(self) -> None:
        """Close the socket if it is open, or once it is, and mark the reason of the disconnection as retrieved."""
        self._closed = True
        self._client._sock_close()
        self._mark_retrieved()

    def _client_connect(self) -> None:
        super()._client_connect()
        if self._closed:
            self._client._sock_close()

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
        self._io(self.packets.flush)

    def _io(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the reason of the disconnection, whatever it is
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
                self._mark_retrieved()


def covers(pattern: str, topic: str) -> bool:
    """Return whether a subscription filter matches a topic."""
    return aiomqtt.Topic(topic).matches(pattern)


def first_exception(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception in a group, descending into nested groups."""
    problem: BaseException = group
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return problem


def is_refusal(problem: BaseException) -> bool:
    """Return whether the broker refused this client, or one of its topics, for good."""
    if isinstance(problem, RefusedTopicError):
        return not problem.temporary
    return isinstance(problem, MqttConnectError) and _code(problem) not in (*_TEMPORARY, *_UNSUPPORTED_PROTOCOL)


def is_unsupported_protocol(problem: BaseException) -> bool:
    """Return whether the broker does not support the version of the protocol."""
    return isinstance(problem, MqttConnectError) and _code(problem) in _UNSUPPORTED_PROTOCOL


def _code(problem: MqttConnectError) -> Any:
    return getattr(problem.rc, "value", problem.rc)


async def finish_pending_connections() -> None:
    """Wait for connection attempts whose task was cancelled; the last call before an event loop is closed.

    aiomqtt connects in a thread of the loop's executor and then adds its reader and task to the loop, even if the
    waiting task was cancelled. After this call they exist, and are cancelled with the loop.
    """
    await asyncio.get_running_loop().shutdown_default_executor()
    await asyncio.sleep(0)
