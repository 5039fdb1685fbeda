"""Bootstrap over patients: draws, percentiles, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.evaluation.patient_bootstrap import draw_patients, draw_records, interval95


def test_records_201_and_202_are_drawn_together() -> None:
    drawn = draw_records(["100", "201", "202"])
    np.testing.assert_array_equal(drawn[:, 1], drawn[:, 2])
    assert (drawn[:, 0] != drawn[:, 1]).any()


def test_records_of_one_patient_are_drawn_together() -> None:
    drawn = draw_patients(["a", "b", "a", "c"], 500, seed=1)
    assert drawn.shape == (500, 4)
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 2])
    np.testing.assert_array_equal(drawn[:, [0, 1, 3]].sum(axis=1), 3)
    assert drawn[:, [0, 1, 3]].mean(axis=0) == pytest.approx([1, 1, 1], abs=0.15)
    np.testing.assert_array_equal(drawn, draw_patients(["a", "b", "a", "c"], 500, seed=1))


def test_interval_ignores_nan() -> None:
    draws = np.stack([np.append(np.linspace(0, 1, 1001), math.nan), np.full(1002, math.nan)], axis=1)
    np.testing.assert_allclose(interval95(draws), [[0.025, math.nan], [0.975, math.nan]])
    assert interval95(draws[:, 0]).shape == (2,)
    assert interval95(draws.reshape(-1, 1, 2)).shape == (2, 1, 2)


def test_interval_coverage_is_close_to_nominal() -> None:
    """For the mean of 25 patients a bootstrap interval is slightly too narrow."""
    rng = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        values = rng.normal(size=25)
        drawn = draw_patients([str(i) for i in range(25)], 300, seed=trial)
        low, high = interval95(drawn @ values / 25)
        covered += low <= 0 <= high
    assert 0.85 <= covered / 200 <= 0.98
