"""The beds of a shard whose chunks come together, message after message: their streams in columns.

Nearly every message of a shard continues the one before for all of its beds. `WardRun` only recognizes these beds: the
next chunk of the same publisher, as long as the last one, and nothing in doubt. It moves their streams as
`bed_stream.take` would, without an object per bed. What is not recognized goes through `stream.wire.ordering`, which
has the rules. No sockets.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import numpy.typing as npt

from stream.timebase import FS
from stream.wire.bed_stream import Stream
from stream.wire.continuity import Continuity
from stream.wire.messages import Waveform
from stream.wire.other_writers import CONTEST_NS
from stream.wire.ward_messages import WardEcg

BoolArray = npt.NDArray[np.bool_]

_CONSTANT = (("session", "V16"), ("epoch", "<i8"), ("epoch_start", "<i8"), ("speed", "<f8"))
"""Columns that do not change from one chunk of a bed to the next, and the type of their values."""


class WardRun:
    """The streams of the beds of a shard after one message.

    Parameters
    ----------
    message : WardEcg
        The last message. No bed is in the run yet.

    Attributes
    ----------
    message : WardEcg
    received_ns : int
        Monotonic time in ns at which it was received.
    """

    def __init__(self, message: WardEcg, received_ns: int) -> None:
        self.message = message
        self.received_ns = received_ns
        beds = len(message.names)
        self._seq, self._start = message.integers("seq"), message.integers("start")
        self._n = message.sample_counts().astype(np.int64)
        self._used_ns = np.rint(self._n * 1e9 / (FS * message.speeds())).astype(np.int64)
        self._interval_ns = np.zeros(beds, np.int64)
        self._credit_ns = np.zeros(beds, np.int64)
        self._ends = message.sample_ends()
        self._joined: dict[int, tuple[Waveform, Stream]] = {}

    def join(self, row: int, chunk: Waveform, stream: Stream) -> bool:
        """Let a bed flow in the run, if nothing in its stream is in doubt; its last chunk is that of the message."""
        doubted = stream.released or stream.expected or stream.held or stream.contender or not stream.confirmed
        if doubted or (stream.rival is not None and self.received_ns - stream.rival.last_ns <= CONTEST_NS):
            return False
        self._interval_ns[row], self._credit_ns[row] = stream.interval_ns, stream.credit_ns
        self._joined[row] = chunk, stream
        return True

    def stream(self, row: int) -> Stream:
        """Return the stream of a bed in the run."""
        _, stream = self._joined[row]
        place = stream.place
        return replace(
            stream,
            place=Continuity(place.session, place.epoch, self.seq(row), self.end(row), place.leads),
            received_ns=self.received_ns,
            interval_ns=int(self._interval_ns[row]),
            credit_ns=int(self._credit_ns[row]),
        )

    def chunk(self, row: int) -> Waveform:
        """Return the last chunk of a bed."""
        chunk, _ = self._joined[row]
        return msgspec.structs.replace(
            chunk,
            seq=self.seq(row),
            start=int(self._start[row]),
            t0_ns=int(self.message.integers("t0_ns")[row]),
            position=int(self.message.integers("position")[row]),
            samples=self.message.samples[int(self._ends[row]) - len(chunk.samples) : int(self._ends[row])],
        )

    def seq(self, row: int) -> int:
        """Return the number of the last chunk of a bed."""
        return int(self._seq[row])

    def end(self, row: int) -> int:
        """Return the index after the last sample of a bed."""
        return int(self._start[row]) + int(self._n[row])

    def continued_by(self, message: WardEcg) -> BoolArray:
        """Return which beds a message continues, shape (beds,); none if it is of other beds or sources."""
        last = self.message
        if (message.beds, message.source, message.n) != (last.beds, last.source, last.n):
            return np.zeros(len(self._n), np.bool_)
        if message.sources != last.sources:
            return np.zeros(len(self._n), np.bool_)
        follows: BoolArray = (message.integers("seq") == self._seq + 1) & (
            message.integers("start") == self._start + self._n
        )
        for column, kind in _CONSTANT:
            now, before = getattr(message, column), getattr(last, column)
            if now != before:
                follows &= np.frombuffer(now, kind) == np.frombuffer(before, kind)
        return follows

    def take(self, message: WardEcg, now_ns: int) -> None:
        """Move the streams of all beds in the run behind a message, which continues them."""
        elapsed_ns = max(now_ns - self.received_ns, 0)
        np.maximum(self._interval_ns, elapsed_ns, out=self._interval_ns)
        self._credit_ns += elapsed_ns
        self._credit_ns -= self._used_ns
        np.maximum(self._credit_ns, 0, out=self._credit_ns)
        self.message, self.received_ns = message, max(now_ns, self.received_ns)
        self._seq, self._start = message.integers("seq"), message.integers("start")
