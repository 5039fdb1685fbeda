"""The interval of the personal forecast covers 90 % at each horizon."""

from __future__ import annotations

import numpy as np
import pytest

from model.forecast.interval_calibration import Z90
from model.forecast.personal_intervals import MAX_LOG_FACTOR, begin, learn, scale_of

H = 3


def coverage(deviation: np.ndarray, spread: np.ndarray, n: int = 6000) -> np.ndarray:
    """Return the coverage of the second half of forecasts of 0; shapes (horizons,) or (n, horizons)."""
    rng, state, scale = np.random.default_rng(0), begin(1, H), np.empty(H)
    inside = np.zeros((n, H))
    for i in range(n):
        scale_of(state, 0, np.ones(H), np.broadcast_to(spread, (n, H))[i].copy(), scale)
        target = rng.normal(size=H) * np.broadcast_to(deviation, (n, H))[i]
        inside[i] = np.abs(target) <= Z90 * scale
        learn(state, 0, np.zeros(H), scale, target)
    return np.asarray(inside[n // 2 :].mean(axis=0))


def test_any_deviation_and_any_spread_are_calibrated() -> None:
    deviation = np.array([0.05, 0.5, 2.0])
    for share in (0.0, 1.0, 3.0):
        np.testing.assert_allclose(coverage(deviation, share * deviation), 0.9, atol=0.025)


def test_heavy_tails_are_calibrated() -> None:
    rare = np.where(np.random.default_rng(1).random((6000, H)) < 0.05, 4.0, 0.2)
    np.testing.assert_allclose(coverage(rare, np.full(H, 0.2)), 0.9, atol=0.025)


def test_before_the_first_error_the_scale_is_the_prior() -> None:
    scale = np.empty(H)
    scale_of(begin(1, H), 0, np.array([0.1, 0.2, 0.4]), np.array([0.1, 0.2, 0.4]), scale)
    np.testing.assert_allclose(scale, [0.1, 0.2, 0.4])


def test_the_factor_is_bounded() -> None:
    state = begin(1, H)
    for _ in range(2000):
        learn(state, 0, np.zeros(H), np.full(H, 0.01), np.full(H, 5.0))
    assert state.log_factor == pytest.approx(MAX_LOG_FACTOR)
    assert np.isfinite(state.square).all()
