"""Scores of the personal forecast."""

from __future__ import annotations

import numpy as np

from model.evaluation.personal_scores import each_sample
from model.forecast.personal_forecast import OFFSETS

HORIZON = 96


def test_each_sample_between_the_offsets() -> None:
    network = np.zeros((2, HORIZON), np.float32)
    personal = np.array(OFFSETS, np.float32)[None].repeat(2, axis=0)
    dense = each_sample(network, personal)
    np.testing.assert_allclose(dense, [np.arange(1, HORIZON + 1)] * 2, rtol=1e-6)
