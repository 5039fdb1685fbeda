"""Where the beds of a publisher are, and which of them is due next."""

from __future__ import annotations

from stream.replay.disturbances import Disturbances
from stream.replay.playhead import ReplayConfig, begin
from stream.replay.playhead_actions import choose_record
from stream.replay.replayed_beds import ReplayedBeds
from tests.stream.replay.publisher_harness import FakeClock
from tests.stream.replay.test_playhead import BEGIN_NS, traceable

DUE_NS = BEGIN_NS + round(35e9 / 360)


def replayed(clock: FakeClock, *names: str) -> ReplayedBeds:
    heads = [begin(traceable(72), ReplayConfig(bed=name), BEGIN_NS) for name in names]
    disturbances = Disturbances(lambda message: None, in_shards=False)
    return ReplayedBeds(heads, disturbances, clock, in_shards=False, in_runs=False)


def test_the_earliest_bed_is_due_and_those_that_have_ended_are_not() -> None:
    beds = replayed(FakeClock(), "a", "b")
    assert beds.due_ns == DUE_NS
    assert beds.next_due(DUE_NS - 1) is None
    order = []
    while (bed := beds.next_due(DUE_NS + 10**9)) is not None:
        order.append(bed.own_head.bed)
        beds.move(bed, bed.own_head.next_chunk()[1])
    assert order == ["a", "b", "a", "b"]
    assert not beds.unended


def test_after_a_clock_step_all_deadlines_follow_once_somebody_asks_for_the_time() -> None:
    clock = FakeClock()
    beds = replayed(clock, "a")
    clock.step(3_600_000_000_000)
    assert not beds.follows_clock
    beds.now_ns()
    assert beds.follows_clock
    assert beds.due_ns == DUE_NS + 3_600_000_000_000


def test_a_jump_moves_the_deadline() -> None:
    beds = replayed(FakeClock(), "a")
    bed = beds.by_name["a"]
    beds.jump(bed, choose_record(bed.head, traceable(36), BEGIN_NS + 5_000_000_000))
    assert beds.due_ns == DUE_NS + 5_000_000_000
