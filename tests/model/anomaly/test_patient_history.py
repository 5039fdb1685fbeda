"""The shift of the null distribution."""

from __future__ import annotations

import math

import pytest

from model.anomaly import patient_history
from model.anomaly.patient_history import EXPECTED_LOG_ODDS
from model.anomaly.state import DEFAULT_CONFIG


def test_the_null_distribution_is_shifted_upwards_only() -> None:
    low = high = patient_history.begin()
    for _ in range(DEFAULT_CONFIG.warm):
        assert low.shift == high.shift == 0
        low = patient_history.add_log_odds(DEFAULT_CONFIG, low, EXPECTED_LOG_ODDS - 3)
        high = patient_history.add_log_odds(DEFAULT_CONFIG, high, EXPECTED_LOG_ODDS + 3)
    assert low.shift == 0
    assert high.shift == pytest.approx(3)
    assert patient_history.add_log_odds(DEFAULT_CONFIG, high, math.nan) is high
    for _ in range(2 * DEFAULT_CONFIG.long_memory):
        high = patient_history.add_log_odds(DEFAULT_CONFIG, high, EXPECTED_LOG_ODDS - 3)
    assert high.shift == 0
    assert len(high.log_odds) == DEFAULT_CONFIG.long_memory
