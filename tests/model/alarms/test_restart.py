"""Alarms restored by a worker that restarts."""

from __future__ import annotations

import msgspec
import pytest

from model.alarms.state import restore, to_message
from model.alarms.state_machine import advance_time, finish
from stream.clock import rfc3339
from stream.wire.alarm_messages import (
    ActiveAlarms,
    Limits,
    PauseAudio,
    SetLimits,
)
from tests.model.alarms.alarm_driver import SECOND, T0, AlarmDriver, phases, restart


def test_a_restart_keeps_alarms_limits_and_pauses() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    driver.begin("ventricular_tachycardia")
    driver.end("ventricular_tachycardia")
    driver.begin("heart_rate_high")
    driver.command(SetLimits(limits=Limits(heart_rate_low=40)))
    driver.command(PauseAudio(seconds=60))
    restored, events = restart(driver)
    assert events == []
    assert to_message("bed-1", restored.state) == to_message("bed-1", driver.state)
    [open_alarm] = [alarm for alarm in restored.state.active if alarm.end is None]
    restored.set_time(20)
    assert restored.begin("heart_rate_high") == [], "confirmed: the same alarm continues"
    restored.set_time(100)
    assert restored.apply(advance_time(restored.state, restored.context)) == []
    [cleared] = restored.end("heart_rate_high")
    assert cleared.alarm_id == open_alarm.alarm_id


def test_an_unconfirmed_alarm_is_cleared_after_45_s() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    driver.begin("ventricular_tachycardia")
    restored, _ = restart(driver)
    restored.set_time(50)
    assert restored.apply(advance_time(restored.state, restored.context)) == []
    restored.set_time(56)
    [cleared] = restored.apply(advance_time(restored.state, restored.context))
    assert (cleared.phase, cleared.latched, cleared.reason) == ("cleared", True, "not_confirmed")


def test_alarms_of_another_session_are_cleared_at_once() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    driver.begin("asystole")
    driver.begin("residual")
    restored, events = restart(driver, "cd" * 16)
    assert sorted(phases(events)) == [("asystole", "cleared"), ("residual", "cleared")]
    assert {event.reason for event in events} == {"new_session"}
    assert restored.listed == [("asystole", True)]


def test_an_unconfirmed_asystole_is_cleared_after_10_s() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    driver.begin("asystole")
    restored, _ = restart(driver)
    restored.set_time(21)
    assert phases(restored.apply(advance_time(restored.state, restored.context))) == [("asystole", "cleared")]
    assert restored.listed == [("asystole", True)]


def test_no_data_is_cleared_when_the_bed_sends_again() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    driver.begin("no_data")
    restored, events = restart(driver)
    assert (phases(events), restored.listed) == ([("no_data", "cleared")], [])
    assert events[0].reason == "data_resumed"


def test_atrial_fibrillation_may_be_confirmed_within_180_s() -> None:
    driver = AlarmDriver()
    driver.begin("atrial_fibrillation")
    restored, _ = restart(driver)
    restored.set_time(130)  # 63 words of three beats at 30/min
    assert restored.apply(advance_time(restored.state, restored.context)) == []
    assert restored.begin("atrial_fibrillation") == []
    restored.set_time(300)
    assert restored.apply(advance_time(restored.state, restored.context)) == []


def test_the_end_of_the_record_clears_restored_alarms() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    driver.begin("asystole")
    driver.begin("unusual_complexes")
    restored, _ = restart(driver)
    restored.set_time(12)
    assert sorted(phases(restored.apply(finish(restored.state, restored.context)))) == [
        ("asystole", "cleared"),
        ("unusual_complexes", "cleared"),
    ]
    assert {event.reason for event in restored.events} == {"record_ended"}
    assert restored.listed == [("asystole", True)]
    assert restored.apply(finish(restored.state, restored.context)) == []


def test_alarms_of_other_beds_in_a_list_are_ignored() -> None:
    driver, other = AlarmDriver(), AlarmDriver()
    driver.begin("asystole")
    other.begin("noise")
    [foreign] = other.state.active
    mixed = (*driver.state.active, msgspec.structs.replace(foreign, bed="bed-2"))
    assert restore(ActiveAlarms(bed="bed-1", alarms=mixed), T0).active == driver.state.active


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59.9999999Z", "2999-01-01T00:00:00Z"])
def test_a_restored_pause_is_limited_to_that_of_a_command(until: str) -> None:
    left = ActiveAlarms(bed="bed-1", audio_paused_until=until, alarms_paused_until=until)
    driver = AlarmDriver(restore(left, T0))
    message = to_message("bed-1", driver.state)
    assert message.audio_paused_until == message.alarms_paused_until == rfc3339(T0 + 180 * SECOND)
    driver.set_time(181)
    driver.apply(advance_time(driver.state, driver.context))
    assert (driver.state.audio_paused_until, driver.state.alarms_paused_until) == (None, None)
