"""Time-based metrics of small examples, computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.evaluation import detection_metrics, time_metrics
from model.evaluation.anomaly_targets import windows
from model.evaluation.time_metrics import PooledTimeScores, TimeResult, false_seconds, scored_patches

NONE = np.zeros(0, dtype=np.int64)
ONCE = np.ones(1, dtype=np.int64)


def result(score: np.ndarray, positive: np.ndarray, *, false_s: float = 0.0, hours: float = 0.5) -> TimeResult:
    return TimeResult(positive, hours, {"x": score}, {"x": false_s})


def test_windows_of_beats() -> None:
    marked = windows(np.array([100, 980]), np.array([150, 500]), 1000)
    assert np.flatnonzero(marked.veb).tolist() == [*range(46, 191), *range(926, 1000)]
    assert np.flatnonzero(marked.excluded).tolist() == [*range(191, 241), *range(446, 591)]


def test_window_cut_by_the_start_of_the_record() -> None:
    assert np.flatnonzero(windows(np.array([10]), NONE, 300).veb).tolist() == list(range(101))


def test_patches_in_the_window_of_a_fusion_beat_are_excluded() -> None:
    marked = windows(np.array([1000]), np.array([1500]), 2000)
    at = np.arange(3, 2000, 4)
    scored, positive = scored_patches(marked, at, 900)
    assert at[scored][0] == 903
    assert at[scored][positive].tolist() == list(range(947, 1091, 4))
    assert not ((at[scored] >= 1446) & (at[scored] <= 1590)).any()
    assert scored.sum() == (2000 - 903 + 3) // 4 - 36


def test_false_alarm_time_lies_outside_all_windows() -> None:
    marked = windows(np.array([1000]), np.array([1500]), 2000)
    first, last = np.array([100, 930, 1580, 1585]), np.array([200, 1100, 1600, 1610])
    # 930 … 945 and 1091 … 1100 about the V, 1591 … 1610 after the F; overlapping alarms count once.
    assert false_seconds(marked, first, last, 300) == pytest.approx((16 + 10 + 20) / 360)
    assert false_seconds(marked, first, last, 0) == pytest.approx((16 + 10 + 20 + 101) / 360)
    assert false_seconds(marked, NONE, NONE, 0) == 0


def test_binned_metrics_equal_exact_metrics() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(60_000) < 0.05
    score = rng.normal(size=60_000) + 1.5 * positive
    score[:500] = math.nan
    metrics = PooledTimeScores([result(score, positive)], "x").metrics(ONCE)
    exact = detection_metrics.count(score, positive)
    assert metrics.auroc == pytest.approx(detection_metrics.auroc(exact), abs=1e-4)
    assert metrics.ap == pytest.approx(detection_metrics.average_precision(exact), abs=1e-3)


def test_records_are_pooled_and_weighted() -> None:
    rng = np.random.default_rng(1)
    results = []
    for shift, false_s in ((0.0, 10.0), (3.0, 40.0), (1.0, 0.0)):
        positive = rng.random(2000) < 0.2
        results.append(result(rng.normal(size=2000) + shift + 2 * positive, positive, false_s=false_s))
    summary = PooledTimeScores(results, "x")
    pooled = detection_metrics.count(
        np.concatenate([r.score["x"] for r in results]), np.concatenate([r.positive for r in results])
    )
    whole = summary.metrics(np.ones(3, dtype=np.int64))
    assert whole.auroc == pytest.approx(detection_metrics.auroc(pooled), abs=1e-4)
    assert whole.false_alarm_s_per_h == pytest.approx(50 / 1.5)
    assert whole.median_false_alarm_s_per_h == pytest.approx(20)
    twice = summary.metrics(np.array([0, 2, 0]))
    assert twice.auroc == pytest.approx(
        detection_metrics.auroc(detection_metrics.count(results[1].score["x"], results[1].positive))
    )
    assert twice.false_alarm_s_per_h == pytest.approx(80)


def test_without_ectopic_beats_only_false_alarm_time_is_defined() -> None:
    metrics = time_metrics.record_metrics(result(np.array([1.0, 2.0]), np.zeros(2, dtype=bool), false_s=3), "x")
    assert math.isnan(metrics.auroc)
    assert math.isnan(metrics.ap)
    assert metrics.false_alarm_s_per_h == 6


def test_unknown_scores_rank_lowest() -> None:
    positive = np.array([True, True, False, False])
    all_unknown = time_metrics.record_metrics(result(np.full(4, math.nan), positive), "x")
    assert all_unknown.auroc == 0.5
    half = time_metrics.record_metrics(result(np.array([math.nan, 1.0, 0.0, math.nan]), positive), "x")
    assert half.auroc == pytest.approx((1 + 1 + 0.5 + 0) / 4)
