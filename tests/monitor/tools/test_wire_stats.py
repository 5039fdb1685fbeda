import pytest

from monitor.tools.wire_stats import BedStats, quantiles_ms
from stream.wire.messages import Forecast
from tests.monitor.message_samples import forecast, status, vitals
from tests.waveforms import chunk


def forecast_of(seq: int, delay_ns: int = 7_000_000) -> Forecast:
    """Return the forecast made after chunk ``seq`` of the traceable stream."""
    return forecast(chunk(seq).end - 1, score=1.0, published_ns=chunk(seq).due_ns + delay_ns)


def test_latency_is_the_time_from_due_to_published() -> None:
    stats = BedStats()
    for seq in range(100):
        stats.update(chunk(seq), chunk(seq).due_ns)
        stats.update(forecast_of(seq, 7_000_000 if seq < 99 else 107_000_000), 0)
    stats.update(forecast_of(500), 0)  # of a chunk that was not received
    assert len(stats.latencies_ms) == 100
    assert quantiles_ms(stats.latencies_ms) == {"p50": 7.0, "p99": pytest.approx(8.0)}


def test_the_skill_is_the_latest_from_the_worker() -> None:
    stats = BedStats()
    assert stats.skill is None
    stats.update(vitals(359, skill=0.5), 0)
    stats.update(vitals(719, skill=0.75), 0)
    stats.update(vitals(1079, skill=None), 0)
    assert stats.skill == 0.75


def test_caught_up_means_each_whole_stride_has_its_forecast() -> None:
    stats = BedStats()
    assert stats.caught_up
    stats.update(chunk(0), 0)
    assert not stats.caught_up
    stats.update(forecast_of(0), 0)
    assert stats.caught_up
    stats.update(chunk(1), 0)
    assert not stats.caught_up
    stats.update(forecast(chunk(1).end - 1, session="f" * 32), 0)
    assert not stats.caught_up
    stats.update(forecast_of(1), 0)
    assert stats.caught_up


def test_rate_and_age() -> None:
    stats = BedStats()
    assert stats.age_s(0) is None
    assert stats.rate(0) == 0.0
    for seq in range(100):
        stats.update(chunk(seq), chunk(seq).due_ns)
        stats.update(chunk(seq), chunk(seq).due_ns)  # a repetition counts once
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


def test_swapped_neighbours_are_counted_and_another_publisher_is_not() -> None:
    stats = BedStats()
    for seq in (0, 1, 3, 2, *range(4, 30)):
        stats.update(chunk(seq), chunk(seq).due_ns)
        stats.update(chunk(seq, session="f" * 32), chunk(seq).due_ns)
    assert stats.waveform == chunk(29)
    assert stats.rate(chunk(29).due_ns) == pytest.approx(360)


def test_the_next_session_is_counted_once_the_publisher_has_ended() -> None:
    stats = BedStats()
    for seq in range(3):
        stats.update(chunk(seq), chunk(seq).due_ns)
    stats.update(status("publisher", "ended"), chunk(3).due_ns)
    stats.update(chunk(0, session="f" * 32), chunk(3).due_ns)
    assert stats.waveform == chunk(0, session="f" * 32)


def test_a_worker_that_another_one_has_replaced_is_ignored() -> None:
    stats = BedStats()
    for lease in (1, 2, 2):
        stats.update(vitals(359, skill=0.5, lease=lease), 0)
    stats.update(vitals(719, skill=0.25, lease=1), 0)
    assert (stats.skill, stats.superseded) == (0.5, 1)
