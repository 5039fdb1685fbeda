"""A consumer of a bed's stream, driven chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stream.wire.bed_stream import Stream, Taken
from stream.wire.messages import Waveform
from stream.wire.ordering import receive
from stream.wire.other_writers import is_contested
from tests.waveforms import SESSION, chunk

N = 36
"""Samples per chunk."""

CHUNK_NS = 100_000_000
OTHER = "f" * 32


@dataclass
class Consumer:
    """Processes chunks, one per 100 ms unless another time is given."""

    stream: Stream | None = None
    now_ns: int = 1_000_000_000
    taken: list[Taken] = field(default_factory=list)
    refused: list[Waveform] = field(default_factory=list)
    duplicates: int = 0

    def receive(self, *chunks: Waveform, every_ns: int = CHUNK_NS) -> Consumer:
        for one in chunks:
            self.now_ns += every_ns
            arrival, self.stream = receive(self.stream, one, self.now_ns)
            self.taken += arrival.taken
            self.refused += arrival.refused
            self.duplicates += arrival.duplicate
        return self

    def seqs(self, *seqs: int, **changes: Any) -> Consumer:
        return self.receive(*(chunk(seq, N, **changes) for seq in seqs))

    def served(self, session: str = SESSION) -> list[int]:
        return [one.chunk.seq for one in self.taken if one.chunk.session == session]

    @property
    def lost(self) -> int:
        return sum(one.check.lost_samples for one in self.taken)

    @property
    def contested(self) -> bool:
        assert self.stream is not None
        return is_contested(self.stream, self.now_ns)
