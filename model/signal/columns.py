"""Columns: the state of a stage as a NamedTuple of arrays, or of further ones, whose first axis is the beds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from model.signal.compiled import compiled
from model.signal.small_arrays import shift

Columns = TypeVar("Columns", bound=tuple[Any, ...])


def copied(columns: Columns) -> Columns:
    """Return a copy that a kernel can change in place."""
    return each(np.copy, columns)


def row(columns: Columns, slot: int) -> Columns:
    """Return a copy of one slot, as columns of one slot."""
    return each(lambda column: column[slot : slot + 1].copy(), columns)


def each(change: Callable[[npt.NDArray[Any]], npt.NDArray[Any]], columns: Columns) -> Columns:
    """Return columns with each array replaced by what a function makes of it."""
    kind: Any = type(columns)
    return kind(*[change(column) if isinstance(column, np.ndarray) else each(change, column) for column in columns])  # type: ignore[no-any-return]


def joined(parts: Sequence[Columns]) -> Columns:
    """Return the slots of all parts in one, in order."""
    kind: Any = type(parts[0])
    groups = zip(*parts, strict=True)
    return kind(*[np.concatenate(group) if isinstance(group[0], np.ndarray) else joined(group) for group in groups])  # type: ignore[no-any-return]


def put(columns: tuple[Any, ...], slot: int, one: tuple[Any, ...]) -> None:
    """Put columns of one slot into a slot, in place."""
    for column, value in zip(columns, one, strict=True):
        if isinstance(column, np.ndarray):
            column[slot] = value[0]
        else:
            put(column, slot, value)


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
