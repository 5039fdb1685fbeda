"""The rule by which beds are put to rest and return."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.serving.shedding import ALL_AT, REPORT_NS, Load, Wait, balance

BEDS = [f"bed-{number}" for number in range(8)]

waits = st.lists(
    st.builds(Wait, st.sampled_from(BEDS), st.floats(0, 30), st.sampled_from([1.0, 5.0, 10.0])),
    unique_by=lambda wait: wait.bed,
)
steps = st.lists(st.tuples(waits, st.integers(0, 2_000_000_000), st.sets(st.sampled_from(BEDS))), max_size=40)


@given(steps)
def test_only_late_beds_rest_urgent_ones_last_and_none_is_listed_twice(
    steps: list[tuple[list[Wait], int, set[str]]],
) -> None:
    load, now = Load(), 0
    for waiting, elapsed, urgent in steps:
        now += elapsed
        after = balance(load, waiting, BEDS, urgent, now)
        new = [bed for bed in after.resting if bed not in load.resting]
        late = {wait.bed for wait in waiting if wait.waited_s > wait.allowed_s}
        assert set(new) <= late
        assert len(set(after.resting)) == len(after.resting)
        if any(bed in urgent for bed in new):
            assert not (late - urgent - set(after.resting)), "a bed without an alarm goes first"
        assert len(load.resting) - len([bed for bed in load.resting if bed in after.resting]) <= 1
        if after.resting:
            assert after.overloaded(now)
        load = after


@given(st.integers(1, 8))
def test_at_one_and_a_half_times_the_allowed_wait_all_late_beds_rest(count: int) -> None:
    load = balance(Load(), [Wait(bed, ALL_AT, 1.0) for bed in BEDS[:count]], BEDS, (), 0)
    assert sorted(load.resting) == BEDS[:count]


def test_a_bed_that_the_worker_does_not_analyse_yet_does_not_rest_nor_one_that_it_has_given_up() -> None:
    late = [Wait(bed, 3.0, 1.0) for bed in BEDS]
    load = balance(Load(), late, BEDS[:2], (), 0)
    assert load.resting == ("bed-0", "bed-1")
    assert balance(load, late, BEDS[1:3], (), 1).resting == ("bed-1",)


def test_nothing_is_shed_while_nothing_is_late() -> None:
    assert not balance(Load(), [Wait(bed, 1.0, 1.0) for bed in BEDS], BEDS, (), 0).resting


def test_beds_take_turns() -> None:
    late = [Wait(bed, 1.01, 1.0) for bed in BEDS[:3]]
    load, now, order = Load(), 0, []
    for _ in range(6):
        load = balance(load, late, BEDS[:3], (), now)
        order += load.resting
        now += 2_000_000_000
        load = balance(load, [], BEDS[:3], (), now)
        now += 2_000_000_000
        assert not load.resting
    assert sorted(order[:3]) == sorted(order[3:]) == BEDS[:3]


def test_the_only_bed_returns_at_once() -> None:
    load = balance(Load(), [Wait("bed-0", 1.1, 1.0)], ["bed-0"], (), 0)
    assert load.resting == ("bed-0",)
    load = balance(load, [], ["bed-0"], (), 1)
    assert not load.resting
    assert load.overloaded(1)
    assert not load.overloaded(REPORT_NS)


def test_of_many_beds_a_share_returns_each_second_those_that_rested_longest_first() -> None:
    beds = [f"bed-{number}" for number in range(640)]
    load, now, resting = balance(Load(), [Wait(bed, 3.0, 1.0) for bed in beds], beds, (), 0), 0, []
    while load.resting:
        resting.append(load.resting)
        now += 1_000_000_000
        load = balance(load, [], beds, (), now)
    assert [len(before) for before in resting] == list(range(640, 0, -10))
    assert all(after == before[10:] for before, after in pairwise(resting))


@dataclass
class Simulation:
    """Beds in real time, chunks of 0.1 s, and a worker of limited capacity that processes a chunk of each in turn."""

    capacity: float
    waiting: dict[str, list[float]] = field(default_factory=dict)
    load: Load = field(default_factory=Load)
    taken: list[tuple[float, float, str]] = field(default_factory=list)
    dropped: dict[str, list[float]] = field(default_factory=dict)
    credit: float = 0.0
    tick: int = 0

    def run(self, beds: list[str], seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            now = self.tick / 10
            self.tick += 1
            for bed in beds:
                self.waiting.setdefault(bed, []).append(now)
            waits = [Wait(bed, now - queue[0], 1.0) for bed, queue in self.waiting.items() if queue]
            self.load = balance(self.load, waits, beds, (), round(now * 1e9))
            for bed in self.load.resting:
                self.dropped.setdefault(bed, []).extend(self.waiting.get(bed, ()))
                self.waiting[bed] = []
            self.credit = min(self.credit + self.capacity, self.capacity + 1)
            while self.credit >= 1 and any(self.waiting.values()):
                bed = min((b for b, queue in self.waiting.items() if queue), key=lambda b: self.waiting[b][0])
                self.taken.append((self.waiting[bed].pop(0), now, bed))
                self.credit -= 1


@pytest.mark.parametrize(("beds", "capacity"), [(60, 40), (24, 12), (8, 0.8), (60, 6), (2, 1.5), (1, 0.7)])
def test_the_latency_stays_under_two_seconds_and_the_capacity_is_used(beds: int, capacity: float) -> None:
    simulation = Simulation(capacity)
    names = [f"bed-{number}" for number in range(beds)]
    simulation.run(names, 60)
    assert max(now - arrived for arrived, now, _ in simulation.taken) < 2
    assert len(simulation.taken) > 0.6 * 60 * 10 * capacity
    assert simulation.load.overloaded(60_000_000_000)


def test_beds_rest_long_rather_than_often() -> None:
    simulation = Simulation(40.0)
    names = [f"bed-{number}" for number in range(60)]
    simulation.run(names, 120)
    gaps = sum(
        sum(after - before > 0.15 for before, after in pairwise(times))
        for times in ([arrived for arrived, _, bed in simulation.taken if bed == name] for name in names)
    )
    assert gaps < 3 * 60, "with 20 of 60 beds resting for 120 s"


def test_all_beds_return_when_the_load_ends() -> None:
    simulation = Simulation(12.0)
    names = [f"bed-{number}" for number in range(24)]
    simulation.run(names, 30)
    assert simulation.load.resting
    simulation.run(names[:6], 60)
    assert not simulation.load.resting
    assert not simulation.load.overloaded(90_000_000_000)
