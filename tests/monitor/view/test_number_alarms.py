"""Numbers in alarm."""

from __future__ import annotations

from monitor.view.number_alarms import NumberAlarm, number_alarms, rhythm_priority
from monitor.view.view_model import AlarmLine
from stream.wire.alarm_messages import AlarmKind
from tests.monitor.message_samples import alarm


def line(kind: AlarmKind, priority: str, *, who: str | None = None, ended: bool = False) -> AlarmLine:
    event = alarm(400, kind=kind, priority=priority, acknowledged_by=who, end=500 if ended else None, latched=ended)
    return AlarmLine(event, "12:00:00", 1.0, active=True)


def test_the_most_urgent_unacknowledged_alarm_of_a_number_counts() -> None:
    fast, brady = line("extreme_tachycardia", "high"), line("heart_rate_low", "medium")
    assert number_alarms((fast, brady)) == {"heart_rate": NumberAlarm("high", "high", acknowledged=False)}
    seen = line("extreme_tachycardia", "high", who="nurse 1")
    assert number_alarms((seen, brady)) == {"heart_rate": NumberAlarm("medium", "low", acknowledged=False)}
    assert number_alarms((seen,)) == {"heart_rate": NumberAlarm("high", "high", acknowledged=True)}


def test_a_latched_alarm_and_one_of_no_number_do_not_count() -> None:
    assert number_alarms((line("extreme_tachycardia", "high", ended=True), line("pvc_run", "medium"))) == {}


def test_a_rhythm_has_the_priority_of_its_alarm_while_that_persists() -> None:
    lines = (line("ventricular_tachycardia", "high"), line("asystole", "high", ended=True))
    assert rhythm_priority("ventricular tachycardia", lines) == "high"
    assert rhythm_priority("asystole", lines) is None
    assert rhythm_priority("sinus", lines) is None
