"""The forecast of a strip is that which a window shows beside the trace; names that strangers invent take no room."""

from __future__ import annotations

import numpy as np

from monitor.alarm_log.strip_forecasts import MAX_FORECASTS, StripForecasts
from monitor.common.strip import Strip
from monitor.view.signal_buffer import SignalBuffer
from stream.wire.detail import IN_FULL
from tests.monitor import message_samples
from tests.waveforms import SESSION

SECOND_NS = 1_000_000_000


def strip_of(start: int, bed: str = "bed-1", session: str = SESSION) -> Strip:
    return Strip("a", bed, session, "high", start, ("MLII",), (200.0,), (1024,), bytes(2 * 7200), True)


def test_it_is_what_the_window_shows_at_the_samples_that_were_sent() -> None:
    forecasts, window = StripForecasts(), SignalBuffer(0, 1, 1)
    for number in range(300):
        one = message_samples.forecast(36 * number - 1, mean=number / 10)
        forecasts.push(one, 0)
        window.add_forecast(one, 36 * (number - 1) - 1)
    found = forecasts.of(strip_of(1000))
    assert found is not None
    at, mean, scale = found.array().T
    assert at.tolist() == list(range(3, 7200, 4))
    _, shown, _ = window.samples(1000, 8200)
    np.testing.assert_allclose(mean, shown[at.astype(int), 0], atol=1e-5)
    np.testing.assert_allclose(scale, 0.1, atol=1e-6)
    assert forecasts.of(strip_of(1000, session="f" * 32)) is None
    assert forecasts.of(strip_of(1_000_000)) is None


def test_it_keeps_two_minutes_of_as_many_beds_as_there_are_in_full() -> None:
    forecasts = StripForecasts()
    for number in range(MAX_FORECASTS + 300):
        forecasts.push(message_samples.forecast(36 * number + 35), number * SECOND_NS // 10)
    for number in range(3 * IN_FULL):
        forecasts.push(message_samples.forecast(36 * number + 35, bed=f"invented-{number}"), 161 * SECOND_NS)
    assert forecasts.of(strip_of(0)) is None, "too long ago"
    assert forecasts.of(strip_of(36 * MAX_FORECASTS - 7200)) is not None
    assert forecasts.of(strip_of(36 * (IN_FULL - 2), bed=f"invented-{IN_FULL - 2}")) is not None
    assert forecasts.of(strip_of(36 * IN_FULL, bed=f"invented-{IN_FULL}")) is None
