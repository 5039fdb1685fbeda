"""Fixtures for brokers in their own process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.mqtt.address import BrokerAddress
from stream.mqtt.embedded_broker import free_port
from tests.system.commands import environment, running, wait_until


def listens(port: int) -> bool:
    """Return whether a process listens on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def embedded_process(tmp_path: Path) -> Iterator[BrokerAddress]:
    """Provide ``bedside broker`` as a process."""
    port = free_port()
    with running("broker", "--port", str(port), env=environment(), output=tmp_path / "broker.log"):
        wait_until(lambda: listens(port), "the broker")
        yield BrokerAddress("127.0.0.1", port)


@pytest.fixture(params=["embedded", "mosquitto"])
def broker_process(request: pytest.FixtureRequest) -> BrokerAddress:
    """Provide the address of each kind of broker in turn, as a process."""
    if request.param == "mosquitto":
        address: BrokerAddress = request.getfixturevalue("mosquitto").address
        return address
    embedded: BrokerAddress = request.getfixturevalue("embedded_process")
    return embedded
