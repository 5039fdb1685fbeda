"""Columns and the small functions that kernels share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.signal.arrays import FloatArray
from model.signal.columns import copied, push


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


@given(st.lists(st.floats(-9, 9), max_size=12), st.integers(1, 5))
def test_the_last_values_are_kept_oldest_first(pushed: list[float], size: int) -> None:
    values, count = np.zeros(size), 0
    for value in pushed:
        count = push(values, count, value)
    assert values[:count].tolist() == pushed[-size:]
