"""The life of alarms, step by step and at random."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.alarms.state_machine import AlarmState, Scene, finish, obey, recall, resume, take, to_message, wait
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
from tests.waveforms import SESSION

CONFIG = load()
T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


class Desk:
    """A bed's alarms and a clock, driven by hand."""

    def __init__(self, state: AlarmState | None = None) -> None:
        self.state = state or AlarmState(limits=CONFIG.limits)
        self.sample = 0
        self.now = T0
        self.events: list[Alarm] = []
        self._commands = 0

    @property
    def scene(self) -> Scene:
        return Scene("bed-1", SESSION, "mitdb/208", self.sample, self.now)

    def at(self, seconds: float) -> None:
        self.sample = round(360 * seconds)
        self.now = T0 + round(SECOND * seconds)

    def keep(self, step: tuple[tuple[Alarm, ...], AlarmState]) -> list[Alarm]:
        events, self.state = step
        self.events += events
        return list(events)

    def begin(self, kind: AlarmKind, **fields: object) -> list[Alarm]:
        made = Began(kind, max(self.sample - 360, 0), self.sample, "rule_met", **fields)  # type: ignore[arg-type]
        return self.keep(take(CONFIG, self.state, made, self.scene))

    def end(self, kind: AlarmKind) -> list[Alarm]:
        made = Ended(kind, 0, self.sample, self.sample, "rule_no_longer_met")
        return self.keep(take(CONFIG, self.state, made, self.scene))

    def order(self, action: Action, who: str = "nurse 1", number: int | None = None) -> list[Alarm]:
        self._commands += 1
        made = Command(
            command_id=f"{number or self._commands:032x}",
            bed="bed-1",
            who=who,
            when=rfc3339(self.now),
            action=action,
        )
        return self.keep(obey(CONFIG, self.state, made, self.scene))

    @property
    def listed(self) -> list[tuple[AlarmKind, bool]]:
        return [(alarm.kind, alarm.latched) for alarm in self.state.active]


def told(events: list[Alarm]) -> list[tuple[str, str]]:
    return [(alarm.kind, alarm.phase) for alarm in events]


def test_an_alarm_is_raised_and_cleared_under_one_id() -> None:
    desk = Desk()
    desk.at(10)
    [raised] = desk.begin("heart_rate_high", value=131.0, limit=120.0)
    assert (raised.priority, raised.value, raised.limit, raised.end) == ("medium", 131.0, 120.0, None)
    assert raised.duration_s == pytest.approx(1, abs=0.01)
    desk.at(20)
    [cleared] = desk.end("heart_rate_high")
    assert cleared.alarm_id == raised.alarm_id
    assert cleared.event_id == f"{raised.alarm_id}-cleared"
    assert cleared.duration_s == pytest.approx(11)
    assert not cleared.latched
    assert desk.state.active == ()


def test_a_high_alarm_latches_until_somebody_acknowledges_it() -> None:
    desk = Desk()
    desk.at(10)
    [raised] = desk.begin("ventricular_tachycardia")
    desk.at(15)
    [cleared] = desk.end("ventricular_tachycardia")
    assert cleared.latched
    assert desk.listed == [("ventricular_tachycardia", True)]
    [seen] = desk.order(Acknowledge(alarm_id=raised.alarm_id))
    assert (seen.phase, seen.acknowledged_by, seen.end, seen.latched) == ("acknowledged", "nurse 1", cleared.end, False)
    assert desk.state.active == ()


def test_one_that_was_acknowledged_while_it_lasted_does_not_latch() -> None:
    desk = Desk()
    desk.at(10)
    [raised] = desk.begin("asystole")
    desk.order(Acknowledge(alarm_id=raised.alarm_id))
    assert desk.listed == [("asystole", False)]
    assert desk.state.active[0].acknowledged_by == "nurse 1"
    [cleared] = desk.end("asystole")
    assert (cleared.latched, cleared.acknowledged_by) == (False, "nurse 1")
    assert desk.state.active == ()


def test_what_comes_again_takes_the_latched_one_s_place_and_counts_it() -> None:
    desk = Desk()
    for second in (10, 20, 30):
        desk.at(second)
        desk.begin("ventricular_tachycardia")
        desk.at(second + 5)
        desk.end("ventricular_tachycardia")
    assert desk.listed == [("ventricular_tachycardia", True)]
    assert desk.state.active[0].repeats == 2
    desk.order(Acknowledge(alarm_id=desk.state.active[0].alarm_id))
    desk.at(50)
    assert desk.begin("ventricular_tachycardia")[0].repeats == 0


