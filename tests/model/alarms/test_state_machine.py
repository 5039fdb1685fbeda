"""The life of alarms, step by step and at random."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.alarms.state_machine import (
    AlarmContext,
    AlarmState,
    advance_time,
    execute,
    finish,
    process,
    restore,
    resume,
    to_message,
)
from model.conditions.changes import Began, Ended, Evidence
from model.conditions.settings import load
from stream.clock import rfc3339
from stream.errors import MessageError
from stream.wire import codec
from stream.wire.alarm_messages import (
    Acknowledge,
    Action,
    ActiveAlarms,
    Alarm,
    AlarmKind,
    Command,
    Limits,
    PauseAlarms,
    PauseAudio,
    SetLimits,
)
from stream.wire.phrases import ALARM_TABLES, alarm_phrase, render
from tests.waveforms import SESSION

CONFIG = load()
T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


class Manager:
    """A bed's alarms and a clock, driven by hand."""

    def __init__(self, state: AlarmState | None = None) -> None:
        self.state = state or AlarmState(limits=CONFIG.limits)
        self.sample = 0
        self.now = T0
        self.events: list[Alarm] = []
        self._commands = 0

    @property
    def context(self) -> AlarmContext:
        return AlarmContext("bed-1", SESSION, "mitdb/208", self.sample, self.now)

    def at(self, seconds: float) -> None:
        self.sample = round(360 * seconds)
        self.now = T0 + round(SECOND * seconds)

    def keep(self, step: tuple[tuple[Alarm, ...], AlarmState]) -> list[Alarm]:
        events, self.state = step
        self.events += events
        return list(events)

    def begin(self, kind: AlarmKind, **fields: object) -> list[Alarm]:
        made = Began(kind, max(self.sample - 360, 0), self.sample, "rule_met", **fields)  # type: ignore[arg-type]
        return self.keep(process(CONFIG, self.state, made, self.context))

    def end(self, kind: AlarmKind) -> list[Alarm]:
        made = Ended(kind, 0, self.sample, self.sample, "rule_no_longer_met")
        return self.keep(process(CONFIG, self.state, made, self.context))

    def order(self, action: Action, who: str = "nurse 1", number: int | None = None) -> list[Alarm]:
        self._commands += 1
        made = Command(
            command_id=f"{number or self._commands:032x}",
            bed="bed-1",
            who=who,
            when=rfc3339(self.now),
            action=action,
        )
        return self.keep(execute(CONFIG, self.state, made, self.context))

    @property
    def listed(self) -> list[tuple[AlarmKind, bool]]:
        return [(alarm.kind, alarm.latched) for alarm in self.state.active]


def phases(events: list[Alarm]) -> list[tuple[str, str]]:
    return [(alarm.kind, alarm.phase) for alarm in events]


def test_an_alarm_is_raised_and_cleared_under_one_id() -> None:
    manager = Manager()
    manager.at(10)
    [raised] = manager.begin("heart_rate_high", value=131.0, limit=120.0)
    assert (raised.priority, raised.value, raised.limit, raised.end) == ("medium", 131.0, 120.0, None)
    assert raised.duration_s == pytest.approx(1, abs=0.01)
    manager.at(20)
    [cleared] = manager.end("heart_rate_high")
    assert cleared.alarm_id == raised.alarm_id
    assert cleared.event_id == f"{raised.alarm_id}-cleared"
    assert cleared.duration_s == pytest.approx(11)
    assert not cleared.latched
    assert manager.state.active == ()


def test_a_high_alarm_latches_until_somebody_acknowledges_it() -> None:
    manager = Manager()
    manager.at(10)
    [raised] = manager.begin("ventricular_tachycardia")
    manager.at(15)
    [cleared] = manager.end("ventricular_tachycardia")
    assert cleared.latched
    assert manager.listed == [("ventricular_tachycardia", True)]
    [event] = manager.order(Acknowledge(alarm_id=raised.alarm_id))
    assert (event.phase, event.acknowledged_by, event.end, event.latched) == (
        "acknowledged",
        "nurse 1",
        cleared.end,
        False,
    )
    assert manager.state.active == ()


