"""Channels, levels and features against their definitions, computed sample by sample."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.anomaly import features as parts
from model.anomaly.features import CHANNEL_HISTORY, CHANNELS, FEATURES, LAGS, LEVEL_HISTORY, LEVELS, VOTES
from model.signal.arrays import FloatArray

PATCH = 4


def simulate(k: int, leads: int, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], FloatArray]:
    rng = np.random.default_rng(seed)
    shape = (k, VOTES, PATCH, leads)
    mean, scale = rng.normal(size=shape), rng.uniform(0.5, 2, size=shape)
    return mean.astype(np.float32), scale.astype(np.float32), rng.normal(size=(k, PATCH, leads))


def with_past(part: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the forecasts of the first patches of an epoch, preceded by unknown ones."""
    return np.concatenate([np.full((max(LAGS), *part.shape[1:]), np.nan, np.float32), part])


def compared(mean: npt.NDArray[np.float32], scale: npt.NDArray[np.float32], observed: FloatArray) -> FloatArray:
    """Compare the first patches of an epoch."""
    before = np.full((1, *observed.shape[1:]), np.nan)
    return parts.compare(with_past(mean), with_past(scale), np.concatenate([before, observed]))


def test_each_patch_is_compared_with_its_own_forecasts() -> None:
    mean, scale, observed = simulate(60, 1)
    channels = compared(mean, scale, observed)
    for q in range(60):
        for i, lag in enumerate(LAGS):
            if q < lag:
                assert math.isnan(channels[q, 0, i])
                continue
            error = np.abs(observed[q, :, 0] - mean[q - lag, i, :, 0])
            assert channels[q, 0, i] == pytest.approx(np.sqrt(error / scale[q - lag, i, :, 0] ** 0.5).mean())
    steep = np.sqrt(np.abs(observed[7, :, 0] - observed[6, :, 0])).mean()
    assert channels[7, 0, CHANNELS - 1] == pytest.approx(steep)


def test_the_largest_deviation() -> None:
    mean, scale, observed = simulate(40, 2)
    observed[30, 2, 1] = 50.0
    distance, within, lead, horizon_ms, value, predicted = parts.largest_deviations(
        with_past(mean), with_past(scale), observed
    )[30]
    of_lag = {
        lag: (observed[30, 2, 1] - mean[30 - lag, i, 2, 1]) / scale[30 - lag, i, 2, 1] for i, lag in enumerate(LAGS)
    }
    lag = max(of_lag, key=of_lag.__getitem__)
    assert (within, lead, value) == (2, 1, 50.0)
    assert distance == pytest.approx(of_lag[lag])
    assert horizon_ms == pytest.approx((4 * (lag - 1) + 3) / 0.36)
    assert predicted == pytest.approx(mean[30 - lag, LAGS.index(lag), 2, 1])


def test_slow_and_rough_errors() -> None:
    """Errors of equal size, once of constant sign, once of alternating sign."""
    mean = np.zeros((100, VOTES, PATCH, 1), np.float32)
    slow, rough = np.full((100, PATCH, 1), 0.3), np.full((100, PATCH, 1), 0.3)
    rough[:, ::2] *= -1
    of_slow, of_rough = (
        parts.levels(compared(mean, np.full_like(mean, 0.1), observed))[-1, 0] for observed in (slow, rough)
    )
    np.testing.assert_allclose(of_slow[:VOTES], of_rough[:VOTES])
    assert (of_slow[VOTES : VOTES + 2] > of_rough[VOTES : VOTES + 2] + 1).all()
    assert of_rough[VOTES + 2] > of_slow[VOTES + 2] + 1


def test_levels_are_moving_averages() -> None:
    channels = np.random.default_rng(0).uniform(0.5, 1, (CHANNEL_HISTORY + 1, 2, CHANNELS))
    [level] = parts.levels(channels)
    for lead in range(2):
        of = channels[:, lead]
        expected = [*of[-5:, :VOTES].mean(axis=0), *(abs(of[-n:, VOTES].mean()) ** 0.5 for n in (20, 40))]
        expected += [of[-10:, VOTES + 1].mean(), of[-10:, VOTES + 2].mean()]
        np.testing.assert_allclose(level[lead], np.log(expected))


def test_a_flat_line_has_the_lowest_level() -> None:
    assert (parts.levels(np.zeros((CHANNEL_HISTORY + 3, 1, CHANNELS))) == math.log(parts.MIN_AVERAGE)).all()


def test_features_are_relative_to_the_quantiles() -> None:
    rng = np.random.default_rng(0)
    recent, quantiles = rng.normal(size=(LEVEL_HISTORY + 5, LEVELS)), rng.normal(size=(5, 3, LEVELS))
    first, found = parts.features(np.stack([recent + 7, recent]), np.stack([quantiles + 7, quantiles]))
    assert found.shape == (5, FEATURES)
    np.testing.assert_allclose(first, found)
    for tap, (level, delay) in enumerate(parts.TAPS):
        assert found[4, tap] == recent[-1 - delay, level] - quantiles[4, 2, level]
    np.testing.assert_array_equal(found[:, -LEVELS:], quantiles[:, 2] - quantiles[:, 1])


@settings(max_examples=20)
@given(at=st.integers(1, 199), seed=st.integers(0, 2**32 - 1))
def test_channels_do_not_depend_on_later_samples(at: int, seed: int) -> None:
    mean, scale, observed = simulate(200, 1, seed)
    first = (mean[:at], scale[:at], observed[:at])
    np.testing.assert_array_equal(compared(mean, scale, observed)[:at], compared(*first))
    whole = parts.largest_deviations(with_past(mean), with_past(scale), observed)[:at]
    np.testing.assert_array_equal(
        whole, parts.largest_deviations(with_past(mean[:at]), with_past(scale[:at]), observed[:at])
    )
