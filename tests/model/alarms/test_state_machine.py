"""Alarms: raise, clear, latch, acknowledge, pause, limits."""

from __future__ import annotations

import pytest

from model.alarms.state import to_message
from model.alarms.state_machine import advance_time, execute, process
from model.conditions.changes import Ended, Evidence
from stream.clock import rfc3339
from stream.errors import MessageError
from stream.wire import codec
from stream.wire.alarm_messages import (
    Acknowledge,
    Command,
    Limits,
    PauseAlarms,
    PauseAudio,
    SetLimits,
)
from tests.model.alarms.alarm_driver import CONFIG, SECOND, T0, AlarmDriver, phases


def test_an_alarm_is_raised_and_cleared_under_one_id() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    [raised] = driver.begin("heart_rate_high", value=131.0, limit=120.0)
    assert (raised.priority, raised.value, raised.limit, raised.end) == ("medium", 131.0, 120.0, None)
    assert raised.duration_s == pytest.approx(1, abs=0.01)
    driver.set_time(20)
    [cleared] = driver.end("heart_rate_high")
    assert cleared.alarm_id == raised.alarm_id
    assert cleared.event_id == f"{raised.alarm_id}-cleared"
    assert cleared.duration_s == pytest.approx(11)
    assert not cleared.latched
    assert (raised.at, cleared.at) == (10 * 360, 20 * 360), "the last samples observed"
    assert driver.state.active == ()


def test_a_high_priority_alarm_latches_until_acknowledged() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    [raised] = driver.begin("ventricular_tachycardia")
    driver.set_time(15)
    [cleared] = driver.end("ventricular_tachycardia")
    assert cleared.latched
    assert driver.listed == [("ventricular_tachycardia", True)]
    [acknowledged] = driver.command(Acknowledge(alarm_id=raised.alarm_id))
    assert (acknowledged.phase, acknowledged.end, acknowledged.latched) == ("acknowledged", cleared.end, False)
    assert acknowledged.acknowledged_by == "nurse 1"
    assert driver.state.active == ()


def test_an_alarm_acknowledged_before_its_end_does_not_latch() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    [raised] = driver.begin("asystole")
    driver.command(Acknowledge(alarm_id=raised.alarm_id))
    assert driver.listed == [("asystole", False)]
    assert driver.state.active[0].acknowledged_by == "nurse 1"
    [cleared] = driver.end("asystole")
    assert (cleared.latched, cleared.acknowledged_by) == (False, "nurse 1")
    assert driver.state.active == ()


def test_a_repeated_alarm_replaces_the_latched_one_and_counts_it() -> None:
    driver = AlarmDriver()
    for second in (10, 20, 30):
        driver.set_time(second)
        driver.begin("ventricular_tachycardia")
        driver.set_time(second + 5)
        driver.end("ventricular_tachycardia")
    assert driver.listed == [("ventricular_tachycardia", True)]
    assert driver.state.active[0].repeats == 2
    driver.command(Acknowledge(alarm_id=driver.state.active[0].alarm_id))
    driver.set_time(50)
    assert driver.begin("ventricular_tachycardia")[0].repeats == 0


def test_a_more_severe_kind_replaces_latched_less_severe_ones() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    driver.begin("heart_rate_high")
    driver.end("heart_rate_high")
    driver.begin("ventricular_tachycardia")
    driver.set_time(12)
    driver.end("ventricular_tachycardia")
    driver.begin("ventricular_fibrillation")
    assert driver.listed == [("ventricular_fibrillation", False)]


def test_the_list_is_ordered_by_priority_and_kind() -> None:
    driver = AlarmDriver()
    for kind in ("unusual_complexes", "noise", "heart_rate_low", "asystole"):
        driver.set_time(driver.sample / 360 + 1)
        driver.begin(kind)  # type: ignore[arg-type]
    assert [kind for kind, _ in driver.listed] == ["asystole", "heart_rate_low", "unusual_complexes", "noise"]


def test_a_residual_alarm_carries_its_evidence() -> None:
    driver = AlarmDriver()
    [raised] = driver.begin("residual", evidence=Evidence(1.5, 0.2, 100.0, 4.0, 3.0))
    assert (raised.observed, raised.predicted, raised.score, raised.threshold) == (1.5, 0.2, 4.0, 3.0)
    worse = Ended("residual", 0, 100, 200, "rule_no_longer_met", evidence=Evidence(2.5, 0.1, 100.0, 6.0, 3.0))
    [cleared] = driver.apply(process(CONFIG, driver.state, worse, driver.context))
    assert (cleared.observed, cleared.score, cleared.reason) == (2.5, 6.0, "rule_no_longer_met")
    assert "2.50 mV" in cleared.text


def test_events_carry_the_values_of_the_condition() -> None:
    driver = AlarmDriver()
    [raised] = driver.begin("pvc_run", value=120.0, beats=3)
    assert (raised.reason, raised.beats, raised.text) == ("rule_met", 3, "PVC run: 3 in a row at 120/min")
    ended = Ended("pvc_run", 0, 100, 200, "replaced", 140.0, beats=5, replaced_by="ventricular_tachycardia")
    [cleared] = driver.apply(process(CONFIG, driver.state, ended, driver.context))
    assert (cleared.reason, cleared.replaced_by, cleared.beats) == ("replaced", "ventricular_tachycardia", 5)
    assert cleared.text == "PVC run: up to 5 in a row, up to 140/min; became ventricular tachycardia"
    [noise] = driver.begin("noise", leads=("MLII", "V1"))
    assert (noise.leads, noise.text) == (("MLII", "V1"), "Noise hides QRS complexes: MLII, V1")


