"""Two shards of beds, and what a test sees of the workers that serve them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stream.mqtt.client import Client
from stream.wire.alarm_messages import Alarm
from stream.wire.shard import Shard
from stream.wire.status_messages import ProcessStatus
from tests.reliability.oracle import ledger

BEDS = ("bed-1", "bed-2", "bed-3", "bed-5")
LEFT = {index: [bed for bed in BEDS if bed in Shard(index, 2)] for index in (0, 1)}


def ready(log: Path, count: int) -> Callable[[], bool]:
    return lambda: log.read_text().count("worker is ready") >= count


def taken(path: Path, chunks: int, beds: list[str]) -> Callable[[], bool]:
    """Return whether the worker with this ledger has taken so many chunks of each bed."""

    def enough() -> bool:
        rows = [row["bed"] for row in ledger(path) if row["verdict"] in ("taken", "gap")]
        return all(rows.count(bed) >= chunks for bed in beds)

    return enough


async def listen(client: Client, online: dict[str, ProcessStatus], events: dict[str, Alarm]) -> None:
    """Keep the statuses of the processes that are online, by instance, and the alarm events, by id."""
    async for received in client:
        match received.message:
            case ProcessStatus() as status:
                online.pop(status.instance, None)
                if status.state == "online":
                    online[status.instance] = status
            case Alarm() as event:
                events[event.event_id] = event


def process_with_open(path: Path) -> int:
    for folder in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if folder.readlink() == path:
                return int(folder.parts[2])
        except OSError:
            continue
    raise AssertionError(f"no process writes {path}")
