"""``bedside demo``: every part as a process of its own, over a real broker on loopback, on real ECG."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live

from monitor.tools.demo_summary import summarize
from monitor.tools.live_table import live_table
from monitor.tools.observer import BED, READY_WITHIN_S, observer
from monitor.tools.process_group import Child, ForcedEndError, ProcessGroup, process_group
from monitor.tools.wire_stats import BedStats
from stream.errors import StorageError
from stream.mqtt.address import BROKER_VARIABLE, BrokerAddress
from stream.mqtt.client import Client, Received
from stream.wire.messages import ProcessStatus
from stream.wire.topics import Role

REPORT_WITHIN_S = 5.0
"""How long to wait for the last status of a process, and for the last forecasts of the worker."""

_RESULTS = ("alarms.sqlite", "alarms.sqlite-wal", "alarms.sqlite-shm", "monitor.png", "summary.json")


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
        Length of the demonstration; None: until Ctrl-C, or until the window is closed.
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
    """Run the demonstration and return its summary, which is also written to ``summary.json``, however the run ends.

    Raises
    ------
    StorageError
        The folder cannot be written.
    ChildDiedError
        A process ended by itself.
    """
    address = BrokerAddress("127.0.0.1", config.port)
    environment = {BROKER_VARIABLE: str(address)}
    if config.data_dir is not None:
        environment["BEDSIDE_DATA"] = str(config.data_dir)
    with _empty_folder(config.out) as log:
        async with process_group(log, environment) as children:
            run = _Run(config, children, console)
            try:
                await run.all(address)
            finally:
                summary = run.summary()
                (config.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    return summary


def _empty_folder(out: Path) -> TextIO:
    """Remove the results of an earlier run, and return the log, opened for writing."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in _RESULTS:
            (out / name).unlink(missing_ok=True)
        return (out / "demo.log").open("w")
    except OSError as error:
        raise StorageError(f"--out {out} cannot be written ({error.strerror}): choose another folder") from None


class _Run:
    """One run of the demonstration."""

    def __init__(self, config: DemoConfig, children: ProcessGroup, console: Console) -> None:
        self._config = config
        self._children = children
        self._console = console
        self._beds: defaultdict[str, BedStats] = defaultdict(BedStats)
        self._online: dict[str, ProcessStatus] = {}
        self._forced_ends: list[str] = []
        self._received = asyncio.Event()

    async def all(self, address: BrokerAddress) -> None:
        """Start the broker, observe it, run the demonstration, and end everything."""
        await self._children.start("broker", "--port", str(address.port))
        async with AsyncExitStack() as stack:
            client = observer(address)
            await self._children.unless_one_dies(stack.enter_async_context(client), READY_WITHIN_S)
            observing = asyncio.create_task(self._observe(client))
            try:
                await self._run(observing)
            finally:
                observing.cancel()
                await asyncio.gather(observing, return_exceptions=True)
        await self._end("broker")

    async def _observe(self, client: Client) -> None:
        """Keep the statistics up to date."""
        async for received in client:
            self._process(received)
            while (more := client.receive_nowait()) is not None:
                self._process(more)
            self._received.set()

    def _process(self, received: Received) -> None:
        message = received.message
        if isinstance(message, ProcessStatus):
            self._online[message.role] = message
        elif message is not None and received.topic.bed is not None:
            self._beds[received.topic.bed].update(message, received.received_ns)

    async def _run(self, observing: asyncio.Task[None]) -> None:
        """Start the processes in order, show the stream, and end them in order."""
        config, start = self._config, self._children.start
        self._console.print("starting the forecaster …")
        await start("worker")
        await start("alarms", "--db", str(config.out / "alarms.sqlite"))
        monitor = await self._start_monitor()
        for role in (Role.WORKER, Role.LOGGER, *((Role.MONITOR,) if monitor else ())):
            await self._children.unless_one_dies(self._until(lambda role=role: role in self._online), READY_WITHIN_S)  # type: ignore[misc]
        self._console.print(f"streaming {config.record} at 360 Hz over {BrokerAddress('127.0.0.1', config.port)}")
        await start("replay", "--bed", f"{BED}={config.record}", "--loop", "--start", f"{config.start_s:g}")
        try:
            await self._children.unless_one_dies(
                self._until(lambda: self._beds[BED].waveform is not None), READY_WITHIN_S
            )
            await self._show(monitor, observing)
        except asyncio.CancelledError:
            self._console.print("ending …")
            # The rest is done in spite of Ctrl-C; a second one ends it at once.
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
        await self._end_all()

    async def _start_monitor(self) -> Child | None:
        """Start the window, drawn offscreen when headless; None where Qt cannot be loaded."""
        if not self._config.picture:
            return None
        picture = str(self._config.out / "monitor.png")
        environment = {"QT_QPA_PLATFORM": "offscreen"} if self._config.headless else {}
        return await self._children.start("monitor", "--bed", BED, "--screenshot", picture, environment=environment)

    async def _show(self, monitor: Child | None, observing: asyncio.Task[None]) -> None:
        """Show the stream until the time is up or the window is closed; an error of a child or the observer ends it."""
        table = Live(console=self._console, auto_refresh=False) if self._config.headless else nullcontext()
        end = time.monotonic() + (self._config.seconds if self._config.seconds is not None else float("inf"))
        death = asyncio.create_task(self._children.first_death())
        try:
            with table as live:
                while time.monotonic() < end and not death.done() and not observing.done():
                    if live is not None:
                        live.update(live_table(self._beds, time.time_ns()), refresh=True)
                    await asyncio.wait(
                        [death, observing],
                        return_when=asyncio.FIRST_COMPLETED,
                        timeout=min(0.5, max(end - time.monotonic(), 0.0)),
                    )
                if live is not None:
                    live.update(live_table(self._beds, time.time_ns()), refresh=True)
            if live is not None and not self._console.is_terminal:
                self._console.print()  # on a terminal, the live display ends its last line itself
            if observing.done():
                observing.result()
            if death.done():
                dead = death.result()
                if dead is not monitor or dead.process.returncode != 0:
                    raise dead.death()
        finally:
            death.cancel()
            await asyncio.gather(death, return_exceptions=True)

    async def _end_all(self) -> None:
        """End everything but the broker, each process after those whose output it needs."""
        bed = self._beds[BED]
        # The window first, so that its picture shows a live trace.
        await self._end("monitor")
        if await self._end("replay"):
            await self._until_within(lambda: bed.publisher is not None and bed.publisher.state == "ended")
        await self._until_within(lambda: bed.caught_up)
        if await self._end("worker"):
            await self._until_within(lambda: bed.worker is not None and bed.worker.state == "stopped")
        await self._end("alarms")

    async def _end(self, name: str) -> bool:
        """End a process; return False, and note it, where it had to be killed."""
        try:
            await self._children.end(name)
        except ForcedEndError as error:
            self._forced_ends.append(str(error))
            self._console.print(f"[yellow]{error}; the demonstration goes on ending the others")
            return False
        return True

    async def _until_within(self, true: Callable[[], bool]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REPORT_WITHIN_S):
                await self._until(true)

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            self._received.clear()
            await self._received.wait()

    def summary(self) -> dict[str, Any]:
        """Return the figures of this run."""
        config = self._config
        return {
            "source": config.source,
            "record": config.record,
            "start_s": config.start_s,
            **summarize(self._beds[BED], self._online.get(Role.WORKER), self._forced_ends),
        }
