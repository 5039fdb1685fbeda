"""Where a forecast goes: on the topic of its bed, in the message of its shard, or both.

Up to `IN_FULL` beds each bed has its own; above, the beds share messages, which contain some of the samples, and those
that somebody asks for have their own as well; see `stream.wire.detail`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from model.anomaly.state import DEFAULT_CONFIG
from model.forecast.personal_forecast import OFFSETS
from model.pipeline.stride_forecasts import GroupForecasts
from model.serving.bed import Bed
from model.serving.output_messages import forecast_message
from stream.timebase import FS
from stream.wire.detail import IN_FULL, DetailLeases
from stream.wire.messages import Message
from stream.wire.shard import ward_shard
from stream.wire.ward_batches import BED_BYTES, ForecastRows, ward_forecast
from stream.wire.ward_messages import MAX_WARD_BYTES

SHARED = range(24, FS + 1, 24)
"""Samples after the origin that the message of a shard contains, one each 67 ms of a second."""

_ROWS = [OFFSETS.index(offset) for offset in SHARED]


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
        self._now_ns = 0
        self._rows: dict[int, list[ForecastRows]] = defaultdict(list)
        self._bytes: dict[int, int] = defaultdict(int)

    def set_detail(self, bed: str, now_s: float) -> bool:
        """Send a bed in full for a while; return False if there are too many. Times are monotonic."""
        return self._detail.renew(bed, now_s)

    def in_full(self, bed: str) -> bool:
        """Return whether a bed is sent in full: its ward is not large, or somebody asks for it."""
        return self.beds <= IN_FULL or bed in self._detail

    def put(self, beds: Sequence[Bed], made: GroupForecasts, now_ns: int) -> None:
        """Send the forecasts of the last chunks of some beds, or keep them for the messages of their shards.

        Parameters
        ----------
        beds : sequence of Bed
        made : GroupForecasts
            Row i is of ``beds[i]``.
        now_ns : int
            Unix time in ns.
        """
        in_shards = self.beds > IN_FULL
        if in_shards:
            self._keep(beds, made, now_ns)
        if in_shards and not len(self._detail):
            return
        for bed, forecasts in zip(beds, made.of_beds(), strict=True):
            if not in_shards or bed.name in self._detail:
                for forecast in forecasts:
                    self._send(forecast_message(bed, forecast, now_ns))

    def _keep(self, beds: Sequence[Bed], made: GroupForecasts, now_ns: int) -> None:
        self._now_ns = now_ns
        mean, scale = made.personal_mean[:, :, _ROWS], made.personal_scale[:, :, _ROWS]
        _, strides, _, leads = mean.shape
        bed_bytes = BED_BYTES + 8 * len(SHARED) * leads
        most = MAX_WARD_BYTES // bed_bytes
        shards: dict[int, list[int]] = defaultdict(list)
        for number, bed in enumerate(beds):
            shards[ward_shard(bed.name)].append(number)
        for stride in range(strides):
            for shard, members in shards.items():
                if stride:  # a bed is in a message once
                    self._send_rows(shard)
                for first in range(0, len(members), most):
                    own = members[first : first + most]
                    if self._bytes[shard] + len(own) * bed_bytes > MAX_WARD_BYTES:
                        self._send_rows(shard)
                    self._bytes[shard] += len(own) * bed_bytes
                    some = [beds[number] for number in own]
                    self._rows[shard].append(
                        ForecastRows(
                            beds=[bed.name for bed in some],
                            sessions=[bed.session for bed in some],
                            epoch=[bed.own_chunk.epoch for bed in some],
                            seq=[bed.seq for bed in some],
                            leads=[bed.own_chunk.analysed for bed in some],
                            lease=[bed.lease for bed in some],
                            origin=made.origin[own, stride],
                            mean=mean[own, stride],
                            scale=scale[own, stride],
                            score=made.score[own, stride],
                        )
                    )

    def flush(self, now_s: float) -> None:
        """Send the messages of the shards."""
        self._detail.expire(now_s)
        for shard in list(self._rows):
            self._send_rows(shard)

    def _send_rows(self, shard: int) -> None:
        self._bytes.pop(shard, None)
        rows = self._rows.pop(shard, [])
        if rows:
            self._send(ward_forecast(shard, rows, tuple(SHARED), DEFAULT_CONFIG.threshold, self._now_ns))
