"""Persistence and AR."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

from model.baselines import fit_ar, iterate, lag_products, persistence
from model.dataset import load_signals
from stream.catalog import Catalog
from stream.errors import UsageError


def test_lag_products_are_the_sums() -> None:
    x = np.random.default_rng(0).normal(size=60)
    products = lag_products(x, 7)
    for i in range(8):
        for j in range(8):
            assert products[i, j] == pytest.approx(sum(x[t - i] * x[t - j] for t in range(7, 60)), abs=1e-10)


def test_ar_finds_the_process_that_made_the_signal() -> None:
    noise = np.random.default_rng(0).normal(size=(2, 20_000))
    signals = lfilter([1], [1, -1.5, 0.8], noise, axis=1)
    ar = fit_ar(signals, 2, (1, 3))
    np.testing.assert_allclose(ar.weights[0], [-0.8, 1.5], atol=0.02)
    assert ar.order == 2


def test_ar_feeds_on_its_own_forecasts() -> None:
    one_step = np.array([0.2, -0.5, 1.1])
    x = list(np.random.default_rng(0).normal(size=3))
    weights = iterate(one_step, (1, 2, 9))
    past = np.array(x)
    for _ in range(9):
        x.append(float(one_step @ x[-3:]))
    np.testing.assert_allclose(weights @ past, [x[3], x[4], x[11]], atol=1e-12)


def test_ar_equals_least_squares() -> None:
    x = np.cumsum(np.random.default_rng(0).normal(size=500))
    rows = np.lib.stride_tricks.sliding_window_view(x - x.mean(), 6)
    expected, *_ = np.linalg.lstsq(rows[:, :5], rows[:, 5])
    np.testing.assert_allclose(fit_ar([x], 5, (1,)).weights[0], expected, atol=1e-8)


def test_ar_sees_nothing_after_its_origin() -> None:
    x = np.random.default_rng(0).normal(size=300)
    ar = fit_ar([x], 10, (1, 5))
    changed = x.copy()
    changed[200:] = 9
    origins = np.array([50, 199])
    np.testing.assert_array_equal(ar.forecast(x, origins), ar.forecast(changed, origins))
    with pytest.raises(UsageError, match="10 samples"):
        ar.forecast(x, np.array([8]))


def test_persistence() -> None:
    np.testing.assert_array_equal(persistence(np.arange(5.0), np.array([1, 3]), (1, 2, 3)), [[1, 1, 1], [3, 3, 3]])


def test_ar_on_real_ecg(mitdb_dir: Path) -> None:
    signals = load_signals(["101", "100"], Catalog.from_environment(mitdb_dir))
    ar = fit_ar([signals["101"][:100_000, 0]], 180, (1, 4, 18))
    x = signals["100"][:100_000, 0]
    origins = np.arange(1000, 99_000, 4)
    truth = x[origins[:, None] + [1, 4, 18]]
    error = ((ar.forecast(x, origins) - truth) ** 2).mean(axis=0)
    assert (error < 0.7 * ((persistence(x, origins, (1, 4, 18)) - truth) ** 2).mean(axis=0)).all()
