"""The timeline of a bed: at times, after events, within limits, however the time is cut."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.scenario.scenario import After, Expect, Step, Texts
from stream.scenario.timeline import Event, Happening, Timeline, advance, begin, due, observe
from stream.timebase import FS

TEXT = Texts(en="x", ja="x")
EXPECT = Expect(action="acknowledge", within_s=30, text=TEXT)
STEPS = (
    Step(at_s=10, rhythm="VF", expect=EXPECT),
    Step(after=After(rhythm="VF", seconds=20), note=TEXT),
    Step(name="answered", after=After(event="acknowledge", delay_s=5, latest_s=100), note=TEXT),
    Step(after=After(step="answered", delay_s=2), rhythm="N"),
    Step(after=After(alarm="desaturation"), note=TEXT),
)


def at(state: Timeline, seconds: float) -> tuple[Timeline, list[Happening]]:
    return advance(STEPS, state, round(seconds * FS))


def told(happened: list[Happening]) -> list[tuple[str, int, float]]:
    return [(one.kind, one.step, one.at / FS) for one in happened]


def test_without_a_student_steps_come_at_their_latest() -> None:
    state, happened = at(begin(STEPS, "N"), 200)
    assert told(happened) == [
        ("step", 0, 10),
        ("step", 1, 30),
        ("missed", 0, 40),
        ("step", 2, 100),
        ("step", 3, 102),
    ]
    assert (state.rhythm, state.rhythm_since) == ("N", 102 * FS)
    assert due(STEPS, state, 4) == float("inf")


def test_what_a_student_does_counts_from_the_step_before_on() -> None:
    state, _ = at(begin(STEPS, "N"), 15)
    state, done = observe(STEPS, state, Event("action", "acknowledge"))
    assert told(done) == [("done", 0, 15)]
    state, happened = at(state, 50)
    assert told(happened) == [("step", 1, 30)], "it was too early for the step that waits"
    state, done = observe(STEPS, state, Event("action", "acknowledge"))
    assert not done
    assert told(at(state, 60)[1]) == [("step", 2, 55), ("step", 3, 57)]


def test_an_alarm_and_another_rhythm_are_events_too() -> None:
    state, _ = at(begin(STEPS, "N"), 20)
    state, _ = observe(STEPS, state, Event("rhythm", "N"))
    state, happened = at(state, 110)
    assert ("step", 1) not in {(one.kind, one.step) for one in happened}, "20 s of VF were not reached"
    state, _ = at(state, 120)
    state, _ = observe(STEPS, state, Event("alarm", "desaturation"))
    assert told(at(state, 120)[1]) == [("step", 4, 120)]


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 150 * FS), max_size=20), acknowledged=st.integers(0, 150 * FS))
def test_any_cutting_of_the_time_gives_the_same(cuts: list[int], acknowledged: int) -> None:
    def play(points: list[int]) -> tuple[Timeline, list[Happening]]:
        state, found = begin(STEPS, "N"), []
        for point in sorted([*points, acknowledged, 150 * FS]):
            state, happened = advance(STEPS, state, point)
            found += happened
            if point == acknowledged:
                state, done = observe(STEPS, state, Event("action", "acknowledge"))
                found += done
        return state, found

    once = [cut for cut in cuts if cut != acknowledged]
    assert play(once) == play([])
