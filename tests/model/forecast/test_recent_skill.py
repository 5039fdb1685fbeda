"""The share of a forecast follows its recent skill over a simpler one."""

from __future__ import annotations

import numpy as np
import pytest

from model.forecast.recent_skill import SkillShare, begin, blend, learn


def share(state: SkillShare) -> np.ndarray:
    out = np.empty(state.product.shape[1])
    blend(state, 0, np.zeros_like(out), np.ones_like(out), out)
    return out


def learned(errors: tuple[float, float], n: int = 1000) -> np.ndarray:
    """Return the share of a forecast after forecasts with such deviations of their errors, two horizons."""
    rng, state = np.random.default_rng(0), begin(1, 2)
    for _ in range(n):
        truth = rng.normal(size=2)
        simple, other = (truth + error * rng.normal(size=2) for error in errors)
        learn(state, 0, simple, other, truth, 1.0)
    return share(state)


def test_at_first_the_simpler_forecast_is_used() -> None:
    assert (share(begin(1, 2)) == 0).all()


def test_the_better_forecast_is_used() -> None:
    assert (learned((1.0, 0.05)) > 0.95).all()
    assert (learned((0.05, 1.0)) < 0.05).all()


def test_the_share_is_that_of_the_least_squared_error() -> None:
    np.testing.assert_allclose(learned((1.0, 0.5)), 0.8, atol=0.06)


def test_the_share_stays_between_the_forecasts() -> None:
    state = begin(1, 1)
    for _ in range(100):
        learn(state, 0, np.zeros(1), np.ones(1), np.full(1, 5.0), 1.0)
    assert share(state) == pytest.approx(1.0)
    for _ in range(3000):
        learn(state, 0, np.zeros(1), np.ones(1), np.full(1, -5.0), 1.0)
    assert share(state) == 0.0
