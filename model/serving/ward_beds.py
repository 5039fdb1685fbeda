"""The beds that flow in the runs of their shards: which of them a message continues, and which may join.

A bed is in a run while nothing is to be decided about it; see `stream.wire.ward_run`. Anything else takes it out, for
at least one chunk, and `stream.wire.ordering` and `model.serving.next_chunk` decide.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from model.serving.bed import Bed
from stream.wire.both_ways import WardChunks
from stream.wire.messages import Waveform
from stream.wire.millivolts import WardScale
from stream.wire.ward_messages import WardEcg
from stream.wire.ward_run import WardRun


class _Members:
    """A run, its beds by their place in it, and how its samples are converted."""

    def __init__(self, message: WardEcg, now_ns: int) -> None:
        self.run = WardRun(message, now_ns)
        self.beds: dict[int, Bed] = {}
        self.scale = WardScale(message)


class WardBeds:
    """The runs of all shards."""

    def __init__(self) -> None:
        self._shards: dict[int, _Members] = {}

    def take(self, chunks: WardChunks, now_ns: int) -> tuple[list[Bed], list[npt.NDArray[np.float64]], list[int]]:
        """Make the chunks that continue the run of their shard the last ones of their beds.

        Returns
        -------
        list of Bed, list of ndarray of float64, shape (n, leads), mV
            The beds, and the samples of their chunks.
        list of int
            Places of the other chunks, about which nothing is decided.
        """
        message, rows = chunks
        members = self._shards.get(message.shard)
        if members is None:
            return [], [], list(rows)
        run, beds = members.run, members.beds
        follows, wanted = run.continued_by(message).tolist(), set(rows)
        taken = [
            row for row, bed in beds.items() if follows[row] and row in wanted and bed.run is run and _is_usual(bed)
        ]
        if len(taken) < len(beds):
            for row in beds.keys() - set(taken):
                bed = beds.pop(row)
                if bed.run is run:
                    bed.leave_run()
        if not taken:
            del self._shards[message.shard]
            return [], [], list(rows)
        run.take(message, now_ns)
        return (
            [beds[row] for row in taken],
            members.scale.millivolts(message.samples, taken),
            sorted(wanted - set(taken)),
        )

    def join(
        self, message: WardEcg, chunks: Iterable[tuple[int, Waveform]], beds: Iterable[Bed | None], now_ns: int
    ) -> None:
        """Let beds flow in the run of their shard from now on.

        Parameters
        ----------
        message : WardEcg
            The last message of the shard.
        chunks : iterable of (int, Waveform)
            Chunks of the message that were decided one by one, and their places.
        beds : iterable of Bed or None
            The bed of each; None if it is not served.
        now_ns : int
        """
        members = self._shards.get(message.shard)
        if members is None or members.run.message is not message:
            members = _Members(message, now_ns)
        for (row, chunk), bed in zip(chunks, beds, strict=True):
            if bed is None or bed.run is not None or bed.own_chunk is not chunk or not _is_usual(bed):
                continue
            if members.run.join(row, chunk, bed.own_stream):
                members.beds[row], bed.run, bed.row = bed, members.run, row
        if members.beds:
            self._shards[message.shard] = members


def _is_usual(bed: Bed) -> bool:
    """Return whether the next chunk of a bed changes nothing but its position."""
    return not (bed.silent or bed.ended or bed.restored or bed.contested or bed.paused_until_ns)