def test_one_that_was_acknowledged_while_it_lasted_does_not_latch() -> None:
    manager = Manager()
    manager.at(10)
    [raised] = manager.begin("asystole")
    manager.order(Acknowledge(alarm_id=raised.alarm_id))
    assert manager.listed == [("asystole", False)]
    assert manager.state.active[0].acknowledged_by == "nurse 1"
    [cleared] = manager.end("asystole")
    assert (cleared.latched, cleared.acknowledged_by) == (False, "nurse 1")
    assert manager.state.active == ()


def test_what_comes_again_takes_the_latched_one_s_place_and_counts_it() -> None:
    manager = Manager()
    for second in (10, 20, 30):
        manager.at(second)
        manager.begin("ventricular_tachycardia")
        manager.at(second + 5)
        manager.end("ventricular_tachycardia")
    assert manager.listed == [("ventricular_tachycardia", True)]
    assert manager.state.active[0].repeats == 2
    manager.order(Acknowledge(alarm_id=manager.state.active[0].alarm_id))
    manager.at(50)
    assert manager.begin("ventricular_tachycardia")[0].repeats == 0


def test_an_escalation_does_not_pile_up() -> None:
    manager = Manager()
    manager.at(10)
    manager.begin("heart_rate_high")
    manager.end("heart_rate_high")
    manager.begin("ventricular_tachycardia")
    manager.at(12)
    manager.end("ventricular_tachycardia")
    manager.begin("ventricular_fibrillation")
    assert manager.listed == [("ventricular_fibrillation", False)]


def test_the_gravest_stands_first() -> None:
    manager = Manager()
    for kind in ("residual", "noise", "heart_rate_low", "asystole"):
        manager.at(manager.sample / 360 + 1)
        manager.begin(kind)  # type: ignore[arg-type]
    assert [kind for kind, _ in manager.listed] == ["asystole", "heart_rate_low", "residual", "noise"]


def test_a_residual_alarm_explains_itself() -> None:
    manager = Manager()
    [raised] = manager.begin("residual", evidence=Evidence(1.5, 0.2, 100.0, 4.0, 3.0))
    assert (raised.observed, raised.predicted, raised.score, raised.threshold) == (1.5, 0.2, 4.0, 3.0)
    worse = Ended("residual", 0, 100, 200, "rule_no_longer_met", evidence=Evidence(2.5, 0.1, 100.0, 6.0, 3.0))
    [cleared] = manager.keep(process(CONFIG, manager.state, worse, manager.context))
    assert (cleared.observed, cleared.score, cleared.reason) == (2.5, 6.0, "rule_no_longer_met")
    assert "2.50 mV" in cleared.text


def test_what_a_condition_measured_is_part_of_its_events() -> None:
    manager = Manager()
    [raised] = manager.begin("pvc_run", value=120.0, beats=3)
    assert (raised.reason, raised.beats, raised.text) == ("rule_met", 3, "PVC run: 3 in a row at 120/min")
    ended = Ended("pvc_run", 0, 100, 200, "replaced", 140.0, beats=5, replaced_by="ventricular_tachycardia")
    [cleared] = manager.keep(process(CONFIG, manager.state, ended, manager.context))
    assert (cleared.reason, cleared.replaced_by, cleared.beats) == ("replaced", "ventricular_tachycardia", 5)
    assert cleared.text == "PVC run: up to 5 in a row, up to 140/min; became ventricular tachycardia"
    [noise] = manager.begin("noise", leads=("MLII", "V1"))
    assert (noise.leads, noise.text) == (("MLII", "V1"), "Noise hides QRS complexes: MLII, V1")


