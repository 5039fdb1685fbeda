"""A worker without a broker, and the chunks and messages to drive it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from model.alarms.alarm_manager import AlarmManager
from model.pipeline.analysis import Models
from model.pipeline.beds import Beds
from model.serving.bed import Bed
from model.serving.checkpoint_store import CheckpointStore
from model.serving.worker import Worker
from stream.clock import rfc3339
from stream.records.record import Record
from stream.replay.playhead import ReplayConfig, replay
from stream.wire import ordering
from stream.wire.alarm_messages import Action, Alarm, Command
from stream.wire.messages import Forecast, Message, Waveform
from stream.wire.status_messages import BedStatus
from stream.wire.topics import Topic

SESSION = "ab" * 16
BEGIN_NS = 1_700_000_000_000_000_000


class ManualClock:
    """A clock that is advanced by hand."""

    def __init__(self) -> None:
        self.now = BEGIN_NS
        self.stepped_ns = 0

    def now_ns(self) -> int:
        return self.now

    async def sleep_until(self, deadline_ns: int) -> None:
        self.now = max(self.now, deadline_ns)


class WorkerHarness:
    """A worker with a manual clock; keeps its messages, the lines of its ledger, and what it gives up and refuses."""

    def __init__(self, models: Models, store: CheckpointStore | None = None, instance: str = "ab12") -> None:
        self.messages: list[Message] = []
        self.ledger: list[tuple[Any, ...]] = []
        self.released: list[Topic] = []
        self.refused: list[str] = []
        self.clock = ManualClock()
        self.worker = Worker(
            models,
            send=self.messages.append,
            instance=instance,
            clock=self.clock,
            write=lambda *values: self.ledger.append(values),
            release=self.released.append,
            refuse=self.refused.append,
            store=store,
        )

    def of(self, kind: type[Any], bed: str = "bed-1") -> list[Any]:
        return [m for m in self.messages if isinstance(m, kind) and m.bed == bed]

    def forecasts_of(self, session: str) -> list[Forecast]:
        """Return the forecasts of a session of bed-1."""
        return [forecast for forecast in self.of(Forecast) if forecast.session == session]

    def counters(self, bed: str = "bed-1") -> dict[str, float]:
        self.worker.stop()
        counters: dict[str, float] = self.of(BedStatus, bed)[-1].counters
        return counters


def chunks(record: Record, size: int = 36, bed: str = "bed-1", **config: Any) -> Iterator[Waveform]:
    return replay(record, ReplayConfig(bed=bed, chunk=size, **config), BEGIN_NS, SESSION)


def served_bed(
    models: Models, chunk: Waveform, send: Callable[[Message], None] = lambda _: None, analysis: Beds | None = None
) -> Bed:
    """Return a bed after its first chunk."""
    _, stream = ordering.receive(None, chunk, 0)
    slot = (analysis or Beds(models)).begin(chunk.leads, chunk.start, chunk.epoch_start)
    return Bed(chunk, stream, slot, AlarmManager(models.alarms, send), lease=1, received_ns=0, served_by=("me",))


def until(chunks: Iterator[Waveform], seconds: float) -> list[Waveform]:
    """Return the chunks that end within the first seconds of the signal."""
    selected = []
    for chunk in chunks:
        if chunk.end > seconds * 360:
            break
        selected.append(chunk)
    return selected


def run(models: Models, ticks: Sequence[Sequence[Waveform]]) -> WorkerHarness:
    harness = WorkerHarness(models)
    for tick in ticks:
        harness.worker.tick(tick)
    return harness


def assert_same_forecasts(one: list[Forecast], other: list[Forecast]) -> None:
    assert [f.origin for f in one] == [f.origin for f in other]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a.mean_mv(), b.mean_mv(), rtol=0, atol=1e-5)
        np.testing.assert_allclose(a.scale_mv(), b.scale_mv(), rtol=0, atol=1e-5)


def summaries(alarms: list[Alarm]) -> list[tuple[Any, ...]]:
    return [(a.phase, a.kind, a.priority, a.onset, a.end) for a in alarms]


def command(action: Action, now_ns: int, bed: str = "bed-1", number: int = 1) -> Command:
    return Command(command_id=f"{number:032x}", bed=bed, who="nurse 1", when=rfc3339(now_ns), action=action)


def publisher_status(state: Any) -> BedStatus:
    return BedStatus(bed="bed-1", role="publisher", instance="p", state=state, when="", record="p", session=SESSION)
