"""The grid of blocks of patches, counted from the start of an epoch."""

from __future__ import annotations

from collections.abc import Iterator

BLOCK = 90
"""Patches per block, one second: the interval to which the probability of a score refers. What is normal for a patient
is learnt from one value per block."""


def split_at_blocks(first: int, k: int) -> Iterator[tuple[int, int]]:
    """Split k rows, the first of which is patch ``first``, at the ends of blocks.

    Yields
    ------
    int, int
        First row and end (exclusive) of each part.
    """
    begins = 0
    while begins < k:
        ends = min(k, begins + BLOCK - (first + begins) % BLOCK)
        yield begins, ends
        begins = ends
