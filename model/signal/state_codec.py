"""A state whose arrays are of float32 or float64, as MessagePack, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from stream.errors import StorageError

DAMAGED_STATE = "the saved state of a bed is damaged: delete it and let the bed start anew"
"""What is said of any part of a bed's state that does not load."""

State = TypeVar("State")


def pack(state: object) -> bytes:
    """Return a state, a dataclass whose arrays are of float32 or float64, as MessagePack."""
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
    kind = "<f4" if value.dtype == np.float32 else "<f8"
    return kind, value.shape, np.ascontiguousarray(value, kind).tobytes()


def _unpack_array(_: type, packed: tuple[str, Sequence[int], bytes]) -> npt.NDArray[np.floating]:
    kind, shape, data = packed
    if kind not in ("<f4", "<f8"):
        raise ValueError(f"arrays of {kind!r} are no part of the state")
    return np.frombuffer(data, kind).reshape(shape).astype(np.float32 if kind == "<f4" else np.float64)
