"""Which beds a worker serves when several share a broker: a bed belongs to one shard, by a hash of its name.

Each worker announces its shard in the status of its process. Two workers compete if a bed can belong to both shards.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import lru_cache

from stream.errors import UsageError

MAX_SHARDS = 256
"""Largest number of shards."""

WARD_SHARDS = 24
"""Shards of the topics ``_/ward/{shard}/…``, the same for all wards: with 1,000 beds, a message contains about 42. If N
divides 24 (1, 2, 3, 4, 6, 8, 12, 24), each of N worker processes reads its own topics and no others."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The beds whose names have the CRC-32 ``index`` modulo ``count``; ``bed in shard`` tells.

    CRC-32 is the same in every language and version, and spreads names that differ in a number evenly: of 64 beds
    ``bed-1`` to ``bed-64``, no one of 4 shards has more than 17. Two shards of different counts have beds in common
    unless their indices differ modulo the greatest common divisor of the counts (Chinese remainder theorem).

    Attributes
    ----------
    index : int
        From 0 to ``count - 1``.
    count : int
        Number of shards.

    Raises
    ------
    UsageError
        There is no such shard.
    """

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not (1 <= self.count <= MAX_SHARDS and 0 <= self.index < self.count):
            raise UsageError(f"shard {self} does not exist: use at most {MAX_SHARDS}, numbered from 0")

    def __contains__(self, bed: str) -> bool:
        return self.count == 1 or zlib.crc32(bed.encode()) % self.count == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def overlaps(self, other: Shard) -> bool:
        """Return whether a bed can belong to both shards."""
        return (self.index - other.index) % math.gcd(self.count, other.count) == 0


@lru_cache(16_384)
def ward_shard(bed: str) -> int:
    """Return the number of a bed's shard among the topics of a ward."""
    return zlib.crc32(bed.encode()) % WARD_SHARDS


def ward_shards(shard: Shard) -> tuple[int, ...]:
    """Return the shards of the topics of a ward that can contain beds of a worker's shard."""
    return tuple(number for number in range(WARD_SHARDS) if Shard(number, WARD_SHARDS).overlaps(shard))


ALL_BEDS = Shard()
"""The only shard of a worker that shares its broker with no other."""
