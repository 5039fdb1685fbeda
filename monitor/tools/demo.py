"""``bedside demo``: every part in its own process, connected by a broker on loopback, on real ECG."""

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

from rich.console import Console, Group
from rich.live import Live

from monitor.tools.demo_summary import summarize
from monitor.tools.live_table import live_table
from monitor.tools.observer import BED, READY_TIMEOUT_S, observer
from monitor.tools.process_group import Child, ForcedEndError, ProcessGroup, process_group
from monitor.tools.wire_stats import BedStats
from stream.errors import StorageError
from stream.mqtt.address import BROKER_VARIABLE, BrokerAddress
from stream.mqtt.client import Client, Received
from stream.wire.bed_places import BedPlaces
from stream.wire.status_messages import ProcessStatus
from stream.wire.topics import Role

STATUS_TIMEOUT_S = 5.0
"""Timeout for the last status of a process and for the last forecasts of the worker, s."""

_RESULTS = ("alarms.sqlite", "alarms.sqlite-wal", "alarms.sqlite-shm", "monitor.png", "summary.json")


@dataclass(frozen=True)
class DemoConfig:
    """Configuration of the demonstration.

    Attributes
    ----------
    record : str
        Such as ``excerpt`` or ``mitdb/208``; available locally.
    source : str
        Origin of the record, for the summary.
    start_s : float
        Start position in the record.
    replay : tuple of str
        Arguments of ``bedside replay``. If it ends by itself, the demonstration does.
    port : int
        Free port on loopback.
    out : Path
        Output folder for summary.json, alarms.sqlite, monitor.png and demo.log.
    headless : bool
        Print a table; the window is drawn offscreen.
    picture : bool
        Draw the window and save monitor.png; False if Qt cannot be loaded.
    seconds : float or None
        Duration; None: until Ctrl-C, or until the window is closed.
    data_dir : Path or None
    """

    record: str
    source: str
    start_s: float
    replay: tuple[str, ...]
    port: int
    out: Path
    headless: bool
    picture: bool
    seconds: float | None
    data_dir: Path | None


