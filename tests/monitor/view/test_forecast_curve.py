"""A forecast at each sample."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.view.forecast_curve import Z_90, fan_chart, predicted_mean
from stream.wire.messages import Forecast
from tests.monitor.message_samples import HORIZON, OFFSETS, forecast

LEADS = ("MLII", "V1")


def forecast_of(mean: np.ndarray, scale: np.ndarray, offsets: tuple[int, ...] = OFFSETS) -> Forecast:
    """Return a forecast of one lead from its values at the offsets."""
    return msgspec.structs.replace(
        forecast(500, offsets=offsets), mean=mean.astype("<f4").tobytes(), scale=scale.astype("<f4").tobytes()
    )


@given(st.sets(st.integers(1, HORIZON), min_size=1, max_size=60), st.integers(0, 2**32 - 1))
def test_the_curves_pass_through_the_known_values(chosen: set[int], seed: int) -> None:
    offsets = tuple(sorted(chosen))
    rng = np.random.default_rng(seed)
    mean, scale, observed = rng.normal(size=len(offsets)), rng.uniform(0.01, 1, len(offsets)), rng.normal(size=1)
    fan = fan_chart(forecast_of(mean, scale, offsets), observed.astype(np.float32))
    assert (fan.first, len(fan.mean)) == (500, offsets[-1] + 1)
    np.testing.assert_allclose(fan.mean[[0, *offsets], 0], [*observed, *mean], atol=1e-4)
    np.testing.assert_allclose((fan.high - fan.low)[[0, *offsets], 0], 2 * Z_90 * np.array([0, *scale]), atol=1e-4)


@given(st.integers(0, 2**32 - 1))
def test_the_interval_lies_around_the_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fan = fan_chart(forecast_of(rng.normal(size=len(OFFSETS)), rng.uniform(0, 1, len(OFFSETS))), np.zeros(1, "f4"))
    assert (fan.low <= fan.mean).all()
    assert (fan.mean <= fan.high).all()


def test_a_peak_between_two_offsets_is_not_cut() -> None:
    """An R wave of 20 ms standard deviation, whose peak lies midway between two offsets 11 ms apart."""
    sample = np.arange(HORIZON + 1)
    ecg = np.exp(-0.5 * ((sample - 46) / 7.2) ** 2)
    fan = fan_chart(forecast_of(ecg[list(OFFSETS)], np.full(len(OFFSETS), 0.1)), ecg[:1].astype("f4"))
    assert fan.mean.max() > 0.99
    assert np.interp(sample, OFFSETS, ecg[list(OFFSETS)]).max() < 0.97, "straight lines would"


def test_a_parabola_is_exact_between_the_offsets() -> None:
    sample = np.arange(HORIZON + 1)
    parabola = (sample / 100 - 1.5) ** 2
    made = forecast_of(parabola[list(OFFSETS)], np.ones(len(OFFSETS)))
    # At the ends, where there is one neighbour only, the slope is that of a line.
    inner = slice(OFFSETS[0], OFFSETS[-2] + 1)
    fan = fan_chart(made, parabola[:1].astype("f4"))
    np.testing.assert_allclose(fan.mean[inner, 0], parabola[inner], atol=1e-5)
    np.testing.assert_allclose(predicted_mean(made, 37, 73)[:, 0], parabola[37:73], atol=1e-5)


def test_after_an_invalid_sample_the_fan_begins_with_the_first_known_values() -> None:
    made = forecast(500, mean=0.5, scale=0.2, leads=LEADS)
    fan = fan_chart(made, np.array([np.nan, 2.0], "f4"))
    assert fan.mean[0].tolist() == pytest.approx([0.5, 2.0])
    assert (fan.high - fan.mean)[0].tolist() == pytest.approx([Z_90 * 0.2, 0.0])


def test_the_predicted_mean_ends_with_the_forecast() -> None:
    made = forecast_of(np.ones(3), np.ones(3), offsets=(12, 24, 40))
    assert predicted_mean(made, 37, 73).shape == (4, 1)
    assert predicted_mean(made, 41, 73).shape == (0, 1)
