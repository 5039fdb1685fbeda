from hypothesis import given
from hypothesis import strategies as st

from stream.replay.schedule import NEVER_NS, Schedule

NAMES = ("a", "b", "c")
TIMES = st.one_of(st.none(), st.integers(0, 5))


@given(st.lists(st.one_of(st.tuples(st.sampled_from(NAMES), TIMES), st.integers(-3, 3)), max_size=500))
def test_the_earliest_time_is_first_whatever_was_changed(changes: list[tuple[str, int | None] | int]) -> None:
    schedule, times = Schedule(NAMES), dict[str, int]()
    for change in changes:
        if isinstance(change, int):
            schedule.shift(change)
            times = {name: at + change for name, at in times.items()}
        else:
            name, at = change
            schedule.set(name, at)
            times.pop(name, None)
            if at is not None:
                times[name] = at
        expected = min(((at, name) for name, at in times.items()), default=(NEVER_NS, ""))
        assert schedule.first() == expected


def test_changes_that_nobody_reads_take_no_memory() -> None:
    schedule = Schedule(NAMES)
    for at_ns in range(10_000):
        schedule.set("a", at_ns)
    assert len(schedule._heap) < 100
    assert schedule.first() == (9999, "a")
