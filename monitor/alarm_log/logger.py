"""The headless alarm logger: receives, commits, then acknowledges; in this order, always.

The broker forgets an event only when it is on our disk. While the disk refuses, nothing is acknowledged, the events
are held, and the commit is tried again each second. The broker delivers no more than twenty unacknowledged, so a
commit never waits for a batch to fill: it takes what has come, ten at most.

ECG and commands come over a second connection, which the broker forgets when we are away. In the persistent session of
the events, it would keep hours of ECG for us, and deliver the alarms behind it. StripRecorder and commands are
written one at a time, and not while events are held: an event waits for one strip at most.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, TextIO, TypeVar

import msgspec

from monitor.alarm_log.store import AlarmLog
from monitor.alarm_log.strips import MAX_PENDING, StripRecorder
from stream.errors import BedsideError, StorageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.wire.alarm_messages import ActiveAlarms, Alarm, Command
from stream.wire.messages import BedStatus, Waveform
from stream.wire.topics import Kind, Role, pattern

BATCH = 10
RETRY_S = 1.0

TICK_S = 0.2
"""How often strips and commands that wait are written."""

MAX_COMMANDS = 1000
"""Commands that wait for the disk; the oldest give way."""

T = TypeVar("T")


async def serve(address: BrokerAddress, log: AlarmLog, *, jsonl: bool = False) -> None:
    """Store the alarm events of all beds, and the ECG around each alarm, until cancelled.

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
    BrokenPipeError
        Whoever read standard output has gone.
    """
    with log:
        async with events_client(address, log) as events, waveform_client(address) as waves:
            _report(f"connected; storing alarms in {log.path.resolve()}")
            await Logger(events, waves, log, sys.stdout if jsonl else None).run()


def events_client(address: BrokerAddress, log: AlarmLog) -> Client:
    """Return the connection whose messages the broker keeps until they are on the disk."""
    return Client(address, role=Role.LOGGER, subscriptions=[pattern(Kind.ALARMS)], persistent_id=log.client_id)


def waveform_client(address: BrokerAddress) -> Client:
    """Return the connection for what nobody keeps for us."""
    kinds = [pattern(Kind.ECG), pattern(Kind.ALARMS_ACTIVE), pattern(Kind.STATUS, role=Role.PUBLISHER)]
    return Client(address, role=None, subscriptions=kinds)


class Logger:
    """Two connections and a file; counts in the status of the first what became of all that came.

    Counters: ``stored`` and ``repeated`` events; ``strips``, and ``strips_given_way`` that found no place;
    ``commands``; ``store_failures``; ``waves_rejected`` and ``waves_inbox_dropped`` messages of the second connection.

    Parameters
    ----------
    events, waves : Client
    log : AlarmLog
    out : text file, optional
        Each new event goes here as a line of JSON.
    """

    def __init__(self, events: Client, waves: Client, log: AlarmLog, out: TextIO | None = None) -> None:
        self.counters: Counter[str] = events.counters
        for name in ("stored", "repeated", "strips", "strips_given_way", "commands", "store_failures"):
            self.counters.setdefault(name, 0)
        self._events = events
        self._waves = waves
        self._log = log
        self._out = out
        self._strips = StripRecorder()
        self._commands: dict[str, tuple[Command, int]] = {}
        self._held: set[str] = set()

    async def run(self) -> None:
        """Store what arrives until cancelled; on the way out, store what there is of the strips that wait.

        Raises
        ------
        BrokerError
            The broker refuses one of the connections.
        BrokenPipeError
            Whoever read `out` has gone.
        """
        for alarm, known in self._log.without_complete_strip(MAX_PENDING):
            self._strips.want(alarm, time.monotonic_ns(), known)
        try:
            await _together(self._store(), self._watch(), self._write())
        finally:
            self._strips.finish()
            try:
                self._log.add_commands(self._commands.values())
                self._log.add_strips(self._strips.ready.values())
            except StorageError as error:
                _report(f"{error}; strips and commands that waited are lost, events are not")

    async def _store(self) -> None:
        encoder = msgspec.json.Encoder()
        while True:
            batch = [await self._events.receive()]
            while len(batch) < BATCH and (more := self._events.receive_nowait()) is not None:
                batch.append(more)
            alarms = [(r.message, r.received_ns) for r in batch if isinstance(r.message, Alarm)]
            fresh = await self._until_done("events", lambda alarms=alarms: self._log.add(alarms))  # type: ignore[misc]
            for received in batch:
                self._events.acknowledge(received)
            self.counters["stored"] += len(fresh)
            self.counters["repeated"] += len(alarms) - len(fresh)
            for alarm in fresh:
                if alarm.phase == "raised":
                    self._strips.want(alarm, time.monotonic_ns())
            if self._out is not None and fresh:
                self._out.writelines(encoder.encode(alarm).decode() + "\n" for alarm in fresh)
                self._out.flush()

    async def _watch(self) -> None:
        while True:
            received = await self._waves.receive()
            now_ns = time.monotonic_ns()
            match received.message:
                case Waveform() as chunk:
                    self._strips.take(chunk, now_ns)
                case BedStatus() as status:
                    self._strips.note(status, now_ns)
                case ActiveAlarms(commands=commands):
                    for command in commands:
                        self._commands.setdefault(command.command_id, (command, received.received_ns))
                    while len(self._commands) > MAX_COMMANDS:
                        del self._commands[next(iter(self._commands))]

    async def _write(self) -> None:
        strips, commands = self._strips, self._commands
        while True:
            await asyncio.sleep(TICK_S)
            strips.expire(time.monotonic_ns())
            while commands and not self._held:
                some = list(commands.values())[:BATCH]
                self.counters["commands"] += await self._until_done(
                    "commands",
                    lambda some=some: self._log.add_commands(some),  # type: ignore[misc]
                )
                for command, _ in some:
                    commands.pop(command.command_id, None)
            while strips.ready and not self._held:
                strip = next(iter(strips.ready.values()))
                await self._until_done("strips", lambda strip=strip: self._log.add_strips([strip]))  # type: ignore[misc]
                strips.ready.pop(strip.alarm_id, None)
                self.counters["strips"] += 1
                await asyncio.sleep(0)  # events that came meanwhile go first
            self.counters["strips_given_way"] = strips.dropped
            for name in ("rejected", "inbox_dropped"):
                self.counters[f"waves_{name}"] = self._waves.counters[name]
            self.counters["waves_rejected"] += strips.rejected

    async def _until_done(self, what: str, work: Callable[[], T]) -> T:
        """Store, as long as it takes; say once that it does not work, and once that it works again."""
        while True:
            try:
                result = work()
            except StorageError as error:
                self.counters["store_failures"] += 1
                if what not in self._held:
                    _report(f"{error}; {what} are held until it works")
                self._held.add(what)
                await asyncio.sleep(RETRY_S)
            else:
                if what in self._held:
                    self._held.remove(what)
                    _report(f"the alarm store works again: {what} are stored")
                return result


def _report(text: str) -> None:
    print(f"bedside alarms: {text}", file=sys.stderr, flush=True)


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Run until one fails, and raise what it raised: users meet errors one by one."""
    problem: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(work)
    except* (BedsideError, BrokenPipeError) as group:
        problem = group.exceptions[0]
    if problem is not None:
        raise problem
