"""Operations on small arrays in compiled loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.signal.small_arrays import copy, kth_smallest, shift


@given(
    values=st.lists(st.floats(-5, 5) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=40),
    share=st.floats(0, 1, exclude_max=True),
)
def test_the_kth_smallest_value_is_that_of_the_sorted_values(values: list[float], share: float) -> None:
    k = int(share * len(values))
    reordered = np.array(values)
    assert kth_smallest(reordered, k) == sorted(values)[k]
    assert sorted(reordered) == sorted(values)


def test_shifted_values_keep_their_order() -> None:
    values = np.arange(6.0)
    shift(values, 2)
    assert values[:4].tolist() == [2, 3, 4, 5]
    flags = np.array([False, True, False])
    shift(flags, 1)
    assert flags[:2].tolist() == [True, False]


def test_rows_are_copied_to_the_first_places() -> None:
    rows, target = np.arange(6.0).reshape(3, 2), np.full((5, 2), -1.0)
    copy(rows[1:], target[1:])
    assert target.tolist() == [[-1, -1], [2, 3], [4, 5], [-1, -1], [-1, -1]]
