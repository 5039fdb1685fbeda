"""Channels, levels and features against their definitions, computed sample by sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.anomaly import features as parts
from model.anomaly.features import (
    CHANNEL_HISTORY,
    CHANNELS,
    DEVIATION,
    FEATURES,
    FORECAST_HISTORY,
    LAGS,
    LEVEL_HISTORY,
    LEVELS,
    SIGNAL_LEVELS,
    VOTES,
)
from model.signal.arrays import Float32Array, FloatArray

PATCH, HORIZON = 4, 96


def simulate(k: int, leads: int, seed: int = 0) -> tuple[Float32Array, Float32Array, FloatArray]:
    rng = np.random.default_rng(seed)
    shape = (k, HORIZON, leads)
    mean, scale = rng.normal(size=shape), rng.uniform(0.5, 2, size=shape)
    return mean.astype(np.float32), scale.astype(np.float32), rng.normal(size=(k, PATCH, leads))


def compared(
    mean: Float32Array, scale: Float32Array, observed: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compare the first patches of an epoch; return the channels, the mean votes and the largest deviations."""
    k, _, leads = observed.shape
    kept_mean = np.full((FORECAST_HISTORY, VOTES, PATCH, leads), np.nan, np.float32)
    kept_scale, before = kept_mean.copy(), np.full((PATCH, leads), np.nan)
    channels, votes, deviations = np.empty((k, leads, CHANNELS)), np.empty(k), np.empty((k, DEVIATION))
    for q, now in enumerate(observed):
        votes[q] = parts.measure_channels(kept_mean, kept_scale, q, before, now, channels[q])
        parts.find_largest_deviation(kept_mean, kept_scale, q, now, deviations[q])
        parts.keep_forecast(kept_mean, q, mean[q])
        parts.keep_forecast(kept_scale, q, scale[q])
        before = now
    return channels, votes, deviations


def levels_of(channels: FloatArray) -> FloatArray:
    """Return the levels of the patches after the first `CHANNEL_HISTORY` ones."""
    k = len(channels) - CHANNEL_HISTORY
    levels = np.full((LEVEL_HISTORY + k, LEVELS), np.nan)
    parts.measure_levels(channels, levels)
    return levels[LEVEL_HISTORY:, :SIGNAL_LEVELS]


def test_each_patch_is_compared_with_its_own_forecasts() -> None:
    mean, scale, observed = simulate(60, 1)
    channels, votes, _ = compared(mean, scale, observed)
    for q in range(60):
        for i, lag in enumerate(LAGS):
            if q < lag:
                assert math.isnan(channels[q, 0, i])
                continue
            ahead = slice(PATCH * (lag - 1), PATCH * lag)
            error = np.abs(observed[q, :, 0] - mean[q - lag, ahead, 0])
            assert channels[q, 0, i] == pytest.approx(np.sqrt(error / scale[q - lag, ahead, 0] ** 0.5).mean())
    steep = np.sqrt(np.abs(observed[7, :, 0] - observed[6, :, 0])).mean()
    assert channels[7, 0, CHANNELS - 1] == pytest.approx(steep)
    np.testing.assert_allclose(votes, channels[:, 0, :VOTES].mean(axis=1))


def test_the_largest_deviation() -> None:
    mean, scale, observed = simulate(40, 2)
    observed[30, 2, 1] = 50.0
    *_, deviations = compared(mean, scale, observed)
    distance, within, lead, horizon_ms, value, predicted = deviations[30]
    of_lag = {}
    for lag in LAGS:
        origin, ahead = 30 - lag, PATCH * (lag - 1) + 2
        of_lag[lag] = (observed[30, 2, 1] - mean[origin, ahead, 1]) / scale[origin, ahead, 1]
    lag = max(of_lag, key=of_lag.__getitem__)
    assert (within, lead, value) == (2, 1, 50.0)
    assert distance == pytest.approx(of_lag[lag])
    assert horizon_ms == pytest.approx((4 * (lag - 1) + 3) / 0.36)
    assert predicted == pytest.approx(mean[30 - lag, PATCH * (lag - 1) + 2, 1])
    assert np.isnan(deviations[: min(LAGS)]).all(), "nothing was predicted for the first patches"


def test_slow_and_rough_errors() -> None:
    """Errors of equal size, once of constant sign, once of alternating sign."""
    mean = np.zeros((100, HORIZON, 1), np.float32)
    slow, rough = np.full((100, PATCH, 1), 0.3), np.full((100, PATCH, 1), 0.3)
    rough[:, ::2] *= -1
    of_slow, of_rough = (
        levels_of(compared(mean, np.full_like(mean, 0.1), observed)[0])[-1] for observed in (slow, rough)
    )
    np.testing.assert_allclose(of_slow[:VOTES], of_rough[:VOTES])
    assert (of_slow[VOTES : VOTES + 2] > of_rough[VOTES : VOTES + 2] + 1).all()
    assert of_rough[VOTES + 2] > of_slow[VOTES + 2] + 1


def test_levels_are_moving_averages() -> None:
    channels = np.random.default_rng(0).uniform(0.5, 1, (CHANNEL_HISTORY + 1, 2, CHANNELS))
    [level] = levels_of(channels)
    by_lead = []
    for lead in range(2):
        of = channels[:, lead]
        expected = [*of[-5:, :VOTES].mean(axis=0), *(abs(of[-n:, VOTES].mean()) ** 0.5 for n in (20, 40))]
        expected += [of[-10:, VOTES + 1].mean(), of[-10:, VOTES + 2].mean()]
        by_lead.append(np.log(expected))
    np.testing.assert_allclose(level, np.mean(by_lead, axis=0))


def test_a_flat_line_has_the_lowest_level() -> None:
    assert (levels_of(np.zeros((CHANNEL_HISTORY + 3, 1, CHANNELS))) == math.log(parts.MIN_AVERAGE)).all()


def test_features_are_relative_to_the_quantiles() -> None:
    rng = np.random.default_rng(0)
    levels, quantiles = rng.normal(size=(LEVEL_HISTORY + 5, LEVELS)), rng.normal(size=(3, LEVELS))
    found, moved = np.empty((2, 5, FEATURES))
    parts.fill_features(levels, quantiles, found)
    parts.fill_features(levels + 7, quantiles + 7, moved)
    np.testing.assert_allclose(moved, found)
    for tap, (level, delay) in enumerate(parts.TAPS):
        assert found[4, tap] == levels[-1 - delay, level] - quantiles[2, level]
    np.testing.assert_array_equal(
        found, np.concatenate([found[:, :-LEVELS], [quantiles[2] - quantiles[1]] * 5], axis=1)
    )


@settings(max_examples=20)
@given(at=st.integers(1, 199), seed=st.integers(0, 2**32 - 1))
def test_comparisons_do_not_depend_on_later_samples(at: int, seed: int) -> None:
    mean, scale, observed = simulate(200, 1, seed)
    first = (mean[:at], scale[:at], observed[:at])
    for whole, cut in zip(compared(mean, scale, observed), compared(*first), strict=True):
        np.testing.assert_array_equal(whole[:at], cut)
