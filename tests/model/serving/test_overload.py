"""An overloaded worker: each sample that arrives is analysed, or shed and counted, whichever way it comes."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from model.pipeline.analysis import Models
from model.serving.backlog import Backlog
from model.serving.shedding import Load, balance
from stream.wire.both_ways import BothWays, WardChunks
from stream.wire.messages import Message, Waveform
from stream.wire.shard import ALL_BEDS
from stream.wire.status_messages import BedStatus
from stream.wire.ward_batches import ward_ecg
from stream.wire.ward_messages import WardEcg
from stream.wire.wave_message import Wave
from tests.model.serving.worker_harness import WorkerHarness, publisher_status
from tests.stream.wire.test_codec import WARD_BEDS
from tests.waveforms import SESSION, chunk, wave

WAYS = ("ward", "ward", "ward, then alone", "alone, then ward", "alone", "one alone")


class Step(NamedTuple):
    """What happens within a tick of all beds: the way of the chunks, what else comes, time, rounds of the worker."""

    way: str
    other: str
    elapsed_s: float
    rounds: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(WAYS),
        st.sampled_from(["", "", "status", "wave"]),
        st.sampled_from([0.1, 0.3, 0.7, 1.2]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=20,
)


TICKS = [[chunk(seq, bed=bed) for bed in WARD_BEDS] for seq in range(20)]


def arriving(tick: list[Waveform], step: Step) -> list[Message]:
    """Return the messages of a tick, in order."""
    together, alone = ward_ecg(tick), list[Message](tick)
    other: dict[str, list[Message]] = {
        "": [],
        "status": [_status(bed, "playing") for bed in WARD_BEDS],
        "wave": [wave(tick[0].seq, bed=WARD_BEDS[0])],
    }
    ways: dict[str, list[Message]] = {
        "ward": [together],
        "ward, then alone": [together, *alone],
        "alone, then ward": [*alone, together],
        "alone": alone,
        "one alone": [alone[0], ward_ecg(tick[1:])],
    }
    return [*other[step.other], *ways[step.way]]


def _status(bed: str, state: str) -> BedStatus:
    return msgspec.structs.replace(publisher_status(state), bed=bed, session=SESSION)


class Overloaded:
    """A worker behind its backlog, with a manual clock; its steps are those of `model.serving.service`."""

    def __init__(self, models: Models) -> None:
        self.harness = WorkerHarness(models)
        self.backlog = Backlog()
        self._both_ways = BothWays()
        self._load = Load()

    def receive(self, message: Message) -> None:
        now_ns = self.harness.clock.now
        match message:
            case WardEcg():
                rows = self._both_ways.rows(message, ALL_BEDS)
                self.backlog.put_ward(WardChunks(message, rows), now_ns)
            case Waveform() if self._both_ways.is_copy(message):
                pass
            case Waveform() | Wave() | BedStatus():
                self.backlog.put(message.bed, message, now_ns)

    def shed(self) -> None:
        worker, now_ns = self.harness.worker, self.harness.clock.now
        self._load = balance(self._load, self.backlog.waiting(now_ns), worker.analysed, worker.urgent, now_ns)
        if self._load.resting:
            worker.shed(self.backlog.shed(self._load.resting))

    def round(self) -> None:
        worker, following = self.harness.worker, self.backlog.next_round()
        for message in following.others:
            worker.add_wave(message) if isinstance(message, Wave) else worker.statuses.update(message)  # type: ignore[arg-type]
        worker.tick(following.chunks, following.wards)

    def end(self) -> None:
        """Process what waits; the records end, so that no chunk is held any more."""
        while self.backlog:
            self.round()
        for bed in WARD_BEDS:
            self.harness.worker.statuses.update(_status(bed, "ended"))


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_each_sample_is_analysed_or_shed_and_counted(models: Models, steps: list[Step]) -> None:
    overloaded = Overloaded(models)
    for tick, step in zip(TICKS, steps, strict=False):
        for message in arriving(tick, step):
            overloaded.receive(message)
        overloaded.harness.clock.now += round(step.elapsed_s * 1e9)
        overloaded.shed()
        for _ in range(step.rounds):
            overloaded.round()
    overloaded.end()
    for bed in WARD_BEDS:
        counters = overloaded.harness.counters(bed)
        assert counters["samples_forecast"] + counters["shed_samples"] == 36 * len(steps), bed
