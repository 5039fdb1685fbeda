"""An MQTT 3.1.1 broker inside this process, for demonstrations on one machine.

It listens on loopback only by default and stores nothing on disk. Its guarantees are weaker than Mosquitto's: when a
subscriber disconnects, the QoS 1 messages in flight to it are lost.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import math
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from stream.errors import BrokerError, UsageError
from stream.mqtt.address import BrokerAddress

log = logging.getLogger("bedside.broker")

REPORT_INTERVAL_S = 10.0
"""Minimum time between two log lines about clients that cannot connect."""


def free_port() -> int:
    """Return a free TCP port on loopback; another process may take it after this call."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def embedded_broker(host: str = "127.0.0.1", port: int = 1883) -> AsyncIterator[BrokerAddress]:
    """Run a broker inside a context.

    Parameters
    ----------
    host : str
        Address to listen on. Any client that reaches it may connect: use loopback unless the network is trusted.
    port : int

    Raises
    ------
    UsageError
        The port is not within 1 to 65535.
    BrokerError
        The port is in use, or the host is not an address of this machine.
    """
    if not 0 < port < 65536:
        raise UsageError(f"port {port}: use 1 to 65535")
    _check_bindable(host, port)
    from stream.mqtt.amqtt_broker import AmqttError, corrected_broker  # imports a scheduler and a schema library

    asyncio.get_running_loop().set_exception_handler(_ExceptionHandler())
    broker = corrected_broker(host, port)
    try:
        await broker.start()
    except (OSError, AmqttError) as error:
        raise BrokerError(_in_use(host, port, error)) from None
    try:
        yield BrokerAddress(host, port)
    finally:
        await broker.shutdown()


class _ExceptionHandler:
    """Reports what went wrong in callbacks and tasks of the event loop, without the known and harmless."""

    def __init__(self) -> None:
        self._next_report_s = -math.inf

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            # asyncio tries a hundred times, and again after a second.
            if time.monotonic() >= self._next_report_s:
                self._next_report_s = time.monotonic() + REPORT_INTERVAL_S
                log.warning("no further client can connect (%s): allow more, as with 'ulimit -n 1024'", error.strerror)
        # amqtt waits for the acknowledgement of a disconnected subscriber in a task that it never awaits.
        elif not isinstance(error, TimeoutError):
            loop.default_exception_handler(context)


def _check_bindable(host: str, port: int) -> None:
    # amqtt would hide the reason in a traceback of its state machine.
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise BrokerError(_in_use(host, port, error)) from None


def _in_use(host: str, port: int, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return f"no broker can listen on {host}:{port} ({reason}): choose another --port, or use the broker that is there"
