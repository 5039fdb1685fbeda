"""The headless alarm logger: receives, commits, then acknowledges; in this order, always.

The broker forgets an event only when it is on our disk. While the disk refuses, nothing is acknowledged, the events
are held, and the commit is tried again each second. The broker delivers no more than twenty unacknowledged, so a
commit never waits for a batch to fill: it takes what has come, ten at most.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TextIO

import msgspec

from monitor.alarm_log import AlarmLog
from stream.address import BrokerAddress
from stream.client import Client
from stream.errors import StorageError
from stream.messages import Alarm
from stream.topics import Kind, Role, pattern

BATCH = 10
RETRY_S = 1.0


async def serve(address: BrokerAddress, log: AlarmLog, *, jsonl: bool = False) -> None:
    """Store the alarm events of all beds until cancelled.

    Parameters
    ----------
    address : BrokerAddress
    log : AlarmLog
        Closed at the end.
    jsonl : bool
        Also write each new event as a line of JSON to standard output, once it is stored.

    Raises
    ------
    BrokerError
        The broker cannot be reached or refuses this client.
    """
    with log:
        async with Client(
            address, role=Role.LOGGER, subscriptions=[pattern(Kind.ALARMS)], persistent_id=log.client_id
        ) as client:
            await store(client, log, sys.stdout if jsonl else None)


async def store(client: Client, log: AlarmLog, out: TextIO | None = None) -> None:
    """Store what arrives until cancelled; counts ``stored``, ``repeated`` and ``store_failures``.

    Parameters
    ----------
    client : Client
    log : AlarmLog
    out : text file, optional
        Each new event goes here as a line of JSON.

    Raises
    ------
    BrokenPipeError
        Whoever read `out` has gone.
    """
    encoder = msgspec.json.Encoder()
    for name in ("stored", "repeated", "store_failures"):
        client.counters.setdefault(name, 0)
    while True:
        batch = [await client.receive()]
        while len(batch) < BATCH and (more := client.receive_nowait()) is not None:
            batch.append(more)
        alarms = [(r.message, r.received_ns) for r in batch if isinstance(r.message, Alarm)]
        fresh = await _commit(client, log, alarms)
        for received in batch:
            client.acknowledge(received)
        if out is not None and fresh:
            out.writelines(encoder.encode(alarm).decode() + "\n" for alarm in fresh)
            out.flush()


async def _commit(client: Client, log: AlarmLog, alarms: Sequence[tuple[Alarm, int]]) -> Sequence[Alarm]:
    """Store, as long as it takes, and return the events that were new."""
    failing = False
    while True:
        try:
            fresh = log.add(alarms)
        except StorageError as error:
            client.counters["store_failures"] += 1
            if not failing:
                print(f"bedside alarms: {error}; events are held until it works", file=sys.stderr, flush=True)
            failing = True
            await asyncio.sleep(RETRY_S)
        else:
            if failing:
                print("bedside alarms: the alarm store works again", file=sys.stderr, flush=True)
            client.counters["stored"] += len(fresh)
            client.counters["repeated"] += len(alarms) - len(fresh)
            return fresh
