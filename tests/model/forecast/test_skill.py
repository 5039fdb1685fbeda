"""Skill of the forecast against persistence."""

import pytest

from model.forecast.skill import WINDOW_S, SkillState, compare, end_second


def run(observed: list[float], expected: list[float]) -> SkillState:
    state = SkillState()
    for x, ahead in zip(observed, expected, strict=True):
        state = compare(state, x, ahead)
    return state


def test_a_perfect_forecast_has_skill_one() -> None:
    skill, _ = end_second(run([0, 1, 3, 2], [1, 3, 2, 0]))
    assert skill == 1


def test_persistence_has_skill_zero_and_worse_is_negative() -> None:
    assert end_second(run([0, 1, 3], [0, 1, 3]))[0] == 0
    assert end_second(run([0, 1, 3], [-1, -1, 0]))[0] == pytest.approx(1 - (2 + 4) / 3)


def test_no_skill_without_a_persistence_error() -> None:
    assert end_second(SkillState())[0] is None
    assert end_second(run([1, 1, 1], [1, 2, 1]))[0] is None, "a flat line: persistence is perfect"


def test_errors_older_than_a_minute_do_not_count() -> None:
    state = run([0, 1], [5, 5])
    skill, state = end_second(state)
    assert skill is not None
    assert skill < 0
    for _ in range(WINDOW_S):
        state = compare(state, 1.0, 2.0)
        state = compare(state, 2.0, 1.0)
        skill, state = end_second(state)
    assert skill == pytest.approx(1, abs=0.05)
    assert len(state.seconds) == WINDOW_S
