"""The state of a stage, or of a whole bed, as MessagePack, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from stream.errors import StorageError

DAMAGED_STATE = "the saved state of a bed is damaged: delete it and let the bed start anew"
"""Text of the error for any part of a bed's state that does not load."""

KINDS = ("<f4", "<f8", "|b1")
"""Arrays that a state may hold, as numpy names their types: float32, float64, bool."""

State = TypeVar("State")


def pack(state: object) -> bytes:
    """Return a state, a dataclass, as MessagePack."""
    return msgspec.msgpack.encode(state, enc_hook=_pack_array)


def unpack(data: bytes, kind: type[State]) -> State:
    """Return the state that `pack` wrote.

    Raises
    ------
    StorageError
        The bytes are no such state.
    """
    try:
        return msgspec.msgpack.decode(data, type=kind, dec_hook=_unpack_array)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise StorageError(DAMAGED_STATE) from error


def _pack_array(value: object) -> object:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} is no part of the state")
    kind = value.dtype.newbyteorder("<").str
    if kind not in KINDS:
        raise TypeError(f"arrays of {value.dtype} are no part of the state")
    return kind, value.shape, np.ascontiguousarray(value, kind).tobytes()


def _unpack_array(_: type, packed: tuple[str, Sequence[int], bytes]) -> npt.NDArray[Any]:
    kind, shape, data = packed
    if kind not in KINDS:
        raise ValueError(f"arrays of {kind!r} are no part of the state")
    return np.frombuffer(data, kind).reshape(shape).astype(np.dtype(kind).newbyteorder("="))