def test_pauses_end_by_themselves_by_command_and_by_graver_alarms() -> None:
    manager = Manager()
    manager.order(PauseAudio(seconds=120))
    manager.order(PauseAlarms(seconds=60))
    manager.begin("residual")
    assert manager.state.audio_paused_until == T0 + 120 * SECOND
    manager.begin("heart_rate_high")
    assert manager.state.audio_paused_until is None
    assert manager.state.alarms_paused_until == T0 + 60 * SECOND, "a medium alarm breaks the pause of the tone only"
    manager.begin("asystole")
    assert manager.state.alarms_paused_until is None
    manager.order(PauseAudio(seconds=30))
    manager.order(PauseAudio(seconds=0))
    assert manager.state.audio_paused_until is None
    manager.order(PauseAudio(seconds=30))
    manager.at(29)
    manager.keep(advance_time(manager.state, manager.context))
    assert manager.state.audio_paused_until is not None
    manager.at(30)
    manager.keep(advance_time(manager.state, manager.context))
    assert manager.state.audio_paused_until is None


def test_alarms_are_raised_and_told_during_a_pause() -> None:
    manager = Manager()
    manager.order(PauseAlarms(seconds=60))
    assert phases(manager.begin("heart_rate_low")) == [("heart_rate_low", "raised")]


def test_a_kind_that_is_switched_off_clears_and_comes_back_with_its_condition() -> None:
    manager = Manager()
    manager.at(10)
    [raised] = manager.begin("heart_rate_high")
    manager.at(20)
    [cleared] = manager.order(SetLimits(limits=Limits(off=("heart_rate_high", "residual"))))
    assert (cleared.alarm_id, cleared.text) == (raised.alarm_id, "Switched off by nurse 1")
    assert (cleared.reason, cleared.switched_off_by) == ("switched_off", "nurse 1")
    assert cleared.end == 20 * 360
    assert manager.begin("residual") == []
    manager.at(30)
    back = manager.order(SetLimits(limits=Limits()))
    assert sorted(phases(back)) == [("heart_rate_high", "raised"), ("residual", "raised")]
    assert {alarm.alarm_id for alarm in back}.isdisjoint({raised.alarm_id})
    assert phases(manager.end("heart_rate_high")) == [("heart_rate_high", "cleared")]


def test_commands_that_are_old_repeated_or_pointless_change_nothing() -> None:
    manager = Manager()
    manager.begin("asystole")
    before = manager.state
    old = Command(
        command_id="f" * 32, bed="bed-1", who="x", when=rfc3339(T0 - 11 * SECOND), action=PauseAudio(seconds=9)
    )
    with pytest.raises(MessageError, match="10 s"):
        execute(CONFIG, manager.state, old, manager.context)
    with pytest.raises(MessageError, match="not active"):
        manager.order(Acknowledge(alarm_id="nothing"))
    assert manager.state == before
    manager.order(PauseAudio(seconds=9), number=77)
    with pytest.raises(MessageError, match="before"):
        manager.order(PauseAudio(seconds=99), number=77)
    manager.order(Acknowledge(alarm_id=manager.state.active[0].alarm_id))
    with pytest.raises(MessageError, match="acknowledged by"):
        manager.order(Acknowledge(alarm_id=manager.state.active[0].alarm_id))


def test_the_last_commands_are_part_of_the_list() -> None:
    manager = Manager()
    for number in range(12):
        manager.order(PauseAudio(seconds=number + 1), who=f"nurse {number}")
    message = to_message("bed-1", manager.state)
    assert [command.who for command in message.commands] == [f"nurse {number}" for number in range(4, 12)]
    assert codec.decode(codec.topic_of(message), codec.encode(message)) == message


def test_a_repeated_command_is_known_though_many_came_between() -> None:
    manager = Manager()
    for number in range(1, 31):
        manager.order(SetLimits(limits=Limits(heart_rate_low=20 + number)), number=number)
    with pytest.raises(MessageError, match="before"):
        manager.order(SetLimits(limits=Limits(heart_rate_low=21)), number=1)
    assert manager.state.limits.heart_rate_low == 50


