"""The grid of blocks of patches, counted from the start of an epoch."""

from __future__ import annotations

from collections.abc import Iterator


def split_at_blocks(block: int, first: int, k: int) -> Iterator[tuple[int, int, bool]]:
    """Split k rows, the first of which is patch ``first``, at the ends of blocks.

    Yields
    ------
    int, int, bool
        First row and end (exclusive) of each part, and whether a block ends with it.
    """
    begins = 0
    while begins < k:
        ends = min(k, begins + block - (first + begins) % block)
        yield begins, ends, (first + ends) % block == 0
        begins = ends
