"""What the worker had predicted for the samples of each strip. No sockets, no database.

It is what a window shows beside the trace: of each forecast, the samples 100 to 200 ms after its origin. Forecasts come
over the connection without a persistent session, of a large ward only those of beds that somebody asks for in full.
Memory is bounded: those of 130 s, 0.6 MB, of each of 64 beds.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.common.strip import Strip
from monitor.common.strip_forecast import StripForecast
from monitor.view.signal_buffer import LEAD_TIME
from stream.timebase import STRIDE
from stream.wire.bed_places import BedPlaces
from stream.wire.detail import IN_FULL
from stream.wire.messages import Forecast

MAX_FORECASTS = 1300
"""Forecasts kept of each bed, 130 s."""


class _Kept(NamedTuple):
    """The part of a forecast that is kept: its points have samples of the session in their first column."""

    session: str
    leads: tuple[str, ...]
    origin: int
    points: npt.NDArray[np.float64]


class StripForecasts:
    """The last forecasts of all beds; times are monotonic, in ns."""

    def __init__(self) -> None:
        self._beds: dict[str, deque[_Kept]] = {}
        self._places = BedPlaces(IN_FULL)

    def push(self, forecast: Forecast, now_ns: int) -> None:
        """Keep a forecast, if there is a place for its bed."""
        admitted, lost = self._places.admit(forecast.bed, now_ns / 1e9)
        if lost is not None:
            self._beds.pop(lost, None)
        if admitted:
            kept = self._beds.setdefault(forecast.bed, deque(maxlen=MAX_FORECASTS))
            kept.append(_Kept(forecast.session, forecast.leads, forecast.origin, _points(forecast)))

    def of(self, strip: Strip) -> StripForecast | None:
        """Return the forecast of a strip; None if there was none."""
        start, stop = strip.start, strip.stop
        points = [
            one.points
            for one in self._beds.get(strip.bed, ())
            if (one.session, one.leads) == (strip.session, strip.leads) and start <= one.origin + 2 * STRIDE + LEAD_TIME
        ]
        if not points:
            return None
        joined = np.concatenate(points)
        joined = joined[(joined[:, 0] >= start) & (joined[:, 0] < stop)]
        joined[:, 0] -= start
        return StripForecast(strip.alarm_id, strip.leads, joined.astype("<f4").tobytes()) if len(joined) else None


def _points(forecast: Forecast) -> npt.NDArray[np.float64]:
    """Return the points of a forecast that are kept: sample of the session, mean and scale of each lead."""
    inside = [number for number, offset in enumerate(forecast.offsets) if LEAD_TIME < offset <= LEAD_TIME + STRIDE]
    at = np.array([forecast.origin + forecast.offsets[number] for number in inside], np.float64)
    return np.column_stack((at, forecast.mean_mv()[inside], forecast.scale_mv()[inside]))
