"""Numbers in alarm."""

from __future__ import annotations

from monitor.view.number_alarms import NumberAlarm, limit_texts, number_alarms, rhythm_priority
from monitor.view.view_model import AlarmLine
from stream.wire.alarm_messages import AlarmKind, Limits
from tests.monitor.message_samples import alarm


def line(kind: AlarmKind, priority: str, *, who: str | None = None, ended: bool = False) -> AlarmLine:
    event = alarm(400, kind=kind, priority=priority, acknowledged_by=who, end=500 if ended else None, latched=ended)
    return AlarmLine(event, "12:00:00", 1.0, active=True)


def test_the_most_urgent_unacknowledged_alarm_of_a_number_counts() -> None:
    fast, brady = line("extreme_tachycardia", "high"), line("heart_rate_low", "medium")
    assert number_alarms((fast, brady)) == {
        "heart_rate": NumberAlarm("high", "high", acknowledged=False, kind="extreme_tachycardia")
    }
    seen = line("extreme_tachycardia", "high", who="nurse 1")
    assert number_alarms((seen, brady)) == {
        "heart_rate": NumberAlarm("medium", "low", acknowledged=False, kind="heart_rate_low")
    }
    assert number_alarms((seen,)) == {
        "heart_rate": NumberAlarm("high", "high", acknowledged=True, kind="extreme_tachycardia")
    }


def test_a_latched_alarm_and_one_of_no_number_do_not_count() -> None:
    assert number_alarms((line("extreme_tachycardia", "high", ended=True), line("pvc_run", "medium"))) == {}


def test_a_rhythm_has_the_priority_of_its_alarm_while_that_persists() -> None:
    lines = (line("ventricular_tachycardia", "high"), line("asystole", "high", ended=True))
    assert rhythm_priority("ventricular tachycardia", lines) == "high"
    assert rhythm_priority("asystole", lines) is None
    assert rhythm_priority("sinus", lines) is None


def test_the_limit_that_is_violated_is_shown() -> None:
    limits = Limits(abp_mean_low=65, desaturation=82)
    assert limit_texts("abp", limits, None) == ("160", "90")
    mean = number_alarms((line("abp_mean_low", "medium"),))["abp"]
    assert limit_texts("abp", limits, mean) == ("160", "(65)")
    deep = number_alarms((line("desaturation", "high"), line("spo2_low", "medium")))["spo2"]
    assert limit_texts("spo2", limits, deep) == ("", "82")
    assert limit_texts("spo2", None, deep) == ("", "")
