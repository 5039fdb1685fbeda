"""Scores under the null distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.anomaly.blocks import BLOCK
from model.anomaly.null_distribution import GUMBEL_LOCATION, GUMBEL_SCALE, gumbel_score, score_log_odds
from model.anomaly.patient_history import EXPECTED_LOG_ODDS, WARM


@pytest.mark.parametrize("probability", [0.5, 0.1, 1e-2, 1e-3, 1e-6, 1e-12, 1e-200])
def test_a_score_is_the_probability_under_the_null_distribution(probability: float) -> None:
    # -log1p(-probability) keeps all digits of a small probability; 1 - probability does not.
    log_odds = GUMBEL_LOCATION - GUMBEL_SCALE * math.log(-math.log1p(-probability))
    assert gumbel_score(log_odds) == pytest.approx(-math.log10(probability), rel=1e-3)


def test_scores_rise_with_the_log_odds_and_stay_unknown_where_they_are() -> None:
    scores = [gumbel_score(log_odds) for log_odds in (-1e6, -10.0, -6.0, 0.0, 20.0, 30.0, 1e6)]
    assert np.isfinite(scores).all()
    assert (np.diff(scores) > 0).all()
    assert math.isnan(gumbel_score(math.nan))


def test_scores_of_a_signal_follow_its_own_level() -> None:
    """After twelve blocks of log-odds far above the expected ones, the null distribution is shifted upwards."""
    log_odds = np.full(40 * BLOCK, EXPECTED_LOG_ODDS + 4)
    score = score_log_odds(log_odds)
    np.testing.assert_array_equal(score[: WARM * BLOCK], gumbel_score(EXPECTED_LOG_ODDS + 4))
    np.testing.assert_allclose(score[WARM * BLOCK :], gumbel_score(EXPECTED_LOG_ODDS))
