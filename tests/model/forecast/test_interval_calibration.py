"""Calibration of the predicted scale on simulated forecasts."""

from __future__ import annotations

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


def forecasts_of(x: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the patches of a signal, and forecasts of 0 mV with the given scale."""
    streams, k = len(x), x.shape[1] // PATCH
    forecasts = np.zeros((k, streams, 2, HORIZON), np.float32)
    forecasts[:, :, 1] = scale
    return x.reshape(streams, -1, PATCH), forecasts


def test_expected_rate_outside_is_that_of_a_gaussian() -> None:
    z = np.abs(np.random.default_rng(0).normal(size=2_000_000))
    soft = 1 / (1 + np.exp(-(np.log(z) - np.log(Z90)) / EDGE_WIDTH))
    assert soft.mean() == pytest.approx(EXPECTED_OUTSIDE, abs=1e-3)


@pytest.mark.parametrize("wrong", [0.6, 1.0, 1.7])
def test_a_wrong_scale_is_corrected(wrong: float) -> None:
    x = np.random.default_rng(0).normal(0, 0.2, (1, K * PATCH))
    factor, _ = interval_calibration.advance(
        interval_calibration.begin(1, HORIZON, PATCH), *forecasts_of(x, 0.2 * wrong)
    )
    np.testing.assert_allclose(factor[-1, 0] * wrong, 1, atol=0.08)


def test_the_factor_is_bounded() -> None:
    x = np.random.default_rng(0).normal(0, 5, (1, K * PATCH))
    factor, state = interval_calibration.advance(interval_calibration.begin(1, HORIZON, PATCH), *forecasts_of(x, 0.1))
    assert factor.max() == pytest.approx(np.exp(MAX_LOG_FACTOR))
    assert (state.log_factor == MAX_LOG_FACTOR).all()


def test_the_factor_is_one_until_a_forecast_can_be_compared() -> None:
    x = np.random.default_rng(0).normal(0, 5, (1, 40 * PATCH))
    factor, _ = interval_calibration.advance(interval_calibration.begin(1, HORIZON, PATCH), *forecasts_of(x, 0.1))
    far = HORIZON - 1
    assert (factor[: LAGS[-1], 0, far] == 1).all()
    assert factor[LAGS[-1], 0, far] > 1
    assert factor[0, 0, 0] == 1
    assert factor[1, 0, 0] > 1


def test_each_forecast_is_compared_with_its_own_samples() -> None:
    """Exact forecasts at every lag reduce the factors; the same forecasts shifted by one patch increase them."""
    x = np.cumsum(np.random.default_rng(0).normal(size=(1, 2000)), axis=1)
    ends = np.arange(PATCH - 1, 1800, PATCH)
    forecasts = np.full((len(ends), 1, 2, HORIZON), 0.01, np.float32)
    forecasts[:, 0, 0] = x[0][ends[:, None] + 1 + np.arange(HORIZON)]
    patches = x[:, : len(ends) * PATCH].reshape(1, -1, PATCH)
    _, state = interval_calibration.advance(interval_calibration.begin(1, HORIZON, PATCH), patches, forecasts)
    assert (state.log_factor < 0).all()
    _, state = interval_calibration.advance(
        interval_calibration.begin(1, HORIZON, PATCH), patches[:, 1:], forecasts[:-1]
    )
    assert (state.log_factor > 0).all()


def test_chunking_and_other_streams_change_no_result() -> None:
    rng = np.random.default_rng(0)
    patches, forecasts = forecasts_of(rng.normal(0, 0.3, (2, 100 * PATCH)), 0.2)
    whole, end = interval_calibration.advance(interval_calibration.begin(2, HORIZON, PATCH), patches, forecasts)
    state: CalibrationState = interval_calibration.begin(1, HORIZON, PATCH)
    parts = []
    for a, b in ((0, 1), (1, 4), (4, 60), (60, 100)):
        factor, state = interval_calibration.advance(state, patches[1:, a:b], forecasts[a:b, 1:])
        parts.append(factor)
    np.testing.assert_allclose(np.concatenate(parts)[:, 0], whole[:, 1], rtol=1e-6)
    np.testing.assert_allclose(state.log_factor[:, 0], end.log_factor[:, 1], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(state.pending[..., 0], end.pending[..., 1])
