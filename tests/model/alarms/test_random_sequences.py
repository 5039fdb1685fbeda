"""Random sequences of conditions, commands and restarts."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from model.alarms.state import to_message
from model.alarms.state_machine import advance_time
from stream.wire import codec
from stream.wire.alarm_messages import (
    Acknowledge,
    Alarm,
    AlarmKind,
    Limits,
    SetLimits,
)
from stream.wire.alarm_texts import ALARM_TABLES, alarm_phrase, render
from tests.model.alarms.alarm_driver import AlarmDriver, restart

KINDS: list[AlarmKind] = ["asystole", "ventricular_tachycardia", "heart_rate_high", "residual", "lead_off"]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.sampled_from(KINDS)),
        st.tuples(st.just("end"), st.sampled_from(KINDS)),
        st.tuples(st.just("acknowledge"), st.integers(0, 4)),
        st.tuples(st.just("off"), st.lists(st.sampled_from(KINDS[1:]), unique=True)),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("advance time"), st.integers(1, 60)),
    ),
    max_size=40,
)


@given(steps)
def test_events_are_consistent_in_random_sequences(steps: list[tuple[str, object]]) -> None:
    """Each event occurs once; no alarm is cleared before it is raised; the list agrees with the events."""
    driver = AlarmDriver()
    events: list[Alarm] = []
    for step, value in steps:
        driver.set_time(driver.sample / 360 + 1)
        match step:
            case "begin":
                if not any(began.kind == value for began in driver.state.conditions):
                    driver.begin(value)  # type: ignore[arg-type]
            case "end":
                driver.end(value)  # type: ignore[arg-type]
            case "acknowledge" if len(driver.state.active) > int(value):  # type: ignore[call-overload]
                alarm = driver.state.active[value]  # type: ignore[index]
                if alarm.acknowledged_by is None:
                    driver.command(Acknowledge(alarm_id=alarm.alarm_id))
            case "acknowledge" if driver.state.advisory is not None and driver.state.advisory.count:
                driver.command(Acknowledge(alarm_id=driver.state.advisory.latest.alarm_id))
            case "off":
                driver.command(SetLimits(limits=Limits(off=tuple(value))))  # type: ignore[arg-type]
            case "restart":
                events += driver.events
                commands = driver._commands
                driver, restart_events = restart(driver)
                driver._commands = commands
                assert {event.kind for event in restart_events} <= {"residual"}, "the others continue"
            case "advance time":
                driver.set_time(driver.sample / 360 + float(value))  # type: ignore[arg-type]
                driver.apply(advance_time(driver.state, driver.context))
    events += driver.events
    ids = [event.event_id for event in events]
    assert len(ids) == len(set(ids))
    latest: dict[str, Alarm] = {}
    for event in events:
        assert codec.decode(codec.topic_of(event), codec.encode(event)) == event
        assert event.text == render(alarm_phrase(event), ALARM_TABLES["en"])
        if event.phase == "raised":
            assert event.alarm_id not in latest
        else:
            assert event.alarm_id in latest
        latest[event.alarm_id] = event
    for alarm in driver.state.active:
        assert latest[alarm.alarm_id] == alarm
        assert alarm.end is None or alarm.latched
    for alarm_id, event in latest.items():
        if event.end is None:
            assert alarm_id in {alarm.alarm_id for alarm in driver.state.open}
    if driver.state.advisory is not None:
        assert latest[driver.state.advisory.latest.alarm_id] == driver.state.advisory.latest
    assert "residual" not in [alarm.kind for alarm in driver.state.active]
    kinds = [alarm.kind for alarm in driver.state.active]
    assert len(kinds) == len(set(kinds))
    msgspec.json.encode(to_message("bed-1", driver.state))
