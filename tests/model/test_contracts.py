"""Contracts of every streaming stage.

Outputs do not depend on how the signal is split, on later samples, or on encoding the state between two chunks.
"""

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
"""Positions in a signal, as a share of its length."""

_whole: dict[str, tuple[Outputs, bytes]] = {}


def whole_and_state(stage: Stage) -> tuple[Outputs, bytes]:
    """Return the outputs of the whole signal in one chunk, and the encoded state after it, computed once."""
    if stage.name not in _whole:
        outputs, state = stage.run(stage.signal())
        _whole[stage.name] = outputs, stage.save(state)
    return _whole[stage.name]


def whole(stage: Stage) -> Outputs:
    """Return the outputs of the whole signal in one chunk."""
    return whole_and_state(stage)[0]


def positions(shares: list[float], n: int) -> list[int]:
    return sorted(round(share * n) for share in shares)


@each_stage
def test_the_test_signal_causes_outputs_and_conditions(stage: Stage) -> None:
    """The other tests compare outputs that are not empty."""
    outputs = whole(stage)
    assert len(outputs) > 25
    kinds = {value.kind for _, value in outputs if hasattr(value, "kind")}
    expected = {
        "signal quality": {"lead_off"},
        "rhythm detector": {"pvc_run", "ventricular_tachycardia", "extreme_tachycardia", "asystole"},
        "anomaly detector": {"residual"},
        "frequent episodes": {"residual", "unusual_complexes"},
        "numeric conditions": {"desaturation", "spo2_low", "abp_disconnected", "abp_mean_low", "pleth_off"},
        "analysis": {"lead_off", "residual", "ventricular_fibrillation"},
    }
    assert kinds >= expected.get(stage.name, set())
    if stage.name == "pulses":
        assert {None if value is None else value.signal for _, value in outputs} == {None, "pleth", "abp"}
    if stage.name == "vitals hours ahead":
        assert {value.advisory for _, value in outputs} == {False, True}
    if stage.name == "ventricular fibrillation":
        assert any(value.since is not None for _, value in outputs)


@each_stage
@few
@given(cuts=st.lists(SHARES, max_size=12), through_bytes=st.booleans())
def test_splitting_the_signal_and_encoding_the_state_change_nothing(
    stage: Stage, cuts: list[float], through_bytes: bool
) -> None:
    mv = stage.signal()
    outputs, state = stage.run(mv, positions(cuts, len(mv)), through_bytes=through_bytes)
    expected, after = whole_and_state(stage)
    assert_same(outputs, expected, stage.atol)
    if not stage.atol:
        assert stage.save(state) == after


@each_stage
@pytest.mark.parametrize("size", [1, 7, STRIDE, 1000])
def test_the_chunk_size_changes_nothing(stage: Stage, size: int) -> None:
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
    known = [(at_sample, value) for at_sample, value in stage.run(other)[0] if at_sample < first]
    assert_same(known, [(at_sample, value) for at_sample, value in whole(stage) if at_sample < first], stage.atol)


@each_stage
@few
@given(at=SHARES)
def test_outputs_are_reported_when_their_half_second_is_complete(stage: Stage, at: float) -> None:
    mv = stage.signal()
    n = round(at * len(mv))
    known = [(at_sample, value) for at_sample, value in whole(stage) if at_sample < n // 180 * 180]
    early = [(at_sample, value) for at_sample, value in stage.run(mv[:n])[0] if at_sample < n // 180 * 180]
    assert_same(early, known, stage.atol)


@each_stage
@few
@given(
    gaps=st.lists(st.tuples(SHARES, st.integers(1, 1500), st.sampled_from([[0], [1], [0, 1]])), min_size=1, max_size=4),
    cuts=st.lists(SHARES, max_size=6),
)
def test_splitting_a_signal_with_gaps_changes_nothing(
    stage: Stage, gaps: list[tuple[float, int, list[int]]], cuts: list[float]
) -> None:
    mv = stage.signal().copy()
    for share, length, leads in gaps:
        first = round(share * len(mv))
        mv[first : first + length, leads] = np.nan
    assert_same(stage.run(mv, positions(cuts, len(mv)))[0], stage.run(mv)[0], stage.atol)


@each_stage
def test_a_signal_without_valid_samples_is_processed(stage: Stage) -> None:
    nothing = np.full((5 * FS, 2), np.nan)
    assert_same(stage.run(nothing, [100, 777])[0], stage.run(nothing)[0], stage.atol)


@each_stage
@few
@given(start=st.integers(0, 10_000), epoch_start=st.integers(0, 200), cuts=st.lists(SHARES, max_size=6))
def test_reception_off_the_grid_starts_with_the_next_stride(
    stage: Stage, start: int, epoch_start: int, cuts: list[float]
) -> None:
    epoch_start = max(start - epoch_start, 0)
    mv = stage.signal()[: 16 * FS]
    skip = (epoch_start - start) % STRIDE
    outputs, _ = stage.run(mv, positions(cuts, len(mv)), start, epoch_start)
    assert_same(outputs, stage.run(mv[skip:], (), start + skip, start + skip)[0], stage.atol)


@each_stage
def test_a_step_does_not_modify_its_inputs(stage: Stage) -> None:
    mv = stage.signal()[: 6 * FS].copy()
    original = mv.copy()
    _, state = stage.run(mv[: 4 * FS])
    before = stage.save(state)
    first, _ = stage.step(state, mv[4 * FS :])
    assert stage.save(state) == before
    np.testing.assert_array_equal(mv, original)
    again, after = stage.step(state, mv[4 * FS :])
    assert_same(first, again, 0.0)
    later = stage.save(after)
    mv[:] = 99.0  # a caller may reuse its buffer
    assert stage.save(after) == later
    assert_same(first, again, 0.0)


@each_stage
def test_no_samples_change_nothing(stage: Stage) -> None:
    _, state = stage.run(stage.signal()[:1000])
    outputs, after = stage.step(state, np.empty((0, 2)))
    assert outputs == []
    assert stage.save(after) == stage.save(state)


@each_stage
def test_damaged_states_are_rejected_in_one_line(stage: Stage) -> None:
    _, state = stage.run(stage.signal()[: 4 * FS + 50])
    data = stage.save(state)
    assert stage.save(stage.restore(data)) == data
    shortened = [data[:n] for n in (0, 1, len(data) // 3, len(data) - 9, len(data) - 1)]
    for damaged in (*shortened, b"nonsense", b"\xc1", b"\x80", b"\x01" + data, data.replace(b"<f8", b"<i4")):
        with pytest.raises(StorageError, match="damaged") as caught:
            stage.restore(damaged)
        assert "\n" not in str(caught.value)


@each_stage
def test_a_chunk_with_another_number_of_leads_is_rejected(stage: Stage) -> None:
    with pytest.raises(ValueError, match="2 leads"):
        stage.step(stage.begin(0, 0), np.zeros((STRIDE, 1)))
