"""Trend: the values of each second over four hours, across sessions."""

from __future__ import annotations

import numpy as np

from monitor.view.presenter import Presenter
from monitor.view.trend import HISTORY_S, SPANS_S, Trend
from stream.wire.alarm_messages import PRIORITIES, ActiveAlarms
from tests.monitor.message_samples import SECOND, T0, alarm, received, received_chunk, vitals

NOW = T0 // SECOND


def test_each_second_has_the_values_received_in_it() -> None:
    trend = Trend()
    for second in range(5):
        trend.add(vitals(360 * second, heart_rate=60.0 + second, score=second / 10), T0 + second * SECOND, None)
    snapshot = trend.snapshot(T0 + 4 * SECOND)
    assert (snapshot.first, snapshot.stop) == (NOW + 5 - SPANS_S[0], NOW + 5)
    np.testing.assert_allclose(snapshot.heart_rate[-5:], [60, 61, 62, 63, 64])
    np.testing.assert_allclose(snapshot.score[-5:], [0, 0.1, 0.2, 0.3, 0.4], atol=1e-6)
    assert np.isnan(snapshot.heart_rate[:-5]).all()
    assert (snapshot.priority == -1).all()


def test_a_fast_replay_keeps_the_last_rate_and_the_highest_score() -> None:
    trend = Trend()
    for rate, score in ((60.0, 0.1), (90.0, 5.0), (70.0, None)):
        trend.add(vitals(0, heart_rate=rate, score=score), T0, None)
    trend.add(vitals(0, heart_rate=None, score=0.3), T0, None)
    snapshot = trend.snapshot(T0)
    assert (snapshot.heart_rate[-1], snapshot.score[-1]) == (70.0, 5.0)


def test_seconds_without_values_are_nan() -> None:
    trend = Trend()
    trend.add(vitals(0), T0, None)
    trend.add(vitals(360), T0 + 10 * SECOND, None)
    snapshot = trend.snapshot(T0 + 12 * SECOND)
    assert np.flatnonzero(np.isfinite(snapshot.heart_rate)).tolist() == [
        len(snapshot.score) - 13,
        len(snapshot.score) - 3,
    ]


def test_the_span_grows_with_the_history_up_to_four_hours() -> None:
    trend = Trend()
    spans = []
    for second in (0, 800, 3000, 8000, HISTORY_S + 500):
        trend.add(vitals(0, heart_rate=50.0 + second / 1000), T0 + second * SECOND, None)
        snapshot = trend.snapshot(T0 + second * SECOND)
        spans.append(snapshot.stop - snapshot.first)
    assert spans == [900, 900, 3600, HISTORY_S, HISTORY_S]
    assert np.nanmin(snapshot.heart_rate) > 50.5, "the first second has been dropped"


def test_a_clock_set_back_by_hours_is_ignored() -> None:
    trend = Trend()
    trend.add(vitals(0), T0, None)
    trend.add(vitals(0, heart_rate=99.0), T0 - 2 * HISTORY_S * SECOND, None)
    snapshot = trend.snapshot(T0)
    assert np.nanmax(snapshot.heart_rate) < 99


def test_the_most_urgent_alarm_of_a_second_is_kept() -> None:
    trend = Trend()
    trend.mark(T0, "low")
    trend.mark(T0, "high")
    trend.add(vitals(0), T0, "medium")
    assert PRIORITIES[trend.snapshot(T0).priority[-1]] == "high"


def test_alarms_are_marked_while_active_and_when_raised() -> None:
    presenter = Presenter()

    def receive(second: int, *messages: object) -> None:
        for message in messages:
            presenter.process(received(message, T0 + second * SECOND))  # type: ignore[arg-type]

    presenter.process(received_chunk(0))
    receive(1, vitals(0))
    raised = alarm(0, priority="high")
    receive(2, raised, ActiveAlarms(bed="bed-1", alarms=(raised,)), vitals(360))
    receive(3, vitals(720))
    over = alarm(0, "cleared", end=900, priority="high", latched=True)
    receive(4, over, ActiveAlarms(bed="bed-1", alarms=(over,)), vitals(1080))
    receive(5, alarm(1300), alarm(1300, "cleared", end=1400), vitals(1440))
    receive(6, vitals(1800))
    bed = presenter.bed("bed-1")
    assert bed is not None
    marked = bed.trend.snapshot(T0 + 6 * SECOND).priority[-6:].tolist()
    high, low = PRIORITIES.index("high"), PRIORITIES.index("low")
    assert marked == [-1, high, high, -1, low, -1], "a latched alarm is not marked; a short one within a second is"


def test_the_trend_continues_across_sessions() -> None:
    presenter = Presenter()
    presenter.process(received_chunk(0))
    presenter.process(received(vitals(0), T0))
    presenter.process(received_chunk(0, session="f" * 32))
    bed = presenter.bed("bed-1")
    assert bed is not None
    assert np.isfinite(bed.trend.snapshot(T0).heart_rate).any()
