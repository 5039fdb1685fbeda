"""A small MQTT broker inside this process, for one machine and a demonstration.

It implements MQTT 3.1.1, listens on loopback alone by default, and keeps nothing on disk. It guarantees less than
Mosquitto: when a subscriber disconnects, the QoS 1 messages in flight to it are lost.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from stream.errors import BrokerError, UsageError
from stream.mqtt.address import BrokerAddress


def free_port() -> int:
    """Return a TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def embedded_broker(host: str = "127.0.0.1", port: int = 1883) -> AsyncIterator[BrokerAddress]:
    """Run a broker while the context lasts.

    Parameters
    ----------
    host : str
        Anyone who can reach it may connect: keep to loopback unless the network is your own.
    port : int

    Raises
    ------
    UsageError
        The port is not 1 to 65535.
    BrokerError
        The port is in use, or the host is not this machine's.
    """
    if not 0 < port < 65536:
        raise UsageError(f"port {port}: use 1 to 65535")
    _check_bindable(host, port)
    from stream.mqtt.amqtt_broker import AmqttError, corrected_broker  # amqtt brings a scheduler and a schema library

    asyncio.get_running_loop().set_exception_handler(_without_lost_subscribers)
    broker = corrected_broker(host, port)
    try:
        await broker.start()
    except (OSError, AmqttError) as error:
        raise BrokerError(_in_use(host, port, error)) from None
    try:
        yield BrokerAddress(host, port)
    finally:
        await broker.shutdown()


def _without_lost_subscribers(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # amqtt waits for the acknowledgement of a subscriber that has disconnected, in a task that is never awaited.
    if not isinstance(context.get("exception"), TimeoutError):
        loop.default_exception_handler(context)


def _check_bindable(host: str, port: int) -> None:
    # The library hides the reason behind a state machine's traceback, so it is asked for first.
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise BrokerError(_in_use(host, port, error)) from None


def _in_use(host: str, port: int, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return f"no broker can listen on {host}:{port} ({reason}): choose another --port, or use the broker that is there"
