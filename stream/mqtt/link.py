"""Keeps a client connected: one connection after another, each subscribed and served until it is lost."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import NoReturn

from stream.mqtt import packets, tls
from stream.mqtt.address import BrokerAddress
from stream.mqtt.connection import (
    CONNECTION_ERRORS,
    KEEPALIVE_S,
    Connection,
    NoAnswerError,
    OnMessage,
    ProtocolVersion,
    first_exception,
    is_unsupported_protocol,
)
from stream.mqtt.failures import permanent_failure, unreachable
from stream.mqtt.outbox import Outbox
from stream.wire.topics import Topic

log = logging.getLogger("bedside.client")

ACKNOWLEDGE_TIMEOUT_S = 2.5
"""Time after which a message that is not acknowledged shows that the link is dead. A process publishes its status every
2 s, so it notices within 5 s."""

ACKNOWLEDGE_CHECK_S = 0.25

_BACKOFF_S = (0.1, 1.0)
"""First and longest delay between two connection attempts."""


class Link:
    """The connections of a client, at most one at a time.

    Parameters
    ----------
    address : BrokerAddress
    subscriptions : sequence of str
        Topic filters.
    outbox : Outbox
        What is delivered over each connection.
    client_id : str
    clean_session : bool
        See `Connection`.
    keepalive_s, max_packet : int
        See `Connection`.
    on_message : callable
        See `Connection`.
    will : callable
        Returns the last will of the next connection, or None.
    on_connected : callable
        Called after each connect, once subscribed, before anything is delivered.
    while_connected : callable
        Returns what runs during each connection.
    counters : Counter of str
        Of the client; ``reconnects`` counts lost connections.
    connect_timeout_s : float
        Time limit for the first connection.
    resume_delay_s : float
        Delay after a reconnect before queued messages are sent.

    Attributes
    ----------
    connected : bool
    connection : Connection or None
        The present one, also while it is being established.
    protocol : ProtocolVersion
        MQTT 5, or 3.1.1 once the broker has refused 5.
    number : int
        Of the connection, from 1; it tells the ids of messages of different connections apart.

    Raises
    ------
    UsageError
        A certificate or key of the address cannot be used.
    """

    def __init__(
        self,
        address: BrokerAddress,
        subscriptions: Sequence[str],
        outbox: Outbox,
        *,
        client_id: str,
        clean_session: bool,
        keepalive_s: int = KEEPALIVE_S,
        max_packet: int = packets.MAX_PACKET,
        on_message: OnMessage,
        will: Callable[[], tuple[Topic, bytes] | None],
        on_connected: Callable[[], None],
        while_connected: Callable[[], Coroutine[None, None, None]],
        counters: Counter[str],
        connect_timeout_s: float,
        resume_delay_s: float,
    ) -> None:
        self.connected = False
        self.number = 0
        self._address = address
        self._subscriptions = tuple(subscriptions)
        self._outbox = outbox
        self._client_id, self._clean_session = client_id, clean_session
        self._keepalive_s, self._max_packet = keepalive_s, max_packet
        self._on_message, self._will = on_message, will
        self._on_connected, self._while_connected = on_connected, while_connected
        self._counters = counters
        self._connect_timeout_s, self._resume_delay_s = connect_timeout_s, resume_delay_s
        self._tls_context = tls.client_context(address)
        self.protocol = ProtocolVersion.V5
        self.connection: Connection | None = None
        self._lost_s = 0.0

    def acknowledge(self, mid: int) -> None:
        """Acknowledge a received message of this connection; without one, the broker sends it again."""
        if self.connection is not None:
            self.connection.acknowledge(mid)

    async def run(self, ready: asyncio.Future[None]) -> NoReturn:
        """Connect, and again after each loss, until cancelled; complete ``ready`` at the first time.

        Raises
        ------
        BrokerError
            The broker did not answer within the time limit for the first connection, or refused this client.
        """
        started_s = time.monotonic()
        delay_s = _BACKOFF_S[0]
        while True:
            problem: BaseException
            try:
                await self._connect_once(ready)
            except* CONNECTION_ERRORS as group:
                problem = first_exception(group)
            was_connected, self.connected = self.connected, False
            if is_unsupported_protocol(problem) and self.protocol is ProtocolVersion.V5:
                self.protocol = ProtocolVersion.V311
                continue
            if (failure := permanent_failure(problem, self._address)) is not None:
                raise failure
            if not ready.done() and time.monotonic() - started_s > self._connect_timeout_s:
                raise unreachable(problem, self._address)
            if was_connected:
                delay_s = _BACKOFF_S[0]
                self._lost_s = time.monotonic()
                self._counters["reconnects"] += 1
                log.warning("connection to %s lost (%s); reconnecting", self._address, problem)
            # Jitter, so that the clients of a restarted broker do not all connect at the same moment.
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.5))
            delay_s = min(2 * delay_s, _BACKOFF_S[1])

    async def _connect_once(self, ready: asyncio.Future[None]) -> NoReturn:
        """Connect and serve the connection until it is lost; raises `CONNECTION_ERRORS`, alone or in a group."""
        connection = Connection(
            self._address,
            client_id=self._client_id,
            clean_session=self._clean_session,
            tls_context=self._tls_context,
            protocol=self.protocol,
            will=self._will(),
            keepalive_s=self._keepalive_s,
            on_message=self._on_message,
            max_packet=self._max_packet,
        )
        self.connection = connection
        self.number += 1
        try:
            async with connection:
                await connection.subscribe(self._subscriptions)
                self.connected = True
                self._on_connected()
                reconnected = self._counters["reconnects"] > 0
                if reconnected:
                    log.info("connection to %s restored after %.1f s", self._address, time.monotonic() - self._lost_s)
                if not ready.done():
                    ready.set_result(None)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._deliver(connection, self._resume_delay_s if reconnected else 0.0))
                    tasks.create_task(self._while_connected())
                    tasks.create_task(self._watch_acknowledgements(connection))
                    await connection.run()
        finally:
            self.connection = None

    async def _deliver(self, connection: Connection, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self._outbox.deliver(connection.publish, connection.in_flight)

    async def _watch_acknowledgements(self, connection: Connection) -> None:
        """Raise if an acknowledgement is due, and nothing comes for `ACKNOWLEDGE_TIMEOUT_S`: the link is dead.

        What else the broker sends counts, too: an acknowledgement may stand behind thousands of messages. Turns of the
        event loop are counted, not time: after a stall of this process the answers are still to be read.
        """
        seen, checks = None, 0
        while True:
            await asyncio.sleep(ACKNOWLEDGE_CHECK_S)
            now = (self._outbox.oldest_in_flight, connection.reads)
            seen, checks = now, 0 if now[0] is None or now != seen else checks + 1
            if checks * ACKNOWLEDGE_CHECK_S >= ACKNOWLEDGE_TIMEOUT_S:
                raise NoAnswerError("it acknowledges nothing")
