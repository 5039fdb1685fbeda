"""Columns of many beds: grow, put one bed in, take one out, as bytes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from model.signal import slots
from model.signal.arrays import BoolArray, Float32Array, FloatArray, IntArray


class Inner(NamedTuple):
    flags: BoolArray
    weights: Float32Array


class Outer(NamedTuple):
    count: IntArray
    nothing: FloatArray
    inner: Inner
    samples: FloatArray


def bed(number: int) -> Outer:
    """Return the columns of one bed; the odd number of flags leaves what follows unaligned."""
    rng = np.random.default_rng(number)
    return Outer(
        np.array([number]),
        np.zeros((1, 0)),
        Inner(rng.random((1, 5)) < 0.5, rng.random((1, 2, 3)).astype(np.float32)),
        rng.random((1, 4)),
    )


def assert_equal(one: Outer, other: Outer) -> None:
    for array, expected in zip(slots.arrays(one), slots.arrays(other), strict=True):
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)


def test_a_bed_is_taken_out_as_it_was_put_in() -> None:
    columns = slots.grown(bed(0), 4)
    memory, layout = slots.SlotBytes(columns), slots.layout_of(columns)
    for slot, number in ((2, 7), (1, 9)):
        memory[slot] = slots.SlotBytes(bed(number))[0]
    assert columns.count.tolist() == [0, 9, 7, 0]
    for slot, number in ((0, 0), (2, 7), (1, 9)):
        data = memory[slot]
        assert len(data) == slots.size(layout)
        assert_equal(slots.from_bytes(Outer, layout, data), bed(number))


def test_what_is_read_may_be_changed_and_is_aligned() -> None:
    read = slots.from_bytes(Outer, slots.layout_of(bed(1)), slots.SlotBytes(bed(1))[0])
    for array in slots.arrays(read):
        assert array.flags.writeable
        assert array.flags.aligned
        assert array.flags.c_contiguous


def test_the_layout_names_types_and_shapes() -> None:
    assert slots.layout_of(bed(1)) == "<i8() <f8(0,) |b1(5,) <f4(2,3) <f8(4,)"


@pytest.mark.parametrize("layout", ["<i8() <f8(0,) |b1(5,)", "<i4()", "nonsense", "<f8(x)", "<f8(4"])
def test_bytes_of_another_layout_are_refused(layout: str) -> None:
    with pytest.raises(ValueError, match=r"state|int"):
        slots.from_bytes(Outer, layout, slots.SlotBytes(bed(1))[0])


def test_growing_keeps_the_beds() -> None:
    columns = slots.grown(slots.grown(bed(3), 2), 4)
    assert columns.inner.weights.shape == (4, 2, 3)
    assert_equal(slots.from_bytes(Outer, slots.layout_of(columns), slots.SlotBytes(columns)[0]), bed(3))