def test_pauses_end_by_time_by_command_and_by_alarms_of_higher_priority() -> None:
    driver = AlarmDriver()
    driver.command(PauseAudio(seconds=120))
    driver.command(PauseAlarms(seconds=60))
    driver.begin("residual")
    assert driver.state.audio_paused_until == T0 + 120 * SECOND
    driver.begin("heart_rate_high")
    assert driver.state.audio_paused_until is None
    assert driver.state.alarms_paused_until == T0 + 60 * SECOND, "medium priority ends the pause of the tone only"
    driver.begin("asystole")
    assert driver.state.alarms_paused_until is None
    driver.command(PauseAudio(seconds=30))
    driver.command(PauseAudio(seconds=0))
    assert driver.state.audio_paused_until is None
    driver.command(PauseAudio(seconds=30))
    driver.set_time(29)
    driver.apply(advance_time(driver.state, driver.context))
    assert driver.state.audio_paused_until is not None
    driver.set_time(30)
    driver.apply(advance_time(driver.state, driver.context))
    assert driver.state.audio_paused_until is None


def test_alarms_are_raised_during_a_pause() -> None:
    driver = AlarmDriver()
    driver.command(PauseAlarms(seconds=60))
    assert phases(driver.begin("heart_rate_low")) == [("heart_rate_low", "raised")]


def test_a_kind_switched_off_is_cleared_and_raised_again_when_switched_on() -> None:
    driver = AlarmDriver()
    driver.set_time(10)
    [raised] = driver.begin("heart_rate_high")
    driver.set_time(20)
    [cleared] = driver.command(SetLimits(limits=Limits(off=("heart_rate_high", "residual"))))
    assert (cleared.alarm_id, cleared.text) == (raised.alarm_id, "Switched off by nurse 1")
    assert (cleared.reason, cleared.switched_off_by) == ("switched_off", "nurse 1")
    assert cleared.end == 20 * 360
    assert driver.begin("residual") == []
    driver.set_time(30)
    raised_again = driver.command(SetLimits(limits=Limits()))
    assert sorted(phases(raised_again)) == [("heart_rate_high", "raised"), ("residual", "raised")]
    assert {alarm.alarm_id for alarm in raised_again}.isdisjoint({raised.alarm_id})
    assert phases(driver.end("heart_rate_high")) == [("heart_rate_high", "cleared")]


def test_old_repeated_and_invalid_commands_change_nothing() -> None:
    driver = AlarmDriver()
    driver.begin("asystole")
    before = driver.state
    old = Command(
        command_id="f" * 32, bed="bed-1", who="x", when=rfc3339(T0 - 11 * SECOND), action=PauseAudio(seconds=9)
    )
    with pytest.raises(MessageError, match="10 s"):
        execute(CONFIG, driver.state, old, driver.context)
    with pytest.raises(MessageError, match="not active"):
        driver.command(Acknowledge(alarm_id="nothing"))
    assert driver.state == before
    driver.command(PauseAudio(seconds=9), number=77)
    with pytest.raises(MessageError, match="before"):
        driver.command(PauseAudio(seconds=99), number=77)
    driver.command(Acknowledge(alarm_id=driver.state.active[0].alarm_id))
    with pytest.raises(MessageError, match="acknowledged by"):
        driver.command(Acknowledge(alarm_id=driver.state.active[0].alarm_id))


def test_the_list_contains_the_last_commands() -> None:
    driver = AlarmDriver()
    for number in range(12):
        driver.command(PauseAudio(seconds=number + 1), who=f"nurse {number}")
    message = to_message("bed-1", driver.state)
    assert [command.who for command in message.commands] == [f"nurse {number}" for number in range(4, 12)]
    assert codec.decode(codec.topic_of(message), codec.encode(message)) == message


def test_a_repeated_command_is_recognised_after_many_others() -> None:
    driver = AlarmDriver()
    for number in range(1, 31):
        driver.command(SetLimits(limits=Limits(heart_rate_low=20 + number)), number=number)
    with pytest.raises(MessageError, match="before"):
        driver.command(SetLimits(limits=Limits(heart_rate_low=21)), number=1)
    assert driver.state.limits.heart_rate_low == 50


@pytest.mark.parametrize("when", ["", "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "1e9"])
def test_a_command_with_an_invalid_time_is_old(when: str) -> None:
    driver = AlarmDriver()
    command = Command(command_id="f" * 32, bed="bed-1", who="x", when=when, action=PauseAudio(seconds=9))
    with pytest.raises(MessageError, match="10 s"):
        execute(CONFIG, driver.state, command, driver.context)


def test_a_technical_alarm_that_returns_within_two_minutes_counts_the_earlier_ones() -> None:
    driver = AlarmDriver()
    repeats = []
    for begins, ends in ((10, 13), (30, 40), (159, 162), (290, 300)):
        driver.set_time(begins)
        [raised] = driver.begin("noise", leads=("V1",))
        repeats.append(raised.repeats)
        driver.set_time(ends)
        driver.end("noise")
        assert driver.listed == []
    assert repeats == [0, 1, 2, 0]
    driver.begin("lead_off")
    assert driver.state.active[0].repeats == 0, "another kind"
    driver.end("lead_off")
    driver.begin("pvc_run")
    driver.end("pvc_run")
    assert driver.begin("pvc_run")[0].repeats == 0, "each run is a line of its own"
