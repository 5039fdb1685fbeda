"""Causal normalisation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.forecast import normalization
from model.forecast.config import ScalingConfig
from model.signal.gaps import fill_gaps

CONFIG = ScalingConfig()


def patches(x: np.ndarray) -> np.ndarray:
    return x.reshape(x.shape[0], -1, 4)


@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(1, 99), max_size=6))
def test_any_chunking_gives_the_same_results(seed: int, cuts: list[int]) -> None:
    x = np.random.default_rng(seed).normal(0.3, 0.8, (2, 400))
    whole = normalization.advance(normalization.begin(2, CONFIG), patches(x), CONFIG)
    state = normalization.begin(2, CONFIG)
    edges = [0, *sorted(set(cuts)), 100]
    pieces = []
    for a, b in pairwise(edges):
        baseline, scale, state = normalization.advance(state, patches(x)[:, a:b], CONFIG)
        pieces.append((baseline, scale))
    np.testing.assert_allclose(np.concatenate([p[0] for p in pieces], axis=1), whole[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.concatenate([p[1] for p in pieces], axis=1), whole[1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(state.power, whole[2].power, rtol=1e-12)


def test_baseline_and_scale_are_weighted_averages() -> None:
    x = np.random.default_rng(1).normal(0.3, 0.8, (1, 800))
    baseline, scale, _ = normalization.advance(normalization.begin(1, CONFIG), patches(x), CONFIG)
    keep = np.exp(-4 / (360 * CONFIG.baseline_s))
    weights = keep ** np.arange(199, -1, -1)
    means = patches(x)[0].mean(axis=1)
    assert baseline[0, -1] == pytest.approx((weights * means).sum() / weights.sum(), abs=1e-12)
    squares = ((patches(x)[0] - baseline[0][:, None]) ** 2).mean(axis=1)
    keep = np.exp(-4 / (360 * CONFIG.scale_s))
    weights = (1 - keep) * keep ** np.arange(199, -1, -1)
    prior = CONFIG.prior_weight * keep**200
    expected = ((weights * squares).sum() + prior * CONFIG.prior_mv**2) / (weights.sum() + prior)
    assert scale[0, -1] == pytest.approx(np.sqrt(expected), abs=1e-12)


def test_results_do_not_depend_on_later_samples() -> None:
    x = np.random.default_rng(2).normal(size=(1, 400))
    changed = x.copy()
    changed[:, 200:] += 5
    for a, b in zip(
        normalization.advance(normalization.begin(1, CONFIG), patches(x), CONFIG)[:2],
        normalization.advance(normalization.begin(1, CONFIG), patches(changed), CONFIG)[:2],
        strict=True,
    ):
        np.testing.assert_array_equal(a[:, :50], b[:, :50])
        assert (a[:, 50:] != b[:, 50:]).all()


def test_scale_of_a_flat_line_is_the_floor() -> None:
    baseline, scale, _ = normalization.advance(normalization.begin(1, CONFIG), np.full((1, 90 * 120, 4), -0.7), CONFIG)
    assert baseline[0, 0] == pytest.approx(-0.7)
    assert scale[0, -1] == CONFIG.floor_mv


def test_converges_to_mean_and_standard_deviation() -> None:
    x = np.random.default_rng(3).normal(1.5, 0.4, (1, 360 * 60))
    baseline, scale, _ = normalization.advance(normalization.begin(1, CONFIG), patches(x), CONFIG)
    assert baseline[0, -1] == pytest.approx(1.5, abs=0.06)
    assert scale[0, -1] == pytest.approx(0.4, abs=0.03)


def test_invalid_samples_repeat_the_last_valid_one() -> None:
    nan = np.nan
    samples = np.array([[nan, 1.0], [2.0, nan], [nan, nan], [3.0, 4.0], [nan, 5.0]])
    held, last = fill_gaps(samples, np.array([9.0, 8.0]))
    np.testing.assert_array_equal(held, [[9, 1], [2, 1], [2, 1], [3, 4], [3, 5]])
    np.testing.assert_array_equal(last, [3, 5])
    nothing, last = fill_gaps(np.zeros((0, 2)), last)
    assert nothing.shape == (0, 2)
    np.testing.assert_array_equal(last, [3, 5])


def test_windows_end_with_their_patch() -> None:
    x = np.arange(28 + 12)[None].astype(float)
    view = normalization.windows(x, 32)
    assert view.shape == (1, 3, 32)
    np.testing.assert_array_equal(view[0, :, -1], [31, 35, 39])
