"""Alarms on the sweep and in the lists."""

from __future__ import annotations

from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.topics import Kind, Topic
from tests.monitor.stories import (
    alarm,
    removed,
)
from tests.monitor.view.story import Story


def test_an_open_alarm_marks_the_trace_until_now_and_a_cleared_one_until_its_end() -> None:
    story = Story().stream(30).say(alarm(400))
    opened = story.frame()
    assert [(s.first, s.stop, s.priority) for s in opened.trace.alarm_spans] == [(400, None, "low")]
    assert [(line.alarm, line.active) for line in opened.active] == [(alarm(400), True)]
    story.say(alarm(400, "cleared", end=700))
    closed = story.frame()
    assert [(s.first, s.stop) for s in closed.trace.alarm_spans] == [(400, 700)]
    assert closed.active == ()
    assert [line.active for line in closed.history] == [False]
    assert closed.trace.revision > opened.trace.revision > 0


def test_an_event_that_comes_again_does_not_raise_a_cleared_alarm() -> None:
    story = Story().stream(30).say(alarm(400), alarm(400, "cleared", end=700), alarm(400))
    assert story.frame().active == ()


def test_who_comes_late_learns_the_active_alarms() -> None:
    story = Story().stream(30).say(ActiveAlarms(bed="bed-1", alarms=(alarm(500),)))
    assert len(story.frame().active) == 1
    story.say(ActiveAlarms(bed="bed-1"))
    assert story.frame().active == ()
    # How long it lasted is known only as far as it was told.
    assert [(s.first, s.stop) for s in story.frame().trace.alarm_spans] == [(500, 860)]


def test_a_removed_list_of_active_alarms_is_an_empty_one() -> None:
    story = Story().stream(30).say(alarm(500))
    story.presenter.process(removed(Topic(Kind.ALARMS_ACTIVE, "bed-1"), story.now))
    assert story.frame().active == ()


def test_the_most_urgent_alarm_comes_first() -> None:
    story = Story().stream(30).say(alarm(300, priority="high"), alarm(400), alarm(500, priority="medium"))
    frame = story.frame()
    assert [line.alarm.priority for line in frame.active] == ["high", "medium", "low"]
    assert [line.alarm.priority for line in frame.history] == ["medium", "low", "high"]
    assert frame.beds[0].priority == "high"


def test_an_alarm_of_another_session_is_listed_and_not_drawn() -> None:
    frame = Story().stream(30).say(alarm(400, session="e" * 32)).frame()
    assert len(frame.active) == 1
    assert frame.trace.alarm_spans == ()


def test_thousands_of_alarms_stay_bounded_and_the_active_ones_are_kept() -> None:
    story = Story().stream(30).say(alarm(1))
    for onset in range(2, 2000):
        story.say(alarm(onset), alarm(onset, "cleared", end=onset + 10))
    frame = story.frame()
    assert len(frame.history) <= 200
    assert [line.active for line in frame.history].count(True) == 1
