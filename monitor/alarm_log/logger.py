"""The headless alarm logger: receives, commits, then acknowledges, always in this order.

The broker drops an event from the session only once it is on the logger's disk. While the store cannot be written,
nothing is acknowledged, the events are held, and the commit is retried every second. The broker delivers at most
twenty unacknowledged messages, so a commit never waits for a full batch: it stores the events received so far, at
most ten.

A broker that keeps no state loses what it has acknowledged to the worker and not yet delivered here. So after each
connect the logger asks the workers for their recent events; the store ignores those it has.

ECG and commands are received over a second connection without a persistent session. In the persistent session of the
events the broker would queue hours of ECG while the logger is away, and deliver the alarms after it. Strips and
commands are written in small steps and not while events are held, so an event waits for one strip at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from monitor.alarm_log.class_log import OF_CLASS, ClassLog
from monitor.alarm_log.copies import CopyDetector
from monitor.alarm_log.printer import EventPrinter
from monitor.alarm_log.store import AlarmLog
from monitor.alarm_log.strip_forecasts import StripForecasts
from monitor.alarm_log.strips import MAX_PENDING, StripRecorder
from monitor.common.strip import Strip
from stream.errors import BedsideError, StorageError, UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client, Watch, watch_nothing
from stream.wire.alarm_messages import ActiveAlarms, Alarm, Command, EventsRequest
from stream.wire.both_ways import BothWays
from stream.wire.detail import SetDetail
from stream.wire.lease import Leases
from stream.wire.messages import Annotation, Forecast, Waveform
from stream.wire.shard import ALL_BEDS
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role, pattern
from stream.wire.truth_message import Truth
from stream.wire.ward_messages import WardEcg

log = logging.getLogger("bedside.alarms")

BATCH = 10
"""Maximum number of events or commands per commit."""

RETRY_INTERVAL_S = 1.0

WRITE_INTERVAL_S = 0.2
"""Time between two writes of pending strips and commands."""

MAX_COMMANDS = 1000
"""Maximum number of commands that wait for the disk; the oldest are dropped."""

T = TypeVar("T")


async def serve(
    address: BrokerAddress,
    store: AlarmLog,
    printer: EventPrinter | None = None,
    watch: Watch = watch_nothing,
    *,
    truth: bool = False,
) -> None:
    """Store the alarm events of all beds, and the ECG around each alarm, until cancelled.

    Parameters
    ----------
    address : BrokerAddress
    store : AlarmLog
        The store; closed on return.
    printer : EventPrinter, optional
        Prints each new event once it is stored.
    watch : callable
        Called with the client of the events; see `stream.mqtt.metrics`.
    truth : bool
        Also store what only a debriefing needs (`monitor.alarm_log.class_log`); takes the rights of an instructor.

    Raises
    ------
    BrokerError
        The broker cannot be reached or refused this client.
    UsageError
        Another logger uses a copy of the store.
    """
    with store, printer or contextlib.nullcontext():
        # The waveforms first: a logger that uses a copy of this store is then known before it is disconnected.
        async with waveform_client(address, truth=truth) as waves, events_client(address, store) as events:
            watch(events)
            log.info("connected; storing alarms in %s", store.path.resolve())
            await Logger(events, waves, store, printer).run()


def events_client(address: BrokerAddress, store: AlarmLog) -> Client:
    """Return the client of the persistent session for alarm events."""
    return Client(address, role=Role.LOGGER, subscriptions=[pattern(Kind.ALARMS)], persistent_id=store.client_id)


def waveform_client(address: BrokerAddress, *, truth: bool = False) -> Client:
    """Return the client for ECG, forecasts, commands, and the status of beds and processes; no persistent session.

    With truth, also for what `monitor.alarm_log.class_log` stores.
    """
    kinds = [
        pattern(Kind.PROCESS, role=Role.LOGGER),
        pattern(Kind.ECG),
        pattern(Kind.WARD_ECG),  # of a large ward, in which beds do not send on their own topics
        pattern(Kind.FORECAST),
        pattern(Kind.ALARMS_ACTIVE),
        pattern(Kind.STATUS),
        pattern(Kind.PROCESS, role=Role.PUBLISHER),
        *(pattern(kind) for kind in OF_CLASS if truth),
    ]
    return Client(address, role=None, subscriptions=kinds)


class Logger:
    """Stores the messages of two connections in one file.

    Counters, part of the status of the first connection: ``stored`` and ``repeated`` events; ``superseded`` events, of
    a worker that another one has replaced (`stream.wire.lease`): they are not stored; ``strips``;
    ``strips_given_way``, dropped because of a full buffer; ``commands``; ``store_failures``; ``chunks`` of ECG;
    ``waves_rejected`` and ``waves_inbox_dropped``, messages of the second connection.

    Parameters
    ----------
    events, waves : Client
    store : AlarmLog
    printer : EventPrinter, optional
        Is woken when events have been stored.
    """

    def __init__(self, events: Client, waves: Client, store: AlarmLog, printer: EventPrinter | None = None) -> None:
        self.counters: Counter[str] = events.counters
        names = (
            "stored",
            "repeated",
            "superseded",
            "strips",
            "strips_given_way",
            "commands",
            "store_failures",
            "chunks",
        )
        for name in names:
            self.counters.setdefault(name, 0)
        self._events = events
        self._waves = waves
        self._store = store
        self._printer = printer
        self._copies = CopyDetector(events.mqtt_session, events.instance)
        self._strips = StripRecorder()
        self._forecasts = StripForecasts()
        self._class = ClassLog()
        self._both_ways = BothWays()
        self._event_leases, self._list_leases = Leases(), Leases()
        self._commands: dict[str, tuple[Command, int]] = {}
        self._held: set[str] = set()

    async def run(self) -> None:
        """Store messages until cancelled; then store pending commands and strips, incomplete ones included.

        Raises
        ------
        BrokerError
            The broker refused one of the connections.
        UsageError
            Another logger uses a copy of the store.
        """
        self._events.on_connected = self._request_events
        self._request_events()
        for alarm, stored in self._store.without_complete_strip(MAX_PENDING):
            self._strips.request(alarm, time.monotonic_ns(), stored)
        try:
            await _run_together(self._store_events(), self._receive_waveforms(), self._write_periodically())
        finally:
            self._strips.finish()
            try:
                self._store.add_commands(self._commands.values())
                self._store.add_truths(self._class.truths)
                self._add_strips(list(self._strips.ready.values()))
            except StorageError as error:
                log.warning("%s; pending strips and commands are lost, events are not", error)

    def _request_events(self) -> None:
        self._events.send(EventsRequest(instance=self._events.instance))

    async def _store_events(self) -> None:
        while True:
            batch = [await self._events.receive()]
            while len(batch) < BATCH and (more := self._events.receive_nowait()) is not None:
                batch.append(more)
            believed = [received for received in batch if self._event_leases.accept(received.message)]
            self.counters["superseded"] += len(batch) - len(believed)
            alarms = [(r.message, r.received_ns) for r in believed if isinstance(r.message, Alarm)]
            added = await self._retry("events", lambda alarms=alarms: self._store.add(alarms))  # type: ignore[misc]
            for received in batch:
                self._events.acknowledge(received)
            self.counters["stored"] += len(added)
            self.counters["repeated"] += len(alarms) - len(added)
            for alarm in added:
                if alarm.phase == "raised":
                    self._strips.request(alarm, time.monotonic_ns())
            if self._printer is not None and added:
                self._printer.wake()

    async def _receive_waveforms(self) -> None:
        while True:
            received = await self._waves.receive()
            now_ns = time.monotonic_ns()
            match received.message:
                case Waveform() as chunk if not self._both_ways.is_copy(chunk):
                    self.counters["chunks"] += 1
                    self._strips.push(chunk, now_ns)
                case WardEcg() as message:
                    for chunk in self._both_ways.chunks(message, ALL_BEDS):
                        self.counters["chunks"] += 1
                        self._strips.push(chunk, now_ns)
                case ProcessStatus(role="logger") as status:
                    reconnects = self._events.counters["reconnects"]
                    if self._copies.update(status, now_ns, retained=received.retained, reconnects=reconnects):
                        raise UsageError(
                            f"another logger uses a copy of {self._store.path}, with the same MQTT client id "
                            f"{self._store.client_id}: choose another --db file, or end that logger"
                        )
                case BedStatus() | ProcessStatus() as status:
                    self._strips.update_status(status, now_ns)
                case ActiveAlarms(commands=commands) if self._list_leases.accept(received.message):
                    for command in commands:
                        self._commands.setdefault(command.command_id, (command, received.received_ns))
                    self._drop_commands()
                case Command(action=SetDetail()):
                    pass  # of a window, every few seconds
                case Command() as command:
                    self._commands.setdefault(command.command_id, (command, received.received_ns))
                    self._drop_commands()
                case Forecast() as forecast if self._list_leases.accept(forecast):
                    self._forecasts.push(forecast, now_ns)
                case Truth() | Annotation() as message:
                    event = self._class.receive(message, received.received_ns)
                    if event is not None:
                        self._strips.request(event, now_ns)

    def _add_strips(self, strips: Sequence[Strip]) -> None:
        found = map(self._forecasts.of, strips)
        self._store.add_strips(strips, [one for one in found if one is not None])

    def _drop_commands(self) -> None:
        while len(self._commands) > MAX_COMMANDS:
            del self._commands[next(iter(self._commands))]

    async def _write_periodically(self) -> None:
        strips, commands = self._strips, self._commands
        while True:
            await asyncio.sleep(WRITE_INTERVAL_S)
            strips.expire(time.monotonic_ns())
            while commands and not self._held:
                some = list(commands.values())[:BATCH]
                self.counters["commands"] += await self._retry(
                    "commands",
                    lambda some=some: self._store.add_commands(some),  # type: ignore[misc]
                )
                for command, _ in some:
                    commands.pop(command.command_id, None)
            while self._class.truths and not self._held:
                truths = list(self._class.truths)[:BATCH]
                await self._retry("truths", lambda truths=truths: self._store.add_truths(truths))  # type: ignore[misc]
                self._class.stored(truths)
            while strips.ready and not self._held:
                strip = next(iter(strips.ready.values()))
                await self._retry("strips", lambda strip=strip: self._add_strips([strip]))  # type: ignore[misc]
                strips.ready.pop(strip.alarm_id, None)
                self.counters["strips"] += 1
                await asyncio.sleep(0)  # let the events received meanwhile go first
            self.counters["strips_given_way"] = strips.dropped
            for name in ("rejected", "inbox_dropped"):
                self.counters[f"waves_{name}"] = self._waves.counters[name]
            self.counters["waves_rejected"] += strips.rejected

    async def _retry(self, what: str, write: Callable[[], T]) -> T:
        """Retry ``write`` until it succeeds; report the first failure and the recovery."""
        while True:
            try:
                result = write()
            except StorageError as error:
                self.counters["store_failures"] += 1
                if what not in self._held:
                    log.warning("%s; %s are held until it can be written", error, what)
                self._held.add(what)
                await asyncio.sleep(RETRY_INTERVAL_S)
            else:
                if what in self._held:
                    self._held.remove(what)
                    log.info("the alarm store can be written again: %s are stored", what)
                return result


async def _run_together(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run coroutines concurrently until one fails; raise its error alone, not a group."""
    problem: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            for coroutine in coroutines:
                tasks.create_task(coroutine)
    except* BedsideError as group:
        problem = group.exceptions[0]
    if problem is not None:
        raise problem
