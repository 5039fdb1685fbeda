"""Features of an RR interval relative to earlier ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.beats import rr_features
from model.beats.rr_features import LONG_RR, NAMES


def measure(past: list[float], rr: float, normal_rr: float = math.nan) -> dict[str, float]:
    features = np.empty(len(NAMES))
    rr_features.measure(np.array(past), rr, normal_rr, features)
    return dict(zip(NAMES, features.tolist(), strict=True))


def test_an_interval_is_compared_with_the_recent_and_the_normal_ones() -> None:
    features = measure([300.0] * 120 + [200.0] * 30, 100.0, 250.0)
    assert features["rr/median20"] == pytest.approx(math.log(100 / 200))
    assert features["rr/mean150"] == pytest.approx(math.log(100 / 280))
    assert features["rr/normal"] == pytest.approx(math.log(100 / 250))
    assert features["step"] == 0
    assert features["spread"] == pytest.approx(0)
    assert features["rank150"] == pytest.approx(0.5 / (LONG_RR + 1))


def test_the_median_stands_for_the_normal_interval_while_that_is_unknown() -> None:
    assert measure([300.0, 310.0, 290.0], 150.0)["rr/normal"] == pytest.approx(math.log(150 / 300))


@pytest.mark.parametrize(("past", "rr"), [([], 300.0), ([300.0], math.nan)])
def test_an_unknown_interval_has_neutral_features(past: list[float], rr: float) -> None:
    features = measure(past, rr)
    assert features["rr/median20"] == features["rr/before"] == 0
    assert features["rank150"] == 0.5


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_few_intervals_have_finite_features(n: int) -> None:
    assert np.isfinite(list(measure([300.0] * n, 200.0).values())).all()


def test_repeating_rhythms_are_predictable_and_fibrillation_is_not() -> None:
    rng = np.random.default_rng(5)
    assert rr_features.unpredictability(np.log([300.0, 200.0, 420.0] * 7)) < 0.01
    assert rr_features.unpredictability(rng.normal(5.6, 0.25, 21)) > 0.04
