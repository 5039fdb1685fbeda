"""Streaming forecasts: shapes, batches of beds. The contract suite tests what all stages have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.forecast.config import PATCH, NetworkConfig
from model.forecast.forecaster import ForecasterState, Forecasts, advance, after_gap, begin, load_forecaster, step
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.inference import Precision
from model.forecast.network import Network
from model.signal.batch import Batch
from model.signal.columns import joined, row
from model.signal.intake import strides_of
from model.signal.state_codec import pack, unpack
from model.training.sequences import to_sequences
from stream.errors import WeightsError
from stream.timebase import STRIDE

if TYPE_CHECKING:
    from stream.records.record import Record

TOLERANCE_MV = 1e-5


@pytest.fixture(scope="module")
def forecaster() -> TrainedForecaster:
    return load_forecaster()


@pytest.fixture(scope="module")
def mv(excerpt_mv: np.ndarray) -> np.ndarray:
    return excerpt_mv[:6000]


@pytest.fixture(scope="module")
def excerpt_mv() -> np.ndarray:
    """Two leads derived from a recorded ECG, with gaps as from a loose electrode."""
    from stream.records.catalog import Catalog
    from stream.records.wfdb_reader import load

    lead = load("excerpt", Catalog.from_environment()).mv()[:, 0]
    mv = np.stack([lead, 0.4 * np.roll(lead, 1000) - 0.2], axis=1)
    mv[:5, 0] = np.nan
    mv[700:703] = np.nan
    mv[1500:2000, 1] = np.nan
    return mv


def streamed(forecaster: TrainedForecaster, mv: np.ndarray, start: int = 0) -> Forecasts:
    ((forecasts, _),) = step(forecaster, [begin(forecaster, mv.shape[1])], [strides_of(mv, start)])
    return forecasts


def in_one(parts: list[Forecasts]) -> Forecasts:
    return Forecasts(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("origin", "mean", "scale", "observed")))


def assert_same(a: Forecasts, b: Forecasts) -> None:
    np.testing.assert_array_equal(a.origin, b.origin)
    np.testing.assert_array_equal(a.observed, b.observed)
    np.testing.assert_allclose(a.mean, b.mean, rtol=0, atol=TOLERANCE_MV)
    np.testing.assert_allclose(a.scale, b.scale, rtol=0, atol=TOLERANCE_MV)


@pytest.fixture(scope="module")
def whole(forecaster: TrainedForecaster, mv: np.ndarray) -> Forecasts:
    return streamed(forecaster, mv)


def test_shapes_and_grid(whole: Forecasts, mv: np.ndarray, forecaster: TrainedForecaster) -> None:
    horizon = forecaster.config.horizon
    n = len(mv) // STRIDE * STRIDE
    k = n // PATCH
    np.testing.assert_array_equal(whole.origin, np.arange(3, n, PATCH))
    assert whole.origin.dtype == np.int64
    assert whole.mean.shape == whole.scale.shape == (k, horizon, 2)
    assert whole.mean.dtype == whole.scale.dtype == np.float32
    assert whole.observed.shape == (k, PATCH, 2)
    assert np.isfinite(whole.mean).all()
    assert (whole.scale > 0).all()


def test_origins_count_from_the_start_of_the_strides(
    forecaster: TrainedForecaster, mv: np.ndarray, whole: Forecasts
) -> None:
    later = streamed(forecaster, mv, start=1000)
    assert_same(later._replace(origin=later.origin - 1000), whole)


def test_observed_is_the_signal_with_gaps_held(whole: Forecasts, mv: np.ndarray) -> None:
    flat = whole.observed.reshape(-1, 2)
    valid = np.isfinite(mv[: len(flat)])
    np.testing.assert_array_equal(flat[valid], mv[: len(flat)][valid])
    assert (flat[1500:2000, 1] == mv[1499, 1]).all()
    assert (flat[:5, 0] == 0).all()


def test_beds_in_one_batch_are_independent(forecaster: TrainedForecaster, mv: np.ndarray) -> None:
    """Three beds of one and two leads, with different numbers of strides and different starts, in one call."""
    filled = strides_of(mv).mv
    signals = [filled[:1800], filled[500:2300, :1], -2 * filled[1000:4600]]
    starts = [0, 4032, 36]
    sizes = [STRIDE, STRIDE, 2 * STRIDE]
    states = [begin(forecaster, x.shape[1]) for x in signals]
    parts: list[list[Forecasts]] = [[], [], []]
    for i in range(50):
        chunks = [
            strides_of(x[i * n : (i + 1) * n], start + i * n)
            for x, n, start in zip(signals, sizes, starts, strict=True)
        ]
        for j, (forecasts, state) in enumerate(step(forecaster, states, chunks)):
            parts[j].append(forecasts)
            states[j] = state
    for x, start, forecasts_of_bed in zip(signals, starts, parts, strict=True):
        assert_same(in_one(forecasts_of_bed), streamed(forecaster, x, start))


@settings(max_examples=10)
@given(ticks=st.lists(st.permutations(range(4)).flatmap(lambda p: st.integers(0, 4).map(lambda n: p[:n])), max_size=12))
def test_any_subset_of_beds_may_step_at_a_tick(
    forecaster: TrainedForecaster, mv: np.ndarray, ticks: list[list[int]]
) -> None:
    """Four beds of one and two leads; any of them step together, in any order, with one or two strides each."""
    whole = strides_of(mv).mv
    signals = [whole[:900], whole[900:1800, :1], -whole[1800:2700], whole[2700:3600, 1:]]
    states = [begin(forecaster, x.shape[1]) for x in signals]
    parts: list[list[Forecasts]] = [[] for _ in signals]
    at = [0] * len(signals)
    for beds in ticks:
        sizes = [STRIDE * (1 + b % 2) for b in beds]
        chunks = [strides_of(signals[b][at[b] : at[b] + n], at[b]) for b, n in zip(beds, sizes, strict=True)]
        stepped = step(forecaster, [states[b] for b in beds], chunks)
        for b, n, (forecasts, state) in zip(beds, sizes, stepped, strict=True):
            parts[b].append(forecasts)
            states[b] = state
            at[b] += n
    for b, x in enumerate(signals):
        if parts[b]:
            assert_same(in_one(parts[b]), streamed(forecaster, x[: at[b]]))


def test_a_step_of_several_beds_does_not_modify_its_inputs(forecaster: TrainedForecaster, mv: np.ndarray) -> None:
    first, second = strides_of(mv[:108]), strides_of(mv[108:216])
    states = [state for _, state in step(forecaster, [begin(forecaster, 2)] * 2, [first, second])]
    before = [pack(state) for state in states]
    chunks = [strides_of(mv[216:252]), strides_of(mv[252:288])]
    once = step(forecaster, states, chunks)
    assert [pack(state) for state in states] == before
    kept = [Forecasts(*(v.copy() for v in forecasts)) for forecasts, _ in once]
    step(forecaster, [state for _, state in once], chunks)
    for (one, _), (other, _), expected in zip(once, step(forecaster, states, chunks), kept, strict=True):
        assert_same(one, expected)
        assert_same(other, expected)


@pytest.mark.parametrize("leads", [1, 2])
def test_beds_change_in_place_at_their_slots(forecaster: TrainedForecaster, mv: np.ndarray, leads: int) -> None:
    """Seven of nine slots step, in another order, in parts of one, four and three strides."""
    filled = strides_of(mv).mv[:, :leads]
    slots = np.array([3, 8, 0, 5, 4, 1, 7])
    columns = joined([begin(forecaster, leads).columns] * 9)
    states, shift = [begin(forecaster, leads) for _ in slots], 500
    for first, end in ((0, 1), (1, 5), (5, 8)):
        strides = [strides_of(filled[i * shift :][first * STRIDE : end * STRIDE], first * STRIDE) for i in range(7)]
        mv_of_all, invalid = (np.array([getattr(part, name) for part in strides]) for name in ("mv", "invalid"))
        batch = Batch(slots, np.full(7, first * STRIDE), mv_of_all, invalid)
        together = advance(forecaster, columns, batch, "float32")
        for i, part in enumerate(strides):
            ((alone, states[i]),) = step(forecaster, [states[i]], [part])
            for found, expected in zip(together, alone, strict=True):
                np.testing.assert_array_equal(found[i], expected)
    for slot, state in zip(slots, states, strict=True):
        assert pack(row(columns, slot)) == pack(state.columns)
    for slot in (2, 6):
        assert pack(row(columns, slot)) == pack(begin(forecaster, leads).columns)


def test_streamed_forecasts_equal_the_network_on_training_sequences(
    forecaster: TrainedForecaster, excerpt: Record
) -> None:
    """The forecaster normalises its inputs as the training does."""
    x = excerpt.mv()[:4000, 0]
    network = Network.of(forecaster)
    sequences = to_sequences(x[None], network.config, forecaster.scaling)
    with torch.inference_mode():
        y, _ = network(torch.from_numpy(sequences.x))
    forecasts = streamed(forecaster, x[:, None])
    k = sequences.x.shape[1]
    baseline = x[3 : 4 * k : 4] - sequences.x[0, :, -1] * sequences.scale[0]
    mean = y[0, ..., 0].numpy() * sequences.scale[0][:, None] + baseline[:, None]
    np.testing.assert_allclose(forecasts.mean[:k, :, 0], mean, rtol=0, atol=TOLERANCE_MV)


def test_forecast_is_better_than_persistence_on_recorded_ecg(forecaster: TrainedForecaster, excerpt: Record) -> None:
    x = excerpt.mv()[: 360 * 120, :1]
    forecasts = streamed(forecaster, x)
    scored = (forecasts.origin > 3600) & (forecasts.origin < len(x) - 96)
    origin = forecasts.origin[scored]
    for ahead in (18, 36, 72):
        truth = x[origin + ahead, 0]
        error = np.abs(forecasts.mean[scored, ahead - 1, 0] - truth).mean()
        assert error < 0.9 * np.abs(x[origin, 0] - truth).mean()


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan])
def test_forecasts_of_a_flat_line_are_finite(forecaster: TrainedForecaster, mv: np.ndarray, value: float) -> None:
    x = np.concatenate([mv[2000:3000], np.full((7200, 2), value), mv[2000:3000]])
    forecasts = streamed(forecaster, x)
    assert np.isfinite(forecasts.mean).all()
    assert np.isfinite(forecasts.scale).all()
    flat = forecasts.observed[2000, -1]
    assert (np.abs(forecasts.mean[2000] - flat) < 3 * forecasts.scale[2000]).all()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_other_beds_and_cuts_do_not_change_a_bit(
    forecaster: TrainedForecaster, mv: np.ndarray, precision: Precision
) -> None:
    filled = strides_of(mv).mv
    ((alone, _),) = step(forecaster, [begin(forecaster, 2, precision)], [strides_of(filled[:1440])])
    states, parts = [begin(forecaster, 2, precision) for _ in range(20)], []
    for first, end in ((0, 36), (36, 720), (720, 1440)):
        chunks = [strides_of(filled[first + i : end + i], first) for i in range(20)]
        stepped = step(forecaster, [*states[7:], *states[:7]], [*chunks[7:], *chunks[:7]])
        states = [state for _, state in [*stepped[13:], *stepped[:13]]]
        parts.append(stepped[13][0])
    for part, whole in zip(in_one(parts), alone, strict=True):
        np.testing.assert_array_equal(part, whole)


def test_a_bed_keeps_its_precision(forecaster: TrainedForecaster, mv: np.ndarray) -> None:
    """Beds of both precisions step together; a saved state and one after a gap go on with their own."""
    chunks = [strides_of(mv[first : first + 360], first) for first in (0, 360, 720)]
    kinds: tuple[Precision, ...] = ("bfloat16", "float32", "bfloat16")
    states = [begin(forecaster, 2, precision) for precision in kinds]
    for chunk in chunks[:2]:
        stepped = step(forecaster, states, [chunk] * 3)
        states = [unpack(pack(state), ForecasterState) for _, state in stepped]
    states[2] = after_gap(forecaster, states[2])
    assert tuple(state.precision for state in states) == kinds
    first, second, _ = (forecasts for forecasts, _ in step(forecaster, states, [chunks[2]] * 3))
    assert 1e-5 < np.abs(first.mean - second.mean).max() < 0.05


def test_the_state_of_other_leads_or_of_another_network_is_rejected(forecaster: TrainedForecaster) -> None:
    with pytest.raises(ValueError, match="a state of 1 streams"):
        step(forecaster, [begin(forecaster, 1)], [strides_of(np.zeros((STRIDE, 2)))])
    other = Network(NetworkConfig(hidden=8)).trained(forecaster.scaling, {})
    with pytest.raises(ValueError, match="expected"):
        step(forecaster, [begin(other, 1)], [strides_of(np.zeros((STRIDE, 1)))])


def test_no_strides_give_no_forecasts(forecaster: TrainedForecaster) -> None:
    state = begin(forecaster, 2)
    ((forecasts, after),) = step(forecaster, [state], [strides_of(np.zeros((3, 2)))])
    assert len(forecasts.origin) == 0
    assert pack(after) == pack(state)
    assert step(forecaster, [], []) == []


def test_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights"):
        load_forecaster(tmp_path / "none.safetensors")
