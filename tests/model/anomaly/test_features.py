"""Channels, levels and features against their definitions, written out sample by sample."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.anomaly import features as parts
from model.anomaly.features import CHANNELS, FEATURES, LAGS, LEVELS, LEVELS_KEPT, RAW_KEPT, VOTES
from model.signal.arrays import FloatArray

PATCH = 4


def made_up(k: int, leads: int, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], FloatArray]:
    rng = np.random.default_rng(seed)
    shape = (k, VOTES, PATCH, leads)
    mean, scale = rng.normal(size=shape), rng.uniform(0.5, 2, size=shape)
    return mean.astype(np.float32), scale.astype(np.float32), rng.normal(size=(k, PATCH, leads))


def waited(part: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return forecasts of the first patches of an epoch, after those that nobody made."""
    return np.concatenate([np.full((max(LAGS), *part.shape[1:]), np.nan, np.float32), part])


def compared(mean: npt.NDArray[np.float32], scale: npt.NDArray[np.float32], observed: FloatArray) -> FloatArray:
    """Compare the first patches of an epoch."""
    before = np.full((1, *observed.shape[1:]), np.nan)
    return parts.compare(waited(mean), waited(scale), np.concatenate([before, observed]))


def test_each_patch_is_compared_with_what_was_forecast_for_it() -> None:
    mean, scale, observed = made_up(60, 1)
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


def test_the_furthest_sample_is_named() -> None:
    mean, scale, observed = made_up(40, 2)
    observed[30, 2, 1] = 50.0
    scales, within, lead, horizon_ms, seen, predicted = parts.furthest(waited(mean), waited(scale), observed)[30]
    of_lag = {
        lag: (observed[30, 2, 1] - mean[30 - lag, i, 2, 1]) / scale[30 - lag, i, 2, 1] for i, lag in enumerate(LAGS)
    }
    lag = max(of_lag, key=of_lag.__getitem__)
    assert (within, lead, seen) == (2, 1, 50.0)
    assert scales == pytest.approx(of_lag[lag])
    assert horizon_ms == pytest.approx((4 * (lag - 1) + 3) / 0.36)
    assert predicted == pytest.approx(mean[30 - lag, LAGS.index(lag), 2, 1])


def test_slow_errors_are_slow_and_jagged_ones_rough() -> None:
    """The same error in size: once all of one sign, once from sample to sample of the other."""
    mean = np.zeros((100, VOTES, PATCH, 1), np.float32)
    slow, rough = np.full((100, PATCH, 1), 0.3), np.full((100, PATCH, 1), 0.3)
    rough[:, ::2] *= -1
    of_slow, of_rough = (
        parts.levels(compared(mean, np.full_like(mean, 0.1), observed))[-1, 0] for observed in (slow, rough)
    )
    np.testing.assert_allclose(of_slow[:VOTES], of_rough[:VOTES])
    assert (of_slow[VOTES : VOTES + 2] > of_rough[VOTES : VOTES + 2] + 1).all()
    assert of_rough[VOTES + 2] > of_slow[VOTES + 2] + 1


def test_levels_average_over_their_stretches() -> None:
    channels = np.random.default_rng(0).uniform(0.5, 1, (RAW_KEPT + 1, 2, CHANNELS))
    [level] = parts.levels(channels)
    for lead in range(2):
        of = channels[:, lead]
        expected = [*of[-5:, :VOTES].mean(axis=0), *(abs(of[-n:, VOTES].mean()) ** 0.5 for n in (20, 40))]
        expected += [of[-10:, VOTES + 1].mean(), of[-10:, VOTES + 2].mean()]
        np.testing.assert_allclose(level[lead], np.log(expected))


def test_a_flat_line_has_a_least_level() -> None:
    assert (parts.levels(np.zeros((RAW_KEPT + 3, 1, CHANNELS))) == math.log(parts.LEAST)).all()


def test_features_are_relative_to_what_is_usual() -> None:
    rng = np.random.default_rng(0)
    recent, usual = rng.normal(size=(LEVELS_KEPT + 5, LEVELS)), rng.normal(size=(5, 3, LEVELS))
    first, found = parts.features(np.stack([recent + 7, recent]), np.stack([usual + 7, usual]))
    assert found.shape == (5, FEATURES)
    np.testing.assert_allclose(first, found)
    for tap, (level, delay) in enumerate(parts.TAPS):
        assert found[4, tap] == recent[-1 - delay, level] - usual[4, 2, level]
    np.testing.assert_array_equal(found[:, -LEVELS:], usual[:, 2] - usual[:, 1])


@settings(max_examples=20)
@given(at=st.integers(1, 199), seed=st.integers(0, 2**32 - 1))
def test_the_future_changes_nothing(at: int, seed: int) -> None:
    mean, scale, observed = made_up(200, 1, seed)
    first = (mean[:at], scale[:at], observed[:at])
    np.testing.assert_array_equal(compared(mean, scale, observed)[:at], compared(*first))
    whole = parts.furthest(waited(mean), waited(scale), observed)[:at]
    np.testing.assert_array_equal(whole, parts.furthest(waited(mean[:at]), waited(scale[:at]), observed[:at]))