@pytest.mark.parametrize("when", ["", "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "1e9"])
def test_a_command_of_no_time_that_can_be_is_old(when: str) -> None:
    manager = Manager()
    absurd = Command(command_id="f" * 32, bed="bed-1", who="x", when=when, action=PauseAudio(seconds=9))
    with pytest.raises(MessageError, match="10 s"):
        execute(CONFIG, manager.state, absurd, manager.context)


# --- a worker that restarts ----------------------------------------------------------------------------------------


def restarted(manager: Manager, session: str = SESSION) -> tuple[Manager, list[Alarm]]:
    message = codec.decode(
        codec.topic_of(to_message("bed-1", manager.state)), codec.encode(to_message("bed-1", manager.state))
    )
    again = Manager()
    again.sample, again.now = manager.sample, manager.now
    assert isinstance(message, ActiveAlarms)
    return again, again.keep(resume(restore(message, manager.now), replace(again.context, session=session)))


def test_a_restart_goes_on_with_the_same_alarms_limits_and_pauses() -> None:
    manager = Manager()
    manager.at(10)
    manager.begin("ventricular_tachycardia")
    manager.end("ventricular_tachycardia")
    manager.begin("heart_rate_high")
    manager.order(SetLimits(limits=Limits(heart_rate_low=40)))
    manager.order(PauseAudio(seconds=60))
    again, events = restarted(manager)
    assert events == []
    assert to_message("bed-1", again.state) == to_message("bed-1", manager.state)
    [lasting] = [alarm for alarm in again.state.active if alarm.end is None]
    again.at(20)
    assert again.begin("heart_rate_high") == [], "confirmed: the same alarm goes on"
    again.at(100)
    assert again.keep(advance_time(again.state, again.context)) == []
    [cleared] = again.end("heart_rate_high")
    assert cleared.alarm_id == lasting.alarm_id


def test_what_is_not_seen_again_is_cleared_after_a_while() -> None:
    manager = Manager()
    manager.at(10)
    manager.begin("ventricular_tachycardia")
    again, _ = restarted(manager)
    again.at(50)
    assert again.keep(advance_time(again.state, again.context)) == []
    again.at(56)
    [cleared] = again.keep(advance_time(again.state, again.context))
    assert (cleared.phase, cleared.latched, cleared.reason) == ("cleared", True, "not_confirmed")


def test_alarms_of_another_session_are_cleared_at_once() -> None:
    manager = Manager()
    manager.at(10)
    manager.begin("asystole")
    manager.begin("residual")
    again, events = restarted(manager, "cd" * 16)
    assert sorted(phases(events)) == [("asystole", "cleared"), ("residual", "cleared")]
    assert {event.reason for event in events} == {"new_session"}
    assert again.listed == [("asystole", True)]


def test_an_asystole_that_is_over_is_not_shown_for_long() -> None:
    manager = Manager()
    manager.at(10)
    manager.begin("asystole")
    again, _ = restarted(manager)
    again.at(21)
    assert phases(again.keep(advance_time(again.state, again.context))) == [("asystole", "cleared")]
    assert again.listed == [("asystole", True)]


def test_the_want_of_data_ends_when_the_bed_sends_again() -> None:
    manager = Manager()
    manager.at(10)
    manager.begin("no_data")
    again, events = restarted(manager)
    assert (phases(events), again.listed) == ([("no_data", "cleared")], [])
    assert events[0].reason == "data_resumed"


def test_atrial_fibrillation_has_the_time_that_its_rule_needs() -> None:
    manager = Manager()
    manager.begin("atrial_fibrillation")
    again, _ = restarted(manager)
    again.at(130)  # 127 words of three beats at 60/min
    assert again.keep(advance_time(again.state, again.context)) == []
    assert again.begin("atrial_fibrillation") == []
    again.at(300)
    assert again.keep(advance_time(again.state, again.context)) == []


def test_when_the_record_ends_so_does_what_was_found_in_the_list() -> None:
    manager = Manager()
    manager.at(10)
    manager.begin("asystole")
    manager.begin("residual")
    again, _ = restarted(manager)
    again.at(12)
    assert sorted(phases(again.keep(finish(again.state, again.context)))) == [
        ("asystole", "cleared"),
        ("residual", "cleared"),
    ]
    assert {event.reason for event in again.events} == {"record_ended"}
    assert again.listed == [("asystole", True)]
    assert again.keep(finish(again.state, again.context)) == []


def test_a_list_speaks_of_its_own_bed_alone() -> None:
    manager, other = Manager(), Manager()
    manager.begin("asystole")
    other.begin("noise")
    [foreign] = other.state.active
    mixed = (*manager.state.active, msgspec.structs.replace(foreign, bed="bed-2"))
    assert restore(ActiveAlarms(bed="bed-1", alarms=mixed), T0).active == manager.state.active


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59.9999999Z", "2999-01-01T00:00:00Z"])
def test_no_list_silences_a_bed_for_longer_than_a_command_can(until: str) -> None:
    left = ActiveAlarms(bed="bed-1", audio_paused_until=until, alarms_paused_until=until)
    manager = Manager(restore(left, T0))
    message = to_message("bed-1", manager.state)
    assert message.audio_paused_until == message.alarms_paused_until == rfc3339(T0 + 180 * SECOND)
    manager.at(181)
    manager.keep(advance_time(manager.state, manager.context))
    assert (manager.state.audio_paused_until, manager.state.alarms_paused_until) == (None, None)


# --- at random -------------------------------------------------------------------------------------------------------

KINDS: list[AlarmKind] = ["asystole", "ventricular_tachycardia", "heart_rate_high", "residual", "lead_off"]
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.sampled_from(KINDS)),
        st.tuples(st.just("end"), st.sampled_from(KINDS)),
        st.tuples(st.just("acknowledge"), st.integers(0, 4)),
        st.tuples(st.just("off"), st.lists(st.sampled_from(KINDS[1:]), unique=True)),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 60)),
    ),
    max_size=40,
)


