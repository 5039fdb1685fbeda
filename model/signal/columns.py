"""Columns: the state of a stage as a NamedTuple of arrays, or of further ones, whose first axis is the beds."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from model.signal.arrays import FloatArray
from model.signal.compiled import compiled

Columns = TypeVar("Columns", bound=tuple[Any, ...])


def copied(columns: Columns) -> Columns:
    """Return a copy that a kernel can change in place."""
    kind: Any = type(columns)
    return kind(*[column.copy() if isinstance(column, np.ndarray) else copied(column) for column in columns])  # type: ignore[no-any-return]


@compiled
def push(values: Any, count: int, value: Any) -> int:
    """Append a value to the last ones, oldest first; in place.

    Parameters
    ----------
    values : ndarray, shape (n, ...)
        The first ``count`` are known. If all are, the oldest one is dropped.
    count : int
    value : number or ndarray, shape (...)

    Returns
    -------
    int
        The new count.
    """
    if count < len(values):
        values[count] = value
        return count + 1
    for i in range(len(values) - 1):
        values[i] = values[i + 1]
    values[-1] = value
    return count


@compiled
def kth_smallest(values: FloatArray, k: int) -> float:
    """Return the value that would be at position ``k`` if the values were sorted (Hoare's quickselect)."""
    values = values.copy()
    low, high = 0, len(values) - 1
    while low < high:
        pivot, i, j = values[(low + high) // 2], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return float(values[k])