async def demo(config: DemoConfig, console: Console) -> dict[str, Any]:
    """Run the demonstration and return its summary, which is also written to ``summary.json`` if the run fails.

    Raises
    ------
    StorageError
        The folder cannot be written.
    ChildExitError
        A process exited unexpectedly.
    """
    address = BrokerAddress("127.0.0.1", config.port)
    environment = {BROKER_VARIABLE: str(address)}
    if config.data_dir is not None:
        environment["BEDSIDE_DATA"] = str(config.data_dir)
    with _empty_folder(config.out) as log:
        async with process_group(log, environment) as children:
            run = _Run(config, children, console)
            try:
                await run.run(address)
            finally:
                summary = run.summary()
                (config.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    return summary


def _empty_folder(out: Path) -> TextIO:
    """Remove the results of an earlier run and open the log for writing."""
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
        self._places = BedPlaces()
        self._online: dict[str, ProcessStatus] = {}
        self._forced_ends: list[str] = []
        self._received = asyncio.Event()

    async def run(self, address: BrokerAddress) -> None:
        """Start the broker, observe it, run the demonstration, and stop all processes."""
        await self._children.start("broker", "--port", str(address.port))
        async with AsyncExitStack() as stack:
            client = observer(address)
            await self._children.wait_for(stack.enter_async_context(client), READY_TIMEOUT_S)
            observing = asyncio.create_task(self._observe(client))
            try:
                await self._stream(observing)
            finally:
                observing.cancel()
                await asyncio.gather(observing, return_exceptions=True)
        await self._end("broker")

    async def _observe(self, client: Client) -> None:
        """Process received messages until cancelled."""
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
            admitted, lost = self._places.admit(received.topic.bed, received.monotonic_ns / 1e9)
            if lost is not None:
                self._beds.pop(lost, None)
            if admitted:
                self._beds[received.topic.bed].update(message, received.monotonic_ns)

    async def _stream(self, observing: asyncio.Task[None]) -> None:
        """Start the processes in order, show the stream, and stop them in order."""
        config, start = self._config, self._children.start
        self._console.print("starting the forecaster …")
        await start("worker", "--no-state")
        await start("alarms", "--db", str(config.out / "alarms.sqlite"))
        monitor = await self._start_monitor()
        for role in (Role.WORKER, Role.LOGGER, *((Role.MONITOR,) if monitor else ())):
            await self._children.wait_for(self._until(lambda role=role: role in self._online), READY_TIMEOUT_S)  # type: ignore[misc]
        self._console.print(f"streaming {config.record} at 360 Hz over {BrokerAddress('127.0.0.1', config.port)}")
        replay = await start("replay", *config.replay)
        try:
            await self._children.wait_for(self._until(lambda: self._beds[BED].waveform is not None), READY_TIMEOUT_S)
            await self._show((monitor, replay), observing)
        except asyncio.CancelledError:
            self._console.print("stopping …")
            # The processes are still stopped in order after Ctrl-C; a second Ctrl-C stops at once.
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
        await self._end_all()

    async def _start_monitor(self) -> Child | None:
        """Start the window, offscreen when headless; None if Qt cannot be loaded."""
        if not self._config.picture:
            return None
        picture = str(self._config.out / "monitor.png")
        environment = {"QT_QPA_PLATFORM": "offscreen"} if self._config.headless else {}
        store = str(self._config.out / "alarms.sqlite")
        return await self._children.start(
            "monitor", "--bed", BED, "--db", store, "--screenshot", picture, environment=environment
        )

    async def _show(self, may_end: tuple[Child | None, ...], observing: asyncio.Task[None]) -> None:
        """Show the stream until the time is over, one of ``may_end`` ends, or a child or the observer fails."""
        table = Live(console=self._console, auto_refresh=False) if self._config.headless else nullcontext()
        end = time.monotonic() + (self._config.seconds if self._config.seconds is not None else float("inf"))
        first_exit = asyncio.create_task(self._children.first_exit())
        try:
            with table as live:
                while time.monotonic() < end and not first_exit.done() and not observing.done():
                    if live is not None:
                        live.update(self._table(), refresh=True)
                    await asyncio.wait(
                        [first_exit, observing],
                        return_when=asyncio.FIRST_COMPLETED,
                        timeout=min(0.5, max(end - time.monotonic(), 0.0)),
                    )
                if live is not None:
                    live.update(self._table(), refresh=True)
            if live is not None and not self._console.is_terminal:
                self._console.print()  # on a terminal, the live display ends its last line itself
            if observing.done():
                observing.result()
            if first_exit.done():
                child = first_exit.result()
                if all(child is not one for one in may_end) or child.process.returncode != 0:
                    raise child.exit_error()
        finally:
            first_exit.cancel()
            await asyncio.gather(first_exit, return_exceptions=True)

    def _table(self) -> Group:
        return live_table(self._beds, time.time_ns(), time.monotonic_ns(), self._online.get(Role.WORKER))

    async def _end_all(self) -> None:
        """Stop all processes but the broker, each after those whose output it needs."""
        bed = self._beds[BED]
        # The window is stopped first: its screenshot shows a live trace.
        await self._end("monitor")
        if await self._end("replay"):
            await self._until_within(lambda: bed.publisher is not None and bed.publisher.state == "ended")
        await self._until_within(lambda: bed.caught_up)
        if await self._end("worker"):
            await self._until_within(lambda: bed.worker is not None and bed.worker.state == "stopped")
        await self._end("alarms")

    async def _end(self, name: str) -> bool:
        """Stop a process; if it had to be killed, record that and return False."""
        try:
            await self._children.end(name)
        except ForcedEndError as error:
            self._forced_ends.append(str(error))
            self._console.print(f"[yellow]{error}; stopping the others")
            return False
        return True

    async def _until_within(self, condition: Callable[[], bool]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STATUS_TIMEOUT_S):
                await self._until(condition)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._received.clear()
            await self._received.wait()

    def summary(self) -> dict[str, Any]:
        """Return the summary of this run."""
        config = self._config
        return {
            "source": config.source,
            "record": config.record,
            "start_s": config.start_s,
            **summarize(self._beds[BED], self._online.get(Role.WORKER), self._forced_ends),
        }
