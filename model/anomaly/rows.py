"""Rows of past values in front of new ones."""

from __future__ import annotations

import numpy as np

from model.signal.arrays import FloatArray
from model.signal.compiled import compiled_part
from model.signal.small_arrays import copy


@compiled_part
def extended(last: FloatArray, k: int) -> FloatArray:
    """Return the last rows, followed by k rows to be written."""
    rows = np.empty((len(last) + k, *last.shape[1:]))
    copy(last, rows)
    return rows


@compiled_part
def keep_last(last: FloatArray, rows: FloatArray) -> None:
    """Keep the last rows, as many as there is room for."""
    source, target = rows.reshape(-1), last.reshape(-1)
    first = len(source) - len(target)
    for i in range(len(target)):
        target[i] = source[first + i]
