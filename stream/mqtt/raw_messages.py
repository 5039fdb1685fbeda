"""Messages of a broker as they come, undecoded: payload, QoS and retain flag; for `bedside check`.

With MQTT 5 there are two connections. One delivers what is published from now on, with the retain flag that its
publisher set (*retain as published*); the other what the broker retains at present. MQTT 3.1.1 delivers both on one
connection, and sets the flag only in what it has retained: how a message was published cannot be known. Nor is its QoS
asked for there: the embedded broker delivers all with the QoS of the subscription.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import NoReturn

from stream.errors import BrokerError
from stream.mqtt import tls
from stream.mqtt.address import BrokerAddress
from stream.mqtt.connection import (
    CONNECTION_ERRORS,
    OBSERVER_KEEPALIVE_S,
    Connection,
    ProtocolVersion,
    first_exception,
    is_unsupported_protocol,
)
from stream.mqtt.failures import permanent_failure, unreachable
from stream.wire.raw_message import RawMessage

MAX_PACKET = 16 * 1024 * 1024
"""Largest packet that the broker is asked to deliver, in bytes; of one too large the beginning is kept."""


class RawMessages:
    """The messages of a broker; open inside its context.

    Parameters
    ----------
    address : BrokerAddress
    topic : str
        Topic filter.

    Attributes
    ----------
    mqtt_5 : bool
        Whether the broker speaks MQTT 5.

    Raises
    ------
    BrokerError
        On entering the context: the broker cannot be reached, or refuses this client. While reading: it has gone.
    """

    def __init__(self, address: BrokerAddress, topic: str) -> None:
        self.mqtt_5 = True
        self._address, self._topic = address, topic
        self._waiting: deque[RawMessage] = deque()
        self._arrived = asyncio.Event()
        self._stack = AsyncExitStack()
        self._connections: list[Connection] = []
        self._tasks: list[asyncio.Task[NoReturn]] = []

    async def __aenter__(self) -> RawMessages:
        try:
            await self._open()
        except CONNECTION_ERRORS as error:
            await self._stack.aclose()
            if not is_unsupported_protocol(error):
                raise self._failure(error) from error
            self.mqtt_5 = False
            try:
                await self._open()
            except CONNECTION_ERRORS as again:
                await self._stack.aclose()
                raise self._failure(again) from again
        except BaseException:
            await self._stack.aclose()
            raise
        self._tasks = [asyncio.create_task(connection.run()) for connection in self._connections]
        for task in self._tasks:
            task.add_done_callback(lambda _: self._arrived.set())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def read(self, timeout_s: float) -> AsyncGenerator[RawMessage, None]:
        """Yield what has come; wait for at most ``timeout_s`` if there is nothing.

        Raises
        ------
        BrokerError
            The connection is lost.
        """
        if not self._waiting:
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._arrived.wait()
            except TimeoutError:
                return
        while self._waiting:
            yield self._waiting.popleft()
        for task in self._tasks:
            if task.done():
                problem = task.exception()
                raise BrokerError(f"the connection to {self._address} was lost ({problem}): start it again")

    async def _open(self) -> None:
        self._connections = []
        if not self.mqtt_5:
            await self._connect(live=True, stored=True)
            return
        await self._connect(live=True, stored=False)
        await self._connect(live=False, stored=True)

    async def _connect(self, *, live: bool, stored: bool) -> None:
        """Open a connection that delivers what is published, what is stored, or both."""

        def take(topic: str, payload: bytes, flag: bool, mid: int) -> None:
            connection.acknowledge(mid)
            is_stored = stored and flag
            if is_stored or live:
                times = time.time_ns(), time.monotonic_ns()
                qos, retain = (int(mid > 0), flag) if live and not stored else (None, None)
                message = RawMessage(topic, payload, qos, retain, is_stored, *times)
                self._waiting.append(message)
                self._arrived.set()

        connection = Connection(
            self._address,
            client_id=f"bedside-check-{secrets.token_hex(6)}",
            clean_session=True,
            tls_context=tls.client_context(self._address),
            protocol=ProtocolVersion.V5 if self.mqtt_5 else ProtocolVersion.V311,
            will=None,
            on_message=take,
            keepalive_s=OBSERVER_KEEPALIVE_S,
            max_packet=MAX_PACKET,
        )
        await self._stack.enter_async_context(connection)
        self._connections.append(connection)
        await connection.subscribe([self._topic], as_published=live and not stored)

    def _failure(self, error: BaseException) -> BrokerError:
        problem = first_exception(error) if isinstance(error, BaseExceptionGroup) else error
        return permanent_failure(problem, self._address) or unreachable(problem, self._address)
