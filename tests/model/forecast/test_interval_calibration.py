"""Calibration of the predicted scale on simulated forecasts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from model.forecast import interval_calibration
from model.forecast.interval_calibration import (
    EDGE_WIDTH,
    EXPECTED_OUTSIDE,
    LAGS,
    MAX_LOG_FACTOR,
    Z90,
    CalibrationState,
)

K, PATCH, HORIZON = 90 * 240, 4, 96


class Run(NamedTuple):
    """Calibrated forecasts: factor of the scale, shape (k, horizon), and the state."""

    factor: np.ndarray
    state: CalibrationState


def run(
    patches: np.ndarray, mean: np.ndarray, scale: np.ndarray, state: CalibrationState | None = None, stream: int = 0
) -> Run:
    """Push patches of one stream, shape (k, patch), and the forecasts made at their ends, shape (k, horizon)."""
    if state is None:
        state = interval_calibration.begin(1, HORIZON, PATCH)
    state = CalibrationState(*(column.copy() for column in state))
    weights, scratch = interval_calibration.interpolation_weights(HORIZON, PATCH), np.empty(HORIZON, np.float32)
    calibrated = scale.astype(np.float32)
    for patch, own_mean, own_scale in zip(patches, mean.astype(np.float32), calibrated, strict=True):
        interval_calibration.compare(state, stream, patch)
        interval_calibration.calibrate(state, stream, weights, own_mean, own_scale, scratch)
    return Run(calibrated / scale.astype(np.float32), state)


def zero_forecasts(x: np.ndarray, scale: float, stream: int = 0, state: CalibrationState | None = None) -> Run:
    """Run a signal, shape (n,), with forecasts of 0 mV and the given scale."""
    patches = x.reshape(-1, PATCH)
    return run(patches, np.zeros((len(patches), HORIZON)), np.full((len(patches), HORIZON), scale), state, stream)


def test_expected_rate_outside_is_that_of_a_gaussian() -> None:
    z = np.abs(np.random.default_rng(0).normal(size=2_000_000))
    soft = 1 / (1 + np.exp(-(np.log(z) - np.log(Z90)) / EDGE_WIDTH))
    assert soft.mean() == pytest.approx(EXPECTED_OUTSIDE, abs=1e-3)


@pytest.mark.parametrize("wrong", [0.6, 1.0, 1.7])
def test_a_wrong_scale_is_corrected(wrong: float) -> None:
    x = np.random.default_rng(0).normal(0, 0.2, K * PATCH)
    np.testing.assert_allclose(zero_forecasts(x, 0.2 * wrong).factor[-1] * wrong, 1, atol=0.08)


def test_the_factor_is_bounded() -> None:
    factor, state = zero_forecasts(np.random.default_rng(0).normal(0, 5, K * PATCH), 0.1)
    assert factor.max() == pytest.approx(np.exp(MAX_LOG_FACTOR))
    assert (state.log_factor == MAX_LOG_FACTOR).all()


def test_the_factor_is_one_until_a_forecast_can_be_compared() -> None:
    factor, _ = zero_forecasts(np.random.default_rng(0).normal(0, 5, 40 * PATCH), 0.1)
    far = HORIZON - 1
    assert (factor[: LAGS[-1], far] == 1).all()
    assert factor[LAGS[-1], far] > 1
    assert factor[0, 0] == 1
    assert factor[1, 0] > 1


def test_each_forecast_is_compared_with_its_own_samples() -> None:
    """Exact forecasts at every lag reduce the factors; the same forecasts shifted by one patch increase them."""
    x = np.cumsum(np.random.default_rng(0).normal(size=2000))
    ends = np.arange(PATCH - 1, 1800, PATCH)
    mean, scale = x[ends[:, None] + 1 + np.arange(HORIZON)], np.full((len(ends), HORIZON), 0.01)
    patches = x[: len(ends) * PATCH].reshape(-1, PATCH)
    assert (run(patches, mean, scale).state.log_factor < 0).all()
    assert (run(patches[1:], mean[:-1], scale[:-1]).state.log_factor > 0).all()


def test_chunking_and_other_streams_change_no_result() -> None:
    x = np.random.default_rng(0).normal(0, 0.3, 100 * PATCH)
    whole = zero_forecasts(x, 0.2)
    state, parts = interval_calibration.begin(2, HORIZON, PATCH), []
    for first, end in ((0, 1), (1, 4), (4, 60), (60, 100)):
        _, state = zero_forecasts(-2 * x[first * PATCH : end * PATCH], 0.1, 0, state)
        factor, state = zero_forecasts(x[first * PATCH : end * PATCH], 0.2, 1, state)
        parts.append(factor)
    np.testing.assert_array_equal(np.concatenate(parts), whole.factor)
    for column, expected in zip(state, whole.state, strict=True):
        np.testing.assert_array_equal(column[1], expected[0])


def test_bands_within_a_short_horizon() -> None:
    state = interval_calibration.begin(3, 50, PATCH)
    assert state.log_factor.shape == (3, 3)
    assert state.pending.shape == (3, 1 + 4 + 9, 2, PATCH)
