"""Advisories: each is an event, and one entry of the list counts them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.alarms.state import to_message
from model.alarms.state_machine import finish, process
from model.conditions.changes import Began, Ended, Evidence
from stream.clock import rfc3339
from stream.errors import MessageError
from stream.wire import codec
from stream.wire.alarm_messages import MAX_ONSETS, Acknowledge, Advisory, Alarm, Limits, PauseAudio, SetLimits
from tests.model.alarms.alarm_driver import CONFIG, SECOND, T0, AlarmDriver, phases, restart


def unusual(driver: AlarmDriver, second: float) -> list[Alarm]:
    """Report an unusual complex of 0.5 s, and return its events."""
    onset = round(360 * second)
    events = []
    for change in (
        Began("residual", onset, onset + 90, "rule_met", leads=("MLII",), evidence=Evidence(1.5, 0.2, 100.0, 4.0, 3.0)),
        Ended("residual", onset, onset + 180, onset + 540, "rule_no_longer_met"),
    ):
        driver.set_time((change.at + 1) / 360)
        events += driver.apply(process(CONFIG, driver.state, change, driver.context))
    return events


def entry(driver: AlarmDriver) -> Advisory:
    """Return the entry in the published list."""
    message = to_message("bed-1", driver.state)
    assert codec.decode(codec.topic_of(message), codec.encode(message)) == message
    assert message.advisory is not None
    return message.advisory


def test_each_advisory_is_raised_and_cleared_and_one_entry_counts_them() -> None:
    driver = AlarmDriver()
    for second in (10, 20, 35):
        assert phases(unusual(driver, second)) == [("residual", "raised"), ("residual", "cleared")]
        assert driver.listed == []
    assert len({event.alarm_id for event in driver.events}) == 3
    assert all((event.priority, event.score) == ("low", 4.0) for event in driver.events)
    listed = entry(driver)
    assert (listed.count, listed.onsets) == (3, (3600, 7200, 12600))
    assert listed.latest == driver.events[-1]
    assert (listed.since, listed.last) == (driver.events[0].when, driver.events[4].when)


def test_the_entry_holds_the_onsets_of_the_last_minute() -> None:
    driver = AlarmDriver()
    for second in (10, 20, 75):
        unusual(driver, second)
    assert (entry(driver).count, entry(driver).onsets) == (3, (7200, 27000))
    for number in range(2 * MAX_ONSETS):
        unusual(driver, 80 + number / 4)
    assert entry(driver).count == 3 + 2 * MAX_ONSETS
    assert len(entry(driver).onsets) == MAX_ONSETS


def test_an_advisory_ends_no_pause() -> None:
    driver = AlarmDriver()
    driver.command(PauseAudio(seconds=120))
    unusual(driver, 10)
    assert driver.state.audio_paused_until == T0 + 120 * SECOND


def test_an_acknowledgement_sets_the_count_to_0_and_the_next_one_counts_from_1() -> None:
    driver = AlarmDriver()
    unusual(driver, 10)
    [_, cleared] = unusual(driver, 20)
    [event] = driver.command(Acknowledge(alarm_id=cleared.alarm_id))
    assert (event.event_id, event.acknowledged_by) == (f"{cleared.alarm_id}-acknowledged", "nurse 1")
    assert (entry(driver).count, entry(driver).onsets, entry(driver).since) == (0, (), "")
    assert entry(driver).latest == event
    assert entry(driver).last == driver.events[2].when, "the time of the complex, not of the acknowledgement"
    with pytest.raises(MessageError, match="before"):
        driver.command(Acknowledge(alarm_id=cleared.alarm_id))
    unusual(driver, 30)
    assert (entry(driver).count, entry(driver).onsets) == (1, (10800,))


def test_an_acknowledgement_may_name_one_that_is_no_longer_the_latest() -> None:
    driver = AlarmDriver()
    [first, _] = unusual(driver, 10)
    [_, latest] = unusual(driver, 20)
    [event] = driver.command(Acknowledge(alarm_id=first.alarm_id))
    assert event.alarm_id == latest.alarm_id
    assert entry(driver).count == 0


def test_an_acknowledged_advisory_that_lasts_is_cleared_later() -> None:
    driver = AlarmDriver()
    [raised] = driver.begin("residual")
    driver.command(Acknowledge(alarm_id=raised.alarm_id))
    [cleared] = driver.end("residual")
    assert (cleared.alarm_id, cleared.acknowledged_by) == (raised.alarm_id, "nurse 1")
    assert (entry(driver).count, entry(driver).latest) == (0, cleared)


def test_switched_off_there_are_neither_advisories_nor_an_entry() -> None:
    driver = AlarmDriver()
    driver.begin("residual")
    [cleared] = driver.command(SetLimits(limits=Limits(off=("residual",))))
    assert (cleared.phase, cleared.reason) == ("cleared", "switched_off")
    assert to_message("bed-1", driver.state).advisory is None
    assert unusual(driver, 30) == []
    driver.command(SetLimits(limits=Limits()))
    unusual(driver, 40)
    assert entry(driver).count == 1


def test_a_restarted_worker_counts_on_and_clears_the_one_that_lasted() -> None:
    driver = AlarmDriver()
    unusual(driver, 10)
    driver.set_time(20)
    [raised] = driver.begin("residual")
    restored, [cleared] = restart(driver)
    assert (cleared.alarm_id, cleared.reason) == (raised.alarm_id, "not_confirmed")
    unusual(restored, 40)
    assert (entry(restored).count, len(entry(restored).onsets)) == (3, 3)


def test_a_new_session_counts_from_1() -> None:
    driver = AlarmDriver()
    unusual(driver, 10)
    unusual(driver, 20)
    driver.begin("residual")
    restored, events = restart(driver, "cd" * 16)
    assert [event.reason for event in events] == ["new_session"]
    assert entry(restored).count == 3, "it stays until the next one"
    change = Began("residual", 9000, 9000, "rule_met")
    restored.apply(process(CONFIG, restored.state, change, replace(restored.context, session="cd" * 16)))
    assert (entry(restored).count, entry(restored).onsets) == (1, (9000,))


def test_the_entry_stays_after_the_end_of_the_record() -> None:
    driver = AlarmDriver()
    driver.begin("residual")
    [cleared] = driver.apply(finish(driver.state, driver.context))
    assert cleared.reason == "record_ended"
    assert (entry(driver).count, entry(driver).latest) == (1, cleared)
    assert rfc3339(driver.now) == entry(driver).last
