"""Sorting of many short columns at once, by a network of comparisons that do not depend on the values."""

from __future__ import annotations

import numpy as np

from model.signal.arrays import FloatArray, IntArray
from model.signal.compiled import compiled


def network(n: int) -> IntArray:
    """Return Batcher's odd-even merge sort of n values, a power of 2: pairs (low, high) to be put in order, in turn.

    Source: K. E. Batcher, Sorting networks and their applications, AFIPS 1968; Knuth, The Art of Computer Programming,
    vol. 3, algorithm 5.2.2M.
    """
    pairs = []
    size = 1
    while size < n:
        step = size
        while step:
            for low in range(step % size, n - step, 2 * step):
                for i in range(low, min(low + step, n - step)):
                    if i // (2 * size) == (i + step) // (2 * size):
                        pairs.append((i, i + step))
            step //= 2
        size *= 2
    return np.array(pairs, dtype=np.int64)


@compiled
def sort_columns(values: FloatArray, pairs: IntArray) -> None:
    """Sort each column of ``values``, shape (n, columns), in place; ``pairs`` is the network for n.

    The inner loop over the columns has no branches, so the processor compares several columns at once.
    """
    for pair in range(len(pairs)):
        low, high = values[pairs[pair, 0]], values[pairs[pair, 1]]
        for column in range(values.shape[1]):
            a, b = low[column], high[column]
            low[column] = a if a < b else b
            high[column] = b if a < b else a
