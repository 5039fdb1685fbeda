"""The message of the forecasts of a ward from single forecasts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stream.wire import ward_batches
from stream.wire.messages import Forecast
from stream.wire.shard import ward_shard
from stream.wire.ward_batches import ForecastRows
from stream.wire.ward_messages import WardForecast


def ward_forecast(forecasts: Sequence[Forecast], offsets: tuple[int, ...]) -> WardForecast:
    """Return the message of the forecasts of beds of one shard, one each, at some samples after their origins."""
    rows = [forecasts[0].offsets.index(offset) for offset in offsets]
    parts = [
        ForecastRows(
            beds=[one.bed],
            sessions=[one.session],
            epoch=[one.epoch],
            seq=[one.seq],
            leads=[one.leads],
            lease=[one.lease],
            origin=np.array([one.origin]),
            mean=one.mean_mv()[None, rows],
            scale=one.scale_mv()[None, rows],
            score=np.array([math.nan if one.score is None else one.score]),
        )
        for one in forecasts
    ]
    last = forecasts[-1]
    return ward_batches.ward_forecast(ward_shard(last.bed), parts, offsets, last.threshold, last.published_ns)
