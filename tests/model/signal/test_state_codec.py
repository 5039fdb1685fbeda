"""Encoding of states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from model.signal.arrays import BoolArray, Float32Array, FloatArray, IntArray
from model.signal.state_codec import pack, unpack
from stream.errors import StorageError


class Columns(NamedTuple):
    end: IntArray
    level: FloatArray
    weight: Float32Array
    usable: BoolArray


@dataclass(frozen=True)
class State:
    name: str
    columns: Columns


STATE = State("bed", Columns(np.arange(3), np.ones((2, 0)), np.ones((1, 2), np.float32), np.array([True, False])))


def test_a_state_is_restored_with_types_and_shapes_and_can_be_changed() -> None:
    restored = unpack(pack(STATE), State)
    assert restored.name == STATE.name
    for array, original in zip(restored.columns, STATE.columns, strict=True):
        assert array.dtype == original.dtype
        assert array.flags.writeable
        assert array.flags.c_contiguous
        np.testing.assert_array_equal(array, original)


@pytest.mark.parametrize(
    "changed",
    [{"end": np.zeros(3)}, {"level": np.arange(3)}, {"level": np.ones(1, np.float32)}, {"usable": np.ones(2)}],
)
def test_an_array_of_another_type_than_declared_is_rejected(changed: dict[str, Any]) -> None:
    data = pack(State("bed", STATE.columns._replace(**changed)))
    with pytest.raises(StorageError, match="damaged"):
        unpack(data, State)


def test_arrays_of_other_types_are_not_encoded() -> None:
    with pytest.raises(TypeError, match="complex128"):
        pack(State("bed", STATE.columns._replace(level=np.ones(1, np.complex128))))
