import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.tools.wire_stats import HORIZONS, BedStats, quantiles_ms
from stream.wire.messages import Forecast
from tests.waveforms import SESSION, chunk


def perfect_forecast(seq: int, error: float = 0.0, n: int = 36) -> Forecast:
    """Return the forecast made after chunk ``seq`` of the traceable stream, off by ``error`` mV."""
    origin = (seq + 1) * n - 1
    truth = (np.arange(origin + 1, origin + 97) % 10_000 - 1024) / 200 + error
    return Forecast(
        bed="bed-1",
        session=SESSION,
        epoch=0,
        seq=seq,
        origin=origin,
        leads=("MLII",),
        mean=truth.astype("<f4").tobytes(),
        scale=np.ones(96, "<f4").tobytes(),
        score=1.0,
        threshold=3.0,
        published_ns=chunk(seq).due_ns + 7_000_000,
    )


@given(st.floats(-1, 1), st.integers(10, 300))
def test_errors_and_latency_are_those_of_the_wire(error: float, chunks: int) -> None:
    """In a ramp of 1/200 mV per sample, persistence is off by the horizon; the forecast by what we add."""
    stats = BedStats()
    for seq in range(chunks):
        stats.update(chunk(seq), chunk(seq).due_ns)
        stats.update(perfect_forecast(seq, error), 0)
    assert chunks - 3 <= stats.errors.count < chunks
    forecast, persistence = (stats.errors.mae(s) for s in (stats.errors.forecast, stats.errors.persistence))
    for name, samples in HORIZONS.items():
        assert forecast[name] == pytest.approx(abs(error), abs=1e-5)
        if chunks < 270:  # beyond, the ramp starts again from zero
            assert persistence[name] == pytest.approx(samples / 200)
    assert quantiles_ms(stats.latencies_ms) == {"p50": 7.0, "p99": 7.0}


def test_nothing_is_scored_across_a_gap_or_an_epoch() -> None:
    stats = BedStats()
    for seq in (0, 1, 2):
        stats.update(chunk(seq), 0)
        stats.update(perfect_forecast(seq), 0)
    count = stats.errors.count
    stats.update(chunk(5), 0)
    stats.update(chunk(5), 0)
    assert stats.errors.count == count
    stats.update(chunk(6, epoch=1, epoch_start=6 * 36), 0)
    stats.update(perfect_forecast(5), 0)
    stats.update(chunk(7, epoch=1, epoch_start=6 * 36), 0)
    assert stats.errors.count == count


def test_rate_and_age() -> None:
    stats = BedStats()
    assert stats.age_s(0) is None
    assert stats.rate(0) == 0.0
    for seq in range(100):
        stats.update(chunk(seq), chunk(seq).due_ns)
    now = chunk(99).due_ns
    assert stats.rate(now) == pytest.approx(360)
    assert stats.age_s(now + 2_500_000_000) == pytest.approx(2.5)
    assert stats.rate(now + 10_000_000_000) == 0.0


def test_repeated_and_contradictory_chunks_are_left_out() -> None:
    stats = BedStats()
    for seq in range(20):
        stats.update(chunk(seq), chunk(seq).due_ns)
    rate = stats.rate(chunk(19).due_ns)
    stats.update(chunk(19), chunk(19).due_ns)
    stats.update(chunk(20, start=36), chunk(19).due_ns)
    assert stats.waveform == chunk(19)
    assert stats.rate(chunk(19).due_ns) == rate
