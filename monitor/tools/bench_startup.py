"""``bedside bench gui``: how long a monitor takes from its start to its first sample."""

from __future__ import annotations

import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from monitor.tools.observer import READY_WITHIN_S, observer
from monitor.tools.process_group import process_group
from stream.mqtt.address import BROKER_VARIABLE, BrokerAddress
from stream.mqtt.client import Client
from stream.wire.messages import Waveform

STARTS = 3
BEDS = 16


async def first_sample_s(record: str, address: BrokerAddress, data_dir: Path | None) -> float:
    """Return how long ``bedside monitor`` takes from its start to its end, with the first sample drawn in between.

    It ends at the first sample; so the time is a little longer than that to the sample. The median of three
    starts, with 16 beds that stream.
    """
    environment = {BROKER_VARIABLE: str(address), **({"BEDSIDE_DATA": str(data_dir)} if data_dir else {})}
    beds = [f"--bed=bed-{number + 1:02}={record}" for number in range(BEDS)]
    took = []
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        async with process_group(log, environment) as children, AsyncExitStack() as stack:
            await children.start("broker", "--port", str(address.port))
            client = observer(address)
            await children.unless_one_dies(stack.enter_async_context(client), READY_WITHIN_S)
            await children.start("replay", *beds, "--loop")
            await children.unless_one_dies(_stream(client), READY_WITHIN_S)
            for _ in range(STARTS):
                begin = time.perf_counter()
                child = await children.start("monitor", "--station", "--seconds", "0")
                status = await child.wait()
                took.append(time.perf_counter() - begin)
                children.children.remove(child)
                if status:
                    raise child.death()
            await children.end("replay")
    return round(sorted(took)[STARTS // 2], 3)


async def _stream(client: Client) -> None:
    async for received in client:
        if isinstance(received.message, Waveform):
            return
