"""Metrics against their definitions, counted the slow way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.evaluation import detection_metrics
from model.evaluation.detection_metrics import count

# Few distinct scores, so that ties are common; None stands for NaN.
CASES = st.lists(st.tuples(st.sampled_from([None, -1.0, 0.0, 0.5, 0.5000001, 2.0]), st.booleans()), max_size=40)


def arrays(cases: list[tuple[float | None, bool]]) -> tuple[np.ndarray, np.ndarray]:
    score = np.array([math.nan if s is None else s for s, _ in cases], dtype=float)
    return score, np.array([y for _, y in cases], dtype=bool)


def lowest(score: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(score), -1e9, score)


@given(CASES)
def test_auroc_is_the_share_of_pairs_in_order(cases: list[tuple[float | None, bool]]) -> None:
    score, positive = arrays(cases)
    got = detection_metrics.auroc(count(score, positive))
    above, below = lowest(score)[positive][:, None], lowest(score)[~positive][None]
    if positive.all() or not positive.any():
        assert math.isnan(got)
    else:
        assert got == pytest.approx((np.sign(above - below).mean() + 1) / 2)


@given(CASES)
def test_average_precision_is_the_mean_precision_of_the_positives(cases: list[tuple[float | None, bool]]) -> None:
    score, positive = arrays(cases)
    got = detection_metrics.average_precision(count(score, positive))
    if positive.all() or not positive.any():
        assert math.isnan(got)
        return
    known = lowest(score)
    assert got == pytest.approx(np.mean([positive[known >= s].mean() for s in known[positive]]))


def test_perfect_reversed_and_constant_scores() -> None:
    positive = np.array([False, False, False, True])
    perfect, worst, constant = (count(np.array(s), positive) for s in ([0.0, 1, 2, 3], [3.0, 2, 1, 0], [1.0, 1, 1, 1]))
    assert [detection_metrics.auroc(c) for c in (perfect, worst, constant)] == [1.0, 0.0, 0.5]
    assert [detection_metrics.average_precision(c) for c in (perfect, worst, constant)] == [1.0, 0.25, 0.25]


@given(CASES, st.sampled_from([-2.0, 0.0, 0.3, 0.5, 3.0]))
def test_f1_and_sensitivity_by_hand(cases: list[tuple[float | None, bool]], threshold: float) -> None:
    score, positive = arrays(cases)
    counts = count(score, positive)
    if not positive.any():
        assert math.isnan(detection_metrics.f1(counts, threshold))
        assert math.isnan(detection_metrics.sensitivity(counts, threshold))
        return
    marked = score >= threshold  # false where NaN
    hits, false, missed = (marked & positive).sum(), (marked & ~positive).sum(), (~marked & positive).sum()
    assert detection_metrics.f1(counts, threshold) == pytest.approx(2 * hits / (2 * hits + false + missed))
    assert detection_metrics.sensitivity(counts, threshold) == pytest.approx(hits / positive.sum())


@given(CASES, st.integers(0, 10))
def test_sensitivity_within_some_false(cases: list[tuple[float | None, bool]], false: int) -> None:
    score, positive = arrays(cases)
    got = detection_metrics.sensitivity_within(count(score, positive), false)
    if not positive.any():
        assert math.isnan(got)
        return
    tries = [score >= t for t in set(score[~np.isnan(score)].tolist())]
    within = [(m & positive).sum() / positive.sum() for m in tries if (m & ~positive).sum() <= false]
    assert got == pytest.approx(max(within, default=0.0))


def test_a_score_that_is_unknown_is_never_marked() -> None:
    counts = count(np.array([math.nan, math.nan, 1.0]), np.array([True, False, True]))
    assert detection_metrics.sensitivity_within(counts, 100) == 0.5
    assert detection_metrics.sensitivity(counts, -1e300) == 0.5


def test_break_even() -> None:
    score = np.array([5.0, 4, 3, 2, 1, 0])
    positive = np.array([True, False, True, True, False, False])
    counts = count(score, positive)
    assert detection_metrics.break_even(counts) == 3.0
    hits = ((score >= 3) & positive).sum()
    assert detection_metrics.f1(counts, 3.0) == pytest.approx(hits / positive.sum()) == pytest.approx(hits / 3)
    assert math.isnan(detection_metrics.break_even(count(score, np.zeros(6, bool))))


def test_no_case_at_all() -> None:
    counts = count(np.zeros(0), np.zeros(0, bool))
    for metric in (detection_metrics.auroc, detection_metrics.average_precision, detection_metrics.break_even):
        assert math.isnan(metric(counts))
    assert math.isnan(detection_metrics.f1(counts, 0.0))
    assert math.isnan(detection_metrics.sensitivity_within(counts, 1.0))


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0]), st.booleans(), st.integers(0, 3)), min_size=1, max_size=20))
def test_a_weight_is_a_repetition(cases: list[tuple[float, bool, int]]) -> None:
    score, positive, times = (np.array(column) for column in zip(*cases, strict=True))
    weighted = detection_metrics.rank(score, positive).counts(times.astype(float))
    repeated = count(np.repeat(score, times), np.repeat(positive, times))
    for metric in (detection_metrics.auroc, detection_metrics.average_precision):
        assert metric(weighted) == pytest.approx(metric(repeated), nan_ok=True)
    assert detection_metrics.f1(weighted, 1.0) == pytest.approx(detection_metrics.f1(repeated, 1.0), nan_ok=True)


def test_highest_within_windows_of_time() -> None:
    at = np.arange(3, 43, 4)  # 3, 7, … 39
    score = np.array([math.nan, 1.0, 5.0, 2.0, math.nan, math.nan, 0.0, 3.0, 9.0, 4.0])
    got = detection_metrics.highest_within(score, at, np.array([7, 8, 19, 40, -9]), np.array([11, 10, 23, 50, 3]))
    assert got[0] == 5.0  # both ends belong to the window
    assert np.isnan(got[1:]).all()  # between two scores; unknown; after the last; only an unknown one


def test_runs_above() -> None:
    at = np.arange(0, 100, 4)
    score = np.zeros(25)
    score[[2, 3, 6, 15]] = 1.0
    score[0] = math.nan
    first, last = detection_metrics.runs_above(score, at, 1.0, hold=12)
    assert first.tolist() == [8, 60]
    assert last.tolist() == [24, 60]
    assert [len(x) for x in detection_metrics.runs_above(score, at, 1.1, hold=12)] == [0, 0]


EPISODES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 30)), max_size=8)


@given(EPISODES, st.lists(st.integers(0, 250), max_size=8), st.integers(0, 10))
def test_without_any(episodes: list[tuple[int, int]], beats: list[int], tolerance: int) -> None:
    first = np.array([a for a, _ in episodes], dtype=np.int64)
    last = np.array([a + n for a, n in episodes], dtype=np.int64)
    got = detection_metrics.without_any(first, last, np.sort(np.array(beats, dtype=np.int64)), tolerance)
    expected = [not any(a - tolerance <= x <= a + n + tolerance for x in beats) for a, n in episodes]
    assert got.tolist() == expected


def test_records_of_one_patient_are_drawn_together() -> None:
    drawn = detection_metrics.draw_patients(["a", "b", "a", "c"], 500, seed=1)
    assert drawn.shape == (500, 4)
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 2])
    np.testing.assert_array_equal(drawn[:, [0, 1, 3]].sum(axis=1), 3)
    assert drawn[:, [0, 1, 3]].mean(axis=0) == pytest.approx([1, 1, 1], abs=0.15)
    np.testing.assert_array_equal(drawn, detection_metrics.draw_patients(["a", "b", "a", "c"], 500, seed=1))


def test_interval() -> None:
    low, high = detection_metrics.interval95([*np.linspace(0, 1, 1001), math.nan])
    assert (low, high) == pytest.approx((0.025, 0.975))
    assert all(map(math.isnan, detection_metrics.interval95([math.nan])))


def test_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """The mean of 25 patients: a bootstrap interval is a little too narrow, and no more than that."""
    rng = np.random.default_rng(3)
    held = 0
    for trial in range(200):
        values = rng.normal(size=25)
        drawn = detection_metrics.draw_patients([str(i) for i in range(25)], 300, seed=trial)
        low, high = detection_metrics.interval95((drawn @ values / 25).tolist())
        held += low <= 0 <= high
    assert 0.85 <= held / 200 <= 0.98
