"""Slots: the columns of many beds, into which the columns of one bed are put, and from which they are taken.

Columns are a NamedTuple of arrays, or of further ones, whose first axis is the slots. Those of one bed have one slot;
as bytes, they are its arrays one after the other, and a layout names their types and shapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from math import prod
from typing import Any, TypeVar, get_type_hints

import numpy as np
import numpy.typing as npt

from model.signal.columns import Columns

Kind = TypeVar("Kind")
Array = npt.NDArray[Any]


def arrays(columns: tuple[Any, ...]) -> list[Array]:
    """Return all arrays of columns, in order."""
    found: list[Array] = []
    for part in columns:
        found.extend([part] if isinstance(part, np.ndarray) else arrays(part))
    return found


def from_arrays(kind: type[Kind], values: Iterable[Array]) -> Kind:
    """Return columns of a kind, a NamedTuple, from all their arrays; the inverse of `arrays`."""
    built: Kind = _built(kind, iter(values))
    return built


def _built(kind: Any, values: Iterator[Array]) -> Any:
    return kind(*[_built(part, values) if part is not None else next(values) for part in _parts(kind)])


@cache
def _parts(kind: Any) -> tuple[Any, ...]:
    """Return the kind of each field of a NamedTuple; None for an array."""
    hints = get_type_hints(kind).values()
    return tuple(hint if isinstance(hint, type) and issubclass(hint, tuple) else None for hint in hints)


def grown(columns: Columns, slots: int) -> Columns:
    """Return a copy with more slots; the new ones are 0."""
    copies = []
    for old in arrays(columns):
        new = np.zeros((slots, *old.shape[1:]), old.dtype)
        new[: len(old)] = old
        copies.append(new)
    return from_arrays(type(columns), copies)


def layout_of(columns: tuple[Any, ...]) -> str:
    """Return the types and shapes of one slot, such as ``<f8(36, 2) <i8()``."""
    return " ".join(f"{array.dtype.str}{array.shape[1:]}".replace(", ", ",") for array in arrays(columns))


class SlotBytes:
    """The bytes of each slot of columns, which are read and written through their memory.

    Parameters
    ----------
    columns : NamedTuple
        Contiguous.
    """

    def __init__(self, columns: tuple[Any, ...]) -> None:
        parts = [array for array in arrays(columns) if array.size]
        self._parts = [(array.data.cast("B"), array.nbytes // len(array)) for array in parts]

    def __getitem__(self, slot: int) -> bytes:
        return b"".join([memory[slot * size : (slot + 1) * size] for memory, size in self._parts])

    def __setitem__(self, slot: int, data: bytes) -> None:
        offset, given = 0, memoryview(data)
        for memory, size in self._parts:
            memory[slot * size : (slot + 1) * size] = given[offset : offset + size]
            offset += size


def from_bytes(kind: type[Kind], layout: str, data: bytes) -> Kind:
    """Return the columns of one slot from its layout and its bytes.

    Raises
    ------
    ValueError
        The bytes do not have the length of the layout.
    """
    if len(data) != size(layout):
        raise ValueError(f"{len(data)} bytes of a state; expected {size(layout)}")
    found, offset = [], 0
    for dtype, shape in _parsed(layout):
        count = prod(shape)
        found.append(np.frombuffer(data, dtype, count, offset).reshape(1, *shape).copy())  # aligned
        offset += count * dtype.itemsize
    return from_arrays(kind, found)


@cache
def size(layout: str) -> int:
    """Return the number of bytes of one slot.

    Raises
    ------
    ValueError
        It is not a layout.
    """
    return sum(kind.itemsize * prod(shape) for kind, shape in _parsed(layout))


@cache
def _parsed(layout: str) -> tuple[tuple[np.dtype[Any], tuple[int, ...]], ...]:
    parts = []
    for part in layout.split():
        kind, _, shape = part.rstrip(")").partition("(")
        if kind not in ("<f4", "<f8", "<i8", "|u1", "|b1"):
            raise ValueError(f"a state cannot contain arrays of {kind!r}")
        parts.append((np.dtype(kind), tuple(int(n) for n in shape.split(",") if n)))
    return tuple(parts)