def test_an_escalation_does_not_pile_up() -> None:
    desk = Desk()
    desk.at(10)
    desk.begin("heart_rate_high")
    desk.end("heart_rate_high")
    desk.begin("ventricular_tachycardia")
    desk.at(12)
    desk.end("ventricular_tachycardia")
    desk.begin("ventricular_fibrillation")
    assert desk.listed == [("ventricular_fibrillation", False)]


def test_the_gravest_stands_first() -> None:
    desk = Desk()
    for kind in ("residual", "noise", "heart_rate_low", "asystole"):
        desk.at(desk.sample / 360 + 1)
        desk.begin(kind)  # type: ignore[arg-type]
    assert [kind for kind, _ in desk.listed] == ["asystole", "heart_rate_low", "residual", "noise"]


def test_a_residual_alarm_explains_itself() -> None:
    desk = Desk()
    [raised] = desk.begin("residual", evidence=Evidence(1.5, 0.2, 100.0, 4.0, 3.0))
    assert (raised.observed, raised.predicted, raised.score, raised.threshold) == (1.5, 0.2, 4.0, 3.0)
    worse = Ended("residual", 0, 100, 200, "rule_no_longer_met", evidence=Evidence(2.5, 0.1, 100.0, 6.0, 3.0))
    [cleared] = desk.keep(take(CONFIG, desk.state, worse, desk.scene))
    assert (cleared.observed, cleared.score) == (2.5, 6.0)


def test_pauses_end_by_themselves_by_command_and_by_graver_alarms() -> None:
    desk = Desk()
    desk.order(PauseAudio(seconds=120))
    desk.order(PauseAlarms(seconds=60))
    desk.begin("residual")
    assert desk.state.audio_paused_until == T0 + 120 * SECOND
    desk.begin("heart_rate_high")
    assert desk.state.audio_paused_until is None
    assert desk.state.alarms_paused_until == T0 + 60 * SECOND, "a medium alarm breaks the pause of the tone only"
    desk.begin("asystole")
    assert desk.state.alarms_paused_until is None
    desk.order(PauseAudio(seconds=30))
    desk.order(PauseAudio(seconds=0))
    assert desk.state.audio_paused_until is None
    desk.order(PauseAudio(seconds=30))
    desk.at(29)
    desk.keep(wait(desk.state, desk.scene))
    assert desk.state.audio_paused_until is not None
    desk.at(30)
    desk.keep(wait(desk.state, desk.scene))
    assert desk.state.audio_paused_until is None


def test_alarms_are_raised_and_told_during_a_pause() -> None:
    desk = Desk()
    desk.order(PauseAlarms(seconds=60))
    assert told(desk.begin("heart_rate_low")) == [("heart_rate_low", "raised")]


def test_a_kind_that_is_switched_off_clears_and_comes_back_with_its_condition() -> None:
    desk = Desk()
    desk.at(10)
    [raised] = desk.begin("heart_rate_high")
    desk.at(20)
    [cleared] = desk.order(SetLimits(limits=Limits(off=("heart_rate_high", "residual"))))
    assert (cleared.alarm_id, cleared.text) == (raised.alarm_id, "Switched off by nurse 1")
    assert cleared.end == 20 * 360
    assert desk.begin("residual") == []
    desk.at(30)
    back = desk.order(SetLimits(limits=Limits()))
    assert sorted(told(back)) == [("heart_rate_high", "raised"), ("residual", "raised")]
    assert {alarm.alarm_id for alarm in back}.isdisjoint({raised.alarm_id})
    assert told(desk.end("heart_rate_high")) == [("heart_rate_high", "cleared")]


