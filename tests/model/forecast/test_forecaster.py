"""Streaming: cutting, saving, batching and the future change nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.forecast.checkpoint import Checkpoint
from model.forecast.config import PATCH
from model.forecast.forecaster import BedState, Forecasts, begin, load_forecaster, step
from model.forecast.network import LiveNetwork
from model.signal.gaps import hold
from model.training.sequences import to_sequences
from stream.errors import CheckpointError, StorageError

if TYPE_CHECKING:
    from stream.records.record import Record

WITHIN = 1e-5
"""mV."""


@pytest.fixture(scope="module")
def forecaster() -> Checkpoint:
    torch.set_num_threads(1)
    return load_forecaster()


@pytest.fixture(scope="module")
def mv(excerpt_mv: np.ndarray) -> np.ndarray:
    return excerpt_mv[:6000]


@pytest.fixture(scope="module")
def excerpt_mv() -> np.ndarray:
    """Two leads made of real ECG, with gaps, as a careless electrode makes them."""
    from stream.records.catalog import Catalog
    from stream.records.wfdb_reader import load

    lead = load("excerpt", Catalog.from_environment()).mv()[:, 0]
    mv = np.stack([lead, 0.4 * np.roll(lead, 1000) - 0.2], axis=1)
    mv[:5, 0] = np.nan
    mv[700:703] = np.nan
    mv[1500:2000, 1] = np.nan
    return mv


def joined(parts: list[Forecasts]) -> Forecasts:
    return Forecasts(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("origin", "mean", "scale", "observed")))


def streamed(
    forecaster: Checkpoint, state: BedState, mv: np.ndarray, sizes: list[int], saved: bool = False
) -> Forecasts:
    parts, at, i = [], 0, 0
    while at < len(mv):
        n = sizes[i % len(sizes)]
        if saved:
            state = BedState.from_bytes(state.to_bytes())
        ((forecasts, state),) = step(forecaster, [state], [mv[at : at + n]])
        parts.append(forecasts)
        at, i = at + n, i + 1
    return joined(parts)


def same(a: Forecasts, b: Forecasts) -> None:
    np.testing.assert_array_equal(a.origin, b.origin)
    np.testing.assert_array_equal(a.observed, b.observed)
    np.testing.assert_allclose(a.mean, b.mean, rtol=0, atol=WITHIN)
    np.testing.assert_allclose(a.scale, b.scale, rtol=0, atol=WITHIN)


@pytest.fixture(scope="module")
def whole(forecaster: Checkpoint, mv: np.ndarray) -> Forecasts:
    return streamed(forecaster, begin(forecaster, 2, 0, 0), mv, [len(mv)])


def test_shapes_and_grid(whole: Forecasts, mv: np.ndarray, forecaster: Checkpoint) -> None:
    horizon = forecaster.network.config.horizon
    k = len(mv) // PATCH
    np.testing.assert_array_equal(whole.origin, np.arange(3, len(mv), PATCH))
    assert whole.origin.dtype == np.int64
    assert whole.mean.shape == whole.scale.shape == (k, horizon, 2)
    assert whole.mean.dtype == whole.scale.dtype == np.float32
    assert whole.observed.shape == (k, PATCH, 2)
    assert np.isfinite(whole.mean).all()
    assert np.isfinite(whole.observed).all()
    assert (whole.scale > 0).all()


def test_observed_is_the_signal_with_gaps_held(whole: Forecasts, mv: np.ndarray) -> None:
    flat = whole.observed.reshape(-1, 2)
    valid = np.isfinite(mv)
    np.testing.assert_array_equal(flat[valid], mv[valid])
    assert (flat[1500:2000, 1] == mv[1499, 1]).all()
    assert (flat[:5, 0] == 0).all()


@pytest.mark.parametrize("size", [1, 7, 36, 1000])
def test_any_chunk_size(forecaster: Checkpoint, whole: Forecasts, mv: np.ndarray, size: int) -> None:
    n = len(mv) if size > 1 else 1500
    same(
        streamed(forecaster, begin(forecaster, 2, 0, 0), mv[:n], [size]),
        Forecasts(*(v[: n // PATCH] for v in whole)),
    )


@settings(max_examples=15)
@given(sizes=st.lists(st.integers(0, 300), min_size=1, max_size=12).filter(lambda sizes: sum(sizes) > 20))
def test_any_cutting_and_saving(forecaster: Checkpoint, whole: Forecasts, mv: np.ndarray, sizes: list[int]) -> None:
    n = 2400
    got = streamed(forecaster, begin(forecaster, 2, 0, 0), mv[:n], sizes, saved=True)
    same(got, Forecasts(*(v[: n // PATCH] for v in whole)))


@settings(max_examples=10)
@given(at=st.integers(1, 2399), lead=st.integers(0, 1), value=st.one_of(st.floats(-10, 10), st.just(np.nan)))
def test_future_changes_no_past(
    forecaster: Checkpoint, whole: Forecasts, mv: np.ndarray, at: int, lead: int, value: float
) -> None:
    changed = mv[:2400].copy()
    changed[at:, lead] = value
    got = streamed(forecaster, begin(forecaster, 2, 0, 0), changed, [2400])
    past = got.origin < at
    same(Forecasts(*(v[past] for v in got)), Forecasts(*(v[:600][past] for v in whole)))


def test_beds_in_one_batch_do_not_touch(forecaster: Checkpoint, mv: np.ndarray) -> None:
    """Three beds, of one and two leads, with other sample counts and starts, in one call each time."""
    signals = [mv[:2000], mv[500:2500, :1], -2 * mv[1000:2000]]
    starts = [0, 4001, 10]
    sizes = [36, 36, 50]
    states = [begin(forecaster, x.shape[1], s, 0) for x, s in zip(signals, starts, strict=True)]
    parts: list[list[Forecasts]] = [[], [], []]
    for i in range(60):
        chunks = [x[i * n : (i + 1) * n] for x, n in zip(signals, sizes, strict=True)]
        for j, (forecasts, state) in enumerate(step(forecaster, states, chunks)):
            parts[j].append(forecasts)
            states[j] = state
    for x, s, got in zip(signals, starts, parts, strict=True):
        same(joined(got), streamed(forecaster, begin(forecaster, x.shape[1], s, 0), x, [len(x)]))


@settings(max_examples=10)
@given(ticks=st.lists(st.permutations(range(4)).flatmap(lambda p: st.integers(0, 4).map(lambda n: p[:n])), max_size=12))
def test_beds_may_come_and_go_at_any_tick(forecaster: Checkpoint, mv: np.ndarray, ticks: list[list[int]]) -> None:
    """Four beds, of one and two leads, of which any step together in any order; what they share tells no one apart."""
    signals = [mv[:500], mv[500:1000, :1], -mv[1000:1500], mv[2000:2500, 1:]]
    states = [begin(forecaster, x.shape[1], 0, 0) for x in signals]
    parts: list[list[Forecasts]] = [[] for _ in signals]
    at = [0] * len(signals)
    for beds in ticks:
        chunks = [signals[b][at[b] : at[b] + 36] for b in beds]
        for b, (forecasts, state) in zip(beds, step(forecaster, [states[b] for b in beds], chunks), strict=True):
            parts[b].append(forecasts)
            states[b] = state
            at[b] += 36
    for b, x in enumerate(signals):
        if parts[b]:
            same(joined(parts[b]), streamed(forecaster, begin(forecaster, x.shape[1], 0, 0), x[: at[b]], [at[b]]))


def test_a_step_changes_nothing_that_went_in(forecaster: Checkpoint, mv: np.ndarray) -> None:
    states = [state for _, state in step(forecaster, [begin(forecaster, 2, 0, 0)] * 2, [mv[:100], mv[100:200]])]
    before = [state.to_bytes() for state in states]
    chunks = [mv[200:236].copy(), mv[236:272].copy()]
    first = step(forecaster, states, chunks)
    assert [state.to_bytes() for state in states] == before
    again = step(forecaster, states, chunks)
    kept = [Forecasts(*(v.copy() for v in forecasts)) for forecasts, _ in again]
    for chunk in chunks:
        chunk[:] = 99.0  # a caller may use its buffer again
    step(forecaster, [state for _, state in again], chunks)
    for (one, _), (other, _), expected in zip(first, again, kept, strict=True):
        same(one, expected)
        same(other, expected)


def test_a_single_bed_does_not_look_at_the_callers_buffer_later(forecaster: Checkpoint, mv: np.ndarray) -> None:
    chunk = mv[3000:3036, :1].copy()
    ((forecasts, _),) = step(forecaster, [begin(forecaster, 1, 0, 0)], [chunk])
    chunk[:] = 99.0
    np.testing.assert_array_equal(forecasts.observed.ravel(), mv[3000:3036, 0])


def test_a_saved_bed_holds_nothing_of_the_others(forecaster: Checkpoint, mv: np.ndarray) -> None:
    (_, alone), *_ = step(forecaster, [begin(forecaster, 1, 0, 0)], [mv[:90, :1]])
    states = [begin(forecaster, leads, 0, 0) for leads in (2, 1, 2)]
    together = step(forecaster, states, [mv[90:180], mv[:90, :1], mv[180:270]])[1][1]
    assert len(together.to_bytes()) == len(alone.to_bytes())


@pytest.mark.parametrize(
    ("start", "epoch_start", "first"), [(100, 100, 103), (101, 100, 107), (103, 100, 107), (8, 0, 11)]
)
def test_origins_lie_on_the_grid_of_the_epoch(
    forecaster: Checkpoint, mv: np.ndarray, start: int, epoch_start: int, first: int
) -> None:
    got = streamed(forecaster, begin(forecaster, 2, start, epoch_start), mv[:200], [1])
    assert got.origin[0] == first
    assert ((got.origin + 1 - epoch_start) % PATCH == 0).all()
    np.testing.assert_array_equal(np.diff(got.origin), PATCH)
    at = got.origin[5] - start
    np.testing.assert_array_equal(got.observed[5], hold(mv, np.zeros(2))[0][at - 3 : at + 1])


def test_live_equals_training_view(forecaster: Checkpoint, excerpt: Record) -> None:
    """The forecaster feeds the network what the network was trained on."""
    x = excerpt.mv()[:4000, 0]
    network = forecaster.network
    sequences = to_sequences(x[None], network.config, forecaster.scaling)
    with torch.inference_mode():
        y, _ = network(torch.from_numpy(sequences.x))
    got = streamed(forecaster, begin(forecaster, 1, 0, 0), x[:, None], [36])
    k = sequences.x.shape[1]
    baseline = x[3 : 4 * k : 4] - sequences.x[0, :, -1] * sequences.scale[0]
    mean = y[0, ..., 0].numpy() * sequences.scale[0][:, None] + baseline[:, None]
    np.testing.assert_allclose(got.mean[:k, :, 0], mean, rtol=0, atol=WITHIN)


def test_beats_persistence_on_real_ecg(forecaster: Checkpoint, excerpt: Record) -> None:
    x = excerpt.mv()[: 360 * 120, :1]
    got = streamed(forecaster, begin(forecaster, 1, 0, 0), x, [3600])
    scored = (got.origin > 3600) & (got.origin < len(x) - 96)
    origin = got.origin[scored]
    for ahead in (18, 36, 72):
        truth = x[origin + ahead, 0]
        error = np.abs(got.mean[scored, ahead - 1, 0] - truth).mean()
        assert error < 0.9 * np.abs(x[origin, 0] - truth).mean()


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan])
def test_flat_line_stays_finite(forecaster: Checkpoint, mv: np.ndarray, value: float) -> None:
    x = np.concatenate([mv[2000:3000], np.full((7200, 2), value), mv[2000:3000]])
    got = streamed(forecaster, begin(forecaster, 2, 0, 0), x, [3600])
    assert np.isfinite(got.mean).all()
    assert np.isfinite(got.scale).all()
    flat = got.observed[2000, -1]
    assert (np.abs(got.mean[2000] - flat) < 3 * got.scale[2000]).all()


def test_every_thread_that_steps_flushes_denormals(
    forecaster: Checkpoint, mv: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a mode of the thread: a worker's thread does not inherit it, and gets it back as it was."""
    kept = []
    plain = LiveNetwork.__call__

    def keeps_denormals() -> bool:
        return (torch.tensor(1e-40) * 1.0).item() > 0

    def watched(network: LiveNetwork, *args: object) -> object:
        kept.append(keeps_denormals())
        return plain(network, *args)  # type: ignore[arg-type]

    def one_step() -> bool:
        step(forecaster, [begin(forecaster, 2, 0, 0)], [mv[:36]])
        return keeps_denormals()

    monkeypatch.setattr(LiveNetwork, "__call__", watched)
    with ThreadPoolExecutor(1) as other:
        afterwards = [one_step(), other.submit(one_step).result(), other.submit(one_step).result()]
    assert kept == [False] * 3
    assert afterwards == [True] * 3


def test_wrong_number_of_leads(forecaster: Checkpoint) -> None:
    with pytest.raises(ValueError, match="2 leads"):
        step(forecaster, [begin(forecaster, 2, 0, 0)], [np.zeros((36, 1))])


def test_nothing_in_nothing_out(forecaster: Checkpoint) -> None:
    state = begin(forecaster, 2, 0, 0)
    ((forecasts, state),) = step(forecaster, [state], [np.zeros((3, 2))])
    assert len(forecasts.origin) == 0
    assert state.next == 3
    assert step(forecaster, [], []) == []


@pytest.mark.parametrize("data", [b"", b"\x01" * 200])
def test_damaged_state(data: bytes) -> None:
    with pytest.raises(StorageError, match="damaged"):
        BedState.from_bytes(data)


def test_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no weights"):
        load_forecaster(tmp_path / "none.safetensors")
