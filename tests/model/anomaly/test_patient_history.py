"""Quantiles of the levels, and the shift of the null distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.anomaly import patient_history
from model.anomaly.features import LEVELS, QUANTILES
from model.anomaly.patient_history import EXPECTED_LOG_ODDS, LONG_MEMORY, MEMORY, WARM, add_levels, add_log_odds


def test_the_null_distribution_is_shifted_upwards_only() -> None:
    low, high = patient_history.begin(), patient_history.begin()
    for _ in range(WARM):
        assert low.shift[0] == high.shift[0] == 0
        add_log_odds(low, 0, EXPECTED_LOG_ODDS - 3)
        add_log_odds(high, 0, EXPECTED_LOG_ODDS + 3)
    assert low.shift[0] == 0
    assert high.shift[0] == pytest.approx(3)
    for _ in range(LONG_MEMORY):
        add_log_odds(high, 0, EXPECTED_LOG_ODDS - 3)
    assert high.shift[0] == 0


def test_unknown_values_are_ignored() -> None:
    history = patient_history.begin()
    add_log_odds(history, 0, math.nan)
    peaks = np.ones(LEVELS)
    peaks[3] = np.nan
    add_levels(history, 0, peaks)
    assert history.log_odds_blocks[0] == history.blocks[0] == 0


@given(n=st.integers(0, 2 * MEMORY + 20), seed=st.integers(0, 2**32 - 1))
def test_quantiles_of_the_last_two_minutes(n: int, seed: int) -> None:
    """Many values are equal."""
    history = patient_history.begin()
    peaks = np.random.default_rng(seed).integers(0, 30, (n, LEVELS)) / 4
    for block in peaks:
        add_levels(history, 0, block)
    if n < WARM:
        assert np.isnan(history.quantiles).all()
    else:
        np.testing.assert_allclose(history.quantiles[0], np.quantile(peaks[-MEMORY:], QUANTILES, axis=0), atol=1e-12)
