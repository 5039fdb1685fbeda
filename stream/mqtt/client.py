"""The MQTT client: reconnects, publishes the status of its process, queues messages in both directions.

Sent messages stay in an `Outbox` until the broker has acknowledged them; received messages stay in an `Inbox` until
they are processed. Both persist across reconnects; each reconnect uses a new `Connection`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Literal, NoReturn, Self

from stream.clock import rfc3339
from stream.errors import BrokerError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.bounded_queue import duration_s
from stream.mqtt.connection import (
    CONNECTION_ERRORS,
    Connection,
    finish_pending_connections,
    first_exception,
    is_refusal,
    is_untrusted,
)
from stream.mqtt.inbox import Inbox, Received
from stream.mqtt.outbox import Outbox
from stream.wire import codec
from stream.wire.messages import Message, ProcessStatus
from stream.wire.topics import RETAINED, Role, Topic

__all__ = ["Client", "Received", "finish_pending_connections"]

log = logging.getLogger("bedside.client")

BUFFER_S = 30.0
"""Duration of each topic that is queued for the broker, or for a slow consumer, before the oldest items are dropped."""

STATUS_INTERVAL_S = 2.0
"""Time between two status messages of a process."""

CONNECT_TIMEOUT_S = 5.0
"""Default time limit for the first connection."""

DISCONNECT_TIMEOUT_S = 1.0
"""Maximum wait for outstanding acknowledgements before disconnecting."""

_BACKOFF_S = (0.1, 1.0)
"""First and longest delay between two connection attempts."""


class Client:
    """A connection to the broker that is restored after each loss; open inside its context.

    Parameters
    ----------
    address : BrokerAddress
    role : Role or None
        None for a passive observer, which publishes no status.
    subscriptions : sequence of str
        Topic filters, see `stream.wire.topics.pattern`.
    persistent_id : str or None
        MQTT client id of a persistent session. The broker then keeps subscriptions and messages while the client is
        disconnected, and each received message must be passed to `acknowledge` once it is stored. The broker stops
        delivery at twenty unacknowledged messages.
    connect_timeout_s : float
        Time limit for the first connection.
    resume_delay_s : float
        Delay after a reconnect before queued messages are sent.

    Attributes
    ----------
    instance : str
        Random id of this process in its status topic.
    connected : bool
    counters : Counter of str
        ``received``, ``rejected``, ``inbox_dropped``, ``reconnects``.
    beds : tuple of str
        Beds that this process serves; part of its status.
    mqtt_session : str
        Digest of `persistent_id`, part of the status; empty without one.

    Raises
    ------
    BrokerError
        On entering the context: the broker did not answer within `connect_timeout_s`, or refused this client.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        role: Role | None,
        subscriptions: Sequence[str] = (),
        persistent_id: str | None = None,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        resume_delay_s: float = 0.0,
    ) -> None:
        self.address = address
        self.role = role
        self.instance = secrets.token_hex(6)
        self.connected = False
        self.counters: Counter[str] = Counter(received=0, rejected=0, inbox_dropped=0, reconnects=0)
        self.beds: tuple[str, ...] = ()
        self.mqtt_session = hashlib.sha256(persistent_id.encode()).hexdigest()[:16] if persistent_id else ""
        self._subscriptions = tuple(subscriptions)
        self._persistent_id = persistent_id
        self._connect_timeout_s = connect_timeout_s
        self._resume_delay_s = resume_delay_s
        self._inbox = Inbox(BUFFER_S, self.counters)
        self._outbox = Outbox(BUFFER_S)
        self._connection: Connection | None = None
        self._connections = 0
        self._lost_s = 0.0
        self._task: asyncio.Task[None] | None = None
        self._leaving = False

    # --- context ------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._stay_connected(ready))
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
            self._publish_status("offline")
        try:
            if not self._task.done() and not await self.flush(DISCONNECT_TIMEOUT_S if self.connected else 0.0):
                log.warning("%d messages were not delivered", len(self._outbox))
        finally:
            await self._cancel()

    async def _cancel(self) -> None:
        assert self._task is not None
        while not self._task.done():
            # Before Python 3.12, asyncio.wait_for in aiomqtt loses a cancellation at the moment the broker answers.
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.2)
        if not self._task.cancelled():
            self._task.exception()  # mark as retrieved: __aenter__ or _check has raised it

    def _check(self) -> None:
        """Raise the error that ended reconnecting, if there is one."""
        assert self._task is not None
        if self._task.done():
            self._task.result()

    # --- sending ------------------------------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Queue a message for sending; never blocks.

        Retained messages are published again after every reconnect.

        Raises
        ------
        BrokerError
            The broker refused this client after a reconnect (for example because its password has changed).
        """
        self._check()
        topic = codec.topic_of(message)
        payload = codec.encode(message)
        if topic.kind in RETAINED:
            self._outbox.retain(topic, payload)
        else:
            self._outbox.put(topic, payload, duration_s(message))

    def remove(self, topic: Topic) -> None:
        """Remove the retained message of a topic."""
        self._outbox.remove(topic)

    def dropped(self, topic: Topic) -> int:
        """Return the number of messages of a topic dropped because the broker was unavailable for over `BUFFER_S`."""
        return self._outbox.dropped(topic)

    async def flush(self, timeout_s: float) -> bool:
        """Wait until all sent messages are acknowledged; return False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._outbox.wait_empty()
        except TimeoutError:
            return False
        self._check()
        return True

    # --- receiving ----------------------------------------------------------------------------------------------

    async def receive(self) -> Received:
        """Return the oldest queued message; wait for one if there is none.

        Raises
        ------
        BrokerError
            The broker refused this client after a reconnect (for example because its password has changed).
        """
        while (received := self.receive_nowait()) is None:
            self._check()
            await self._inbox.wait()
        return received

    def receive_nowait(self) -> Received | None:
        """Return the oldest queued message; None if there is none."""
        return self._inbox.pop()

    async def __aiter__(self) -> AsyncIterator[Received]:
        while True:
            yield await self.receive()

    def acknowledge(self, received: Received) -> None:
        """Acknowledge a stored message to the broker; only with `persistent_id`.

        A message of an earlier connection is ignored: the broker sends it again under another id.
        """
        if self._connection is not None and received._connection == self._connections:
            self._connection.acknowledge(received._mid)

    def _on_message(self, topic: str, payload: bytes, retained: bool, mid: int) -> None:
        accepted = self._inbox.put(topic, payload, retained=retained, mid=mid, connection=self._connections)
        if self._connection is not None and not (accepted and self._persistent_id):
            self._connection.acknowledge(mid)

    # --- the connection -----------------------------------------------------------------------------------------

    async def _stay_connected(self, ready: asyncio.Future[None]) -> None:
        try:
            await self._reconnect_forever(ready)
        finally:
            # Waiting tasks must end: no message will be received or delivered.
            self._inbox.wake()
            self._outbox.release_waiters()

    async def _reconnect_forever(self, ready: asyncio.Future[None]) -> None:
        started_s = time.monotonic()
        delay_s = _BACKOFF_S[0]
        while True:
            problem: BaseException
            try:
                await self._connect_once(ready)
            except* CONNECTION_ERRORS as group:
                problem = first_exception(group)
            was_connected, self.connected = self.connected, False
            permanent = isinstance(problem, UnicodeError) or is_refusal(problem) or is_untrusted(problem)
            if permanent or (not ready.done() and time.monotonic() - started_s > self._connect_timeout_s):
                raise self._failure(problem)
            if was_connected:
                delay_s = _BACKOFF_S[0]
                self._lost_s = time.monotonic()
                self.counters["reconnects"] += 1
                log.warning("connection to %s lost (%s); reconnecting", self.address, problem)
            # Jitter, so that the clients of a restarted broker do not all connect at the same moment.
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.5))
            delay_s = min(2 * delay_s, _BACKOFF_S[1])

    def _failure(self, problem: BaseException) -> BrokerError:
        if is_refusal(problem):
            return BrokerError(
                f"broker {self.address} refuses this client ({problem}): check user name and password",
                problem=str(problem),
                refused=True,
            )
        if is_untrusted(problem):
            return BrokerError(
                f"the certificate of broker {self.address} is not trusted ({problem}): "
                "name the file of its certificate authority in SSL_CERT_FILE",
                problem=str(problem),
            )
        return BrokerError(
            f"broker {self.address} cannot be reached ({problem}): check --broker, or start one with 'bedside broker'",
            problem=str(problem),
        )

    async def _connect_once(self, ready: asyncio.Future[None]) -> NoReturn:
        """Connect and serve the connection until it is lost; raises `CONNECTION_ERRORS`, alone or in a group."""
        connection = Connection(
            self.address,
            client_id=self._persistent_id or f"bedside-{self.role or 'observer'}-{self.instance}",
            clean_session=self._persistent_id is None,
            will=self._status("offline") if self.role is not None else None,
            on_message=self._on_message,
        )
        self._connection = connection
        self._connections += 1
        try:
            async with connection:
                await connection.subscribe(self._subscriptions)
                self.connected = True
                self._outbox.put_retained()
                if self.role is not None:
                    self._publish_status("online")
                reconnected = self.counters["reconnects"] > 0
                if reconnected:
                    log.info("connection to %s restored after %.1f s", self.address, time.monotonic() - self._lost_s)
                if not ready.done():
                    ready.set_result(None)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._deliver(connection, self._resume_delay_s if reconnected else 0.0))
                    tasks.create_task(self._publish_status_periodically())
                    await connection.run()
        finally:
            self._connection = None

    async def _deliver(self, connection: Connection, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self._outbox.deliver(connection.publish)

    # --- status of this process ---------------------------------------------------------------------------------

    async def _publish_status_periodically(self) -> None:
        while self.role is not None:
            await asyncio.sleep(STATUS_INTERVAL_S)
            if not self._leaving:
                self._publish_status("online")

    def _publish_status(self, state: Literal["online", "offline"]) -> None:
        # `put`, not `retain`: after a reconnect the current status is published, not an earlier one.
        self._outbox.put(*self._status(state))

    def _status(self, state: Literal["online", "offline"]) -> tuple[Topic, bytes]:
        assert self.role is not None
        status = ProcessStatus(
            role=self.role.value,
            instance=self.instance,
            state=state,
            when=rfc3339(time.time_ns()),
            beds=self.beds,
            counters=dict(self.counters),
            mqtt_session=self.mqtt_session,
        )
        return codec.topic_of(status), codec.encode(status)
