"""Filling of invalid samples."""

import numpy as np

from model.physiology.gaps import filled


def test_an_invalid_sample_repeats_the_last_valid_one_and_the_first_ones_the_next() -> None:
    values, invalid = filled(np.array([np.nan, 2.0, np.nan, np.nan, 5.0]))
    np.testing.assert_array_equal(values, [2, 2, 2, 2, 5])
    np.testing.assert_array_equal(invalid, [True, False, True, True, False])


def test_without_a_valid_sample_nothing_is_invented() -> None:
    values, invalid = filled(np.full(3, np.nan))
    assert np.isnan(values).all()
    assert invalid.all()
