"""The vital signs of a second cover the strides and conditions up to and including its last sample."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from model.conditions.changes import Began, Change, Ended
from model.pipeline import vitals_output
from model.pipeline.vitals_output import SecondRows, SecondState, StrideRows
from model.rhythm.vitals import VitalSigns
from stream.timebase import FS, STRIDE
from tests.model.slots import assert_equal, joined, taken

ALONE = np.zeros(1, np.int64)


def rows_of(scores: Sequence[float], observed: Sequence[float], predicted: Sequence[float]) -> StrideRows:
    """Return the strides of one bed; ``predicted[i]`` is for the sample that ends stride i + 1."""
    ends = np.arange(STRIDE - 1, len(scores) * STRIDE, STRIDE)
    return StrideRows(ends[None], np.array([observed]), np.array([predicted]), np.array([scores]))


def run(strides: StrideRows) -> tuple[list[float], list[float], SecondState]:
    """Return scores and skills of the whole seconds of one bed, and the state after them."""
    index = strides.at[0, 9::10]
    state = vitals_output.begin()
    rows = vitals_output.advance(state, ALONE, strides, np.zeros(len(index), np.int64), index)
    return rows.score.tolist(), rows.skill.tolist(), state


def lead_off(at: int) -> Began:
    return Began("lead_off", at - 500, at, "rule_met", leads=("V1",))


def hold(seconds: int, changes: Sequence[Change]) -> tuple[list[list[str]], list[Began]]:
    """Return the technical conditions of each second of one bed, and those that hold after all changes."""
    holding: list[tuple[Began, ...]] = [()]
    index = np.arange(FS - 1, seconds * FS, FS)
    reported = [(0, change) for change in changes]
    found = vitals_output.technical_conditions(holding, ALONE, reported, np.zeros(seconds, np.int64), index)
    return [[began.kind for began in now] for now in found], list(holding[0])


@pytest.mark.parametrize(("stride", "counted"), [(0, 0), (8, 0), (9, 0), (10, 1), (19, 1), (20, None)])
def test_a_score_counts_for_the_second_of_its_stride(stride: int, counted: int | None) -> None:
    scores = [1.0] * 25
    scores[stride] = 4.0
    found, _, state = run(rows_of(scores, [0.0] * 25, [0.0] * 25))
    assert found == [4.0 if i == counted else 1.0 for i in range(2)]
    assert state.score[0] == (4.0 if counted is None else 1.0)


def test_a_second_without_score_has_none() -> None:
    nothing = [0.0] * 10
    found, _, state = run(rows_of([math.nan] * 10, nothing, nothing))
    assert math.isnan(found[0])
    assert math.isnan(state.score[0])
    assert run(rows_of([math.nan] * 9 + [0.5], nothing, nothing))[0] == [0.5]


@pytest.mark.parametrize(
    ("began", "ended", "expected"),
    [
        (FS - 1, None, [["lead_off"], ["lead_off"]]),
        (FS - 1 + STRIDE, None, [[], ["lead_off"]]),
        (STRIDE - 1, FS - 1, [[], []]),
        (STRIDE - 1, FS - 1 + STRIDE, [["lead_off"], []]),
        (2 * FS - 1 + STRIDE, None, [[], []]),
    ],
)
def test_a_technical_condition_counts_from_its_detection(
    began: int, ended: int | None, expected: list[list[str]]
) -> None:
    changes: list[Change] = [lead_off(began)]
    if ended is not None:
        changes.append(Ended("lead_off", began - 500, ended, ended, "rule_no_longer_met"))
    found, after = hold(2, changes)
    assert found == expected
    assert [held.kind for held in after] == ([] if ended else ["lead_off"])


def test_conditions_of_several_kinds_may_hold_at_once() -> None:
    noise = Began("noise", 0, 2 * STRIDE - 1, "rule_met", leads=("MLII",))
    assert hold(1, [lead_off(STRIDE - 1), noise])[0] == [["lead_off", "noise"]]
    again = Began("noise", 100, 5 * STRIDE - 1, "rule_met", leads=("MLII", "V1"))
    _, after = hold(1, [lead_off(STRIDE - 1), noise, again])
    assert [held.onset for held in after if held.kind == "noise"] == [100]


def test_skill_compares_the_sample_that_ends_each_stride_with_its_forecast() -> None:
    observed = [0.0, 1.0, 3.0, 2.0, 0.0, 1.0, 3.0, 2.0, 0.0, 1.0]
    perfect = [*observed[1:], 0.0]
    assert run(rows_of([0.0] * 10, observed, perfect))[1] == [1.0]
    assert run(rows_of([0.0] * 10, observed, observed))[1] == [0.0]


def test_the_last_stride_of_a_second_counts_for_its_skill() -> None:
    observed = [0.0] * 9 + [1.0] + [1.0] * 10
    first, then = run(rows_of([0.0] * 20, observed, [0.0] * 20))[1]
    assert first == 0.0  # the jump is forecast as badly as by persistence
    assert then == 1 - (1.0 + 10.0) / 1.0


def test_vital_signs_are_completed() -> None:
    seconds = [VitalSigns(index, 70.0, 857.0, 0, "sinus", 1.0) for index in (FS - 1, 2 * FS - 1)]
    rows = SecondRows(np.array([math.nan, 2.0]), np.array([0.5, math.nan]))
    first, then = vitals_output.complete(seconds, rows, [(), (lead_off(700),)])
    assert (first.heart_rate, first.score, first.skill, first.inops) == (70.0, None, 0.5, ())
    assert (then.heart_rate, then.score, then.skill, then.inops) == (70.0, 2.0, None, ("lead_off",))


def test_beds_that_step_together_have_the_seconds_of_beds_alone() -> None:
    """Also if the strides come one by one, the seconds of the beds end at different strides, and conditions change."""
    rng, slots, beds, n = np.random.default_rng(0), np.array([3, 0, 5]), 3, 45
    values, offset = rng.normal(size=(3, beds, n)), np.array([0, 4, 7])
    at = np.arange(n) * STRIDE + STRIDE - 1 + offset[:, None] * STRIDE
    whole = StrideRows(at, *values)
    columns, untouched = (joined([vitals_output.begin()], [0], 7) for _ in range(2))
    holding: list[tuple[Began, ...]] = [()] * 7
    changes: list[tuple[int, Change]] = [(1, lead_off(13 * STRIDE - 1)), (2, lead_off(30 * STRIDE - 1))]
    found: list[list[tuple[float, float, int]]] = [[], [], []]
    for first, stop in itertools.pairwise([0, 1, 2, 3, 30, 31, 45]):
        now = part(whole, slice(0, beds), slice(first, stop))
        bed, stride = np.nonzero((now.at + 1) % FS == 0)
        index = now.at[bed, stride]
        rows = vitals_output.advance(columns, slots, now, bed, index)
        reported = [(own, change) for own, change in changes if now.at[own, 0] <= change.at <= now.at[own, -1]]
        technical = vitals_output.technical_conditions(holding, slots, reported, bed, index)
        seconds = zip(bed.tolist(), rows.score.tolist(), rows.skill.tolist(), technical, strict=True)
        for own, score, skill, conditions in seconds:
            found[own].append((score, skill, len(conditions)))
    for own, slot in enumerate(slots.tolist()):
        alone, strides = vitals_output.begin(), part(whole, slice(own, own + 1), slice(0, n))
        index = strides.at[(strides.at + 1) % FS == 0]
        rows = vitals_output.advance(alone, ALONE, strides, np.zeros(len(index), np.int64), index)
        together = [(score, skill) for score, skill, _ in found[own]]
        assert together == list(zip(rows.score.tolist(), rows.skill.tolist(), strict=True))
        assert_equal(taken(columns, slot), alone)
    assert [[held for *_, held in own] for own in found] == [[0, 0, 0, 0], [0, 1, 1, 1], [0, 0, 1, 1, 1]]
    for slot in (1, 2, 4, 6):
        assert_equal(taken(columns, slot), taken(untouched, slot))


def part(rows: StrideRows, beds: slice, strides: slice) -> StrideRows:
    """Return some strides of some beds."""
    columns: Any = (np.ascontiguousarray(column[beds, strides]) for column in rows)
    return StrideRows(*columns)
