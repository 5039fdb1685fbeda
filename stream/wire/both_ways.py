"""Chunks of ECG that come in the messages of a ward, on the topic of their bed, or both ways: each is taken once.

A bed that flows both ways sends each chunk twice. The second copy is dropped here, before `stream.wire.ordering` would
count it as a duplicate; a chunk that comes twice the same way is none, and goes on. A copy agrees in all that the order
depends on. Either way alone is complete, so a bed may change from one to the other at any moment, and a chunk that is
lost one way is taken from the other. No sockets.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, Self

from stream.wire.messages import Waveform
from stream.wire.shard import Shard, ward_shard
from stream.wire.ward_messages import Beds, WardEcg, names_of

KEPT = 64
"""Chunks of a bed, and messages of a shard, in which a copy is recognized."""

MAX_BEDS = 1024
"""Beds whose chunks from their own topics are kept, the latest ones: more than flow both ways."""


MAX_KEPT_BYTES = 1024 * 1024
"""Size of what is kept of the messages of a shard; the oldest are dropped."""


class BothWays:
    """What has come recently, one way and the other."""

    def __init__(self) -> None:
        self._own: OrderedDict[str, deque[tuple[object, ...]]] = OrderedDict()
        self._shards: dict[int, deque[_Tick]] = {}
        self._sizes: Counter[int] = Counter()

    def is_copy(self, chunk: Waveform) -> bool:
        """Return whether a chunk from its bed's own topic came in a message of its shard before."""
        identity = _identity(chunk)
        own = self._own.get(chunk.bed)
        if own is None:
            own = self._own[chunk.bed] = deque(maxlen=KEPT)
            if len(self._own) > MAX_BEDS:
                self._own.popitem(last=False)
        repeated = identity in own
        if not repeated:
            own.append(identity)
        ticks = self._shards.get(ward_shard(chunk.bed), ())
        return not repeated and any(tick.has(chunk) for tick in reversed(ticks))

    def chunks(self, message: WardEcg, wanted: Beds) -> Iterator[Waveform]:
        """Yield the chunks of some beds, without those that came on their own topics before."""
        return message.chunks_at(self.rows(message, wanted))

    def rows(self, message: WardEcg, wanted: Beds) -> list[int]:
        """Return the rows of the chunks of some beds, without those that came on their own topics before."""
        ticks = self._shards.setdefault(message.shard, deque())
        tick = _Tick.of(message)
        repeated = tick in ticks
        if not repeated:
            ticks.append(tick)
            self._sizes[message.shard] += tick.size
            while len(ticks) > KEPT or (len(ticks) > 1 and self._sizes[message.shard] > MAX_KEPT_BYTES):
                self._sizes[message.shard] -= ticks.popleft().size
        names = message.names
        if isinstance(wanted, Shard):
            rows = list(_rows_of_shard(message.beds, message.shard, wanted))
        else:
            rows = [row for row, name in enumerate(names) if name in wanted]
        if repeated or self._own.keys().isdisjoint(names):
            return rows
        own = [row for row in rows if names[row] in self._own]
        copies = {
            row
            for row, chunk in zip(own, message.chunks_at(own), strict=True)
            if _identity(chunk) in self._own[chunk.bed]
        }
        return [row for row in rows if row not in copies]


class WardChunks(NamedTuple):
    """Chunks of a message of a shard that are to be processed.

    Attributes
    ----------
    message : WardEcg
    rows : sequence of int
        Places of these chunks in the columns of the message.
    """

    message: WardEcg
    rows: Sequence[int]


class _Tick(NamedTuple):
    """What `_identity` needs of all chunks in a message of a shard, without their samples."""

    seq: bytes
    start: bytes
    epoch: bytes
    session: bytes
    n: bytes
    speed: bytes
    source: bytes
    beds: str
    shard: int
    leads: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, message: WardEcg) -> Self:
        """Return the tick of a message."""
        leads = tuple([source.leads for source in message.sources])
        columns = (message.seq, message.start, message.epoch, message.session, message.n, message.speed, message.source)
        return cls(*columns, message.beds, message.shard, leads)

    @property
    def size(self) -> int:
        """About the bytes that it takes."""
        return 8 * len(self.seq) + 256 * len(self.leads)

    def has(self, chunk: Waveform) -> bool:
        """Return whether the message contained a chunk."""
        i = _places(self.beds, self.shard).get(chunk.bed)
        if i is None or int.from_bytes(self.seq[8 * i : 8 * i + 8], "little") != chunk.seq:
            return False
        start, epoch = (int.from_bytes(column[8 * i : 8 * i + 8], "little") for column in (self.start, self.epoch))
        n, source = (int.from_bytes(column[2 * i : 2 * i + 2], "little") for column in (self.n, self.source))
        [speed] = struct.unpack_from("<d", self.speed, 8 * i)
        session = self.session[16 * i : 16 * i + 16].hex()
        return _identity(chunk) == (session, epoch, chunk.seq, start, n, self.leads[source], speed)


@lru_cache(1024)
def _rows_of_shard(beds: str, shard: int, wanted: Shard) -> tuple[int, ...]:
    """Return the places of the beds of a worker's shard in a message; the same beds come with each tick."""
    return tuple(row for row, name in enumerate(names_of(beds, shard)) if name in wanted)


@lru_cache(1024)
def _places(beds: str, shard: int) -> dict[str, int]:
    """Return the place of each bed in a message."""
    return {name: place for place, name in enumerate(names_of(beds, shard))}


def _identity(chunk: Waveform) -> tuple[object, ...]:
    """Return what the order of chunks depends on."""
    return chunk.session, chunk.epoch, chunk.seq, chunk.start, chunk.n, chunk.leads, chunk.speed
