"""Features of a lead per stride, and extremes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import sosfilt

from model.signal.arrays import BoolArray, FloatArray
from model.signal.quality_features import (
    BASELINE,
    FEATURES,
    HIGH,
    INVALID,
    LOW,
    MEAN,
    MUSCLE_SOS,
    POWER,
    WINDOW_STRIDES,
    highest,
    lowest,
    push_stride,
)
from stream.timebase import STRIDE

VALUES = st.lists(st.floats(-5, 5), min_size=9, max_size=25).map(np.array)


def push(mv: FloatArray, invalid: BoolArray, lead: int) -> FloatArray:
    """Return the features after whole strides, the first of which begins the epoch."""
    features, state = np.zeros((FEATURES, WINDOW_STRIDES)), np.zeros((len(MUSCLE_SOS), 2))
    for at in range(0, len(mv), STRIDE):
        push_stride(features, state, mv[at : at + STRIDE], invalid[at : at + STRIDE], lead, at == 0)
    return features


@pytest.mark.parametrize("lead", [0, 1])
def test_each_stride_has_its_features(lead: int) -> None:
    rng = np.random.default_rng(0)
    mv, invalid = rng.normal(size=(30 * STRIDE, 2)), rng.random((30 * STRIDE, 2)) < 0.2
    features = push(mv, invalid, lead)
    last = mv[:, lead].reshape(-1, STRIDE)[-WINDOW_STRIDES:]
    muscle = sosfilt(MUSCLE_SOS, mv[:, lead]).reshape(-1, STRIDE)[-WINDOW_STRIDES:]
    np.testing.assert_array_equal(features[HIGH], last.max(axis=1))
    np.testing.assert_array_equal(features[LOW], last.min(axis=1))
    np.testing.assert_array_equal(features[INVALID], invalid[:, lead].reshape(-1, STRIDE)[-WINDOW_STRIDES:].sum(axis=1))
    np.testing.assert_allclose(features[MEAN], last.mean(axis=1), rtol=0, atol=1e-12)
    np.testing.assert_allclose(features[POWER], np.square(muscle).mean(axis=1), rtol=0, atol=1e-12)
    assert features[BASELINE, -1] == pytest.approx(last[-5:].mean(), abs=1e-12)


def test_the_first_stride_is_its_own_history() -> None:
    features = push(np.random.default_rng(0).normal(size=(STRIDE, 1)), np.zeros((STRIDE, 1), np.bool_), 0)
    np.testing.assert_array_equal(features, features[:, -1:].repeat(WINDOW_STRIDES, axis=1))
    assert features[BASELINE, 0] == pytest.approx(features[MEAN, 0], abs=1e-12)


@given(values=VALUES, first=st.integers(0, 8))
def test_extremes_are_those_of_the_last_values(values: FloatArray, first: int) -> None:
    assert highest(values, first) == values[first:].max()
    assert lowest(values, first) == values[first:].min()
