"""The latest forecasts of one session, and which of them is drawn.

The cursor lies 0.1 s and a chunk behind the newest sample, so forecasts made from samples that are not yet on the
screen have already arrived. They are held back: the fan ahead of the cursor is the latest forecast whose origin has
been drawn. A viewer has then seen every sample that the forecaster had.
"""

from __future__ import annotations

from collections import deque

from monitor.view.trace import Fan
from stream.timebase import STRIDE
from stream.wire.messages import Forecast

BAND = 1.645
"""Standard deviations to each side that hold 90 % of a normal distribution."""

_KEPT = 256


class ForecastHistory:
    """Forecasts in the order of their origins.

    Attributes
    ----------
    fan : Fan or None
        The one to draw, since the last call of `draw`.
    """

    def __init__(self) -> None:
        self.fan: Fan | None = None
        self._forecasts: deque[Forecast] = deque(maxlen=_KEPT)

    @property
    def latest(self) -> Forecast | None:
        """The newest forecast."""
        return self._forecasts[-1] if self._forecasts else None

    def origin_before(self, forecast: Forecast) -> int:
        """Return the origin of the newest forecast; before the first, one stride before the one given."""
        return self._forecasts[-1].origin if self._forecasts else forecast.origin - STRIDE

    def add(self, forecast: Forecast) -> None:
        """Append a forecast that is newer than all before."""
        self._forecasts.append(forecast)

    def draw(self, cursor: int, epoch_start: int) -> None:
        """Choose the fan for a cursor, the index after the last sample drawn.

        Parameters
        ----------
        cursor, epoch_start : int
            A forecast made before a break of continuity that has been drawn is not shown.
        """
        drawn = next((f for f in reversed(self._forecasts) if f.origin < cursor), None)
        if drawn is None or drawn.origin < epoch_start < cursor:
            self.fan = None
            return
        if self.fan is None or self.fan.first != drawn.origin + 1:
            mean, half = drawn.mean_mv(), BAND * drawn.scale_mv()
            self.fan = Fan(drawn.origin + 1, mean, mean - half, mean + half)
        if self.fan.first + len(self.fan.mean) <= cursor:
            self.fan = None
