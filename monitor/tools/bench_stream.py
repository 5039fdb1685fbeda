"""``bedside bench stream``: deadlines and latency of real processes over a real broker, compared with a naive loop."""

from __future__ import annotations

import asyncio
import csv
import math
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress

from monitor.tools.bench_commands import CommandLog, send_commands
from monitor.tools.observer import BED, READY_TIMEOUT_S, observer
from monitor.tools.process_group import ProcessGroup, process_group
from monitor.tools.wire_stats import BedStats
from stream.errors import UsageError
from stream.mqtt.address import BROKER_VARIABLE, BrokerAddress
from stream.mqtt.client import Client
from stream.timebase import FS
from stream.wire.status_messages import ProcessStatus

CHUNK = 36


async def bench_stream(
    record: str, seconds: float, port: int, console: Console, data_dir: Path | None = None
) -> dict[str, Any]:
    """Stream a record at speed 1 and measure the timing of every chunk and every forecast.

    Parameters
    ----------
    record : str
        Available locally.
    seconds : float
    port : int
        Free port on loopback, for the broker that is started.
    console : Console
        For the progress bar.
    data_dir : Path or None
        Folder of the record; None uses ``BEDSIDE_DATA``.

    Returns
    -------
    dict
        ``deadline_error_ms`` (chunk sent - chunk due), ``naive_error_ms`` (the same of a loop that sleeps one chunk,
        in the same run), ``p99_ratio`` of the two, ``latency_ms`` (chunk due → forecast published), ``command_ms``
        (command sent → its effect reported to two monitors); each with p50, p99, max; the errors also with ``drift``,
        the median of the last tenth minus that of the first. ``commands``: how many were sent, were acknowledgements,
        and had no reported effect.

    Raises
    ------
    UsageError
        ``seconds`` is less than 0.1 or infinite.
    """
    if not 0.1 <= seconds < math.inf:
        raise UsageError(f"--minutes {seconds / 60:g} is not a length: choose 1 or more")
    address = BrokerAddress("127.0.0.1", port)
    chunks = round(seconds * FS / CHUNK)
    environment = {BROKER_VARIABLE: str(address), **({"BEDSIDE_DATA": str(data_dir)} if data_dir else {})}
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "published.csv"
        with (Path(folder) / "log").open("w") as log:
            async with process_group(log, environment) as children, AsyncExitStack() as stack:
                await children.start("broker", "--port", str(port))
                client = observer(address)
                await children.wait_for(stack.enter_async_context(client), READY_TIMEOUT_S)
                await children.start("worker")
                bed, ready = BedStats(), asyncio.Event()
                observing = asyncio.create_task(_observe(client, bed, ready))
                commands = CommandLog()
                sending = asyncio.create_task(send_commands(address, commands))
                await children.wait_for(ready.wait(), READY_TIMEOUT_S)
                stop = threading.Event()
                naive: list[float] = []
                thread = threading.Thread(target=_naive_loop, args=(chunks, CHUNK / FS, naive, stop))
                try:
                    await _stream(children, record, ledger, seconds, bed, thread.start, console)
                finally:
                    stop.set()
                    if thread.ident is not None:
                        await asyncio.to_thread(thread.join)
                    for task in (observing, sending):
                        task.cancel()
                    await asyncio.gather(observing, sending, return_exceptions=True)
                await children.end("replay")
                await children.end("worker")
        with ledger.open(newline="") as file:
            sent = [
                (int(row["sent_ns"]) - int(row["due_ns"])) / 1e6
                for row in csv.DictReader(file)
                if row["signal"] == "ecg"
            ]
    errors, loop = np.asarray(sent[:chunks]), np.asarray(naive)
    return {
        "seconds": round(len(errors) * CHUNK / FS, 1),
        "chunks": len(errors),
        "deadline_error_ms": {**_spread(errors), "drift": _drift(errors)},
        "naive_error_ms": {**_spread(loop), "drift": _drift(loop)},
        "p99_ratio": round(float(np.percentile(errors, 99) / np.percentile(loop, 99)), 4),
        "latency_ms": _spread(np.asarray(bed.latencies_ms)),
        "command_ms": _spread(np.asarray(commands.delays_ms())) if commands.reported else None,
        "commands": {
            "sent": len(commands.sent),
            "acknowledgements": len(commands.acknowledgements),
            "unseen": commands.unreported(),
        },
    }


async def _stream(
    children: ProcessGroup,
    record: str,
    ledger: Path,
    seconds: float,
    bed: BedStats,
    begin: Callable[[], None],
    console: Console,
) -> None:
    await children.start("replay", "--bed", f"{BED}={record}", "--loop", "--ledger", str(ledger))
    with Progress(console=console) as progress:
        task = progress.add_task("streaming", total=seconds)
        while bed.waveform is None or bed.waveform.end < seconds * FS:
            for child in children.children:
                if child.process.returncode is not None:
                    raise child.exit_error()
            if bed.waveform is not None:
                if progress.tasks[0].completed == 0:
                    begin()
                progress.update(task, completed=bed.waveform.end / FS)
            await asyncio.sleep(0.2)


async def _observe(client: Client, bed: BedStats, ready: asyncio.Event) -> None:
    async for received in client:
        if isinstance(received.message, ProcessStatus):
            if received.message.role == "worker":
                ready.set()
        elif received.message is not None:
            bed.update(received.message, received.monotonic_ns)


def _naive_loop(chunks: int, period_s: float, errors: list[float], stop: threading.Event) -> None:
    """Append the deadline errors, in ms, of a loop that sleeps one chunk period and ignores its own run time."""
    begin = time.monotonic()
    for number in range(1, chunks + 1):
        time.sleep(period_s)
        errors.append((time.monotonic() - begin - number * period_s) * 1e3)
        if stop.is_set():
            return


def _spread(values: npt.NDArray[np.float64]) -> dict[str, float]:
    p50, p99 = np.percentile(values, [50, 99])
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "max": round(float(values.max()), 3)}


def _drift(values: npt.NDArray[np.float64]) -> float:
    tenth = max(len(values) // 10, 1)
    return round(float(np.median(values[-tenth:]) - np.median(values[:tenth])), 3)
