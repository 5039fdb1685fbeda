"""Search for similar moments against a plain computation, and what followed them."""

from __future__ import annotations

import numpy as np
import pytest

from model.forecast.retrieval import (
    APART,
    LEVEL,
    MOMENTS,
    POINTS,
    RECENT,
    SPARE,
    STRIDES,
    Followed,
    after_gap,
    begin,
    find,
    follow,
    new_scratch,
)

N, WINDOW = STRIDES * POINTS, 16


def wandering(seed: int, n: int = N) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (np.cumsum(rng.normal(size=n)) / 10 % 1 + 0.05 * rng.normal(size=n)).astype(np.float32)


def distances(x: np.ndarray, window: int) -> np.ndarray:
    """Return the squared distance of the window that ends at each point from the latest, less their means."""
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), window)
    level = windows - windows.mean(axis=1, keepdims=True)
    return np.concatenate([np.full(window - 1, np.inf), ((level - level[-1]) ** 2).sum(axis=1)])


def followed(horizons: int) -> Followed:
    return Followed(np.empty(horizons), np.empty(horizons), np.empty(RECENT))


@pytest.mark.parametrize(("step", "seed"), [(2, 0), (2, 1), (4, 2)])
def test_the_nearest_moments_are_found(step: int, seed: int) -> None:
    x = wandering(seed, N // step)
    whole = np.zeros(STRIDES, np.bool_)
    whole[20:-11] = True
    whole[300:340] = False
    found = np.zeros(MOMENTS, np.int64)
    assert find(x, WINDOW, whole, new_scratch(len(x)), found) == MOMENTS
    distance, apart = distances(x, WINDOW), -(-APART // step)
    ends = np.arange(len(x)) * step + step - 1
    distance[~whole[ends // POINTS]] = np.inf
    for moment in found:
        own = (moment - step + 1) // step
        assert distance[own] == pytest.approx(distance.min(), abs=1e-4)
        distance[max(own - apart, 0) : own + apart + 1] = np.inf


def test_fewer_moments_are_found_where_few_strides_count() -> None:
    whole = np.zeros(STRIDES, np.bool_)
    whole[700] = True
    found = np.zeros(MOMENTS, np.int64)
    count = find(wandering(0, N // 2), WINDOW, whole, new_scratch(N // 2), found)
    assert count == 1
    assert found[0] // POINTS == 700


def test_what_followed_a_repeated_wave_is_its_continuation() -> None:
    period = 77
    wave = np.sin(np.arange(N + 90) * 2 * np.pi / period) + 0.3 * np.sin(np.arange(N + 90) * 6 * np.pi / period)
    past = wave[:N].astype(np.float32)
    ahead, out = np.array([1, 10, 45, 90]), followed(4)
    moments = N - 1 - period * np.arange(3, 3 + MOMENTS) + 2  # placed two points late by the search
    follow(past + np.float32(0.5), moments, 1e-6, ahead, out)
    np.testing.assert_allclose(out.mean, 0.5 + wave[N - 1 + ahead], atol=1e-4)
    np.testing.assert_allclose(out.spread, 0, atol=1e-2)
    np.testing.assert_allclose(out.recent, 0, atol=1e-4)


def test_what_followed_is_shifted_to_the_present_level_and_weighted() -> None:
    past = np.zeros(N, np.float32)
    shape = np.sin(np.arange(LEVEL + 8) / 3).astype(np.float32)
    for at, level, after in ((2000, 3.0, 1.0), (5000, -2.0, 5.0)):
        past[at - LEVEL - 7 : at + 1] = shape + level
        past[at + 1 : at + 9] = level + after
    past[-LEVEL - 8 :] = shape
    past[5000 - 6] += 0.5  # the second moment is less similar
    out = followed(1)
    follow(past, np.array([2000, 5000]), 0.01, np.array([5]), out)
    difference = 0.25 * (1 - 1 / LEVEL)
    first, second = 1 / 0.01, 1 / (difference + 0.01)
    shifted = 5 - 0.5 / LEVEL
    assert out.mean[0] == pytest.approx((first * 1 + second * shifted) / (first + second), abs=1e-3)
    assert out.spread[0] > 0.5


def test_the_place_of_a_gap_does_not_count() -> None:
    state = begin(2)
    state.usable[:] = 30
    state.strides[:] = 5, STRIDES + 7  # a multiple of SPARE, and 7
    later = after_gap(state)
    assert later.usable[0, STRIDES + 4] == 0
    assert later.usable[1, STRIDES + 6] == 0
    assert (later.usable == 30).sum() == 2 * (STRIDES + SPARE) - 2
    assert state.usable.all()
