"""Conversion of chunks to whole strides on the epoch's grid, with gaps filled from earlier samples."""

from __future__ import annotations

import numpy as np
import pytest

from model.signal import intake
from model.signal.intake import strides_of
from stream.timebase import STRIDE


def test_strides_lie_on_the_grid_of_the_epoch() -> None:
    mv = np.arange(200.0)[:, None]
    state = intake.begin(1, start=1001, epoch_start=5)
    assert state.next_stride == 1013
    strides, state = intake.step(state, mv[:7])
    assert (len(strides.mv), state.end, state.next_stride) == (0, 1008, 1013)
    strides, state = intake.step(state, mv[7:])
    assert (strides.start, strides.end) == (1013, 1013 + 5 * STRIDE)
    assert list(strides.last_samples) == list(range(1013 + 35, 1201, STRIDE))
    np.testing.assert_array_equal(strides.mv, mv[12:192])
    assert (state.end, state.next_stride, state.collected) == (1201, 1193, 8)


def test_invalid_samples_repeat_the_last_valid_one_and_are_marked() -> None:
    mv = np.arange(72.0)[:, None] + 5
    mv[:10] = mv[30:40] = np.nan
    mv[50] = np.inf
    strides = strides_of(mv)
    flat = strides.mv[:, 0]
    assert (flat[:10] == 0).all()
    assert (flat[30:40] == 29 + 5).all()
    assert flat[50] == 49 + 5
    assert flat[51] == 51 + 5
    np.testing.assert_array_equal(strides.invalid, ~np.isfinite(mv))


def test_a_gap_across_two_chunks_is_filled() -> None:
    state = intake.begin(2, 0, 0)
    chunk = np.tile([3.0, 4.0], (STRIDE, 1))
    _, state = intake.step(state, chunk)
    chunk = np.full((STRIDE, 2), np.nan)
    chunk[20:, 0] = 7.0
    strides, _ = intake.step(state, chunk)
    assert (strides.mv[:20] == [3.0, 4.0]).all()
    assert (strides.mv[20:] == [7.0, 4.0]).all()
    assert strides.invalid.sum() == 20 + STRIDE


def test_an_incomplete_stride_is_kept() -> None:
    strides, state = intake.step(intake.begin(1, 0, 0), np.ones((STRIDE - 1, 1)))
    assert len(strides.mv) == 0
    strides, _ = intake.step(state, np.ones((1, 1)))
    assert len(strides.mv) == STRIDE


@pytest.mark.parametrize("shape", [(36,), (36, 1), (36, 3), (36, 2, 1)])
def test_a_chunk_of_wrong_shape_is_rejected(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"does not fit a bed with 2 leads"):
        intake.step(intake.begin(2, 0, 0), np.zeros(shape))


def test_the_last_incomplete_stride_is_completed_with_invalid_samples() -> None:
    _, state = intake.step(intake.begin(1, 100, 100), np.ones((STRIDE + 10, 1)))
    last = intake.complete(state)
    assert (last.start, last.end) == (100 + STRIDE, 100 + 2 * STRIDE)
    assert (last.mv == 1).all()
    assert last.invalid.sum() == STRIDE - 10
    assert last.invalid[10:].all()


@pytest.mark.parametrize(("start", "n"), [(100, STRIDE), (100, 0), (101, 10)])
def test_nothing_is_completed_where_nothing_is_incomplete(start: int, n: int) -> None:
    _, state = intake.step(intake.begin(2, start, 100), np.ones((n, 2)))
    assert intake.complete(state).mv.shape == (0, 2)
