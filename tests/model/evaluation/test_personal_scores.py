"""Scores of the personal forecast."""

from __future__ import annotations

import numpy as np

from model.datasets.reference import Reference
from model.evaluation.personal_report import METHODS, by_method
from model.evaluation.personal_scores import PersonalScores, each_sample
from model.forecast.config import PATCH
from model.forecast.forecaster import Forecasts, load_forecaster
from model.forecast.personal_forecast import OFFSETS
from model.signal.arrays import FloatArray
from model.signal.batch import Strides
from stream.timebase import STRIDE
from tests.model.ecg_waves import beats

HORIZON = 96

UNKNOWN = Reference(np.empty(0, np.int64), ())


def test_each_sample_between_the_offsets() -> None:
    network = np.zeros((2, HORIZON), np.float32)
    personal = np.array(OFFSETS, np.float32)[None].repeat(2, axis=0)
    dense = each_sample(network, personal)
    np.testing.assert_allclose(dense, [np.arange(1, HORIZON + 1)] * 2, rtol=1e-6)


def test_without_the_lstm_its_forecasts_have_no_influence() -> None:
    x = beats(340)[: 3400 * STRIDE, :1]
    ends = np.arange(PATCH - 1, len(x), PATCH)
    ahead = np.append(x, np.zeros(HORIZON))[ends[:, None] + np.arange(1, HORIZON + 1)]

    def nrmse(network: FloatArray) -> dict[str, dict[str, float | None]]:
        mean = network[:, :, None].astype(np.float32)
        made = Forecasts(ends, mean, np.full_like(mean, 0.1), x.reshape(-1, PATCH, 1))
        scores = PersonalScores({"record": x[:, 0]}, load_forecaster(), {"record": UNKNOWN})
        scores.add("record", Strides(0, x, np.zeros(x.shape, np.bool_)), made)
        return by_method(scores.report(None).records["record"].nrmse)

    perfect, useless = nrmse(ahead), nrmse(np.random.default_rng(0).normal(size=ahead.shape))
    assert set(perfect) == set(METHODS)
    assert perfect["without_lstm"] == useless["without_lstm"]
    assert all(value is not None and np.isfinite(value) for value in perfect["without_lstm"].values())
    for ms in ("3", "50", "200"):
        own, without = perfect["personal"][ms], perfect["without_lstm"][ms]
        assert own is not None
        assert without is not None
        assert own < without