def test_commands_that_are_old_repeated_or_pointless_change_nothing() -> None:
    desk = Desk()
    desk.begin("asystole")
    before = desk.state
    old = Command(
        command_id="f" * 32, bed="bed-1", who="x", when=rfc3339(T0 - 11 * SECOND), action=PauseAudio(seconds=9)
    )
    with pytest.raises(MessageError, match="10 s"):
        obey(CONFIG, desk.state, old, desk.scene)
    with pytest.raises(MessageError, match="not active"):
        desk.order(Acknowledge(alarm_id="nothing"))
    assert desk.state == before
    desk.order(PauseAudio(seconds=9), number=77)
    with pytest.raises(MessageError, match="before"):
        desk.order(PauseAudio(seconds=99), number=77)
    desk.order(Acknowledge(alarm_id=desk.state.active[0].alarm_id))
    with pytest.raises(MessageError, match="acknowledged by"):
        desk.order(Acknowledge(alarm_id=desk.state.active[0].alarm_id))


def test_the_last_commands_are_part_of_the_list() -> None:
    desk = Desk()
    for number in range(12):
        desk.order(PauseAudio(seconds=number + 1), who=f"nurse {number}")
    said = to_message("bed-1", desk.state)
    assert [command.who for command in said.commands] == [f"nurse {number}" for number in range(4, 12)]
    assert codec.decode(codec.topic_of(said), codec.encode(said)) == said


def test_a_repeated_command_is_known_though_many_came_between() -> None:
    desk = Desk()
    for number in range(1, 31):
        desk.order(SetLimits(limits=Limits(heart_rate_low=20 + number)), number=number)
    with pytest.raises(MessageError, match="before"):
        desk.order(SetLimits(limits=Limits(heart_rate_low=21)), number=1)
    assert desk.state.limits.heart_rate_low == 50


