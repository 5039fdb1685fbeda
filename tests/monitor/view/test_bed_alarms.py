"""Alarms of a bed: spans on the sweep, and lists."""

from __future__ import annotations

from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.topics import Kind, Topic
from tests.monitor.message_samples import (
    alarm,
    removed,
)
from tests.monitor.view.scenario import Scenario


def test_an_active_alarm_spans_to_the_cursor_and_a_cleared_one_to_its_end() -> None:
    scenario = Scenario().stream(30).receive(alarm(400))
    opened = scenario.frame()
    assert [(s.first, s.stop, s.priority) for s in opened.trace.alarm_spans] == [(400, None, "low")]
    assert [(line.alarm, line.active) for line in opened.active] == [(alarm(400), True)]
    scenario.receive(alarm(400, "cleared", end=700))
    closed = scenario.frame()
    assert [(s.first, s.stop) for s in closed.trace.alarm_spans] == [(400, 700)]
    assert closed.active == ()
    assert [line.active for line in closed.history] == [False]
    assert closed.trace.revision > opened.trace.revision > 0


def test_a_repeated_event_does_not_raise_a_cleared_alarm() -> None:
    scenario = Scenario().stream(30).receive(alarm(400), alarm(400, "cleared", end=700), alarm(400))
    assert scenario.frame().active == ()


def test_the_list_of_active_alarms_is_enough() -> None:
    scenario = Scenario().stream(30).receive(ActiveAlarms(bed="bed-1", alarms=(alarm(500),)))
    assert len(scenario.frame().active) == 1
    scenario.receive(ActiveAlarms(bed="bed-1"))
    assert scenario.frame().active == ()
    # Its end was not received: the last known duration is used.
    assert [(s.first, s.stop) for s in scenario.frame().trace.alarm_spans] == [(500, 860)]


def test_a_removed_list_of_active_alarms_counts_as_empty() -> None:
    scenario = Scenario().stream(30).receive(alarm(500))
    scenario.presenter.process(removed(Topic(Kind.ALARMS_ACTIVE, "bed-1"), scenario.now))
    assert scenario.frame().active == ()


def test_the_most_urgent_alarm_comes_first() -> None:
    scenario = Scenario().stream(30).receive(alarm(300, priority="high"), alarm(400), alarm(500, priority="medium"))
    frame = scenario.frame()
    assert [line.alarm.priority for line in frame.active] == ["high", "medium", "low"]
    assert [line.alarm.priority for line in frame.history] == ["medium", "low", "high"]
    assert frame.beds[0].priority == "high"


def test_an_alarm_of_another_session_is_listed_and_not_drawn() -> None:
    frame = Scenario().stream(30).receive(alarm(400, session="e" * 32)).frame()
    assert len(frame.active) == 1
    assert frame.trace.alarm_spans == ()


def test_the_history_is_bounded_and_active_alarms_are_kept() -> None:
    scenario = Scenario().stream(30).receive(alarm(1))
    for onset in range(2, 2000):
        scenario.receive(alarm(onset), alarm(onset, "cleared", end=onset + 10))
    frame = scenario.frame()
    assert len(frame.history) <= 200
    assert [line.active for line in frame.history].count(True) == 1
