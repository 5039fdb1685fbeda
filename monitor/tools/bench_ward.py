"""``bedside bench ward``: how many beds one publisher, one broker and one worker of this machine keep up with."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from monitor.tools.mosquitto import mosquitto_program, start_mosquitto
from monitor.tools.observer import READY_TIMEOUT_S
from monitor.tools.process_group import Child, ProcessGroup, process_group
from monitor.tools.process_usage import Usage, usage
from monitor.tools.ward_meter import MAX_LATENCY_MS, MAX_LATENESS_MS, WardMeter
from monitor.view.commands import command
from stream.errors import UsageError
from stream.mqtt.address import BROKER_VARIABLE, BrokerAddress
from stream.mqtt.client import Client
from stream.wire.bed_places import PLACES_VARIABLE
from stream.wire.detail import RENEW_S, SetDetail
from stream.wire.topics import Kind, Role, pattern

CHUNK = 36

WATCHED = 16
"""Beds whose latency is measured. To receive all would load the machine more than the broker does."""

SERVED_TIMEOUT_S = 30.0
"""Longest wait until the worker serves all beds."""

END_TIMEOUT_S = 30.0
"""Longest wait for the last chunks, for the last statuses, and for the end of a process."""


@dataclass(frozen=True)
class WardBench:
    """Parameters of a measurement.

    Attributes
    ----------
    names : tuple of str
        The beds, as ``bedside replay --ward`` names them.
    replay : tuple of str
        Options of ``bedside replay``.
    seconds : float
        Duration, at least 1.
    warm_up_s : float
        Time from when all beds are served to the begin of the measurement: during its first 12 s the worker learns.
    port : int
        Free port on loopback.
    data_dir : Path or None
    """

    names: tuple[str, ...]
    replay: tuple[str, ...]
    seconds: float
    port: int
    data_dir: Path | None = None
    warm_up_s: float = 15.0

    def __post_init__(self) -> None:
        if not 1 <= self.seconds <= 86_400:
            raise UsageError(f"--seconds {self.seconds:g}: use 1 to 86400")


async def bench_ward(config: WardBench, console: Console) -> dict[str, Any]:
    """Run a ward and measure it.

    Returns
    -------
    dict
        ``beds``, ``seconds``, ``broker`` (``mosquitto`` or ``embedded``); ``kept_up``: all beds served, no gap, no
        overload, 99 % of the latencies at most `MAX_LATENCY_MS`, and of the publisher's lateness `MAX_LATENESS_MS`;
        ``latency_ms`` (chunk due → forecast received; vitals if the worker sends no forecast, of `WATCHED` beds) and
        ``lateness_ms`` (chunk due → queued for the broker), each with p50 and p99; ``publisher_us_per_bed_s``,
        ``broker_us_per_bed_s``, ``worker_us_per_bed_s``: processor time; ``gaps``, ``unexplained_gaps``, see
        `monitor.tools.ward_meter.Gaps`; ``beds_served``, ``overloaded``; ``memory_mb`` by role. Processor time and
        memory are None without /proc.

    Raises
    ------
    ChildExitError
        A process exited unexpectedly.
    """
    environment = {
        BROKER_VARIABLE: str(BrokerAddress("127.0.0.1", config.port)),
        PLACES_VARIABLE: str(len(config.names)),
        **({"BEDSIDE_DATA": str(config.data_dir)} if config.data_dir else {}),
    }
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        async with process_group(log, environment) as children:
            return await _Run(config, children, Path(folder), console).run()


class _Run:
    """One measurement."""

    def __init__(self, config: WardBench, children: ProcessGroup, folder: Path, console: Console) -> None:
        self._config = config
        self._children = children
        self._folder = folder
        self._console = console
        self._meter = WardMeter(config.names, CHUNK)
        self._processed = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        """Start all processes in order, measure, and end them in order."""
        config, children, meter = self._config, self._children, self._meter
        program = mosquitto_program()
        broker = await self._start_broker(program)
        totals = self._folder / "published.json"
        async with AsyncExitStack() as stack:
            client = self._observer()
            await children.wait_for(stack.enter_async_context(client), READY_TIMEOUT_S)
            await stack.enter_async_context(self._observing(client))
            worker = await children.start("worker", "--no-state")
            await children.wait_for(self._until(lambda: bool(meter.workers)), READY_TIMEOUT_S)
            ward = ("--ward", str(len(config.names)), "--json", str(totals))
            publisher = await children.start("replay", *ward, *config.replay)
            self._console.print(f"waiting until the worker serves {len(config.names)} beds …")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SERVED_TIMEOUT_S):
                    await self._watched(self._until(lambda: meter.served >= len(config.names)))
            used = await self._measure({"publisher": publisher, "broker": broker, "worker": worker})
            overloaded, served = meter.overloaded, meter.served
            self._console.print("stopping …")
            await children.end("replay", END_TIMEOUT_S)
            await self._until_within(lambda: meter.caught_up)
            await children.end("worker", END_TIMEOUT_S)
            await self._until_within(lambda: meter.stopped)
        await children.end("broker")
        lateness = json.loads(totals.read_text())["lateness_ms"]
        gaps, latency = meter.gaps(), meter.latency_ms
        kept_up = (
            served == len(config.names)
            and not overloaded
            and gaps.gaps == gaps.unexplained == 0
            and latency["p99"] is not None
            and latency["p99"] <= MAX_LATENCY_MS
            and lateness["p99"] is not None
            and lateness["p99"] <= MAX_LATENESS_MS
        )
        return {
            "beds": len(config.names),
            "seconds": config.seconds,
            "broker": "mosquitto" if program else "embedded",
            "kept_up": kept_up,
            "latency_ms": latency,
            "lateness_ms": {"p50": lateness["p50"], "p99": lateness["p99"]},
            **{f"{role}_us_per_bed_s": used[role][0] for role in used},
            "gaps": gaps.gaps,
            "unexplained_gaps": gaps.unexplained,
            "beds_served": served,
            "overloaded": overloaded,
            "memory_mb": {role: used[role][1] for role in used},
        }

    async def _start_broker(self, program: str | None) -> Child:
        config = self._config
        if program is not None:
            self._console.print(f"starting Mosquitto ({program}) and the worker …")
            return await start_mosquitto(self._children, program, config.port, self._folder, len(config.names))
        self._console.print("Mosquitto is not installed: starting the embedded broker, which is far slower …")
        return await self._children.start("broker", "--port", str(config.port))

    def _observer(self) -> Client:
        kinds = (Kind.ECG, Kind.FORECAST, Kind.VITALS)
        return Client(
            BrokerAddress("127.0.0.1", self._config.port),
            role=None,
            subscriptions=[
                pattern(Kind.STATUS),
                pattern(Kind.PROCESS, role=Role.WORKER),
                *(pattern(kind, bed) for kind in kinds for bed in self._watched_beds),
            ],
            connect_timeout_s=READY_TIMEOUT_S,
            places=len(self._config.names),
        )

    @asynccontextmanager
    async def _observing(self, client: Client) -> AsyncIterator[None]:
        async def observe() -> None:
            async for received in client:
                self._meter.process(received)
                self._processed.set()

        tasks = [asyncio.create_task(one) for one in (observe(), self._ask_for_detail(client))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask_for_detail(self, client: Client) -> None:
        """Ask for the watched beds, as a central station that draws them does."""
        while True:
            for bed in self._watched_beds:
                client.send(command(bed, "bench", time.time_ns(), SetDetail()))
            await asyncio.sleep(RENEW_S)

    @property
    def _watched_beds(self) -> tuple[str, ...]:
        names = self._config.names
        return names[:: -(-len(names) // WATCHED)]

    async def _measure(self, roles: Mapping[str, Child]) -> dict[str, tuple[float | None, float | None]]:
        """Return the processor time in µs per bed and second, and the memory in MB, of each role."""
        config = self._config
        with Progress(console=self._console) as progress:
            await self._wait(progress, "warming up", config.warm_up_s)
            self._meter.measuring, self._meter.overloaded = True, False
            before, began_s = _usages(roles), time.monotonic()
            await self._wait(progress, "measuring", config.seconds)
            after, ended_s = _usages(roles), time.monotonic()
            self._meter.measuring = False
        bed_seconds = len(config.names) * (ended_s - began_s)
        return {role: _per_bed(before[role], after[role], bed_seconds) for role in roles}

    async def _wait(self, progress: Progress, what: str, seconds: float) -> None:
        task = progress.add_task(what, total=seconds)
        began_s = time.monotonic()
        while (passed_s := time.monotonic() - began_s) < seconds:
            progress.update(task, completed=passed_s)
            await self._watched(asyncio.sleep(min(0.5, seconds - passed_s)))
        progress.update(task, completed=seconds)

    async def _watched(self, goal: Any) -> None:
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


def _usages(roles: Mapping[str, Child]) -> dict[str, Usage | None]:
    return {role: usage(child.process.pid) for role, child in roles.items()}


def _per_bed(before: Usage | None, after: Usage | None, bed_seconds: float) -> tuple[float | None, float | None]:
    if before is None or after is None:
        return None, None
    return round((after.cpu_s - before.cpu_s) / bed_seconds * 1e6, 1), round(after.memory_mb, 1)
