"""A worker that receives chunks in messages of shards: the results are those of single chunks."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.pipeline.analysis import Models
from model.serving import ward_beds
from stream.records.record import Record
from stream.wire.both_ways import WardChunks
from stream.wire.messages import Message, Waveform
from stream.wire.ward_batches import ward_ecg
from tests.model.serving.worker_harness import SESSION, WorkerHarness, chunks, publisher_status, until
from tests.stream.wire.test_codec import WARD_BEDS

FAULTS = ("drop", "twice", "swap", "one bed", "session", "status", "alone")


@pytest.fixture(scope="module")
def ticks(patient: Record) -> list[list[Waveform]]:
    """Return 2 s of all beds, one list for each 100 ms."""
    return [list(tick) for tick in zip(*(until(chunks(patient, bed=bed), 2.0) for bed in WARD_BEDS), strict=True)]


def disturbed(
    ticks: Sequence[list[Waveform]], faults: dict[int, str]
) -> list[list[list[Waveform] | Waveform | Message]]:
    """Return what arrives in each tick: the chunks of a message as a list, and single messages."""
    arrived: list[list[list[Waveform] | Waveform | Message]] = []
    late: list[Waveform] | None = None
    session = SESSION
    for number, made in enumerate(ticks):
        fault = faults.get(number)
        if fault == "session":
            session = f"{number:032x}"
        tick = [msgspec.structs.replace(one, session=session) if one.bed == WARD_BEDS[1] else one for one in made]
        items: list[list[Waveform] | Waveform | Message] = []
        match fault:
            case "drop":
                pass
            case "twice":
                items += [tick, tick]
            case "swap" if late is None:
                late = tick
            case "one bed":
                items.append(tick[1:])
            case "status":
                items += [tick, msgspec.structs.replace(publisher_status("paused"), bed=WARD_BEDS[0])]
            case "alone":
                items += [tick[0], tick[1:]]
            case _:
                items.append(tick)
        if items and late is not None and fault != "swap":
            items.append(late)
            late = None
        arrived.append(items)
    return arrived


def worked(
    models: Models, arrived: list[list[list[Waveform] | Waveform | Message]], *, together: bool
) -> WorkerHarness:
    harness = WorkerHarness(models)
    for number, items in enumerate(arrived):
        harness.clock.now += 100_000_000
        for item in items:
            if isinstance(item, list) and together:
                harness.worker.tick([], [WardChunks(ward_ecg(item), range(len(item)))])
            elif isinstance(item, list):
                harness.worker.tick(item)
            elif isinstance(item, Waveform):
                harness.worker.tick([item])
            else:
                harness.worker.statuses.update(item)  # type: ignore[arg-type]
        if number % 5 == 0:
            harness.worker.advance_time()
    harness.worker.stop()
    return harness


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.integers(1, 19), st.sampled_from(FAULTS), max_size=8))
def test_messages_of_a_shard_give_what_single_chunks_give(
    models: Models, ticks: list[list[Waveform]], faults: dict[int, str]
) -> None:
    arrived = disturbed(ticks, faults)
    one, other = (worked(models, arrived, together=together) for together in (False, True))
    for bed in WARD_BEDS:
        mine, same = ([m for m in worker.messages if getattr(m, "bed", None) == bed] for worker in (one, other))
        assert {kind: [m for m in mine if type(m) is kind] for kind in set(map(type, mine))} == {
            kind: [m for m in same if type(m) is kind] for kind in set(map(type, same))
        }
        assert [row for row in one.ledger if row[0] == bed] == [row for row in other.ledger if row[0] == bed]


def test_the_beds_of_a_shard_soon_flow_without_being_decided_one_by_one(
    models: Models, ticks: list[list[Waveform]], monkeypatch: pytest.MonkeyPatch
) -> None:
    decided: list[int] = []
    receive = ward_beds.WardBeds.take

    def counted(self: ward_beds.WardBeds, chunks: WardChunks, now_ns: int) -> object:
        found = receive(self, chunks, now_ns)
        decided.append(len(found[2]))
        return found

    monkeypatch.setattr(ward_beds.WardBeds, "take", counted)
    worked(models, disturbed(ticks[:8], {4: "drop"}), together=True)
    assert decided == [3, 3, 0, 0, 3, 3, 0]
