"""A client that receives everything bedside sends, and announces nothing of itself."""

from __future__ import annotations

from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.wire.topics import Kind, pattern

BED = "bed-1"
"""The bed of the demonstration and of the benchmarks."""

READY_WITHIN_S = 60.0
"""A first start reads some hundred megabytes of libraries from a cold disk."""

_KINDS = (Kind.ECG, Kind.FORECAST, Kind.VITALS, Kind.ALARMS, Kind.ALARMS_ACTIVE, Kind.STATUS, Kind.PROCESS)


def observer(address: BrokerAddress) -> Client:
    """Return the client; entering it waits `READY_WITHIN_S` for the broker."""
    return Client(
        address, role=None, subscriptions=[pattern(kind) for kind in _KINDS], connect_timeout_s=READY_WITHIN_S
    )
