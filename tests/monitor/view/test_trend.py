"""The trend: what was said in each second, for four hours, whatever happened between."""

from __future__ import annotations

import numpy as np

from monitor.view.presenter import Presenter
from monitor.view.trend import KEPT_S, SPANS_S, Trend
from stream.wire.alarm_messages import PRIORITIES, ActiveAlarms
from tests.monitor.stories import SECOND, T0, alarm, arrives, received, vitals

NOW = T0 // SECOND


def test_each_second_holds_what_was_said_in_it() -> None:
    trend = Trend()
    for second in range(5):
        trend.take(vitals(360 * second, heart_rate=60.0 + second, score=second / 10), T0 + second * SECOND, None)
    picture = trend.picture(T0 + 4 * SECOND)
    assert (picture.first, picture.stop) == (NOW + 5 - SPANS_S[0], NOW + 5)
    np.testing.assert_allclose(picture.heart_rate[-5:], [60, 61, 62, 63, 64])
    np.testing.assert_allclose(picture.score[-5:], [0, 0.1, 0.2, 0.3, 0.4], atol=1e-6)
    assert np.isnan(picture.heart_rate[:-5]).all()
    assert (picture.priority == -1).all()


def test_a_fast_replay_keeps_the_last_rate_and_the_highest_score() -> None:
    trend = Trend()
    for rate, score in ((60.0, 0.1), (90.0, 5.0), (70.0, None)):
        trend.take(vitals(0, heart_rate=rate, score=score), T0, None)
    trend.take(vitals(0, heart_rate=None, score=0.3), T0, None)
    picture = trend.picture(T0)
    assert (picture.heart_rate[-1], picture.score[-1]) == (70.0, 5.0)


def test_seconds_in_which_nobody_spoke_are_empty() -> None:
    trend = Trend()
    trend.take(vitals(0), T0, None)
    trend.take(vitals(360), T0 + 10 * SECOND, None)
    picture = trend.picture(T0 + 12 * SECOND)
    assert np.flatnonzero(np.isfinite(picture.heart_rate)).tolist() == [len(picture.score) - 13, len(picture.score) - 3]


def test_the_picture_grows_with_what_there_is_and_four_hours_are_kept() -> None:
    trend = Trend()
    spans = []
    for second in (0, 800, 3000, 8000, KEPT_S + 500):
        trend.take(vitals(0, heart_rate=50.0 + second / 1000), T0 + second * SECOND, None)
        picture = trend.picture(T0 + second * SECOND)
        spans.append(picture.stop - picture.first)
    assert spans == [900, 900, 3600, KEPT_S, KEPT_S]
    assert np.nanmin(picture.heart_rate) > 50.5, "the first second has been forgotten"


def test_a_clock_set_back_by_hours_does_no_harm() -> None:
    trend = Trend()
    trend.take(vitals(0), T0, None)
    trend.take(vitals(0, heart_rate=99.0), T0 - 2 * KEPT_S * SECOND, None)
    picture = trend.picture(T0)
    assert np.nanmax(picture.heart_rate) < 99


def test_the_most_urgent_alarm_of_a_second_stays() -> None:
    trend = Trend()
    trend.mark(T0, "low")
    trend.mark(T0, "high")
    trend.take(vitals(0), T0, "medium")
    assert PRIORITIES[trend.picture(T0).priority[-1]] == "high"


def test_alarms_are_marked_while_they_last_and_when_they_are_raised() -> None:
    presenter = Presenter()

    def say(second: int, *messages: object) -> None:
        for message in messages:
            presenter.take(received(message, T0 + second * SECOND))  # type: ignore[arg-type]

    presenter.take(arrives(0))
    say(1, vitals(0))
    raised = alarm(0, priority="high")
    say(2, raised, ActiveAlarms(bed="bed-1", alarms=(raised,)), vitals(360))
    say(3, vitals(720))
    over = alarm(0, "cleared", end=900, priority="high", latched=True)
    say(4, over, ActiveAlarms(bed="bed-1", alarms=(over,)), vitals(1080))
    say(5, alarm(1300), alarm(1300, "cleared", end=1400), vitals(1440))
    say(6, vitals(1800))
    bed = presenter.bed("bed-1")
    assert bed is not None
    marked = bed.trend.picture(T0 + 6 * SECOND).priority[-6:].tolist()
    high, low = PRIORITIES.index("high"), PRIORITIES.index("low")
    assert marked == [-1, high, high, -1, low, -1], "latched is not lasting; a short one between two seconds is marked"


def test_it_outlives_a_session() -> None:
    presenter = Presenter()
    presenter.take(arrives(0))
    presenter.take(received(vitals(0), T0))
    presenter.take(arrives(0, session="f" * 32))
    bed = presenter.bed("bed-1")
    assert bed is not None
    assert np.isfinite(bed.trend.picture(T0).heart_rate).any()
