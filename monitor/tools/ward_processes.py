"""A whole ward on this machine: a broker, a publisher, workers, and a subscriber that measures.

``bedside ward`` shows it (`monitor.tools.live_ward`), ``bedside bench ward`` measures it (`monitor.tools.bench_ward`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.tools.mosquitto import mosquitto_program, start_mosquitto
from monitor.tools.observer import READY_TIMEOUT_S
from monitor.tools.process_group import Child, ProcessGroup, process_group
from monitor.tools.process_usage import Usage, usage
from monitor.tools.ward_meter import WardMeter
from monitor.view.commands import command
from stream.errors import UsageError
from stream.mqtt.address import BROKER_VARIABLE, BrokerAddress
from stream.mqtt.client import Client
from stream.wire.bed_places import PLACES_VARIABLE
from stream.wire.detail import RENEW_S, SetDetail
from stream.wire.replay_actions import SetPlaying
from stream.wire.topics import Kind, Role, pattern

CHUNK = 36

WATCHED = 16
"""Beds whose latency is measured. To receive all would load the machine more than the broker does."""

SERVED_TIMEOUT_S, SERVED_TIMEOUT_PER_BED_S = 30.0, 0.1
"""Longest wait until the workers serve all beds."""

END_TIMEOUT_S = 30.0
"""Longest wait for the last chunks, for the last statuses, and for the end of a process."""

Say = Callable[[str], None]
"""Shows a line of progress."""


@dataclass(frozen=True)
class WardSetup:
    """Parameters of a ward.

    Attributes
    ----------
    names : tuple of str
        The beds, as ``bedside replay --ward`` names them.
    replay : tuple of str
        Options of ``bedside replay``.
    port : int
        Free port on loopback.
    workers : int or None
        Worker processes that share the beds, and a spare one; None: one process alone.
    data_dir : Path or None
    """

    names: tuple[str, ...]
    replay: tuple[str, ...]
    port: int
    workers: int | None = None
    data_dir: Path | None = None

    @property
    def address(self) -> BrokerAddress:
        """That of the broker."""
        return BrokerAddress("127.0.0.1", self.port)


def check_seconds(seconds: float) -> None:
    """Raise UsageError for a duration that is out of range."""
    if not 1 <= seconds <= 86_400:
        raise UsageError(f"--seconds {seconds:g}: use 1 to 86400")


@asynccontextmanager
async def ward_processes(setup: WardSetup, say: Say) -> AsyncIterator[WardProcesses]:
    """Provide a ward that has been started; what still runs at the end is killed.

    Raises
    ------
    ChildExitError
        A process exited unexpectedly.
    """
    environment = {
        BROKER_VARIABLE: str(setup.address),
        PLACES_VARIABLE: str(len(setup.names)),
        **({"BEDSIDE_DATA": str(setup.data_dir)} if setup.data_dir else {}),
    }
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        async with process_group(log, environment) as children:
            ward = WardProcesses(setup, children, Path(folder), say)
            async with AsyncExitStack() as stack:
                await ward.start(stack)
                yield ward
            await children.end("broker")


class WardProcesses:
    """The processes of a ward; see `ward_processes`.

    Attributes
    ----------
    meter : WardMeter
        What the subscriber has received.
    broker : str
        ``mosquitto``, or ``embedded`` where that is not installed.
    """

    def __init__(self, setup: WardSetup, children: ProcessGroup, folder: Path, say: Say) -> None:
        self.meter = WardMeter(setup.names, CHUNK)
        self.broker = "embedded"
        self._setup = setup
        self._children = children
        self._folder = folder
        self._say = say
        self._roles: dict[str, Child] = {}
        self._client = self._observer()
        self._processed = asyncio.Event()

    async def start(self, stack: AsyncExitStack) -> None:
        """Start all processes in order, and wait until the workers serve all beds; the subscriber ends with a stack."""
        setup, children, meter = self._setup, self._children, self.meter
        self._roles["broker"] = await self._start_broker()
        await children.wait_for(stack.enter_async_context(self._client), READY_TIMEOUT_S)
        await stack.enter_async_context(self._observing())
        several = () if setup.workers is None else ("--workers", str(setup.workers))
        self._roles["worker"] = await children.start("worker", "--no-state", *several)
        await children.wait_for(self._until(lambda: len(meter.workers) >= (setup.workers or 1)), READY_TIMEOUT_S)
        ward = ("--ward", str(len(setup.names)), "--json", str(self._totals))
        self._roles["publisher"] = await children.start("replay", *ward, *setup.replay)
        self._say(f"waiting until {len(setup.names)} beds are served")
        timeout_s = SERVED_TIMEOUT_S + SERVED_TIMEOUT_PER_BED_S * len(setup.names)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._watched(self._until(lambda: meter.served >= len(setup.names)))

    async def run(self, seconds: float, every_s: float, show: Callable[[float, str], None]) -> None:
        """Let the ward run.

        Parameters
        ----------
        seconds : float
        every_s : float
            Interval of `show`.
        show : callable
            Called with the seconds so far, and with a line on the time since the last one.

        Raises
        ------
        ChildExitError
            A process exited.
        """
        began_s = time.monotonic()
        for turn in itertools.count(1):
            until_s = began_s + min(turn * every_s, seconds)
            await self._watched(asyncio.sleep(max(until_s - time.monotonic(), 0)))
            show(until_s - began_s, self._line())
            if turn * every_s >= seconds:
                return

    def _line(self) -> str:
        """Return what the publisher has reported last, and what the subscriber has received since the last line."""
        reported = next(
            (line for line in reversed(self._roles["publisher"].tail) if "messages/s" in line),
            "no report of the publisher yet",
        )
        recent, meter = self.meter.recent_latency_ms(), self.meter
        latency = "none" if recent["p50"] is None else f"{recent['p50']:.0f} ms (99 %: {recent['p99']:.0f} ms)"
        overload = ", overloaded" if meter.overloaded_now else ""
        return (
            f"{reported}; {meter.served} served{overload}, latency {latency}, "
            f"{meter.active} alarms active, {meter.raised} raised"
        )

    def usages(self) -> dict[str, Usage | None]:
        """Return what each role has used so far: publisher, broker, and all worker processes together."""
        return {role: usage(self._roles[role].process.pid) for role in ("publisher", "broker", "worker")}

    async def end(self) -> dict[str, Any]:
        """End publisher and workers once all that was published is processed; return the publisher's totals."""
        # The status of a bed that has ended is not renewed, that of a paused one is: it tells the last chunk.
        for bed in self._setup.names:
            self._client.send(command(bed, "ward", time.time_ns(), SetPlaying(playing=False)))
        await self._until_within(lambda: self.meter.caught_up)
        await self._children.end("replay", END_TIMEOUT_S)
        await self._children.end("worker", END_TIMEOUT_S)
        await self._until_within(lambda: self.meter.stopped)
        totals: dict[str, Any] = json.loads(self._totals.read_text())
        return totals

    @property
    def _totals(self) -> Path:
        return self._folder / "published.json"

    async def _start_broker(self) -> Child:
        setup, program = self._setup, mosquitto_program()
        if program is not None:
            self.broker = "mosquitto"
            self._say(f"starting Mosquitto ({program}) and the worker")
            return await start_mosquitto(self._children, program, setup.port, self._folder, len(setup.names))
        self._say("Mosquitto is not installed: starting the embedded broker, which is far slower")
        return await self._children.start("broker", "--port", str(setup.port))

    @property
    def _watched_beds(self) -> tuple[str, ...]:
        names = self._setup.names
        return names[:: -(-len(names) // WATCHED)]

    def _observer(self) -> Client:
        kinds = (Kind.ECG, Kind.FORECAST, Kind.VITALS)
        return Client(
            self._setup.address,
            role=None,
            subscriptions=[
                pattern(Kind.STATUS),
                pattern(Kind.ALARMS),
                pattern(Kind.PROCESS, role=Role.WORKER),
                *(pattern(kind, bed) for kind in kinds for bed in self._watched_beds),
            ],
            connect_timeout_s=READY_TIMEOUT_S,
            places=len(self._setup.names),
        )

    @asynccontextmanager
    async def _observing(self) -> AsyncIterator[None]:
        async def observe() -> None:
            async for received in self._client:
                self.meter.process(received)
                self._processed.set()

        tasks = [asyncio.create_task(one) for one in (observe(), self._ask_for_detail())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask_for_detail(self) -> None:
        """Ask for the beds whose latency is measured, as a central station asks for those that it draws."""
        while True:
            for bed in self._watched_beds:
                self._client.send(command(bed, "bench", time.time_ns(), SetDetail()))
            await asyncio.sleep(RENEW_S)

    async def _watched(self, goal: Coroutine[Any, Any, object]) -> None:
        """Wait for a coroutine; raise ChildExitError if a process exits meanwhile."""
        await self._children.wait_for(goal, float("inf"))

    async def _until_within(self, condition: Callable[[], bool]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT_S):
                await self._until(condition)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._processed.clear()
            await self._processed.wait()
            await asyncio.sleep(0.05)  # the condition takes time in the number of beds
