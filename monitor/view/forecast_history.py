"""Recent forecasts of one session, and the one to draw.

The cursor is 0.1 s and one chunk behind the newest sample, so forecasts arrive before the samples that they were made
from are drawn. The fan ahead of the cursor is the latest forecast whose origin has been drawn: the display never shows
a forecast that used samples not yet visible.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from monitor.view.forecast_curve import fan_chart
from monitor.view.signal_buffer import SignalBuffer
from monitor.view.trace import Fan
from stream.timebase import FS, STRIDE
from stream.wire.messages import Forecast

_MAX_FORECASTS = 256

OFF_AFTER = FS
"""Samples without a valid one after which a lead has no forecast: one second."""


class ForecastHistory:
    """Forecasts of one session in the order of their origins.

    Attributes
    ----------
    fan : Fan or None
        The forecast to draw, as of the last call of `select_fan`.
    """

    def __init__(self) -> None:
        self.fan: Fan | None = None
        self._forecasts: deque[Forecast] = deque(maxlen=_MAX_FORECASTS)

    @property
    def latest(self) -> Forecast | None:
        """The newest forecast."""
        return self._forecasts[-1] if self._forecasts else None

    def origin_before(self, forecast: Forecast) -> int:
        """Return the origin of the newest forecast; without one, one stride before the given forecast."""
        return self._forecasts[-1].origin if self._forecasts else forecast.origin - STRIDE

    def add(self, forecast: Forecast) -> None:
        """Append a forecast; its origin must be later than all others."""
        self._forecasts.append(forecast)

    def select_fan(self, cursor: int, epoch_start: int, signal: SignalBuffer) -> None:
        """Select the fan to draw ahead of the cursor.

        Parameters
        ----------
        cursor : int
            Index after the last sample drawn.
        epoch_start : int
            First sample of the epoch. Once it is drawn, forecasts from before it are not shown.
        signal : SignalBuffer
            Has the sample in which the fan begins.
        """
        drawn = next((f for f in reversed(self._forecasts) if f.origin < cursor), None)
        if drawn is None or drawn.origin < epoch_start < cursor:
            self.fan = None
            return
        if self.fan is None or self.fan.first != drawn.origin:
            last = signal.ecg(drawn.origin + 1 - OFF_AFTER, drawn.origin + 1)[:, : len(drawn.leads)]
            off = np.isnan(last).all(axis=0)
            if off.all():
                self.fan = None
                return
            self.fan = fan_chart(drawn, last[-1])
            for curve in (self.fan.mean, self.fan.low, self.fan.high):
                curve[:, off] = np.nan  # a forecast of what is not measured would read as a flat line
        if self.fan.stop <= cursor:
            self.fan = None
