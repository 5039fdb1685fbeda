"""The personal forecast on simulated patients. The contract suite tests what all stages have in common."""

from __future__ import annotations

import numpy as np
import pytest

from model.forecast.config import PATCH
from model.forecast.forecaster import load_forecaster
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.interval_calibration import Z90
from model.forecast.personal_forecast import OFFSETS, PersonalColumns, PersonalForecasts, advance, after_gap, begin
from model.forecast.retrieval import MANY, POINTS, SPARE, STRIDES
from model.signal import slots
from model.signal.batch import Batch
from model.signal.columns import copied, joined, row
from stream.timebase import FS, STRIDE

HORIZON = 96


@pytest.fixture(scope="module")
def forecaster() -> TrainedForecaster:
    return load_forecaster()


def heartbeats(seconds: int, seed: int = 0, noise: float = 0.01) -> np.ndarray:
    """Return a simulated lead in mV, shape (n,): two shapes of beats after a P wave, at varying intervals."""
    rng = np.random.default_rng(seed)
    x, t = np.zeros(seconds * FS + 2 * FS), np.arange(2 * FS)
    at = 0
    while at < seconds * FS:
        wide = rng.random() < 0.05
        wave = 1.4 * np.exp(-(((t - 60) / (14 if wide else 5)) ** 2)) + 0.3 * np.exp(-(((t - 160) / 22) ** 2))
        wave += 0.15 * np.exp(-(((t - 12) / 6) ** 2))
        x[at : at + 2 * FS] += wave[: len(x) - at]
        at += int(300 + 1.5 * rng.normal())
    return np.asarray(x[: seconds * FS] + noise * rng.normal(size=seconds * FS))


def run(
    forecaster: TrainedForecaster,
    x: np.ndarray,
    *,
    invalid: np.ndarray | None = None,
    network: np.ndarray | None = None,
    state: PersonalColumns | None = None,
) -> tuple[PersonalForecasts, PersonalColumns]:
    """Push one lead; the network forecasts 0 mV with a deviation of 0.3 mV unless its forecasts are given."""
    k = len(x) // STRIDE
    columns = copied(begin(1, forecaster.scaling) if state is None else state)
    mv = x[None, : k * STRIDE, None].copy()
    mask = np.zeros(mv.shape, np.bool_) if invalid is None else invalid[None, : k * STRIDE, None].copy()
    mean = np.zeros((1, k, HORIZON, 1), np.float32) if network is None else network[None, :, :, None].copy()
    batch = Batch(np.zeros(1, np.int64), np.zeros(1, np.int64), mv, mask)
    out = advance(forecaster, columns, batch, mean, np.full(mean.shape, 0.3, np.float32))
    return PersonalForecasts(out.mean[0, :, :, 0], out.scale[0, :, :, 0]), columns


def truth_of(x: np.ndarray, k: int) -> np.ndarray:
    return np.asarray(x[STRIDE - 1 + STRIDE * np.arange(k)[:, None] + np.array(OFFSETS)])


def test_the_next_second_of_a_regular_patient_is_known_after_half_a_minute(forecaster: TrainedForecaster) -> None:
    x = heartbeats(60)
    out, _ = run(forecaster, x)
    k = slice(300, 580)
    error = (out.mean - truth_of(np.append(x, np.zeros(2 * FS)), len(out.mean)))[k]
    near = OFFSETS.index(36)
    assert np.sqrt((error[:, near] ** 2).mean()) < 0.4 * x.std()
    assert np.sqrt((error**2).mean()) < 0.7 * x.std()


def test_at_first_the_forecast_is_that_of_the_network(forecaster: TrainedForecaster) -> None:
    network = np.random.default_rng(0).normal(size=(20, HORIZON)).astype(np.float32)
    out, _ = run(forecaster, heartbeats(2), network=network)
    near = [i for i, offset in enumerate(OFFSETS) if offset <= HORIZON]
    expected = network[:, np.array(OFFSETS)[near] - 1]
    np.testing.assert_allclose(out.mean[:, near], expected, atol=1e-5)
    np.testing.assert_allclose(out.scale[:10, near], 0.3, rtol=1e-5)


def test_a_perfect_network_is_not_made_worse(forecaster: TrainedForecaster) -> None:
    x = heartbeats(180)
    k = len(x) // STRIDE - 10
    ends = STRIDE - 1 + STRIDE * np.arange(k)
    network = x[ends[:, None] + 1 + np.arange(HORIZON)].astype(np.float32)
    out, _ = run(forecaster, x[: k * STRIDE], network=network)
    near = [i for i, offset in enumerate(OFFSETS) if offset <= HORIZON]
    error = (out.mean - truth_of(x, k))[:, near]
    assert np.sqrt((error[600:] ** 2).mean()) < 0.1 * x.std()


def test_the_interval_covers_nine_tenths_at_each_horizon(forecaster: TrainedForecaster) -> None:
    x = heartbeats(300, noise=0.05)
    out, _ = run(forecaster, x)
    k = slice(600, len(out.mean) - 10)
    inside = np.abs(out.mean[k] - truth_of(np.append(x, np.zeros(FS)), len(out.mean))[k]) <= Z90 * out.scale[k]
    assert (np.abs(inside.mean(axis=0) - 0.9) < 0.04).all()


