"""Columns: the state of a stage as a NamedTuple of arrays, or of further ones, whose first axis is the beds."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from model.signal.compiled import compiled
from model.signal.small_arrays import shift

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
    values : ndarray, shape (n,)
        The first ``count`` are known. If all are, the oldest one is dropped.
    count : int
    value : int or float

    Returns
    -------
    int
        The new count.
    """
    if count < len(values):
        values[count] = value
        return count + 1
    shift(values, 1)
    values[-1] = value
    return count
