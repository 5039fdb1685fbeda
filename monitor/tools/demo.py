"""``bedside demo``: every part as a process of its own, over a real broker on loopback, on real ECG."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.live import Live

from monitor.tools.live_table import live_table
from monitor.tools.process_group import Child, Family, family
from monitor.tools.wire_stats import BedStats, quantiles_ms
from stream.errors import StorageError
from stream.mqtt.address import ENVIRONMENT, BrokerAddress
from stream.mqtt.client import Client, Received
from stream.timebase import FS
from stream.wire.messages import ProcessStatus
from stream.wire.topics import Kind, Role, pattern

BED = "bed-1"
END_WITHIN_S = 2.3
"""So that Ctrl-C ends everything within 3 s, the broker and this process included."""

READY_WITHIN_S = 60.0
"""A first start reads some hundred megabytes of libraries from a cold disk."""


@dataclass(frozen=True)
class DemoConfig:
    """What to show.

    Attributes
    ----------
    record : str
        Such as ``excerpt`` or ``mitdb/208``; at hand already.
    source : str
        Where it came from, for the summary.
    start_s : float
        Where in the record to begin.
    port : int
        Free, on loopback.
    out : Path
        Folder for summary.json, alarms.sqlite, monitor.png and demo.log.
    headless : bool
        A table instead of the window; the window is drawn offscreen.
    picture : bool
        False where Qt cannot be loaded: there is no monitor.png then.
    seconds : float or None
        Length of the show; None: until Ctrl-C, or until the window is closed.
    data_dir : Path or None
    """

    record: str
    source: str
    start_s: float
    port: int
    out: Path
    headless: bool
    picture: bool
    seconds: float | None
    data_dir: Path | None


async def demo(config: DemoConfig, console: Console) -> dict[str, Any]:
    """Run the demonstration and return its summary, which also lies in ``summary.json``.

    Raises
    ------
    StorageError
        The folder cannot be written.
    ChildDiedError
        A process ended by itself.
    """
    log_path = config.out / "demo.log"
    try:
        config.out.mkdir(parents=True, exist_ok=True)
        for old in ("alarms.sqlite", "alarms.sqlite-wal", "alarms.sqlite-shm", "monitor.png", "summary.json"):
            (config.out / old).unlink(missing_ok=True)
        log = log_path.open("w")
    except OSError as error:
        raise StorageError(f"--out {config.out} cannot be written ({error.strerror}): choose another folder") from None
    address = BrokerAddress("127.0.0.1", config.port)
    environment = {ENVIRONMENT: str(address)}
    if config.data_dir is not None:
        environment["BEDSIDE_DATA"] = str(config.data_dir)
    with log:
        async with family(log, environment) as children:
            show = _Show(config, children, console)
            await children.start("broker", "--port", str(config.port))
            async with AsyncExitStack() as stack:
                client = onlooker(address)
                await children.unless_one_dies(stack.enter_async_context(client), READY_WITHIN_S)
                watching = asyncio.create_task(show.watch(client))
                try:
                    await show.run(watching)
                finally:
                    watching.cancel()
                    await asyncio.gather(watching, return_exceptions=True)
            summary = show.summary()
            await children.end("broker", 0.5)
    (config.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    return summary


def onlooker(address: BrokerAddress) -> Client:
    """Return a client that sees all of bedside and announces nothing of itself."""
    kinds = (Kind.ECG, Kind.FORECAST, Kind.ALARMS, Kind.ALARMS_ACTIVE, Kind.STATUS, Kind.PROCESS)
    return Client(address, role=None, subscriptions=[pattern(kind) for kind in kinds], first_wait_s=READY_WITHIN_S)


class _Show:
    """One run of the demonstration."""

    def __init__(self, config: DemoConfig, children: Family, console: Console) -> None:
        self._config = config
        self._children = children
        self._console = console
        self._beds: defaultdict[str, BedStats] = defaultdict(BedStats)
        self._online: dict[str, ProcessStatus] = {}
        self._news = asyncio.Event()

    async def watch(self, client: Client) -> None:
        """Keep the statistics up to date."""
        async for received in client:
            self._take(received)
            while (more := client.receive_nowait()) is not None:
                self._take(more)
            self._news.set()

    def _take(self, received: Received) -> None:
        message = received.message
        if isinstance(message, ProcessStatus):
            self._online[message.role] = message
        elif message is not None and received.topic.bed is not None:
            self._beds[received.topic.bed].update(message, received.received_ns)

    async def run(self, watching: asyncio.Task[None]) -> None:
        """Start the processes in order, show, and end them in order."""
        config, start = self._config, self._children.start
        say = self._console.print
        say("starting the forecaster …")
        await start("worker")
        await start("alarms", "--db", str(config.out / "alarms.sqlite"))
        monitor = await self._start_monitor()
        for role in (Role.WORKER, Role.LOGGER, *((Role.MONITOR,) if monitor else ())):
            await self._children.unless_one_dies(self._until(lambda role=role: role in self._online), READY_WITHIN_S)  # type: ignore[misc]
        say(f"streaming {config.record} at 360 Hz over {BrokerAddress('127.0.0.1', config.port)}")
        await start("replay", "--bed", f"{BED}={config.record}", "--loop", "--start", f"{config.start_s:g}")
        try:
            await self._children.unless_one_dies(
                self._until(lambda: self._beds[BED].waveform is not None), READY_WITHIN_S
            )
            await self._show(monitor, watching)
        except asyncio.CancelledError:
            say("ending …")
            # The rest is done in spite of Ctrl-C; a second one ends it at once.
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
        await self._end()

    async def _start_monitor(self) -> Child | None:
        """Start the window, drawn offscreen when headless; None where Qt cannot be loaded."""
        if not self._config.picture:
            return None
        picture = str(self._config.out / "monitor.png")
        environment = {"QT_QPA_PLATFORM": "offscreen"} if self._config.headless else {}
        return await self._children.start("monitor", "--bed", BED, "--screenshot", picture, environment=environment)

    async def _show(self, monitor: Child | None, watching: asyncio.Task[None]) -> None:
        """Show until the time is up or the window is closed; a child that dies, or an onlooker that fails, ends it."""
        table = Live(console=self._console, auto_refresh=False) if self._config.headless else nullcontext()
        end = time.monotonic() + (self._config.seconds if self._config.seconds is not None else float("inf"))
        death = asyncio.create_task(self._children.first_death())
        try:
            with table as live:
                while time.monotonic() < end and not death.done() and not watching.done():
                    if live is not None:
                        live.update(live_table(self._beds, time.time_ns()), refresh=True)
                    await asyncio.wait(
                        [death, watching],
                        return_when=asyncio.FIRST_COMPLETED,
                        timeout=min(0.5, max(end - time.monotonic(), 0.0)),
                    )
                if live is not None:
                    live.update(live_table(self._beds, time.time_ns()), refresh=True)
            if watching.done():
                watching.result()
            if death.done():
                dead = death.result()
                if dead is not monitor or dead.process.returncode != 0:
                    raise dead.death()
        finally:
            death.cancel()
            await asyncio.gather(death, return_exceptions=True)

    async def _end(self) -> None:
        """End everything but the broker, within `END_WITHIN_S` in all."""
        # The window first, so that its picture shows a live trace; the worker after it has seen everything.
        deadline = time.monotonic() + END_WITHIN_S
        bed = self._beds[BED]

        def left() -> float:
            return max(deadline - time.monotonic(), 0.05)

        await self._children.end("monitor", left())
        await self._children.end("replay", left())
        await self._until_within(left() / 2, lambda: bed.publisher is not None and bed.publisher.state == "ended")
        await self._children.end("worker", left())
        await self._until_within(left() / 2, lambda: bed.worker is not None and bed.worker.state == "stopped")
        await self._children.end("alarms", left())

    async def _until_within(self, seconds: float, true: Callable[[], bool]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._until(true)

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            self._news.clear()
            await self._news.wait()

    def summary(self) -> dict[str, Any]:
        """Return the figures of this run."""
        bed = self._beds[BED]
        published = bed.publisher.counters if bed.publisher else {}
        worked = bed.worker.counters if bed.worker else {}
        process = self._online.get(Role.WORKER)
        return {
            "source": self._config.source,
            "record": self._config.record,
            "start_s": self._config.start_s,
            "synthetic": bool(bed.waveform and bed.waveform.synthetic),
            "seconds": round(published.get("samples_published", 0) / FS, 3),
            "samples_published": int(published.get("samples_published", 0)),
            "samples_forecast": int(worked.get("samples_forecast", 0)),
            "gaps": int(worked.get("gaps", 0)),
            "duplicates": int(worked.get("duplicates", 0)),
            "rejected": int(worked.get("rejected", 0) + (process.counters.get("rejected", 0) if process else 0)),
            "alarms": len(bed.raised),
            "latency_ms": quantiles_ms(bed.latencies_ms),
            "forecasts_scored": bed.errors.count,
            "forecast_mae_mv": _rounded(bed.errors.mae(bed.errors.forecast)),
            "persistence_mae_mv": _rounded(bed.errors.mae(bed.errors.persistence)),
        }


def _rounded(values: dict[str, float | None]) -> dict[str, float | None]:
    return {key: None if value is None else round(value, 4) for key, value in values.items()}


def qt_problem(where: Literal["a window", "offscreen"]) -> str | None:
    """Return why Qt cannot draw here, in one line, or None. Asks a process of its own: this one stays light."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"} if where == "offscreen" else None
    trial = subprocess.run(
        [sys.executable, "-c", "import pyqtgraph; from monitor.gui.platform import check_platform; check_platform()"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if trial.returncode == 0:
        return None
    last_line = (trial.stderr.strip().splitlines() or ["unknown reason"])[-1]
    return last_line.removeprefix("stream.errors.UsageError: ")
