"""Skill of the forecast against persistence."""

import math

import numpy as np
import pytest

from model.forecast import skill
from model.forecast.skill import WINDOW_S, SkillState, compare, end_second
from tests.model.slots import assert_equal, joined, taken


def run(observed: list[float], expected: list[float]) -> SkillState:
    state = skill.begin()
    for x, ahead in zip(observed, expected, strict=True):
        compare(state, 0, float(x), float(ahead))
    return state


def test_a_perfect_forecast_has_skill_one() -> None:
    assert end_second(run([0, 1, 3, 2], [1, 3, 2, 0]), 0) == 1


def test_persistence_has_skill_zero_and_worse_is_negative() -> None:
    assert end_second(run([0, 1, 3], [0, 1, 3]), 0) == 0
    assert end_second(run([0, 1, 3], [-1, -1, 0]), 0) == pytest.approx(1 - (2 + 4) / 3)


def test_no_skill_without_a_persistence_error() -> None:
    assert math.isnan(end_second(skill.begin(), 0))
    assert math.isnan(end_second(run([1, 1, 1], [1, 2, 1]), 0)), "a flat line: persistence is perfect"


def test_an_invalid_sample_and_a_gap_add_no_error() -> None:
    state = run([0, 1, math.nan, 3], [1, 3, 2, 0])
    assert (state.forecast[0], state.persistence[0]) == (0, 1)
    state = skill.after_gap(state)
    compare(state, 0, 9.0, 9.0)
    assert (state.forecast[0], state.persistence[0]) == (0, 1)


def test_errors_older_than_a_minute_do_not_count() -> None:
    state = run([0, 1], [5, 5])
    assert end_second(state, 0) < 0
    for _ in range(WINDOW_S):
        compare(state, 0, 1.0, 2.0)
        compare(state, 0, 2.0, 1.0)
        found = end_second(state, 0)
    assert found == pytest.approx(1, abs=0.05)
    assert state.seconds[0] == WINDOW_S


def test_the_skill_of_one_bed_is_not_that_of_another() -> None:
    alone = run([0, 1, 3], [0, 1, 3])
    columns = joined([skill.begin(), run([0, 1], [0, 1])], [1, 2], 4)
    untouched = joined([skill.begin()], [0], 1)
    compare(columns, 2, 3.0, 3.0)
    assert end_second(columns, 2) == end_second(alone, 0) == 0
    assert_equal(taken(columns, 2), alone)
    for slot in (0, 1, 3):
        assert_equal(taken(columns, slot), untouched)
    assert np.isnan(columns.last[[0, 1, 3]]).all()
