"""Operations on small arrays, for compiled loops: those of numpy take numba seconds to compile."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from model.signal.arrays import FloatArray
from model.signal.compiled import compiled, compiled_part


@compiled
def shift(values: npt.NDArray[Any], n: int) -> None:
    """Move the values ``n`` places to the front, shape (k,), in place; the last ``n`` stay and are to be replaced."""
    for i in range(len(values) - n):
        values[i] = values[i + n]


@compiled
def copy(values: npt.NDArray[Any], target: npt.NDArray[Any]) -> None:
    """Copy all values of an array to the first places of another one; both are contiguous, of any shape."""
    source, places = values.reshape(-1), target.reshape(-1)
    for i in range(len(source)):
        places[i] = source[i]


@compiled
def kth_smallest(values: FloatArray, k: int) -> float:
    """Return the value at place ``k`` of the sorted values, from 0 on; reorders ``values`` (Hoare's quickselect)."""
    first, last = 0, len(values) - 1
    while first < last:
        pivot = values[(first + last) // 2]
        i, j = first, last
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
            last = j
        elif k >= i:
            first = i
        else:
            break
    return float(values[k])


@compiled_part
def median(values: FloatArray) -> float:
    """Return the median of at least one value; reorders ``values``."""
    upper = kth_smallest(values, len(values) // 2)
    return upper if len(values) % 2 else (kth_smallest(values, len(values) // 2 - 1) + upper) / 2
