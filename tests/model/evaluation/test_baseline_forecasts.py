"""Baseline forecasts: persistence, AR, last beat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from model.datasets.mitdb import load_signals
from model.evaluation.baseline_forecasts import (
    LAGS,
    PATTERN,
    beat_lags,
    fit_ar,
    iterate,
    lag_products,
    last_beat,
    persistence,
)
from stream.errors import UsageError
from stream.records.catalog import Catalog


def test_lag_products_are_the_sums() -> None:
    x = np.random.default_rng(0).normal(size=60)
    products = lag_products(x, 7)
    for i in range(8):
        for j in range(8):
            assert products[i, j] == pytest.approx(sum(x[t - i] * x[t - j] for t in range(7, 60)), abs=1e-10)


def test_ar_recovers_the_generating_process() -> None:
    noise = np.random.default_rng(0).normal(size=(2, 20_000))
    signals = lfilter([1], [1, -1.5, 0.8], noise, axis=1)
    ar = fit_ar(signals, 2, (1, 3))
    np.testing.assert_allclose(ar.weights[0], [-0.8, 1.5], atol=0.02)
    assert ar.order == 2


def test_iterated_weights_equal_repeated_one_step_forecasts() -> None:
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


def test_ar_does_not_use_samples_after_the_origin() -> None:
    x = np.random.default_rng(0).normal(size=300)
    ar = fit_ar([x], 10, (1, 5))
    changed = x.copy()
    changed[200:] = 9
    origins = np.array([50, 199])
    np.testing.assert_array_equal(ar.forecast(x, origins), ar.forecast(changed, origins))
    with pytest.raises(UsageError, match="10 samples"):
        ar.forecast(x, np.array([8]))


def test_ar_for_a_subset_of_horizons() -> None:
    x = np.cumsum(np.random.default_rng(0).normal(size=500))
    ar = fit_ar([x], 5, (1, 4, 9))
    origins = np.array([100, 300])
    np.testing.assert_array_equal(ar.at((9, 1)).forecast(x, origins), ar.forecast(x, origins)[:, [2, 0]])


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


def beats(rr: list[int], seed: int = 0, *, wander: float = 0.2) -> np.ndarray:
    """Return beats of one shape with given RR intervals on a wandering baseline."""
    waves = ((0.15, 28, 7), (1.0, 60, 4), (0.3, 130, 18))  # P, R, T
    beat = sum(height * np.exp(-0.5 * ((np.arange(200) - at) / width) ** 2) for height, at, width in waves)
    x = np.zeros(sum(rr) + 300)
    at = 0
    for interval in rr:
        x[at : at + 200] += beat
        at += interval
    rng = np.random.default_rng(seed)
    return x + wander * np.sin(np.arange(len(x)) / 500) + 0.002 * rng.normal(size=len(x))


def test_beat_lag_is_the_rr_interval() -> None:
    x = beats([300, 310, 290, 305, 330, 280, 300])
    r = 60 + np.cumsum([0, 300, 310, 290, 305, 330])  # the peaks of the first six beats
    np.testing.assert_allclose(beat_lags(x, r[4:6] + 20), [305, 330], atol=1)


def test_last_beat_predicts_the_waves_of_the_next_beat() -> None:
    x = beats([300] * 8, wander=0.02)
    peak = 60 + 300 * 6
    for origin, ahead in ((peak - 18, 18), (peak + 10, 30), (peak + 10, 60)):  # R after P, ST and T after R
        ((forecast,),) = last_beat(x, np.array([origin]), (ahead,))
        assert forecast == pytest.approx(x[origin + ahead], abs=0.08)


def test_last_beat_is_repeated_beyond_its_lag() -> None:
    x = beats([300] * 8)
    ((near, far),) = last_beat(x, np.array([1870]), (40, 340))
    assert far == pytest.approx(near, abs=0.02)


def test_level_shift_decays() -> None:
    x = beats([300] * 8)
    x[2000:] += 5.0
    ((near, far),) = last_beat(x, np.array([2010]), (1, 90))
    assert near == pytest.approx(x[2011], abs=0.3)
    assert 0.5 < far < 2.5  # a quarter of a second later most of the shift has decayed


def test_beat_lag_maximises_the_pearson_correlation() -> None:
    x = np.cumsum(np.random.default_rng(3).normal(size=3000)) / 10
    origins = np.array([1000, 1777, 2500])
    shortest, longest = LAGS
    for origin, lag in zip(origins, beat_lags(x, origins), strict=True):
        now = x[origin - PATTERN + 1 : origin + 1]
        r = [
            np.corrcoef(now, x[origin - back - PATTERN + 1 : origin - back + 1])[0, 1]
            for back in range(shortest, longest + 1)
        ]
        assert r[lag - shortest] == pytest.approx(max(r), abs=1e-5)


@settings(max_examples=25)
@given(at=st.integers(900, 2000), seed=st.integers(0, 99), drift=st.floats(-50, 50))
def test_last_beat_does_not_use_samples_after_the_origin(at: int, seed: int, drift: float) -> None:
    x = beats([300] * 8, seed)
    changed = x.copy()
    changed[at + 1 :] = drift
    origins = np.array([at - 60, at])
    np.testing.assert_array_equal(last_beat(x, origins, (1, 90)), last_beat(changed, origins, (1, 90)))


@settings(max_examples=25)
@given(cut=st.integers(1, 299))
def test_beat_lags_do_not_depend_on_other_origins(cut: int) -> None:
    x = beats([300] * 8)
    origins = np.arange(900, 2100, 4)
    parts = [beat_lags(x, part) for part in np.split(origins, [cut])]
    np.testing.assert_array_equal(np.concatenate(parts), beat_lags(x, origins))


def test_last_beat_on_a_flat_line() -> None:
    np.testing.assert_array_equal(last_beat(np.full(2000, 0.3), np.array([1500]), (1, 90)), [[0.3, 0.3]])


def test_last_beat_needs_enough_samples_up_to_its_first_origin() -> None:
    x = beats([300] * 8)
    assert np.isfinite(last_beat(x, np.array([LAGS[1] + PATTERN - 1]), (1,))).all()
    with pytest.raises(UsageError, match="828 samples"):
        last_beat(x, np.array([LAGS[1] + PATTERN - 2]), (1,))
    assert last_beat(x, np.zeros(0, dtype=np.int64), (1, 4)).shape == (0, 2)


def test_last_beat_on_real_ecg(mitdb_dir: Path) -> None:
    x = load_signals(["116"], Catalog.from_environment(mitdb_dir))["116"][:120_000, 0]
    origins = np.arange(1000, 119_000, 40)
    ahead = (18, 36, 72)
    truth = x[origins[:, None] + np.array(ahead)]
    error = ((last_beat(x, origins, ahead) - truth) ** 2).mean(axis=0)
    assert (error < 0.7 * ((persistence(x, origins, ahead) - truth) ** 2).mean(axis=0)).all()
