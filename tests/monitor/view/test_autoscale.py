"""Amplitude ranges contain the trace and change rarely."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.view.autoscale import MIN_RANGE_MV, adapt_range, fit_range

samples = st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=50).map(lambda v: np.array(v, np.float32))


@given(mv=samples)
def test_the_range_contains_every_sample(mv: np.ndarray) -> None:
    low, high = fit_range(mv)
    assert low < mv.min()
    assert mv.max() < high
    assert high - low >= MIN_RANGE_MV


@given(first=samples, then=samples, at_wrap=st.booleans())
def test_no_sample_is_clipped(first: np.ndarray, then: np.ndarray, at_wrap: bool) -> None:
    low, high = adapt_range(fit_range(first), then, at_wrap)
    assert low <= then.min()
    assert then.max() <= high


def test_the_range_shrinks_only_at_the_wrap() -> None:
    quiet = np.array([-0.5, 0.5], np.float32)
    assert adapt_range((-5.0, 5.0), quiet, at_wrap=False) == (-5.0, 5.0)
    assert adapt_range((-5.0, 5.0), quiet, at_wrap=True) == fit_range(quiet)


def test_a_gap_does_not_change_the_range() -> None:
    nothing = np.full(4, np.nan, np.float32)
    assert adapt_range(None, nothing, at_wrap=True) is None
    assert adapt_range((-1.0, 2.0), nothing, at_wrap=True) == (-1.0, 2.0)
