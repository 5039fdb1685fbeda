"""The null distribution of the anomaly score, and how it follows a patient."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.anomaly import anomaly_detector, null_distribution
from model.anomaly.state import DEFAULT_CONFIG

LEADS = ("MLII",)


@pytest.mark.parametrize("chance", [0.5, 0.1, 1e-2, 1e-3, 1e-6, 1e-12, 1e-200])
def test_a_score_is_the_chance_under_the_null_distribution(chance: float) -> None:
    # -log1p(-chance) is the law's rate; a double holds 1 - chance to about 16 digits, and a rate to all of them.
    log_odds = null_distribution.LOCATION - null_distribution.SPREAD * math.log(-math.log1p(-chance))
    [score] = null_distribution.rarity(np.array([log_odds]))
    assert score == pytest.approx(-math.log10(chance), rel=1e-3)


def test_scores_rise_with_the_log_odds_and_keep_what_is_unknown() -> None:
    scores = null_distribution.rarity(np.array([-1e6, -10.0, -6.0, 0.0, 20.0, 30.0, 1e6]))
    assert np.isfinite(scores).all()
    assert (np.diff(scores) > 0).all()
    assert np.isnan(null_distribution.rarity(np.array([np.nan]))).all()


def test_the_null_distribution_is_shifted_upwards_if_log_odds_stay_high_and_never_downwards() -> None:
    usual = anomaly_detector.begin(0, LEADS[:1]).usual
    calm = wild = usual
    for _ in range(DEFAULT_CONFIG.warm):
        assert calm.shift == wild.shift == 0
        calm = null_distribution.learn_log_odds(DEFAULT_CONFIG, calm, null_distribution.USUAL_LOG_ODDS - 3)
        wild = null_distribution.learn_log_odds(DEFAULT_CONFIG, wild, null_distribution.USUAL_LOG_ODDS + 3)
    assert calm.shift == 0
    assert wild.shift == pytest.approx(3)
    assert null_distribution.learn_log_odds(DEFAULT_CONFIG, wild, math.nan) is wild
    for _ in range(2 * DEFAULT_CONFIG.long_memory):
        wild = null_distribution.learn_log_odds(DEFAULT_CONFIG, wild, null_distribution.USUAL_LOG_ODDS - 3)
    assert wild.shift == 0
    assert len(wild.log_odds) == DEFAULT_CONFIG.long_memory
