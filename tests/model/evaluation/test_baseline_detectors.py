"""Baseline detectors: causality, response to their kind of anomaly, learning period."""

from __future__ import annotations

import numpy as np
import pytest

from model.evaluation.baseline_detectors import (
    AHEAD,
    amplitude,
    ar_residual,
    baseline_detectors,
    patch_ends,
    random_score,
)
from model.evaluation.baseline_forecasts import AR, fit_ar
from model.forecast.config import PATCH


@pytest.fixture(scope="module")
def ar() -> AR:
    rng = np.random.default_rng(0)
    return fit_ar([np.sin(np.arange(5000) / 20) + 0.01 * rng.normal(size=5000)], 180, (AHEAD,))


def test_baselines_are_causal(ar: AR) -> None:
    rng = np.random.default_rng(1)
    mv = rng.normal(size=(6000, 2))
    changed = mv.copy()
    changed[4000:] += rng.normal(size=(2000, 2))
    known = patch_ends(6000) < 4000
    for baseline in baseline_detectors(ar).values():
        before, after = baseline.score("119", mv), baseline.score("119", changed)
        assert len(before) == len(known)
        np.testing.assert_array_equal(before[known], after[known])
    for follows in (ar_residual(mv, ar) != ar_residual(changed, ar), amplitude(mv) != amplitude(changed)):
        assert follows[~known].any()


def test_baselines_peak_at_their_kind_of_anomaly(ar: AR) -> None:
    """Noise in a smooth wave for AR; a broad bump five times as tall as the wave for the amplitude."""
    wave = np.sin(np.arange(36_000) / 20)[:, None]
    noisy = wave.copy()
    noisy[30_000:30_060, 0] += np.random.default_rng(2).normal(size=60)
    assert 30_000 <= patch_ends(36_000)[np.nanargmax(ar_residual(noisy, ar))] <= 30_060 + 144 + AHEAD
    bumped = wave.copy()
    bumped[30_000:30_100, 0] = 5.0
    assert 30_000 <= patch_ends(36_000)[np.nanargmax(amplitude(bumped))] <= 30_100 + 108


def test_baselines_are_nan_in_their_learning_period(ar: AR) -> None:
    flat = np.zeros((1000, 1))
    residual, tall = ar_residual(flat, ar), amplitude(flat)
    assert np.isnan(residual[: (180 + AHEAD) // PATCH]).all()
    assert np.isfinite(residual[100:]).all()
    assert np.isfinite(tall[30:]).all()


def test_random_score_is_reproducible() -> None:
    np.testing.assert_array_equal(random_score(4000, 7), random_score(4000, 7))
    assert (random_score(4000, 7) != random_score(4000, 8)).any()
