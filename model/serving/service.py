"""The worker as a process: connection to the broker, order of messages, periodic checks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

from model.pipeline.analysis import Models
from model.serving.checkpoint_store import checkpoints
from model.serving.worker import Worker
from stream.clock import Clock, SteadyClock, unix_ns
from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client, Received
from stream.replay.ledger import ledger
from stream.wire.alarm_messages import ActiveAlarms, Command, EventsRequest
from stream.wire.messages import BedStatus, Message, ProcessStatus, Waveform
from stream.wire.topics import Kind, Role, pattern
from stream.wire.wave_message import Wave

log = logging.getLogger("bedside.worker")

ALIVE_NS = 10_000_000_000
"""Age in ns beyond which a worker's status no longer counts: its process ended without a report by the broker."""

BATCH_SAMPLES = 7200
"""Approximate number of samples processed per tick; the connection is served between two ticks."""

CHECK_EVERY_S = 0.5
"""Interval in seconds at which beds are checked for missing data."""


async def serve(address: BrokerAddress, models: Models, *, ledger_path: Path | None, state: Path | None = None) -> None:
    """Serve all beds of a broker until the task is cancelled.

    Parameters
    ----------
    address : BrokerAddress
    models : Models
    ledger_path : Path or None
    state : Path, optional
        Folder of checkpoints, from which the beds go on.

    Raises
    ------
    UsageError
        Another worker serves this broker, or began to while the connection was lost.
    BrokerError
        The broker cannot be reached.
    StorageError
        The ledger or the folder of checkpoints cannot be written.
    """
    subscriptions = [
        pattern(Kind.ECG),
        pattern(Kind.WAVE),
        pattern(Kind.ALARMS_ACTIVE),
        pattern(Kind.COMMAND),
        pattern(Kind.EVENTS_REQUEST),
        pattern(Kind.STATUS, role=Role.PUBLISHER),
        pattern(Kind.STATUS, role=Role.WORKER),
        pattern(Kind.PROCESS, role=Role.WORKER),
    ]
    with ledger(ledger_path, *Worker.LEDGER) as write, checkpoints(state, models) as store:
        async with Client(address, role=Role.WORKER, subscriptions=subscriptions) as client:
            clock = SteadyClock()
            worker = Worker(models, send=client.send, instance=client.instance, clock=clock, write=write, store=store)
            early, served_by = await _read_retained(client, worker, clock)
            if store is not None:
                worker.restore_beds(store.read_all(), served_by)
            client.on_connected = worker.resend_events
            log.info("worker is ready on %s", address)
            next_check_ns = 0
            try:
                _process(worker, early)
                while True:
                    _process(worker, await _next_messages(client, clock))
                    if clock.now_ns() >= next_check_ns:
                        next_check_ns = clock.now_ns() + round(CHECK_EVERY_S * 1e9)
                        worker.advance_time()
                    client.beds = worker.beds
                    # If messages are queued, nothing above yields to the event loop, which serves the connection.
                    await asyncio.sleep(0)
            finally:
                worker.stop()


async def _read_retained(client: Client, worker: Worker, clock: Clock) -> tuple[list[Message], dict[str, str]]:
    """Process the retained alarms and the status of other workers.

    Returns
    -------
    list of Message
        All other messages.
    dict of str to str
        The process that served each bed last.
    """
    others: list[Message] = []
    served_by: dict[str, str] = {}
    async for received in client:
        message = received.message
        if isinstance(message, ActiveAlarms) and received.retained:
            worker.restore_alarms(message)
        elif isinstance(message, ProcessStatus):
            if message.instance == client.instance:
                # Our own status arrives after all messages retained before it.
                break
            # Of two workers that start together, the later one receives the other's status before its own.
            _yield_to(message, client, clock)
        elif isinstance(message, BedStatus) and message.role == "worker":
            served_by[message.bed] = message.instance
        elif message is not None:
            others.append(message)
    return others, served_by


def _yield_to(other: ProcessStatus, client: Client, clock: Clock) -> None:
    """Raise UsageError if another worker is alive."""
    if other.state == "online" and clock.now_ns() - unix_ns(other.when) < ALIVE_NS:
        raise UsageError(f"a worker ({other.instance}) serves {client.address} already: end it, or use another broker")


async def _next_messages(client: Client, clock: Clock) -> list[Message]:
    """Return the received messages in order; none if nothing is received for `CHECK_EVERY_S`."""
    messages: list[Message] = []
    try:
        async with asyncio.timeout(CHECK_EVERY_S):
            received: Received | None = await client.receive()
    except TimeoutError:
        return messages
    samples = 0
    while received is not None:
        message = received.message
        if isinstance(message, ProcessStatus) and received.retained and message.instance != client.instance:
            # Our connection was lost for so long that another worker took over.
            _yield_to(message, client, clock)
        if message is not None:
            messages.append(message)
            samples += message.n if isinstance(message, Waveform) else 0
        received = client.receive_nowait() if samples < BATCH_SAMPLES else None
    return messages


def _process(worker: Worker, messages: Iterable[Message]) -> None:
    """Pass messages to the worker in order; consecutive chunks make one tick, whatever waves lie between them."""
    chunks: list[Waveform] = []
    for message in messages:
        if isinstance(message, Waveform):
            chunks.append(message)
            continue
        if isinstance(message, Wave):
            worker.add_wave(message)
            continue
        worker.tick(chunks)
        chunks = []
        if isinstance(message, Command):
            worker.execute(message)
        elif isinstance(message, BedStatus) and message.role == "publisher":
            worker.update_status(message)
        elif isinstance(message, EventsRequest):
            worker.resend_events()
    worker.tick(chunks)
