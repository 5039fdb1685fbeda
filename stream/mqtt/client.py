"""One MQTT connection that is kept: reconnects, bounds what waits, acknowledges after use, says who it is.

What is sent waits in our own buffer and leaves it on PUBACK; a lost connection puts what was in flight back, in
order, and a new paho client carries on (paho keeps a QoS 1 message whose ``publish()`` raised and delivers it later,
so trying again on the same object would send it twice). What arrives is decoded and put into bounded lanes at once;
a payload that is not the message its topic promises is counted, acknowledged and named in the log once per second
at most.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import secrets
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from stream.clock import rfc3339
from stream.errors import BrokerError, MessageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.bounded_queue import Entry, Lanes
from stream.wire import codec, topics
from stream.wire.messages import Annotation, Beat, Forecast, Message, ProcessStatus, Waveform
from stream.wire.topics import QOS, RETAINED, Kind, Role, Topic

log = logging.getLogger("bedside.client")

BUFFER_S = 30.0
"""Seconds of each bed that wait for the broker, or for a slow consumer, before the oldest gives way."""

FORECAST_S = 0.1
"""What one forecast counts in its lane; the worker publishes ten per second of signal."""

IN_FLIGHT = 20
"""QoS 1 messages sent and not yet acknowledged; paho and Mosquitto default to the same."""

KEEPALIVE_S = 10
STATUS_EVERY_S = 2.0
FIRST_WAIT_S = 5.0
"""How long a process tries to reach the broker when it starts."""

_BACKOFF_S = (0.1, 1.0)

HOLD_S = 2.0
"""After a reconnect, a publisher's waveforms wait so long: the broker may have forgotten its subscribers, and they are
back before what was buffered for them goes out."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it arrived.

    Attributes
    ----------
    topic : Topic
    message : Message or None
        None: what was retained here is removed.
    retained : bool
        True when the broker kept it from before the subscription.
    received_ns : int
        Unix time in ns.
    """

    topic: Topic
    message: Message | None
    retained: bool
    received_ns: int
    _mid: int
    _connection: int


class Client:
    """A connection to the broker, kept until the context is left.

    Parameters
    ----------
    address : BrokerAddress
    role : Role or None
        None for an onlooker that announces nothing of itself.
    subscriptions : sequence of str
        Topic filters, see `stream.wire.topics.pattern`.
    persistent_id : str or None
        With an id, the broker keeps the session while the client is away, and each message must be given to
        `acknowledge` once it is safe: only then does the broker forget it. Twenty unacknowledged stop the delivery.
    first_wait_s : float
        How long to try for the first connection.

    Attributes
    ----------
    instance : str
        Names this process in its status topic.
    connected : bool
    counters : Counter of str
        ``received``, ``rejected``, ``inbox_dropped``, ``reconnects``.
    beds : tuple of str
        The beds that this process serves, part of its status.

    Raises
    ------
    BrokerError
        On entering: the broker did not answer within `first_wait_s`, or refuses this client.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        role: Role | None,
        subscriptions: Sequence[str] = (),
        persistent_id: str | None = None,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self.address = address
        self.role = role
        self.instance = secrets.token_hex(6)
        self.connected = False
        self.counters: Counter[str] = Counter(received=0, rejected=0, inbox_dropped=0, reconnects=0)
        self.beds: tuple[str, ...] = ()
        self._subscriptions = tuple(subscriptions)
        self._persistent_id = persistent_id
        self._first_wait_s = first_wait_s
        self._inbox: Lanes[Received] = Lanes(BUFFER_S)
        self._outbox: Lanes[bytes] = Lanes(BUFFER_S)
        self._in_flight: dict[int, Entry[bytes]] = {}
        self._retained: dict[Topic, bytes] = {}
        self._arrived = asyncio.Event()
        self._to_send = asyncio.Event()
        self._idle = asyncio.Event()
        self._mqtt: aiomqtt.Client | None = None
        self._connection = 0
        self._task: asyncio.Task[None] | None = None
        self._last_complaint = -math.inf
        self._leaving = False

    # --- life ---------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep_connected(ready))
        try:
            await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
            self._check()
        except BaseException:
            await self._cancel()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._leaving = True
        if self.connected and self.role is not None:
            self._send_process_status("offline")
        try:
            if not self._task.done() and not await self.flush(1.0 if self.connected else 0.0):
                log.warning("%d messages were not delivered", len(self._outbox) + len(self._in_flight))
        finally:
            await self._cancel()

    async def _cancel(self) -> None:
        assert self._task is not None
        while not self._task.done():
            # Before Python 3.12, asyncio.wait_for in aiomqtt loses a cancellation that meets the broker's answer.
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.2)
        if not self._task.cancelled():
            self._task.exception()  # it was raised where somebody waited for the connection

    def _check(self) -> None:
        """Raise what ended the connection for good, if anything did."""
        assert self._task is not None
        if self._task.done():
            self._task.result()

    # --- sending ------------------------------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Hand over a message; it leaves as soon as the broker takes it. Never blocks.

        Retained messages are published again after every reconnect.

        Raises
        ------
        BrokerError
            The broker refused this client after a reconnect (its password has changed, say).
        """
        self._check()
        topic = codec.topic_of(message)
        payload = codec.encode(message)
        if topic.kind in RETAINED:
            self._retained[topic] = payload
        self._outbox.put(topic, payload, _seconds(message))
        self._to_send.set()
        self._idle.clear()

    def remove(self, topic: Topic) -> None:
        """Remove what is retained under a topic."""
        self._retained.pop(topic, None)
        self._outbox.put(topic, b"")
        self._to_send.set()
        self._idle.clear()

    def send_dropped(self, bed: str) -> int:
        """Return how many chunks of a bed gave way because the broker was away for longer than `BUFFER_S`."""
        return self._outbox.dropped[Topic(Kind.ECG, bed)]

    async def flush(self, timeout_s: float) -> bool:
        """Wait until everything sent is acknowledged; False when that took longer than `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        self._check()
        return True

    # --- receiving ----------------------------------------------------------------------------------------------

    async def receive(self) -> Received:
        """Return the oldest message that waits, or the next that comes.

        Raises
        ------
        BrokerError
            The broker refused this client after a reconnect (its password has changed, say).
        """
        while (received := self.receive_nowait()) is None:
            self._check()
            self._arrived.clear()
            await self._arrived.wait()
        return received

    def receive_nowait(self) -> Received | None:
        """Return the oldest message that waits, or None."""
        entry = self._inbox.pop()
        return entry.item if entry else None

    def __aiter__(self) -> AsyncIterator[Received]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[Received]:
        while True:
            yield await self.receive()

    def acknowledge(self, received: Received) -> None:
        """Tell the broker that a message is safe; only with `persistent_id`.

        A message of an earlier connection is left alone: the broker sends it again, under another number.
        """
        if self._mqtt is not None and received._connection == self._connection:
            self._ack(received._mid)

    # --- the connection -----------------------------------------------------------------------------------------

    async def _keep_connected(self, ready: asyncio.Future[None]) -> None:
        try:
            await self._connect_again_and_again(ready)
        finally:
            # Whoever waits must learn that nothing comes any more.
            self._arrived.set()
            self._idle.set()

    async def _connect_again_and_again(self, ready: asyncio.Future[None]) -> None:
        started = time.monotonic()
        delay = _BACKOFF_S[0]
        while True:
            try:
                await self._connect_once(ready)
            except* (aiomqtt.MqttError, OSError, UnicodeError) as group:
                problem = group.exceptions[0]
                while isinstance(problem, BaseExceptionGroup):
                    problem = problem.exceptions[0]
            else:
                problem = aiomqtt.MqttError("the broker closed the connection")
            was_connected, self.connected = self.connected, False
            failure = self._failure(problem)
            hopeless = isinstance(problem, UnicodeError) or _refused(problem)
            if hopeless or (not ready.done() and time.monotonic() - started > self._first_wait_s):
                raise failure
            if was_connected:
                delay = _BACKOFF_S[0]
                self.counters["reconnects"] += 1
                log.warning("connection to %s lost (%s); connecting again", self.address, problem)
            # Jitter, so that the clients of a restarted broker do not all come in the same moment.
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))
            delay = min(2 * delay, _BACKOFF_S[1])

    def _failure(self, problem: BaseException) -> BrokerError:
        if _refused(problem):
            return BrokerError(
                f"broker {self.address} refuses this client ({problem}): check user name and password",
                problem=str(problem),
                refused=True,
            )
        return BrokerError(
            f"broker {self.address} cannot be reached ({problem}): check --broker, or start one with 'bedside broker'",
            problem=str(problem),
        )

    async def _connect_once(self, ready: asyncio.Future[None]) -> None:
        intake = _Intake(self)
        will = None
        if self.role is not None:
            topic, payload = self._process_status("offline")
            will = aiomqtt.Will(str(topic), payload, qos=1, retain=True)
        mqtt = aiomqtt.Client(
            self.address.host,
            self.address.port,
            username=self.address.username,
            password=self.address.password,
            identifier=self._persistent_id or f"bedside-{self.role or 'onlooker'}-{self.instance}",
            clean_session=self._persistent_id is None,
            will=will,
            keepalive=KEEPALIVE_S,
            timeout=5.0,
            queue_type=lambda maxsize: intake,  # type: ignore[arg-type]  # noqa: ARG005
            tls_context=ssl.create_default_context() if self.address.tls else None,
        )
        mqtt.pending_calls_threshold = 10 * IN_FLIGHT
        # aiomqtt has no call for late acknowledgement; paho's own is reached through its private attribute.
        mqtt._client.manual_ack_set(True)
        self._mqtt = mqtt
        self._connection += 1
        try:
            async with mqtt:
                if self._subscriptions:
                    await mqtt.subscribe([(pattern, 1) for pattern in self._subscriptions])
                self.connected = True
                for retained, payload in self._retained.items():
                    self._outbox.put(retained, payload)
                if self.role is not None:
                    self._send_process_status("online")
                if not ready.done():
                    ready.set_result(None)
                async with asyncio.TaskGroup() as tasks:
                    again = self.counters["reconnects"] > 0
                    hold_s = HOLD_S if again and self.role is Role.PUBLISHER else 0.0
                    tasks.create_task(self._send_all(mqtt, hold_s))
                    tasks.create_task(self._say_alive())
                    # The intake takes every message, so this iterator only ends, with an error, with the connection.
                    async for _ in mqtt.messages:
                        raise AssertionError("the intake let a message through")
        finally:
            self._mqtt = None
            for entry in self._in_flight.values():
                self._outbox.put_back(entry)
            self._in_flight.clear()

    async def _send_all(self, mqtt: aiomqtt.Client, hold_s: float) -> None:
        await asyncio.sleep(hold_s)
        async with asyncio.TaskGroup() as deliveries:
            while True:
                while len(self._in_flight) < IN_FLIGHT and (entry := self._outbox.pop()) is not None:
                    self._in_flight[entry.number] = entry
                    deliveries.create_task(self._deliver(mqtt, entry))
                if not self._in_flight and not len(self._outbox):
                    self._idle.set()
                self._to_send.clear()
                await self._to_send.wait()

    async def _deliver(self, mqtt: aiomqtt.Client, entry: Entry[bytes]) -> None:
        kind = entry.topic.kind
        # A connection that dies cancels this task, and the entry goes back to the outbox.
        await mqtt.publish(str(entry.topic), entry.item, qos=QOS[kind], retain=kind in RETAINED, timeout=math.inf)
        del self._in_flight[entry.number]
        self._to_send.set()

    async def _say_alive(self) -> None:
        while self.role is not None:
            await asyncio.sleep(STATUS_EVERY_S)
            if not self._leaving:
                self._send_process_status("online")

    def _process_status(self, state: Any) -> tuple[Topic, bytes]:
        status = ProcessStatus(
            role=self.role,  # type: ignore[arg-type]
            instance=self.instance,
            state=state,
            when=rfc3339(time.time_ns()),
            beds=self.beds,
            counters=dict(self.counters),
        )
        return codec.topic_of(status), codec.encode(status)

    def _send_process_status(self, state: str) -> None:
        topic, payload = self._process_status(state)
        self._outbox.put(topic, payload)
        self._to_send.set()
        self._idle.clear()

    # --- intake -------------------------------------------------------------------------------------------------

    def _take(self, raw: aiomqtt.Message) -> None:
        payload = raw.payload if isinstance(raw.payload, bytes) else b""
        try:
            topic = topics.parse(str(raw.topic))
            message = codec.decode(topic, payload)
        except MessageError as error:
            self.counters["rejected"] += 1
            self._ack(raw.mid)
            self._complain(error)
            return
        self.counters["received"] += 1
        received = Received(topic, message, bool(raw.retain), time.time_ns(), raw.mid, self._connection)
        self.counters["inbox_dropped"] += self._inbox.put(topic, received, _seconds(message))
        if self._persistent_id is None:
            self._ack(raw.mid)
        self._arrived.set()

    def _ack(self, mid: int) -> None:
        if self._mqtt is not None and mid:
            self._mqtt._client.ack(mid, 1)

    def _complain(self, error: MessageError) -> None:
        if time.monotonic() - self._last_complaint >= 1.0:
            self._last_complaint = time.monotonic()
            log.warning("rejected (%d so far): %s", self.counters["rejected"], error)


async def settle() -> None:
    """Let a connection end that was given up while it was being made; the last call of a loop.

    aiomqtt connects in a thread of the loop's executor, and hangs its reader and its task into the loop even if nobody
    waits any more; after this they exist, and are cancelled with the loop.
    """
    await asyncio.get_running_loop().shutdown_default_executor()
    await asyncio.sleep(0)


class _Intake(asyncio.Queue[aiomqtt.Message]):
    """Stands where aiomqtt keeps its inbox, and hands each message on as it comes: one inbox, and it is bounded."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Give the message to the client."""
        self._client._take(item)


def _refused(problem: BaseException) -> bool:
    """Return whether the broker said that it does not want this client; "server unavailable" may pass."""
    return isinstance(problem, MqttConnectError) and getattr(problem.rc, "value", problem.rc) not in (3, 0x88)


def _seconds(message: Message | None) -> float:
    """Return how long a message counts in its lane, in seconds of wall time."""
    match message:
        case Waveform():
            # At a high replay speed the number of messages bounds the lane: 30,000.
            return max(message.n / (message.fs * message.speed), 1e-3)
        case Forecast() | Beat() | Annotation():
            return FORECAST_S
    return 0.0
