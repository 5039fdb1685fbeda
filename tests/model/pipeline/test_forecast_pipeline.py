"""The pipeline with the shipped network: chunks, the future and a move to another process change nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.anomaly.episodes import Cleared, Deviation, Event, Raised, to_change
from model.conditions.changes import Began, Ended, Evidence
from model.forecast.checkpoint import Checkpoint
from model.forecast.forecaster import load_forecaster
from model.pipeline import forecast_pipeline
from model.pipeline.forecast_pipeline import RESIDUAL, BedOutput, BedState, Published
from model.signal.arrays import FloatArray
from stream.errors import StorageError
from stream.records.record import Record
from stream.timebase import STRIDE

SAME_MV = 1e-5


@pytest.fixture(scope="module")
def forecaster() -> Checkpoint:
    return load_forecaster()


@pytest.fixture(scope="module")
def real(excerpt: Record) -> FloatArray:
    """40 s of the excerpt with many ventricular beats."""
    return excerpt.mv()[54_000:68_400]


@pytest.fixture(scope="module")
def whole(forecaster: Checkpoint, real: FloatArray) -> tuple[list[BedOutput], BedState]:
    return run(forecaster, real, [])


def run(
    forecaster: Checkpoint, signal: FloatArray, cuts: Sequence[int], start: int = 0, epoch_start: int = 0
) -> tuple[list[BedOutput], BedState]:
    state = forecast_pipeline.begin(forecaster, signal.shape[1], start, epoch_start)
    outputs = []
    for first, last in itertools.pairwise([0, *sorted(cuts), len(signal)]):
        [(output, state)] = forecast_pipeline.step(forecaster, [state], [signal[first:last]])
        outputs.append(output)
    return outputs, state


def events_of(outputs: Sequence[BedOutput]) -> list[Event]:
    return [event for output in outputs for event in output.events]


def published_by(outputs: Sequence[BedOutput]) -> list[Published]:
    return [forecast for output in outputs for forecast in output.published]


def place(event: Event) -> tuple[type, int, int | None, int]:
    return type(event), event.onset, event.end if isinstance(event, Cleared) else None, event.at


def assert_same(one: Sequence[BedOutput], other: Sequence[BedOutput], until: int | None = None) -> None:
    """Compare all outputs up to the sample ``until``; forecasts within 1e-5 mV, alarms in kind, onset and end."""
    origin, origin_other = (np.concatenate([o.origin for o in outputs]) for outputs in (one, other))
    k = len(origin) if until is None else int((origin <= until).sum())
    np.testing.assert_array_equal(origin[:k], origin_other[:k])
    for name in ("mean", "scale"):
        a, b = (np.concatenate([getattr(o, name) for o in outputs]) for outputs in (one, other))
        np.testing.assert_allclose(a[:k], b[:k], rtol=0, atol=SAME_MV)
    a, b = (np.concatenate([o.score for o in outputs]) for outputs in (one, other))
    np.testing.assert_allclose(a[:k], b[:k], rtol=0, atol=1e-3)
    last = math.inf if until is None else until
    assert [place(e) for e in events_of(one) if e.at <= last] == [place(e) for e in events_of(other) if e.at <= last]
    ours, theirs = ([p for p in published_by(outputs) if p.origin <= last] for outputs in (one, other))
    assert [p.origin for p in ours] == [p.origin for p in theirs]
    np.testing.assert_allclose([p.score for p in ours], [p.score for p in theirs], rtol=0, atol=1e-3)


def test_the_real_excerpt_raises_alarms(whole: tuple[list[BedOutput], BedState]) -> None:
    """What the other tests compare is not empty."""
    events = events_of(whole[0])
    assert any(isinstance(event, Raised) for event in events)
    assert any(isinstance(event, Cleared) for event in events)


@pytest.mark.parametrize("size", [1, 7, 36, 1000])
def test_chunk_sizes_give_the_same(
    forecaster: Checkpoint, real: FloatArray, whole: tuple[list[BedOutput], BedState], size: int
) -> None:
    # Many small steps are slow: 15 s reach beyond learning.
    signal = real[: 5_400 if size < 10 else None]
    outputs, _ = run(forecaster, signal, list(range(size, len(signal), size)))
    assert_same(outputs, whole[0], until=len(signal) - 1)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 14_400), max_size=25))
def test_any_cutting_gives_the_same(
    forecaster: Checkpoint, real: FloatArray, whole: tuple[list[BedOutput], BedState], cuts: list[int]
) -> None:
    outputs, _ = run(forecaster, real, cuts)
    assert_same(outputs, whole[0])


@settings(max_examples=6)
@given(
    seed=st.integers(0, 2**32 - 1),
    leads=st.integers(1, 2),
    cuts=st.lists(st.integers(0, 7_200), max_size=10),
    start=st.integers(0, 100),
)
def test_any_signal_cut_anyhow_gives_the_same(
    forecaster: Checkpoint, seed: int, leads: int, cuts: list[int], start: int
) -> None:
    """Beats of any shape, with invalid stretches, joined anywhere in an epoch."""
    rng = np.random.default_rng(seed)
    signal = np.tile(rng.normal(size=(300, leads)).cumsum(axis=0) / 10, (24, 1)) + rng.normal(0, 0.02, (7_200, leads))
    for at in rng.integers(0, 7_000, 3):
        signal[at : at + rng.integers(1, 200)] = rng.choice([np.nan, 3.0])
    assert_same(run(forecaster, signal, cuts, start=start)[0], run(forecaster, signal, [], start=start)[0])


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(1, 14_399), seed=st.integers(0, 2**32 - 1))
def test_the_future_changes_nothing(
    forecaster: Checkpoint, real: FloatArray, whole: tuple[list[BedOutput], BedState], at: int, seed: int
) -> None:
    other = real.copy()
    other[at:] = np.random.default_rng(seed).normal(0, 2, other[at:].shape)
    outputs, _ = run(forecaster, other, [])
    assert_same(outputs, whole[0], until=at - 1)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 14_400))
def test_a_saved_state_goes_on_as_if_nothing_had_been(
    forecaster: Checkpoint, real: FloatArray, whole: tuple[list[BedOutput], BedState], at: int
) -> None:
    before, state = run(forecaster, real[:at], [])
    [(after, end)] = forecast_pipeline.step(forecaster, [BedState.from_bytes(state.to_bytes())], [real[at:]])
    assert_same([*before, after], whole[0])
    assert [place(e) for e in forecast_pipeline.finish(end)] == [place(e) for e in forecast_pipeline.finish(whole[1])]


def test_beds_step_together_as_they_would_alone(
    forecaster: Checkpoint, real: FloatArray, whole: tuple[list[BedOutput], BedState]
) -> None:
    two_leads = np.concatenate([real[::-1], -real], axis=1)
    states = [forecast_pipeline.begin(forecaster, 1, 0, 0), forecast_pipeline.begin(forecaster, 2, 0, 0)]
    outputs: tuple[list[BedOutput], list[BedOutput]] = ([], [])
    for first in range(0, len(real), 1_111):
        stepped = forecast_pipeline.step(
            forecaster, states, [real[first : first + 1_111], two_leads[first : first + 1_000]]
        )
        states = [state for _, state in stepped]
        for bed, (output, _) in zip(outputs, stepped, strict=True):
            bed.append(output)
    assert_same(outputs[0], whole[0])


@pytest.mark.parametrize(("start", "epoch_start"), [(0, 0), (1000, 1000), (1037, 1000), (1001, 998)])
def test_published_origins_lie_on_the_grid_of_the_epoch(
    forecaster: Checkpoint, real: FloatArray, start: int, epoch_start: int
) -> None:
    signal = real[:2_000]
    outputs, _ = run(forecaster, signal, [100, 101, 555], start, epoch_start)
    published = [forecast.origin for forecast in published_by(outputs)]
    assert published == [
        at for at in range(start + 3, start + len(signal)) if (at + 1 - epoch_start) % STRIDE == 0 and at >= start + 3
    ]


def test_a_published_score_is_the_highest_of_its_stride() -> None:
    origin = np.arange(3, 4 * 36, 4)
    score = np.full(len(origin), np.nan)
    score[9:] = np.random.default_rng(0).normal(size=len(origin) - 9)
    score[20] = np.nan
    rows, highest, left = forecast_pipeline.strides(origin, score, math.nan)
    assert rows == [8, 17, 26, 35]
    np.testing.assert_equal(highest, [np.nan, max(score[9:18]), np.nanmax(score[18:27]), max(score[27:])])
    assert math.isnan(left)


def test_no_score_until_learnt(whole: tuple[list[BedOutput], BedState]) -> None:
    scores = [(forecast.origin, forecast.score) for forecast in published_by(whole[0])]
    learning = RESIDUAL.warm * 360
    assert all(math.isnan(score) == (origin < learning) for origin, score in scores)
    assert len(scores) == 400


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x94\xc4\x00\xc4\x00\x00\x00", b"nonsense"])
def test_a_damaged_state_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(StorageError, match="damaged") as caught:
        BedState.from_bytes(data)
    assert "\n" not in str(caught.value)


def test_an_alarm_tells_what_happened() -> None:
    far = Deviation(scales=9.0, sample=1010, lead=1, horizon_ms=100.0, observed=1.84, predicted=0.212)
    raised = Raised(onset=1000, at=1039, score=4.2, threshold=3.0, furthest=far)
    cleared = Cleared(onset=1000, end=1090, at=1500, score=5.0, threshold=3.0, furthest=far)
    first, last = (to_change(event, ("MLII", "V1")) for event in (raised, cleared))
    assert isinstance(first, Began)
    assert isinstance(last, Ended)
    assert (first.reason, last.reason) == ("rule_met", "rule_no_longer_met")
    assert first.leads == last.leads == ("V1",)
    assert first.kind == last.kind == "residual"
    assert (first.onset, last.onset, last.end) == (1000, 1000, 1090)
    assert first.evidence == Evidence(1.84, 0.212, 100.0, raised.score, 3.0)
