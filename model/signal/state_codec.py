"""Encodes the state of a stage or of a whole bed as MessagePack, and decodes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from stream.errors import StorageError

DAMAGED_STATE = "the saved state of a bed is damaged: delete it, and start the bed again"
"""Error message for a bed state that cannot be decoded."""

DTYPES = ("<f4", "<f8", "<i8", "|b1", "|u1")
"""Array types that a state may contain, as numpy type strings: float32, float64, int64, bool, uint8."""

State = TypeVar("State")


def pack(state: object) -> bytes:
    """Return a state, a dataclass, as MessagePack.

    Raises
    ------
    TypeError
        The state contains an object or an array type that is not supported.
    """
    return msgspec.msgpack.encode(state, enc_hook=_pack_array)


def unpack(data: bytes, kind: type[State]) -> State:
    """Return the state that `pack` encoded.

    Raises
    ------
    StorageError
        The bytes do not contain a state of this kind.
    """
    try:
        return msgspec.msgpack.decode(data, type=kind, dec_hook=_unpack_array)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise StorageError(DAMAGED_STATE) from error


def _pack_array(value: object) -> object:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"a state cannot contain {type(value).__name__}")
    kind = value.dtype.newbyteorder("<").str
    if kind not in DTYPES:
        raise TypeError(f"a state cannot contain arrays of {value.dtype}")
    return kind, value.shape, np.ascontiguousarray(value, kind).tobytes()


def _unpack_array(declared: type, packed: tuple[str, Sequence[int], bytes]) -> npt.NDArray[Any]:
    """Return an array of the type that the state declares, ``NDArray[...]``; another one is an error."""
    kind, shape, data = packed
    (item,) = get_args(get_args(declared)[1])
    if kind != np.dtype(item).newbyteorder("<").str:
        raise ValueError(f"a state contains an array of {kind!r} in place of {item}")
    return np.frombuffer(data, kind).reshape(shape).astype(item)
