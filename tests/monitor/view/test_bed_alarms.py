"""Alarms of a bed: spans on the sweep, and lists."""

from __future__ import annotations

import pytest

from monitor.view.bed_alarms import MAX_ALARMS, BedAlarms
from monitor.view.view_model import Pauses
from stream.clock import rfc3339
from stream.wire.alarm_messages import MAX_PAUSE_S, ActiveAlarms
from stream.wire.topics import Kind, Topic
from tests.monitor.message_samples import (
    SECOND,
    T0,
    advisory,
    alarm,
    removed,
    residual,
)
from tests.monitor.view.scenario import Scenario


def test_an_alarm_of_another_wave_does_not_mark_the_ecg() -> None:
    frame = Scenario().stream(30).receive(alarm(400, kind="abp_mean_low", priority="medium")).frame()
    assert frame.trace.alarm_spans == ()
    assert len(frame.active) == 1


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


def test_events_that_are_sent_again_are_no_news() -> None:
    scenario = Scenario().stream(30).receive(alarm(400), alarm(400, "acknowledged", acknowledged_by="nurse 1"))
    before = scenario.frame()
    scenario.receive(alarm(300, resent=True), alarm(400, resent=True))
    assert scenario.frame().active == before.active
    assert scenario.frame().history == before.history


def test_past_alarms_stand_below_those_received_and_change_no_active_one() -> None:
    scenario = Scenario().stream(30).receive(alarm(500), ActiveAlarms(bed="bed-1", alarms=(alarm(500), alarm(200))))
    alarms = scenario.presenter.bed("bed-1").alarms
    events = [alarm(100), alarm(200), alarm(100, "cleared", end=300), alarm(500, "cleared", end=600)]
    alarms.add_past(events)
    history = scenario.frame().history
    assert [(line.alarm.onset, line.active) for line in history] == [(200, True), (500, True), (100, False)]
    assert alarms.event_time(alarm(100).alarm_id, "raised") == alarm(100).when
    assert alarms.has_past


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


# --- advisories -----------------------------------------------------------------------------------------------------


def test_advisories_are_one_line_and_no_active_alarm() -> None:
    scenario = Scenario().stream(30)
    for onset in (400, 600, 800):
        scenario.receive(residual(onset), residual(onset, "cleared", end=onset + 40))
    latest = residual(800, "cleared", end=840)
    scenario.receive(ActiveAlarms(bed="bed-1", advisory=advisory(latest, 400, 600, 800)))
    frame = scenario.frame()
    assert frame.active == ()
    assert (frame.beds[0].priority, [line.alarm for line in frame.history]) == (None, [latest])
    [line] = frame.history
    assert line.active
    assert line.advisories is not None
    assert (line.advisories.recent, line.advisories.count) == (3, 3)
    assert [(s.first, s.stop) for s in frame.trace.alarm_spans] == [(400, 440), (600, 640), (800, 840)]


def test_the_line_of_the_advisories_stays_first_and_counts_the_last_minute() -> None:
    scenario = Scenario().stream(30).receive(alarm(900, priority="medium"))
    entry = advisory(residual(800), 400, 800)
    scenario.receive(ActiveAlarms(bed="bed-1", alarms=(alarm(900, priority="medium"),), advisory=entry))
    assert [line.key for line in scenario.frame().history] == ["residual", alarm(900).alarm_id]
    scenario.stream(590)  # to 62 s: the first one is out of the last minute
    [first, _] = scenario.frame().history
    assert (first.advisories.recent, first.advisories.count, first.active) == (1, 2, True)
    scenario.stream(20)
    [first, _] = scenario.frame().history
    assert (first.advisories.recent, first.advisories.count, first.active) == (0, 2, False)
    assert first.unacknowledged


def test_a_monitor_that_joins_late_shows_the_same_line() -> None:
    entry = advisory(residual(800, "cleared", end=840), 400, 800, count=12)
    early = Scenario().stream(30).receive(residual(800), residual(800, "cleared", end=840))
    lines = [s.receive(ActiveAlarms(bed="bed-1", advisory=entry)).frame() for s in (early, Scenario().stream(30))]
    assert lines[0].history == lines[1].history
    assert lines[0].trace.alarm_spans == lines[1].trace.alarm_spans


def test_acknowledged_advisories_wait_for_the_next() -> None:
    seen = residual(800, "acknowledged", end=840, acknowledged_by="nurse 1")
    scenario = Scenario().stream(30)
    scenario.receive(seen, ActiveAlarms(bed="bed-1", advisory=advisory(seen, count=0, since="", onsets=())))
    [line] = scenario.frame().history
    assert (line.active, line.unacknowledged, line.alarm.acknowledged_by) == (False, False, "nurse 1")


def test_many_advisories_drop_no_alarm() -> None:
    scenario = Scenario().stream(30).receive(alarm(1), alarm(1, "cleared", end=9))
    for onset in range(2, 1000):
        scenario.receive(residual(onset), residual(onset, "cleared", end=onset + 1))
    assert [line.alarm.alarm_id for line in scenario.frame().history] == [alarm(1).alarm_id]


def test_a_technical_alarm_that_returned_is_one_line() -> None:
    scenario = Scenario().stream(30)
    for number, repeats in ((1, 0), (2, 0), (3, 1), (4, 2)):
        noise = {"kind": "noise", "priority": "technical", "alarm_id": f"n-{number}", "repeats": repeats}
        scenario.receive(alarm(number, **noise), alarm(number, "cleared", end=number + 1, **noise))
        scenario.receive(alarm(100 + number, priority="medium"), alarm(100 + number, "cleared", end=120))
    lines = [line.alarm for line in scenario.frame().history if line.alarm.kind == "noise"]
    assert [(line.alarm_id, line.repeats) for line in lines] == [("n-4", 2), ("n-1", 0)]
    assert len(scenario.frame().history) == 6


def test_a_flood_of_raised_alarms_is_bounded_and_the_latest_stay() -> None:
    alarms = BedAlarms()
    for n in range(5 * MAX_ALARMS):
        alarms.add_event(alarm(n, alarm_id=f"forged-{n}"))
    assert len(alarms._latest) == len(alarms._active) == MAX_ALARMS
    assert alarms.find(f"forged-{5 * MAX_ALARMS - 1}") is not None


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_pause_is_never_shown_longer_than_one_can_be(step_s: int) -> None:
    """This machine's clock was stepped, and the worker has not moved the end yet."""
    alarms = BedAlarms()
    alarms.set_active(ActiveAlarms(bed="bed-1", audio_paused_until=rfc3339(T0 + 60 * SECOND)))
    assert alarms.pauses(T0) == Pauses(60, 0)
    assert alarms.pauses(T0 + step_s * SECOND) == Pauses(MAX_PAUSE_S if step_s < 0 else 0, 0)
