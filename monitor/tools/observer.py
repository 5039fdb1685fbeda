"""An MQTT client that receives bedside's messages and publishes no status of its own."""

from __future__ import annotations

from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.wire.topics import Kind, pattern

BED = "bed-1"
"""The bed of the demonstration and of the benchmarks."""

READY_TIMEOUT_S = 300.0
"""Timeout for a process to become ready, s. A first start reads several hundred MB of libraries from a cold disk, and
compiles the analysis: minutes on a slow machine. A process that ends is noticed at once."""

_KINDS = (Kind.ECG, Kind.FORECAST, Kind.VITALS, Kind.ALARMS, Kind.ALARMS_ACTIVE, Kind.STATUS, Kind.PROCESS)


def observer(address: BrokerAddress) -> Client:
    """Return the client; entering its context waits up to `READY_TIMEOUT_S` for the broker."""
    return Client(
        address, role=None, subscriptions=[pattern(kind) for kind in _KINDS], connect_timeout_s=READY_TIMEOUT_S
    )
