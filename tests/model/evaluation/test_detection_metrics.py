"""Detection metrics against their definitions, computed in plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.evaluation import detection_metrics
from model.evaluation.detection_metrics import count

# Few distinct scores make ties common; None is NaN.
CASES = st.lists(st.tuples(st.sampled_from([None, -1.0, 0.0, 0.5, 0.5000001, 2.0]), st.booleans()), max_size=40)


def arrays(cases: list[tuple[float | None, bool]]) -> tuple[np.ndarray, np.ndarray]:
    score = np.array([math.nan if s is None else s for s, _ in cases], dtype=float)
    return score, np.array([y for _, y in cases], dtype=bool)


def lowest(score: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(score), -1e9, score)


@given(CASES)
def test_auroc_is_the_share_of_ordered_pairs(cases: list[tuple[float | None, bool]]) -> None:
    score, positive = arrays(cases)
    got = detection_metrics.auroc(count(score, positive))
    above, below = lowest(score)[positive][:, None], lowest(score)[~positive][None]
    if positive.all() or not positive.any():
        assert math.isnan(got)
    else:
        assert got == pytest.approx((np.sign(above - below).mean() + 1) / 2)


@given(CASES)
def test_average_precision_is_the_mean_precision_at_the_positives(cases: list[tuple[float | None, bool]]) -> None:
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
def test_f1_and_sensitivity_equal_their_definitions(cases: list[tuple[float | None, bool]], threshold: float) -> None:
    score, positive = arrays(cases)
    counts = count(score, positive)
    if not positive.any():
        assert math.isnan(detection_metrics.f1(counts, threshold))
        assert math.isnan(detection_metrics.sensitivity(counts, threshold))
        return
    detected = score >= threshold  # false where NaN
    tp, fp, fn = (detected & positive).sum(), (detected & ~positive).sum(), (~detected & positive).sum()
    assert detection_metrics.f1(counts, threshold) == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert detection_metrics.sensitivity(counts, threshold) == pytest.approx(tp / positive.sum())


@given(CASES, st.integers(0, 10))
def test_sensitivity_within_a_number_of_false_positives(cases: list[tuple[float | None, bool]], fp: int) -> None:
    score, positive = arrays(cases)
    got = detection_metrics.sensitivity_within(count(score, positive), fp)
    if not positive.any():
        assert math.isnan(got)
        return
    tries = [score >= t for t in set(score[~np.isnan(score)].tolist())]
    within = [(m & positive).sum() / positive.sum() for m in tries if (m & ~positive).sum() <= fp]
    assert got == pytest.approx(max(within, default=0.0))


def test_unknown_score_is_never_detected() -> None:
    counts = count(np.array([math.nan, math.nan, 1.0]), np.array([True, False, True]))
    assert detection_metrics.sensitivity_within(counts, 100) == 0.5
    assert detection_metrics.sensitivity(counts, -1e300) == 0.5


def test_break_even_detects_as_many_cases_as_positives() -> None:
    score = np.array([5.0, 4, 3, 2, 1, 0])
    positive = np.array([True, False, True, True, False, False])
    counts = count(score, positive)
    assert detection_metrics.break_even(counts) == 3.0
    tp = ((score >= 3) & positive).sum()
    assert detection_metrics.f1(counts, 3.0) == pytest.approx(tp / positive.sum()) == pytest.approx(tp / 3)
    assert math.isnan(detection_metrics.break_even(count(score, np.zeros(6, bool))))


def test_metrics_without_cases_are_nan() -> None:
    counts = count(np.zeros(0), np.zeros(0, bool))
    for metric in (detection_metrics.auroc, detection_metrics.average_precision, detection_metrics.break_even):
        assert math.isnan(metric(counts))
    assert math.isnan(detection_metrics.f1(counts, 0.0))
    assert math.isnan(detection_metrics.sensitivity_within(counts, 1.0))


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0]), st.booleans(), st.integers(0, 3)), min_size=1, max_size=20))
def test_weight_equals_repetition(cases: list[tuple[float, bool, int]]) -> None:
    score, positive, times = (np.array(column) for column in zip(*cases, strict=True))
    weighted = detection_metrics.rank(score, positive).counts(times.astype(float))
    repeated = count(np.repeat(score, times), np.repeat(positive, times))
    for metric in (detection_metrics.auroc, detection_metrics.average_precision):
        assert metric(weighted) == pytest.approx(metric(repeated), nan_ok=True)
    assert detection_metrics.f1(weighted, 1.0) == pytest.approx(detection_metrics.f1(repeated, 1.0), nan_ok=True)


def test_peak_in_windows() -> None:
    at = np.arange(3, 43, 4)  # 3, 7, … 39
    score = np.array([math.nan, 1.0, 5.0, 2.0, math.nan, math.nan, 0.0, 3.0, 9.0, 4.0])
    got = detection_metrics.peak_in_windows(score, at, np.array([7, 8, 19, 40, -9]), np.array([11, 10, 23, 50, 3]))
    assert got[0] == 5.0  # both ends are in the window
    assert np.isnan(got[1:]).all()  # between two scores, unknown, after the last, only an unknown one


def test_episodes_above_a_threshold() -> None:
    at = np.arange(0, 100, 4)
    score = np.zeros(25)
    score[[2, 3, 6, 15]] = 1.0
    score[0] = math.nan
    first, last = detection_metrics.episodes_above(score, at, 1.0, hold=12)
    assert first.tolist() == [8, 60]
    assert last.tolist() == [24, 60]
    assert [len(x) for x in detection_metrics.episodes_above(score, at, 1.1, hold=12)] == [0, 0]


EPISODES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 30)), max_size=8)


@given(EPISODES, st.lists(st.integers(0, 250), max_size=8), st.integers(0, 10))
def test_contains_none(episodes: list[tuple[int, int]], beats: list[int], tolerance: int) -> None:
    first = np.array([a for a, _ in episodes], dtype=np.int64)
    last = np.array([a + n for a, n in episodes], dtype=np.int64)
    got = detection_metrics.contains_none(first, last, np.sort(np.array(beats, dtype=np.int64)), tolerance)
    expected = [not any(a - tolerance <= x <= a + n + tolerance for x in beats) for a, n in episodes]
    assert got.tolist() == expected
