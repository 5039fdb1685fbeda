"""What every streaming stage promises: no cut, no future, no move to another process changes its outputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.errors import StorageError
from stream.timebase import FS, STRIDE
from tests.model.contracts import STAGES, Outputs, Stage, assert_same

each_stage = pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
few = settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])

SHARES = st.floats(0, 1)
"""Places in a signal, as a share of its length."""

_whole: dict[str, tuple[Outputs, bytes]] = {}


def whole_and_state(stage: Stage) -> tuple[Outputs, bytes]:
    """Return the outputs of the whole signal in one chunk, and the state after it, computed once."""
    if stage.name not in _whole:
        outputs, state = stage.run(stage.signal())
        _whole[stage.name] = outputs, stage.save(state)
    return _whole[stage.name]


def whole(stage: Stage) -> Outputs:
    """Return the outputs of the whole signal in one chunk."""
    return whole_and_state(stage)[0]


def places(shares: list[float], n: int) -> list[int]:
    return sorted(round(share * n) for share in shares)


@each_stage
def test_the_signal_brings_outputs_and_conditions(stage: Stage) -> None:
    """What the other tests compare is not empty."""
    outputs = whole(stage)
    assert len(outputs) > 25
    kinds = {value.kind for _, value in outputs if hasattr(value, "kind")}
    expected = {
        "signal quality": {"lead_off"},
        "rhythm detector": {"pvc_run", "ventricular_tachycardia", "extreme_tachycardia", "asystole"},
        "anomaly detector": {"residual"},
        "analysis": {"lead_off", "residual", "ventricular_fibrillation"},
    }
    assert kinds >= expected.get(stage.name, set())
    if stage.name == "ventricular fibrillation":
        assert any(value.since is not None for _, value in outputs)


@each_stage
@few
@given(cuts=st.lists(SHARES, max_size=12), moved=st.booleans())
def test_no_cut_and_no_move_through_bytes_changes_anything(stage: Stage, cuts: list[float], moved: bool) -> None:
    mv = stage.signal()
    outputs, state = stage.run(mv, places(cuts, len(mv)), moved=moved)
    expected, after = whole_and_state(stage)
    assert_same(outputs, expected, stage.atol)
    if not stage.atol:
        assert stage.save(state) == after


@each_stage
@pytest.mark.parametrize("size", [1, 7, STRIDE, 1000])
def test_no_size_of_chunks_changes_anything(stage: Stage, size: int) -> None:
    mv = stage.signal()[: 3 * FS if size < STRIDE else 20 * FS]
    outputs, _ = stage.run(mv, range(size, len(mv), size))
    assert_same(outputs, stage.run(mv)[0], stage.atol)


@each_stage
@few
@given(at=SHARES, seed=st.integers(0, 2**32 - 1), missing=st.booleans())
def test_no_output_depends_on_later_samples(stage: Stage, at: float, seed: int, missing: bool) -> None:
    mv = stage.signal()
    first = round(at * len(mv))
    other = mv.copy()
    other[first:] = np.nan if missing else np.random.default_rng(seed).normal(0, 2, other[first:].shape)
    known = [(moment, value) for moment, value in stage.run(other)[0] if moment < first]
    assert_same(known, [(moment, value) for moment, value in whole(stage) if moment < first], stage.atol)


@each_stage
@few
@given(at=SHARES)
def test_outputs_come_as_soon_as_their_half_second_is_whole(stage: Stage, at: float) -> None:
    mv = stage.signal()
    n = round(at * len(mv))
    known = [(moment, value) for moment, value in whole(stage) if moment < n // 180 * 180]
    early = [(moment, value) for moment, value in stage.run(mv[:n])[0] if moment < n // 180 * 180]
    assert_same(early, known, stage.atol)


@each_stage
@few
@given(
    gaps=st.lists(st.tuples(SHARES, st.integers(1, 1500), st.sampled_from([[0], [1], [0, 1]])), min_size=1, max_size=4),
    cuts=st.lists(SHARES, max_size=6),
)
def test_gaps_are_cut_like_anything_else(
    stage: Stage, gaps: list[tuple[float, int, list[int]]], cuts: list[float]
) -> None:
    mv = stage.signal().copy()
    for share, length, leads in gaps:
        first = round(share * len(mv))
        mv[first : first + length, leads] = np.nan
    assert_same(stage.run(mv, places(cuts, len(mv)))[0], stage.run(mv)[0], stage.atol)


@each_stage
def test_a_signal_without_any_valid_sample_is_taken(stage: Stage) -> None:
    nothing = np.full((5 * FS, 2), np.nan)
    assert_same(stage.run(nothing, [100, 777])[0], stage.run(nothing)[0], stage.atol)


@each_stage
@few
@given(start=st.integers(0, 10_000), epoch_start=st.integers(0, 200), cuts=st.lists(SHARES, max_size=6))
def test_a_bed_joined_off_the_grid_begins_with_the_next_stride(
    stage: Stage, start: int, epoch_start: int, cuts: list[float]
) -> None:
    epoch_start = max(start - epoch_start, 0)
    mv = stage.signal()[: 16 * FS]
    skip = (epoch_start - start) % STRIDE
    outputs, _ = stage.run(mv, places(cuts, len(mv)), start, epoch_start)
    assert_same(outputs, stage.run(mv[skip:], (), start + skip, start + skip)[0], stage.atol)


@each_stage
def test_a_step_changes_nothing_that_went_in(stage: Stage) -> None:
    mv = stage.signal()[: 6 * FS].copy()
    kept = mv.copy()
    _, state = stage.run(mv[: 4 * FS])
    before = stage.save(state)
    first, _ = stage.step(state, mv[4 * FS :])
    assert stage.save(state) == before
    np.testing.assert_array_equal(mv, kept)
    again, after = stage.step(state, mv[4 * FS :])
    assert_same(first, again, 0.0)
    later = stage.save(after)
    mv[:] = 99.0  # a caller may use its buffer again
    assert stage.save(after) == later
    assert_same(first, again, 0.0)


@each_stage
def test_no_samples_change_nothing(stage: Stage) -> None:
    _, state = stage.run(stage.signal()[:1000])
    outputs, after = stage.step(state, np.empty((0, 2)))
    assert outputs == []
    assert stage.save(after) == stage.save(state)


@each_stage
def test_damaged_states_are_refused_in_one_line(stage: Stage) -> None:
    _, state = stage.run(stage.signal()[: 4 * FS + 50])
    data = stage.save(state)
    assert stage.save(stage.restore(data)) == data
    shortened = [data[:n] for n in (0, 1, len(data) // 3, len(data) - 9, len(data) - 1)]
    for damaged in (*shortened, b"nonsense", b"\xc1", b"\x80", b"\x01" + data, data.replace(b"<f8", b"<i8")):
        with pytest.raises(StorageError, match="damaged") as caught:
            stage.restore(damaged)
        assert "\n" not in str(caught.value)


@each_stage
def test_a_chunk_of_another_number_of_leads_is_refused(stage: Stage) -> None:
    with pytest.raises(ValueError, match="2 leads"):
        stage.step(stage.begin(0, 0), np.zeros((STRIDE, 1)))
