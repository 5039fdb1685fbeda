from msgspec.structs import replace

from model.alarms import recent_events
from model.alarms.alarm_manager import AlarmManager, SavedAlarms
from model.alarms.recent_events import MAX_AGE_NS, MAX_EVENTS
from model.alarms.state import AlarmContext, AlarmState
from model.conditions.changes import Began, Ended
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.messages import Message
from tests.model.alarms.alarm_driver import CONFIG, T0
from tests.waveforms import SESSION

CONTEXT = AlarmContext("bed-1", SESSION, "mitdb/208", 720, T0)
NOISE = Began("noise", 360, 719, "rule_met", leads=("MLII",))


def test_the_last_events_are_kept_in_order() -> None:
    sent: list[Message] = []
    manager = AlarmManager(CONFIG, sent.append)
    for n in range(MAX_EVENTS):
        began = Began("noise", 360 * n, 360 * n, "rule_met")
        manager.process([began, Ended("noise", 360 * n, 360 * n + 9, 360 * n + 9, "rule_no_longer_met")], CONTEXT)
    events = [message for message in sent if isinstance(message, Alarm)]
    assert len(events) == 2 * MAX_EVENTS
    again = manager.recent(T0)
    assert all(event.resent for event in again)
    assert [replace(event, resent=False) for event in again] == events[-MAX_EVENTS:]


def test_events_of_the_day_before_are_not_sent_again() -> None:
    manager = AlarmManager(CONFIG, lambda _: None)
    manager.process([NOISE], CONTEXT)
    assert manager.recent(T0 + MAX_AGE_NS - 1)
    assert manager.recent(T0 - MAX_AGE_NS), "a clock that was set back changes nothing"
    assert not manager.recent(T0 + MAX_AGE_NS)


def test_state_and_events_are_saved_before_they_are_sent() -> None:
    log: list[object] = []

    def save(state: AlarmState, events: tuple[Alarm, ...]) -> None:
        log.append((state, events))

    manager = AlarmManager(CONFIG, log.append, save=save)
    manager.process([NOISE], CONTEXT)
    (state, events), event, listed = log
    assert events == (event,)
    assert state.active == (event,)
    assert isinstance(listed, ActiveAlarms)
    manager.advance_time(CONTEXT)
    assert len(log) == 3, "nothing changed"


def test_a_manager_continues_from_what_another_saved() -> None:
    manager = AlarmManager(CONFIG, lambda _: None)
    manager.process([NOISE], CONTEXT)
    sent: list[Message] = []
    second = AlarmManager(CONFIG, sent.append)
    second.restore_saved(manager.saved)
    assert second.recent(T0) == manager.recent(T0)
    second.resume(CONTEXT)
    second.process([NOISE], CONTEXT)
    assert not [message for message in sent if isinstance(message, Alarm)], "confirmed, not raised again"
    assert second.saved.state.active == manager.saved.state.active


def test_pushing_no_event_changes_nothing() -> None:
    saved = SavedAlarms(AlarmState(limits=CONFIG.limits))
    assert recent_events.push(saved.recent, ()) == ()