@pytest.mark.parametrize("when", ["", "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "1e9"])
def test_a_command_of_no_time_that_can_be_is_old(when: str) -> None:
    desk = Desk()
    absurd = Command(command_id="f" * 32, bed="bed-1", who="x", when=when, action=PauseAudio(seconds=9))
    with pytest.raises(MessageError, match="10 s"):
        obey(CONFIG, desk.state, absurd, desk.scene)


# --- a worker that restarts ----------------------------------------------------------------------------------------


def restarted(desk: Desk, session: str = SESSION) -> tuple[Desk, list[Alarm]]:
    said = codec.decode(codec.topic_of(to_message("bed-1", desk.state)), codec.encode(to_message("bed-1", desk.state)))
    again = Desk()
    again.sample, again.now = desk.sample, desk.now
    assert isinstance(said, ActiveAlarms)
    return again, again.keep(resume(recall(said, desk.now), replace(again.scene, session=session)))


def test_a_restart_goes_on_with_the_same_alarms_limits_and_pauses() -> None:
    desk = Desk()
    desk.at(10)
    desk.begin("ventricular_tachycardia")
    desk.end("ventricular_tachycardia")
    desk.begin("heart_rate_high")
    desk.order(SetLimits(limits=Limits(heart_rate_low=40)))
    desk.order(PauseAudio(seconds=60))
    again, events = restarted(desk)
    assert events == []
    assert to_message("bed-1", again.state) == to_message("bed-1", desk.state)
    [lasting] = [alarm for alarm in again.state.active if alarm.end is None]
    again.at(20)
    assert again.begin("heart_rate_high") == [], "seen again: the same alarm goes on"
    again.at(100)
    assert again.keep(wait(again.state, again.scene)) == []
    [cleared] = again.end("heart_rate_high")
    assert cleared.alarm_id == lasting.alarm_id


def test_what_is_not_seen_again_is_cleared_after_a_while() -> None:
    desk = Desk()
    desk.at(10)
    desk.begin("ventricular_tachycardia")
    again, _ = restarted(desk)
    again.at(50)
    assert again.keep(wait(again.state, again.scene)) == []
    again.at(56)
    [cleared] = again.keep(wait(again.state, again.scene))
    assert (cleared.phase, cleared.latched) == ("cleared", True)


def test_alarms_of_another_session_are_cleared_at_once() -> None:
    desk = Desk()
    desk.at(10)
    desk.begin("asystole")
    desk.begin("residual")
    again, events = restarted(desk, "cd" * 16)
    assert sorted(told(events)) == [("asystole", "cleared"), ("residual", "cleared")]
    assert again.listed == [("asystole", True)]


def test_an_asystole_that_is_over_is_not_shown_for_long() -> None:
    desk = Desk()
    desk.at(10)
    desk.begin("asystole")
    again, _ = restarted(desk)
    again.at(21)
    assert told(again.keep(wait(again.state, again.scene))) == [("asystole", "cleared")]
    assert again.listed == [("asystole", True)]


def test_the_want_of_data_ends_when_the_bed_sends_again() -> None:
    desk = Desk()
    desk.at(10)
    desk.begin("no_data")
    again, events = restarted(desk)
    assert (told(events), again.listed) == ([("no_data", "cleared")], [])


def test_atrial_fibrillation_has_the_time_that_its_rule_needs() -> None:
    desk = Desk()
    desk.begin("atrial_fibrillation")
    again, _ = restarted(desk)
    again.at(130)  # 127 words of three beats at 60/min
    assert again.keep(wait(again.state, again.scene)) == []
    assert again.begin("atrial_fibrillation") == []
    again.at(300)
    assert again.keep(wait(again.state, again.scene)) == []


def test_when_the_record_ends_so_does_what_was_found_in_the_list() -> None:
    desk = Desk()
    desk.at(10)
    desk.begin("asystole")
    desk.begin("residual")
    again, _ = restarted(desk)
    again.at(12)
    assert sorted(told(again.keep(finish(again.state, again.scene)))) == [
        ("asystole", "cleared"),
        ("residual", "cleared"),
    ]
    assert again.listed == [("asystole", True)]
    assert again.keep(finish(again.state, again.scene)) == []


def test_a_list_speaks_of_its_own_bed_alone() -> None:
    desk, other = Desk(), Desk()
    desk.begin("asystole")
    other.begin("noise")
    [foreign] = other.state.active
    mixed = (*desk.state.active, msgspec.structs.replace(foreign, bed="bed-2"))
    assert recall(ActiveAlarms(bed="bed-1", alarms=mixed), T0).active == desk.state.active


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59.9999999Z", "2999-01-01T00:00:00Z"])
def test_no_list_silences_a_bed_for_longer_than_a_command_can(until: str) -> None:
    left = ActiveAlarms(bed="bed-1", audio_paused_until=until, alarms_paused_until=until)
    desk = Desk(recall(left, T0))
    said = to_message("bed-1", desk.state)
    assert said.audio_paused_until == said.alarms_paused_until == rfc3339(T0 + 180 * SECOND)
    desk.at(181)
    desk.keep(wait(desk.state, desk.scene))
    assert (desk.state.audio_paused_until, desk.state.alarms_paused_until) == (None, None)


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
    desk = Desk()
    events: list[Alarm] = []
    for what, value in deeds:
        desk.at(desk.sample / 360 + 1)
        match what:
            case "begin":
                if not any(began.kind == value for began in desk.state.holding):
                    desk.begin(value)  # type: ignore[arg-type]
            case "end":
                desk.end(value)  # type: ignore[arg-type]
            case "acknowledge" if len(desk.state.active) > int(value):  # type: ignore[call-overload]
                alarm = desk.state.active[value]  # type: ignore[index]
                if alarm.acknowledged_by is None:
                    desk.order(Acknowledge(alarm_id=alarm.alarm_id))
            case "off":
                desk.order(SetLimits(limits=Limits(off=tuple(value))))  # type: ignore[arg-type]
            case "restart":
                events += desk.events
                commands = desk._commands
                desk, told_again = restarted(desk)
                desk._commands = commands
                assert told_again == []
            case "wait":
                desk.at(desk.sample / 360 + float(value))  # type: ignore[arg-type]
                desk.keep(wait(desk.state, desk.scene))
    events += desk.events
    ids = [event.event_id for event in events]
    assert len(ids) == len(set(ids))
    lasting: dict[str, Alarm] = {}
    for event in events:
        codec.decode(codec.topic_of(event), codec.encode(event))
        if event.phase == "raised":
            assert event.alarm_id not in lasting
        else:
            assert event.alarm_id in lasting
        lasting[event.alarm_id] = event
    for alarm in desk.state.active:
        assert lasting[alarm.alarm_id] == alarm
        assert alarm.end is None or alarm.latched
    for alarm_id, event in lasting.items():
        if event.end is None:
            assert alarm_id in {alarm.alarm_id for alarm in desk.state.active}
    kinds = [alarm.kind for alarm in desk.state.active]
    assert len(kinds) == len(set(kinds))
    msgspec.json.encode(to_message("bed-1", desk.state))
