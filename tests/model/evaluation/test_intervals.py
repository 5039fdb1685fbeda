"""Intervals of samples as sets."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.evaluation.intervals import mask, union, widened

INTERVALS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=6)


@given(INTERVALS, INTERVALS)
def test_union_holds_the_samples_of_all_parts_in_order_and_apart(one: list[tuple[int, int]], other: list) -> None:
    merged = union(one, other)
    assert np.array_equal(mask(merged, 60), mask(one, 60) | mask(other, 60))
    assert all(stop < first for (_, stop), (first, _) in itertools.pairwise(merged))


def test_widened_intervals_stay_in_the_record_and_may_join() -> None:
    assert widened([(3, 5), (12, 14)], before=5, after=3) == ((0, 17),)
    assert widened([(3, 5), (12, 14)], before=1, after=1) == ((2, 6), (11, 15))
