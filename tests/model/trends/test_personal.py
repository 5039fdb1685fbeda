"""The personal head: a patient whose forecasts are always wrong alike, and one who varies more than others."""

from __future__ import annotations

import numpy as np

from model.trends import personal
from model.trends.personal import NORMAL_WIDTH, PersonalState, Settings
from model.trends.targets import HORIZONS_H
from model.trends.vital_inputs import FORECAST, Floats

SHAPE = (1, len(FORECAST), len(HORIZONS_H))


def after(measured: Floats, settings: Settings) -> tuple[Floats, Floats, Floats, PersonalState]:
    """Forecast 0 ± 1 for every hour and horizon, and learn from what is measured, shape (hours, vitals)."""
    state, zero, one = personal.begin(1), np.zeros(SHAPE), np.ones(SHAPE)
    for row in measured:
        state = personal.learn(state, row[None])
        low, median, high, state = personal.correct(state, -one, zero, one, settings)
    return low, median, high, state


def test_a_constant_error_is_corrected_at_each_horizon_once_it_was_seen() -> None:
    measured = np.full((40, len(FORECAST)), np.nan)
    measured[:, 1] = 0.5
    _, median, _, state = after(measured[:5], (1.0, 0.0, 0.0001))
    # After 5 h, forecasts of 1, 2 and 3 h have been compared with what came; one of 6 h has not.
    np.testing.assert_allclose(median[0, 1], [0.5, 0.5, 0.5, 0], atol=1e-3)
    assert not median[0, [0, 2, 3, 4, 5]].any()
    assert state.number[0, 1, 0] > state.number[0, 1, 2] > 0
    _, shrunk, _, _ = after(measured, (0.5, 0.0, 12.0))
    assert (shrunk[0, 1] > 0.1).all()
    assert (shrunk[0, 1] < 0.25).all()


def test_intervals_follow_the_size_of_the_patients_errors() -> None:
    signs = np.where(np.arange(60) % 2, 1.0, -1.0)[:, None] * np.ones(len(FORECAST))
    widths = []
    for size in (0.1, NORMAL_WIDTH, 1.5):
        low, median, high, _ = after(size * signs, (0.0, 0.5, 12.0))
        assert not median.any()
        np.testing.assert_allclose(high, -low)
        widths.append(high[0, 0, 0])
    assert widths[0] < 0.9 < widths[1] < 1.01 < 1.2 < widths[2]
