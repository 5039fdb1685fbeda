"""Alarms by time, counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.evaluation import detection_metrics, time_metrics
from model.evaluation.time_metrics import TimeResult, TimeSummary, false_seconds, moments, windows

NONE = np.zeros(0, dtype=np.int64)
ONCE = np.ones(1, dtype=np.int64)


def result(score: np.ndarray, positive: np.ndarray, *, false_s: float = 0.0, hours: float = 0.5) -> TimeResult:
    return TimeResult(positive, hours, {"x": score}, {"x": false_s})


def test_windows_begin_before_r_and_end_after_it() -> None:
    marked = windows(np.array([100, 980]), np.array([150, 500]), 1000)
    assert np.flatnonzero(marked.ectopic).tolist() == [*range(46, 191), *range(926, 1000)]
    assert np.flatnonzero(marked.excused).tolist() == [*range(191, 241), *range(446, 591)]


def test_a_window_that_began_before_the_record() -> None:
    assert np.flatnonzero(windows(np.array([10]), NONE, 300).ectopic).tolist() == list(range(101))


def test_moments_in_the_window_of_a_fusion_beat_are_left_out() -> None:
    marked = windows(np.array([1000]), np.array([1500]), 2000)
    at = np.arange(3, 2000, 4)
    counted, positive = moments(marked, at, 900)
    assert at[counted][0] == 903
    assert at[counted][positive].tolist() == list(range(947, 1091, 4))
    assert not ((at[counted] >= 1446) & (at[counted] <= 1590)).any()
    assert counted.sum() == (2000 - 903 + 3) // 4 - 36


def test_time_in_false_alarm_is_the_time_outside_all_windows() -> None:
    marked = windows(np.array([1000]), np.array([1500]), 2000)
    first, last = np.array([100, 930, 1580, 1585]), np.array([200, 1100, 1600, 1610])
    # 930 … 945 and 1091 … 1100 about the V, 1591 … 1610 after the F; alarms that overlap count once.
    assert false_seconds(marked, first, last, 300) == pytest.approx((16 + 10 + 20) / 360)
    assert false_seconds(marked, first, last, 0) == pytest.approx((16 + 10 + 20 + 101) / 360)
    assert false_seconds(marked, NONE, NONE, 0) == 0


def test_figures_are_those_of_the_moments() -> None:
    """Bins hold so few positives that pooling in them changes nothing that is printed."""
    rng = np.random.default_rng(0)
    positive = rng.random(60_000) < 0.05
    score = rng.normal(size=60_000) + 1.5 * positive
    score[:500] = math.nan
    figures = TimeSummary([result(score, positive)], "x").figures(ONCE)
    exact = detection_metrics.count(score, positive)
    assert figures.auroc == pytest.approx(detection_metrics.auroc(exact), abs=1e-4)
    assert figures.ap == pytest.approx(detection_metrics.average_precision(exact), abs=1e-3)


def test_records_are_pooled_and_weighted() -> None:
    rng = np.random.default_rng(1)
    results = []
    for shift, false_s in ((0.0, 10.0), (3.0, 40.0), (1.0, 0.0)):
        positive = rng.random(2000) < 0.2
        results.append(result(rng.normal(size=2000) + shift + 2 * positive, positive, false_s=false_s))
    summary = TimeSummary(results, "x")
    pooled = detection_metrics.count(
        np.concatenate([r.score["x"] for r in results]), np.concatenate([r.positive for r in results])
    )
    whole = summary.figures(np.ones(3, dtype=np.int64))
    assert whole.auroc == pytest.approx(detection_metrics.auroc(pooled), abs=1e-4)
    assert whole.false_alarm_s_per_h == pytest.approx(50 / 1.5)
    assert whole.median_false_alarm_s_per_h == pytest.approx(20)
    twice = summary.figures(np.array([0, 2, 0]))
    assert twice.auroc == pytest.approx(
        detection_metrics.auroc(detection_metrics.count(results[1].score["x"], results[1].positive))
    )
    assert twice.false_alarm_s_per_h == pytest.approx(80)


def test_no_ectopic_beat_leaves_time_in_false_alarm_alone() -> None:
    figures = time_metrics.record_figures(result(np.array([1.0, 2.0]), np.zeros(2, dtype=bool), false_s=3), "x")
    assert math.isnan(figures.auroc)
    assert math.isnan(figures.ap)
    assert figures.false_alarm_s_per_h == 6


def test_what_was_still_learning_ranks_lowest() -> None:
    positive = np.array([True, True, False, False])
    all_unknown = time_metrics.record_figures(result(np.full(4, math.nan), positive), "x")
    assert all_unknown.auroc == 0.5
    half = time_metrics.record_figures(result(np.array([math.nan, 1.0, 0.0, math.nan]), positive), "x")
    assert half.auroc == pytest.approx((1 + 1 + 0.5 + 0) / 4)
