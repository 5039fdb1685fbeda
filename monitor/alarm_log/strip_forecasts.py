"""What the worker had predicted for the samples of each strip. No sockets, no database.

It is what a window shows beside the trace: of each forecast, the samples 100 to 200 ms after its origin. Forecasts come
over the connection without a persistent session, of a large ward only those of beds that somebody asks for in full.
Memory is bounded: those of 130 s, 0.6 MB, of each of 64 beds.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
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
    """The part of a forecast that is kept: its points have samples after the origin in their first column."""

    session: str
    leads: tuple[str, ...]
    origin: int
    points: npt.NDArray[np.float32]


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
            own = forecast.session, forecast.leads
            if kept and kept[-1][:2] == own:
                own = kept[-1][:2]  # the same objects: each message has its own
            kept.append(_Kept(*own, forecast.origin, _points(forecast)))

    def of(self, strip: Strip) -> StripForecast | None:
        """Return the forecast of a strip; None if there was none."""
        start, stop = strip.start, strip.stop
        found = [
            one
            for one in self._beds.get(strip.bed, ())
            if (one.session, one.leads) == (strip.session, strip.leads) and start <= one.origin + 2 * STRIDE + LEAD_TIME
        ]
        if not found:
            return None
        joined = np.concatenate([one.points for one in found])
        joined[:, 0] += np.repeat([one.origin - start for one in found], [len(one.points) for one in found])
        joined = joined[(joined[:, 0] >= 0) & (joined[:, 0] < stop - start)]
        return StripForecast(strip.alarm_id, strip.leads, joined.astype("<f4").tobytes()) if len(joined) else None


def _points(forecast: Forecast) -> npt.NDArray[np.float32]:
    """Return the points of a forecast that are kept: sample after the origin, mean and scale of each lead."""
    inside, offsets = _inside(forecast.offsets)
    return np.column_stack((offsets, forecast.mean_mv()[inside], forecast.scale_mv()[inside]))


@lru_cache(8)
def _inside(offsets: tuple[int, ...]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return the numbers of the offsets that are kept, and these offsets."""
    numbers = [number for number, offset in enumerate(offsets) if LEAD_TIME < offset <= LEAD_TIME + STRIDE]
    return np.array(numbers, np.int64), np.array([offsets[number] for number in numbers], np.float32)
