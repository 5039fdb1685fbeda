"""Where a forecast goes: on the topic of its bed, in the message of its shard, or both.

Up to `IN_FULL` beds each bed has its own; above, the beds share messages, which contain some of the samples, and those
that somebody asks for have their own as well; see `stream.wire.detail`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from stream.wire.detail import IN_FULL, DetailLeases
from stream.wire.messages import Forecast, Message
from stream.wire.ward_messages import ShardBatch, ward_forecast

OFFSETS = (12, 24, 36, 48, 60, 72, 84, 96)
"""Samples after the origin that the message of a shard contains, one each 33 ms, up to the horizon."""


class ForecastOutput:
    """Sends forecasts.

    Parameters
    ----------
    send : callable
        Sends a message; never blocks.

    Attributes
    ----------
    beds : int
        Beds of the ward, as far as this process knows.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        self.beds = 0
        self._send = send
        self._detail = DetailLeases()
        self._batches: dict[int, ShardBatch] = {}

    def set_detail(self, bed: str, now_s: float) -> bool:
        """Send a bed in full for a while; return False if there are too many. Times are monotonic."""
        return self._detail.renew(bed, now_s)

    def put(self, forecast: Forecast) -> None:
        """Send a forecast, or keep it for the message of its shard."""
        in_shards = self.beds > IN_FULL
        if in_shards:
            size = len(forecast.mean)
            self._batch(size // (4 * len(forecast.leads))).add(forecast.bed, forecast, 2 * size)
        if not in_shards or forecast.bed in self._detail:
            self._send(forecast)

    def flush(self, now_s: float) -> None:
        """Send the messages of the shards."""
        self._detail.expire(now_s)
        for batch in self._batches.values():
            batch.flush()

    def _batch(self, horizon: int) -> ShardBatch:
        """Return the batch of forecasts of one length."""
        if horizon not in self._batches:
            offsets = tuple(offset for offset in OFFSETS if offset <= horizon) or (horizon,)
            self._batches[horizon] = ShardBatch(partial(ward_forecast, offsets=offsets), self._send)
        return self._batches[horizon]
