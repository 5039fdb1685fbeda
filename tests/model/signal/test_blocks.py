"""Blocks of half a second, with the first valid sample subtracted."""

from __future__ import annotations

import numpy as np

from model.signal import blocks
from model.signal.blocks import BLOCK, Blocks, BlocksState
from model.signal.intake import strides_of
from stream.timebase import STRIDE


def run(mv: np.ndarray, start: int = 0) -> tuple[Blocks, BlocksState]:
    return blocks.step(blocks.begin(mv.shape[1]), strides_of(mv, start))


def test_a_block_has_five_strides_and_the_remainder_is_kept() -> None:
    mv = np.random.default_rng(0).normal(size=(2 * BLOCK + 3 * STRIDE, 2))
    whole, state = run(mv, start=100)
    assert (whole.start, whole.end) == (100, 100 + 2 * BLOCK)
    np.testing.assert_array_equal(whole.offset, mv[0])
    np.testing.assert_array_equal(whole.mv.reshape(-1, 2), mv[: 2 * BLOCK] - mv[0])
    assert state.collected == 3 * STRIDE
    later, _ = blocks.step(state, strides_of(mv[: 2 * STRIDE], 100 + len(mv)))
    assert (later.start, later.end) == (100 + 2 * BLOCK, 100 + 3 * BLOCK)


def test_gaps_repeat_the_last_valid_sample_and_the_first_is_subtracted() -> None:
    mv = np.arange(2.0 * BLOCK)[:, None] + 5
    mv[:10] = mv[40:50] = np.nan
    whole, _ = run(mv)
    flat = whole.mv.reshape(-1)
    assert whole.offset == [15]
    assert (flat[:10] == 0).all()
    assert (flat[40:50] == 39 + 5 - 15).all()
    assert flat[50] == 50 + 5 - 15
    np.testing.assert_array_equal(whole.invalid.reshape(-1), np.isnan(mv[:, 0]))


def test_a_lead_is_zero_before_its_first_valid_sample() -> None:
    mv = np.full((3 * BLOCK, 2), 2.0)
    mv[: BLOCK + 30, 1] = np.nan
    whole, _ = run(mv)
    assert (whole.mv == 0).all()
    np.testing.assert_array_equal(whole.offset, [2.0, 2.0])


def test_a_lead_without_valid_samples_is_zero() -> None:
    whole, state = run(np.full((2 * BLOCK, 1), np.nan))
    assert whole.mv.shape == (2, BLOCK, 1)
    assert (whole.mv == 0).all()
    assert whole.invalid.all()
    assert np.isnan(state.offset).all()
