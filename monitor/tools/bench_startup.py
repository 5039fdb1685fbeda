"""Start-up time of the monitor, for ``bedside bench gui``."""

from __future__ import annotations

import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from monitor.tools.observer import READY_TIMEOUT_S, observer
from monitor.tools.process_group import process_group
from stream.mqtt.address import BROKER_VARIABLE, BrokerAddress
from stream.mqtt.client import Client
from stream.wire.messages import Waveform

STARTS = 3
BEDS = 16


async def first_sample_s(record: str, address: BrokerAddress, data_dir: Path | None) -> float:
    """Return the time from the start of ``bedside monitor`` to its exit after the first drawn sample, in s.

    It is the median of three starts, with 16 streaming beds, and includes the time that the process takes to exit.
    """
    environment = {BROKER_VARIABLE: str(address), **({"BEDSIDE_DATA": str(data_dir)} if data_dir else {})}
    beds = [f"--bed=bed-{number + 1:02}={record}" for number in range(BEDS)]
    durations = []
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        async with process_group(log, environment) as children, AsyncExitStack() as stack:
            await children.start("broker", "--port", str(address.port))
            client = observer(address)
            await children.wait_for(stack.enter_async_context(client), READY_TIMEOUT_S)
            await children.start("replay", *beds, "--loop")
            await children.wait_for(_first_waveform(client), READY_TIMEOUT_S)
            for _ in range(STARTS):
                start = time.perf_counter()
                child = await children.start("monitor", "--station", "--seconds", "0")
                status = await child.wait()
                durations.append(time.perf_counter() - start)
                children.children.remove(child)
                if status:
                    raise child.exit_error()
            await children.end("replay")
    return round(sorted(durations)[STARTS // 2], 3)


async def _first_waveform(client: Client) -> None:
    async for received in client:
        if isinstance(received.message, Waveform):
            return
