from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.wire.both_ways import KEPT, BothWays
from stream.wire.messages import Waveform
from stream.wire.shard import ALL_BEDS, ward_shard
from stream.wire.ward_batches import ward_ecg
from tests.stream.wire.consumer import Consumer
from tests.stream.wire.test_codec import WARD_BEDS
from tests.waveforms import chunk

BED = WARD_BEDS[0]


def own(seq: int, **changes: Any) -> Waveform:
    return chunk(seq, bed=BED, **changes)


def tick(seq: int, **changes: Any) -> Any:
    return ward_ecg([chunk(seq, bed=bed, **changes) for bed in WARD_BEDS])


def taken_of(both: BothWays, events: list[tuple[str, int]]) -> list[int]:
    """Return the numbers of the chunks of `BED` that go on."""
    found: list[int] = []
    for way, seq in events:
        if way == "shard":
            found += [one.seq for one in both.chunks(tick(seq), {BED})]
        elif not both.is_copy(own(seq)):
            found.append(seq)
    return found


@pytest.mark.parametrize("first", ["shard", "own"])
def test_of_a_chunk_that_comes_both_ways_the_first_goes_on(first: str) -> None:
    second = {"shard": "own", "own": "shard"}[first]
    events = [(way, seq) for seq in range(200) for way in (first, second)]
    assert taken_of(BothWays(), events) == list(range(200))


def test_the_other_beds_of_a_message_go_on() -> None:
    both = BothWays()
    assert not both.is_copy(own(0))
    assert [one.bed for one in both.chunks(tick(0), ALL_BEDS)] == list(WARD_BEDS[1:])


@pytest.mark.parametrize("way", ["shard", "own"])
def test_a_chunk_that_comes_twice_the_same_way_is_no_copy(way: str) -> None:
    assert taken_of(BothWays(), [("own", 0), ("shard", 0), (way, 0)]) == [0, 0]
    assert taken_of(BothWays(), [("shard", 0), ("own", 0), (way, 0)]) == [0, 0]
    assert taken_of(BothWays(), [(way, 0), (way, 0)]) == [0, 0]


@pytest.mark.parametrize(
    "changes",
    [{"session": "f" * 32}, {"start": 37, "epoch_start": 0}, {"epoch": 1}, {"speed": 2.0}, {"leads": ("V1",)}],
)
def test_a_forged_chunk_hides_none(changes: dict[str, Any]) -> None:
    """Whatever an order could refuse makes it another chunk."""
    both = BothWays()
    assert not both.is_copy(own(1, **changes))
    assert BED in [one.bed for one in both.chunks(tick(1), ALL_BEDS)]
    both = BothWays()
    list(both.chunks(tick(1, **changes), ALL_BEDS))
    assert not both.is_copy(own(1))


def test_a_copy_that_is_late_by_less_than_six_seconds_is_recognized() -> None:
    events = [("shard", seq) for seq in range(KEPT)] + [("own", seq) for seq in range(KEPT)]
    assert taken_of(BothWays(), events) == list(range(KEPT))


@given(st.lists(st.sampled_from(["shard", "own", "both", "both swapped"]), min_size=1, max_size=60))
def test_a_bed_changes_its_way_at_any_moment_without_a_gap(ways: list[str]) -> None:
    both, consumer = BothWays(), Consumer()
    for seq, way in enumerate(ways):
        for one in {"both": ["shard", "own"], "both swapped": ["own", "shard"]}.get(way, [way]):
            if one == "shard":
                for made in both.chunks(tick(seq), {BED}):
                    consumer.receive(made)
            elif not both.is_copy(own(seq)):
                consumer.receive(own(seq))
    assert consumer.served() == list(range(len(ways)))
    assert consumer.duplicates == consumer.lost == 0


def test_the_beds_are_of_one_shard() -> None:
    assert len({ward_shard(bed) for bed in WARD_BEDS}) == 1
