"""Columns and the small functions that kernels share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.signal.arrays import FloatArray
from model.signal.columns import copied, joined, push, row


class Inner(NamedTuple):
    values: FloatArray


class Outer(NamedTuple):
    values: FloatArray
    inner: Inner


def test_a_copy_shares_no_array() -> None:
    state = Outer(np.zeros((1, 2)), Inner(np.zeros(1)))
    other = copied(state)
    other.values[:] = other.inner.values[:] = 1
    assert isinstance(other.inner, Inner)
    assert not state.values.any()
    assert not state.inner.values.any()


def test_slots_are_joined_and_taken_out() -> None:
    parts = [Outer(np.full((n, 2), n), Inner(np.arange(n))) for n in (2, 1)]
    together = joined(parts)
    np.testing.assert_array_equal(together.inner.values, [0, 1, 0])
    second = row(together, 1)
    together.values[:] = together.inner.values[:] = 9
    np.testing.assert_array_equal(second.values, [[2, 2]])
    np.testing.assert_array_equal(second.inner.values, [1])


@given(st.lists(st.floats(-9, 9), max_size=12), st.integers(1, 5))
def test_the_last_values_are_kept_oldest_first(pushed: list[float], size: int) -> None:
    values, count = np.zeros(size), 0
    for value in pushed:
        count = push(values, count, value)
    assert values[:count].tolist() == pushed[-size:]
