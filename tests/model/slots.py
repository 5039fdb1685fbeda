"""Columns of several beds, for tests of stages that change some slots of them in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from model.signal.batch import Batch, Strides


def joined(states: Sequence[Any], slots: Sequence[int], size: int) -> Any:
    """Return columns with ``size`` slots that hold the state of each bed in its slot, and the first one elsewhere."""
    bed_of = dict(zip(slots, range(len(slots)), strict=True))
    order = [bed_of.get(slot, 0) for slot in range(size)]
    if isinstance(states[0], np.ndarray):
        return np.concatenate([states[bed] for bed in order])
    return type(states[0])(*[joined(parts, slots, size) for parts in zip(*states, strict=True)])


def taken(columns: Any, slot: int) -> Any:
    """Return the columns of one slot."""
    if isinstance(columns, np.ndarray):
        return columns[slot : slot + 1].copy()
    return type(columns)(*[taken(column, slot) for column in columns])


def batch_of(strides: Sequence[Strides], slots: Sequence[int]) -> Batch:
    """Return the strides of some beds, equally many of each, as a batch."""
    return Batch(
        np.array(slots),
        np.array([own.start for own in strides]),
        np.stack([own.mv for own in strides]),
        np.stack([own.invalid for own in strides]),
    )


def cut(strides: Strides, first: int, stop: int) -> Strides:
    """Return some of the samples of strides."""
    return Strides(strides.start + first, strides.mv[first:stop], strides.invalid[first:stop])


def assert_equal(actual: Any, expected: Any) -> None:
    """Fail unless two columns are equal."""
    if isinstance(actual, np.ndarray):
        np.testing.assert_array_equal(actual, expected)
        return
    for own, other in zip(actual, expected, strict=True):
        assert_equal(own, other)