def test_while_the_lead_is_off_nothing_is_learned_and_the_network_is_used(forecaster: TrainedForecaster) -> None:
    x = heartbeats(90)
    _, before = run(forecaster, x[: 60 * FS])
    off = np.full(10 * FS, x[60 * FS - 1])
    out, after = run(forecaster, off, invalid=np.ones(len(off), np.bool_), state=before)
    np.testing.assert_allclose(out.mean[:, :24], 0, atol=1e-6)
    for kept in ("head", "followed", "corrected", "intervals"):
        for own, other in zip(getattr(before, kept), getattr(after, kept), strict=True):
            if own is not before.head.weights:  # the equations are solved again
                np.testing.assert_array_equal(own, other)
    again, _ = run(forecaster, x[60 * FS :], state=after)
    error = (again.mean[:, 8] - truth_of(np.append(x[60 * FS :], np.zeros(FS)), len(again.mean))[:, 8])[20:-10]
    assert np.sqrt((error**2).mean()) < 0.5 * x.std(), "what was learned is used two seconds after the lead is back"


def test_what_was_learned_is_kept_after_lost_samples(forecaster: TrainedForecaster) -> None:
    x = heartbeats(100)
    _, before = run(forecaster, x[: 60 * FS])
    out, _ = run(forecaster, x[70 * FS :], state=after_gap(before))
    error = (out.mean[:, 8] - truth_of(np.append(x[70 * FS :], np.zeros(FS)), len(out.mean))[:, 8])[20:-10]
    assert np.sqrt((error**2).mean()) < 0.5 * x.std()


def test_the_latest_two_minutes_are_kept(forecaster: TrainedForecaster) -> None:
    x = heartbeats(131)
    state, points = begin(1, forecaster.scaling), x[PATCH - 1 :: PATCH].astype(np.float32)
    for k in (1190, 1260, 1310):  # before and after what is kept has moved in its memory
        _, after = run(forecaster, x[: k * STRIDE], state=state)
        first = k % SPARE
        kept = after.retrieval.past[0, 0, first : first + STRIDES].reshape(-1)
        expected = np.concatenate([np.zeros(len(kept), np.float32), points[: k * POINTS]])[-len(kept) :]
        np.testing.assert_array_equal(kept, expected)
        assert after.retrieval.usable[0, 0, first + STRIDES - 1] == min(k, MANY)


def test_the_long_search_is_made_every_fourth_stride_and_at_the_first_one_after_lost_samples(
    forecaster: TrainedForecaster,
) -> None:
    x = heartbeats(40)
    _, state = run(forecaster, x[: 300 * STRIDE])
    ages = []
    for k in range(300, 308):
        _, state = run(forecaster, x[k * STRIDE : (k + 1) * STRIDE], state=state)
        ages.append(int(state.retrieval.strides[0, 0] - state.retrieval.searched[0, 0]))
    assert sorted(ages) == [0, 0, 1, 1, 2, 2, 3, 3]
    for before in range(301, 305):
        _, state = run(forecaster, x[: before * STRIDE])
        _, state = run(forecaster, x[310 * STRIDE : 322 * STRIDE], state=after_gap(state))
        assert state.retrieval.searched[0, 0] == state.retrieval.strides[0, 0]


def test_an_artefact_leaves_finite_forecasts_that_recover(forecaster: TrainedForecaster) -> None:
    x = heartbeats(180)
    disturbed = x.copy()
    disturbed[60 * FS : 64 * FS] += np.random.default_rng(0).normal(0, 5, 4 * FS)
    out, _ = run(forecaster, disturbed)
    assert np.isfinite(out.mean).all()
    assert np.isfinite(out.scale).all()
    assert (out.scale > 0).all()
    error = (out.mean - truth_of(np.append(x, np.zeros(FS)), len(out.mean)))[1300:1780, 8]
    assert np.sqrt((error**2).mean()) < 0.6 * x.std()


def test_constant_signals_have_finite_forecasts(forecaster: TrainedForecaster) -> None:
    for value in (0.0, 3.0):
        out, _ = run(forecaster, np.full(40 * FS, value))
        assert np.isfinite(out.mean).all()
        assert np.isfinite(out.scale).all()


def test_beds_in_any_slots_have_the_forecasts_of_each_alone(forecaster: TrainedForecaster) -> None:
    signals = [heartbeats(40, seed) for seed in range(2)]
    alone = [run(forecaster, x) for x in signals]
    columns = joined([begin(1, forecaster.scaling)] * 3)
    mv = np.stack(signals)[:, : 400 * STRIDE, None]
    batch = Batch(np.array([2, 0]), np.zeros(2, np.int64), mv, np.zeros(mv.shape, np.bool_))
    mean = np.zeros((2, 400, HORIZON, 1), np.float32)
    out = advance(forecaster, columns, batch, mean, np.full(mean.shape, 0.3, np.float32))
    for bed, slot in enumerate((2, 0)):
        np.testing.assert_array_equal(out.mean[bed, :, :, 0], alone[bed][0].mean)
        for own, other in zip(slots.arrays(row(columns, slot)), slots.arrays(alone[bed][1]), strict=True):
            np.testing.assert_array_equal(own, other)
    for own, fresh in zip(slots.arrays(row(columns, 1)), slots.arrays(begin(1, forecaster.scaling)), strict=True):
        np.testing.assert_array_equal(own, fresh)


def test_the_state_of_a_lead_has_less_than_110_kb(forecaster: TrainedForecaster) -> None:
    assert sum(array.nbytes for array in slots.arrays(begin(1, forecaster.scaling))) < 110_000
