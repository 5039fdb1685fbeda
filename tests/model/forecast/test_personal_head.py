"""The regression against the same sums by numpy, and how it follows a change."""

from __future__ import annotations

import numpy as np
import pytest

from model.forecast.personal_head import KEPT, RIDGE, WAITING, HeadState, begin, correct, learn, solve

P, H = 5, 3


def solved(state: HeadState) -> np.ndarray:
    solve(state, 0, np.empty((P, P)), np.empty((P, H)))
    return state.weights[0]


def test_the_solution_is_that_of_the_fading_normal_equations() -> None:
    rng = np.random.default_rng(0)
    features, targets = rng.normal(size=(405, P)), rng.normal(size=(405, H))
    features[:, 1] = features[:, 0] + 1e-3 * features[:, 1]  # nearly equal features
    state = begin(1, P, H)
    for phi, target in zip(features, targets, strict=True):
        learn(state, 0, phi, target)
    assert 0 < state.waiting[0] < WAITING, "some moments are added last"
    fading = KEPT ** np.arange(404, -1, -1)
    gram = (features * fading[:, None]).T @ features + RIDGE * np.eye(P)
    expected = np.linalg.solve(gram, (features * fading[:, None]).T @ targets)
    np.testing.assert_allclose(solved(state), expected, rtol=1e-4, atol=1e-7)


def test_the_correction_is_added() -> None:
    state = begin(2, P, H)
    state.weights[1] = np.arange(P * H).reshape(P, H)
    values = np.ones(H)
    correct(state, 1, np.arange(P) * 1.0, values)
    np.testing.assert_allclose(values, 1 + np.arange(P) @ state.weights[1])


def test_nothing_is_corrected_before_anything_was_learned() -> None:
    state = begin(1, P, H)
    assert (solved(state) == 0).all()


def test_a_changed_relation_is_learned_within_minutes() -> None:
    rng = np.random.default_rng(1)
    state = begin(1, P, H)
    for slope in (1.0, -1.0):
        for _ in range(3000):
            phi = rng.normal(size=P)
            learn(state, 0, phi, slope * phi[:H])
    np.testing.assert_allclose(np.diag(solved(state)[:H]), -1, atol=0.3)


def test_hours_of_silence_and_of_large_values_leave_finite_weights() -> None:
    state = begin(1, P, H)
    for phi in (np.zeros(P), np.full(P, 8.0)):
        for _ in range(20_000):
            learn(state, 0, phi, np.full(H, 100.0))
        assert np.isfinite(solved(state)).all()
    values = np.zeros(H)
    correct(state, 0, np.full(P, 8.0), values)
    assert values == pytest.approx(100, rel=0.01)