@given(deeds)
def test_whatever_happens_the_story_is_whole(deeds: list[tuple[str, object]]) -> None:
    """Each event once; no alarm cleared before it was raised; the list is what the events say."""
    manager = Manager()
    events: list[Alarm] = []
    for what, value in deeds:
        manager.at(manager.sample / 360 + 1)
        match what:
            case "begin":
                if not any(began.kind == value for began in manager.state.holding):
                    manager.begin(value)  # type: ignore[arg-type]
            case "end":
                manager.end(value)  # type: ignore[arg-type]
            case "acknowledge" if len(manager.state.active) > int(value):  # type: ignore[call-overload]
                alarm = manager.state.active[value]  # type: ignore[index]
                if alarm.acknowledged_by is None:
                    manager.order(Acknowledge(alarm_id=alarm.alarm_id))
            case "off":
                manager.order(SetLimits(limits=Limits(off=tuple(value))))  # type: ignore[arg-type]
            case "restart":
                events += manager.events
                commands = manager._commands
                manager, told_again = restarted(manager)
                manager._commands = commands
                assert told_again == []
            case "wait":
                manager.at(manager.sample / 360 + float(value))  # type: ignore[arg-type]
                manager.keep(advance_time(manager.state, manager.context))
    events += manager.events
    ids = [event.event_id for event in events]
    assert len(ids) == len(set(ids))
    lasting: dict[str, Alarm] = {}
    for event in events:
        assert codec.decode(codec.topic_of(event), codec.encode(event)) == event
        assert event.text == render(alarm_phrase(event), ALARM_TABLES["en"])
        if event.phase == "raised":
            assert event.alarm_id not in lasting
        else:
            assert event.alarm_id in lasting
        lasting[event.alarm_id] = event
    for alarm in manager.state.active:
        assert lasting[alarm.alarm_id] == alarm
        assert alarm.end is None or alarm.latched
    for alarm_id, event in lasting.items():
        if event.end is None:
            assert alarm_id in {alarm.alarm_id for alarm in manager.state.active}
    kinds = [alarm.kind for alarm in manager.state.active]
    assert len(kinds) == len(set(kinds))
    msgspec.json.encode(to_message("bed-1", manager.state))
