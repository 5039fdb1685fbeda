"""Sorting of columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.anomaly.sorting import network, sort_columns
from model.signal.arrays import FloatArray


@given(arrays(np.float64, (32, 3), elements=st.floats(-1e6, 1e6) | st.just(np.inf)))
def test_each_column_is_sorted(values: FloatArray) -> None:
    found = values.copy()
    sort_columns(found, network(32))
    np.testing.assert_array_equal(found, np.sort(values, axis=0))


@pytest.mark.parametrize("n", [2, 4, 8, 16])
def test_a_network_sorts_all_arrangements_of_two_values(n: int) -> None:
    """By the zero-one principle it then sorts any values."""
    values = (np.arange(2**n) >> np.arange(n)[:, None] & 1).astype(np.float64)
    sort_columns(values, network(n))
    assert (np.diff(values, axis=0) >= 0).all()


def test_a_column_with_unknown_values_leaves_the_others_alone() -> None:
    values = np.random.default_rng(0).normal(size=(8, 2))
    expected = np.sort(values[:, 1])
    values[:, 0] = np.nan
    sort_columns(values, network(8))
    assert np.isnan(values[:, 0]).all()
    np.testing.assert_array_equal(values[:, 1], expected)
