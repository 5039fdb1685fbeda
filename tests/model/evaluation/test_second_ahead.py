"""Excerpts with the forecast of each second."""

from __future__ import annotations

import numpy as np

from model.evaluation.second_ahead import SECONDS, excerpts
from model.forecast.personal_forecast import OFFSETS


def test_a_typical_and_a_hard_excerpt() -> None:
    n = 360 * 60
    x, origin = np.arange(n, dtype=float), np.arange(35, n - 360, 36)
    error = origin / n
    truth = x[origin[:, None] + np.array(OFFSETS)]
    mean = (truth + error[:, None]).astype(np.float32)
    typical, hard = excerpts(x, origin, mean, np.ones(mean.shape, np.float32))
    assert (typical.start, hard.start) == (35 + 6 * SECONDS * 360, 35 + 11 * SECONDS * 360)
    for found in (typical, hard):
        assert found.truth[0] == x[found.start]
        assert len(found.truth) == SECONDS * 360 + 1
        for second, own in enumerate(found.mean):
            at = found.start + 360 * second
            np.testing.assert_allclose(own, x[at + np.array(OFFSETS)] + at / n, rtol=1e-5)
    assert hard.rmse > typical.rmse > 0
