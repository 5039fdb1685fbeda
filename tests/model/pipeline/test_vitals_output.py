"""The vital signs of a second cover the strides and conditions up to and including its last sample."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from model.conditions.changes import Began, Change, Ended
from model.pipeline import vitals_output
from model.pipeline.vitals_output import SecondState, StrideForecast
from model.rhythm.vitals import VitalSigns
from stream.timebase import FS, STRIDE


def forecasts(scores: Sequence[float], observed: Sequence[float], predicted: Sequence[float]) -> list[StrideForecast]:
    """Return one forecast for each stride; ``predicted[i]`` is for the sample that ends stride i + 1."""
    stride_forecasts = []
    for i, values in enumerate(zip(observed, predicted, scores, strict=True)):
        mean = np.full((96, 1), 99.0, np.float32)
        mean[STRIDE - 1] = values[1]
        stride_forecasts.append(StrideForecast((i + 1) * STRIDE - 1, values[0], mean, np.ones_like(mean), values[2]))
    return stride_forecasts


def second(index: int) -> VitalSigns:
    return VitalSigns(index, 70.0, 857.0, 0, "sinus", 1.0)


def lead_off(at: int) -> Began:
    return Began("lead_off", at - 500, at, "rule_met", leads=("V1",))


def step(scores: Sequence[float], technical: Sequence[Change] = ()) -> tuple[tuple[VitalSigns, ...], SecondState]:
    """Complete whole seconds in one step."""
    stride_forecasts = forecasts(scores, [0.0] * len(scores), [0.0] * len(scores))
    seconds = [second(at) for at in range(FS - 1, len(scores) * STRIDE, FS)]
    return vitals_output.step(SecondState(), seconds, stride_forecasts, technical)


@pytest.mark.parametrize(("stride", "counted"), [(0, 0), (8, 0), (9, 0), (10, 1), (19, 1), (20, None)])
def test_a_score_counts_for_the_second_of_its_stride(stride: int, counted: int | None) -> None:
    scores = [1.0] * 25
    scores[stride] = 4.0
    vitals, state = step(scores)
    assert [vital.score for vital in vitals] == [4.0 if i == counted else 1.0 for i in range(2)]
    assert state.score == (4.0 if counted is None else 1.0)


def test_a_second_without_score_has_none() -> None:
    vitals, state = step([math.nan] * 10)
    assert vitals[0].score is None
    assert math.isnan(state.score)
    vitals, _ = step([math.nan] * 9 + [0.5])
    assert vitals[0].score == 0.5


@pytest.mark.parametrize(
    ("began", "ended", "expected"),
    [
        (FS - 1, None, [("lead_off",), ("lead_off",)]),
        (FS - 1 + STRIDE, None, [(), ("lead_off",)]),
        (STRIDE - 1, FS - 1, [(), ()]),
        (STRIDE - 1, FS - 1 + STRIDE, [("lead_off",), ()]),
        (2 * FS - 1 + STRIDE, None, [(), ()]),
    ],
)
def test_a_technical_condition_counts_from_its_detection(
    began: int, ended: int | None, expected: list[tuple[str, ...]]
) -> None:
    changes: list[Change] = [lead_off(began)]
    if ended is not None:
        changes.append(Ended("lead_off", began - 500, ended, ended, "rule_no_longer_met"))
    vitals, state = step([0.0] * 25, changes)
    assert [vital.inops for vital in vitals] == expected
    assert [held.kind for held in state.technical] == ([] if ended else ["lead_off"])


def test_conditions_of_several_kinds_may_hold_at_once() -> None:
    noise = Began("noise", 0, 2 * STRIDE - 1, "rule_met", leads=("MLII",))
    vitals, _ = step([0.0] * 10, [lead_off(STRIDE - 1), noise])
    assert vitals[0].inops == ("lead_off", "noise")
    again = Began("noise", 100, 5 * STRIDE - 1, "rule_met", leads=("MLII", "V1"))
    _, state = step([0.0] * 10, [lead_off(STRIDE - 1), noise, again])
    assert [held.onset for held in state.technical if held.kind == "noise"] == [100]


def test_skill_compares_the_sample_that_ends_each_stride_with_its_forecast() -> None:
    observed = [0.0, 1.0, 3.0, 2.0, 0.0, 1.0, 3.0, 2.0, 0.0, 1.0]
    perfect = [*observed[1:], 0.0]
    vitals, _ = vitals_output.step(SecondState(), [second(FS - 1)], forecasts([0.0] * 10, observed, perfect), ())
    assert vitals[0].skill == 1.0
    persistent, _ = vitals_output.step(SecondState(), [second(FS - 1)], forecasts([0.0] * 10, observed, observed), ())
    assert persistent[0].skill == 0.0


def test_the_last_stride_of_a_second_counts_for_its_skill() -> None:
    observed = [0.0] * 9 + [1.0] + [1.0] * 10
    vitals, _ = vitals_output.step(
        SecondState(), [second(FS - 1), second(2 * FS - 1)], forecasts([0.0] * 20, observed, [0.0] * 20), ()
    )
    assert vitals[0].skill == 0.0  # the jump is forecast as badly as by persistence
    assert vitals[1].skill == 1 - (1.0 + 10.0) / 1.0


def test_seconds_may_come_one_stride_at_a_time() -> None:
    scores = np.random.default_rng(0).normal(size=40).tolist()
    observed, predicted = np.random.default_rng(1).normal(size=(2, 40)).tolist()
    stride_forecasts = forecasts(scores, observed, predicted)
    seconds = [second(at) for at in range(FS - 1, 40 * STRIDE, FS)]
    whole, end = vitals_output.step(SecondState(), seconds, stride_forecasts, [lead_off(13 * STRIDE - 1)])
    state, cut = SecondState(), []
    for i, one in enumerate(stride_forecasts):
        now = [second(one.origin)] if (i + 1) % 10 == 0 else []
        # A technical condition is detected at the end of its half second, some strides later.
        new, state = vitals_output.step(state, now, [one], [lead_off(13 * STRIDE - 1)] if i == 14 else [])
        cut += new
    assert tuple(cut) == whole
    assert state == end
