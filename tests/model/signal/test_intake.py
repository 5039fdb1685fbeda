"""Conversion of chunks to whole strides on the epoch's grid, with gaps filled from earlier samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.signal import intake, slots
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


@given(
    sizes=st.lists(st.lists(st.integers(0, 100), min_size=4, max_size=4), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
def test_beds_that_step_together_receive_what_they_would_alone(sizes: list[list[int]], seed: int) -> None:
    """In any slots, with chunks and phases of their own; the other slots stay as they are."""
    rng = np.random.default_rng(seed)
    alone = [intake.begin(2, 1000 + phase, 1000) for phase in (0, 1, 20, 35)]
    columns, own = slots.grown(intake.begin(2, 7, 0), 9), rng.permutation(np.arange(1, 9))[:4]
    memory = slots.SlotBytes(columns)
    for slot, state in zip(own.tolist(), alone, strict=True):
        memory[slot] = slots.SlotBytes(state)[0]
    for chunk_sizes in sizes:
        chunks = [np.where(rng.random((size, 2)) < 0.1, np.nan, rng.normal(size=(size, 2))) for size in chunk_sizes]
        stepped = [intake.step(state, chunk) for state, chunk in zip(alone, chunks, strict=True)]
        alone = [state for _, state in stepped]
        found = intake.advance(columns, own, chunks)
        assert sorted(bed for beds, _ in found for bed in beds.tolist()) == [0, 1, 2, 3]
        for beds, batch in found:
            np.testing.assert_array_equal(batch.slots, own[beds])
            for place, bed in enumerate(beds.tolist()):
                strides = stepped[bed][0]
                assert (batch.start[place], batch.strides) == (strides.start, len(strides.mv) // STRIDE)
                np.testing.assert_array_equal(batch.mv[place], strides.mv)
                np.testing.assert_array_equal(batch.invalid[place], strides.invalid)
    expected = dict(zip(own.tolist(), alone, strict=True))
    for slot in range(9):
        state = expected.get(slot, intake.begin(2, 7, 0) if slot == 0 else None)
        assert memory[slot] == (bytes(len(memory[slot])) if state is None else slots.SlotBytes(state)[0])


def test_a_chunk_with_other_leads_changes_no_bed() -> None:
    columns = slots.grown(intake.begin(1, 0, 0), 2)
    with pytest.raises(ValueError, match="1 leads"):
        intake.advance(columns, np.array([0, 1]), [np.ones((50, 1)), np.ones((50, 2))])
    assert columns.end.tolist() == [0, 0]
