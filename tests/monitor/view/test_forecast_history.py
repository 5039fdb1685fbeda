"""Forecast history: the fan ahead of the cursor."""

from __future__ import annotations

import numpy as np

from monitor.view.forecast_history import OFF_AFTER, ForecastHistory
from monitor.view.signal_buffer import SignalBuffer
from stream.timebase import STRIDE
from stream.wire.messages import INVALID
from tests.monitor.message_samples import HORIZON, forecast
from tests.waveforms import chunk

SIGNAL = SignalBuffer(0, 1, 1)
for seq in range(20):
    SIGNAL.add_waveform(chunk(seq))


def history(*origins: int) -> ForecastHistory:
    forecasts = ForecastHistory()
    for origin in origins:
        forecasts.add(forecast(origin, mean=origin / 100, scale=0.2))
    return forecasts


def fan_origin(forecasts: ForecastHistory, cursor: int, epoch_start: int = 0) -> int | None:
    forecasts.select_fan(cursor, epoch_start, SIGNAL)
    return None if forecasts.fan is None else forecasts.fan.first


def test_the_latest_forecast_is_the_last_one_added() -> None:
    assert ForecastHistory().latest is None
    latest = history(35, 71).latest
    assert latest is not None
    assert latest.origin == 71


def test_the_previous_origin_is_one_stride_back_without_a_forecast() -> None:
    assert ForecastHistory().origin_before(forecast(100)) == 100 - STRIDE
    assert history(35, 71).origin_before(forecast(100)) == 71


def test_the_fan_is_the_latest_forecast_whose_origin_is_drawn() -> None:
    forecasts = history(35, 71, 107)
    assert [fan_origin(forecasts, cursor) for cursor in (35, 36, 72, 107, 108)] == [None, 35, 71, 71, 107]


def test_the_fan_begins_in_the_last_observed_sample() -> None:
    forecasts = history(50)
    forecasts.select_fan(60, 0, SIGNAL)
    fan = forecasts.fan
    assert fan is not None
    observed = SIGNAL.ecg(50, 51)
    for curve in (fan.mean, fan.low, fan.high):
        np.testing.assert_allclose(curve[:1], observed, rtol=1e-6)


def test_the_fan_ends_with_its_horizon() -> None:
    forecasts = history(35)
    assert fan_origin(forecasts, 35 + HORIZON) == 35
    assert fan_origin(forecasts, 36 + HORIZON) is None


def test_a_forecast_from_before_the_epoch_is_hidden_once_the_epoch_is_drawn() -> None:
    forecasts = history(71)
    assert fan_origin(forecasts, 72, epoch_start=72) == 71
    assert fan_origin(forecasts, 73, epoch_start=72) is None
    forecasts.add(forecast(107))
    assert fan_origin(forecasts, 108, epoch_start=72) == 107


def test_a_lead_that_is_off_has_no_forecast() -> None:
    signal, cut = SignalBuffer(0, 2, 2), 5 * STRIDE
    for seq in range(20):
        values = np.zeros((STRIDE, 2), "<i2")
        values[:, 1] = INVALID if seq >= 5 else 0
        two = {"leads": ("MLII", "V1"), "gain": (200.0, 200.0), "zero": (0, 0)}
        signal.add_waveform(chunk(seq, samples=values.tobytes(), **two))
    forecasts = ForecastHistory()
    for origin in (cut + OFF_AFTER - 2, cut + OFF_AFTER - 1):
        forecasts.add(forecast(origin, leads=("MLII", "V1")))
        forecasts.select_fan(origin + 1, 0, signal)
        assert forecasts.fan is not None
        assert not np.isnan(forecasts.fan.mean[:, 0]).any()
        assert np.isnan(forecasts.fan.low[:, 1]).all() == (origin == cut + OFF_AFTER - 1)


def test_without_any_lead_there_is_no_fan() -> None:
    signal = SignalBuffer(0, 1, 1)
    for seq in range(20):
        signal.add_waveform(chunk(seq, samples=np.full(STRIDE, INVALID, "<i2").tobytes()))
    forecasts = history(600)
    forecasts.select_fan(601, 0, signal)
    assert forecasts.fan is None
