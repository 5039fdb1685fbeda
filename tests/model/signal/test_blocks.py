"""Blocks of half a second, with the first valid sample subtracted."""

from __future__ import annotations

import numpy as np

from model.signal import blocks
from model.signal.blocks import BLOCK, Blocks, BlocksState
from model.signal.intake import strides_of
from stream.timebase import FS, STRIDE
from tests.model.contracts import ecg_with_events
from tests.model.slots import assert_equal, batch_of, cut, joined, taken


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


def test_several_beds_at_different_strides_give_what_each_gives_alone() -> None:
    whole, slots, size = strides_of(ecg_with_events()), [4, 0, 2], 6
    beds = [cut(whole, first * STRIDE, 6 * FS) for first in (0, 2, 4)]
    states = [blocks.step(blocks.begin(2), cut(bed, 0, k * STRIDE))[1] for k, bed in enumerate(beds)]
    columns = joined(states, slots, size)
    untouched = joined(states, slots, size)
    for first, strides in ((0, 1), (1, 4), (5, 13)):
        now = [cut(bed, (first + k) * STRIDE, (first + k + strides) * STRIDE) for k, bed in enumerate(beds)]
        rows = blocks.advance(columns, batch_of(now, slots))
        for bed, strides_now in enumerate(now):
            alone, states[bed] = blocks.step(states[bed], strides_now)
            count = rows.count[bed]
            assert (count, rows.start[bed]) == (len(alone.mv), alone.start)
            np.testing.assert_array_equal(rows.mv[bed, :count], alone.mv)
            np.testing.assert_array_equal(rows.invalid[bed, :count], alone.invalid)
            np.testing.assert_array_equal(rows.offset[bed], alone.offset)
            assert_equal(taken(columns, slots[bed]), states[bed])
    for slot in set(range(size)) - set(slots):
        assert_equal(taken(columns, slot), taken(untouched, slot))
