"""The instructor's window: what is enabled, what it sends, what it shows of what comes back."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace as changed
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from monitor.gui.instructor.instructor_window import InstructorWindow
from monitor.gui.style.language import set_language
from monitor.gui.style.palettes import NIGHT
from monitor.view.instruction import INSTRUCTOR_KINDS, STEERABLE, VITALS
from stream.mqtt.client import Received
from stream.records.synthetic.patient import RANGES
from stream.wire.alarm_messages import Command
from stream.wire.alarm_texts import Phrase, phrase
from stream.wire.injection_kinds import Disturbable
from stream.wire.messages import Message
from stream.wire.replay_actions import (
    Inject,
    Note,
    RhythmCode,
    SetRhythm,
    SetScenario,
    SetVitals,
    ShowEpisode,
    StopInjection,
)
from stream.wire.scenario_status import ScenarioStatus, ScenarioStep, StepAction, StepWait
from stream.wire.status_messages import (
    BedStatus,
    CommandResult,
    ProcessStatus,
    RhythmOffer,
    RunningInjection,
    ShownEpisode,
)
from stream.wire.topics import Kind, Role, Topic
from stream.wire.truth_message import Truth, TruthPhase, TruthWhat
from tests.stream.wire.test_codec import SCORE
from tests.waveforms import numeric, numerics

RECORDED = BedStatus(
    bed="bed-1",
    role="publisher",
    instance="p",
    state="playing",
    when="2026-01-01T00:00:00.000Z",
    record="mitdb/100",
    session="0" * 32,
    rhythms=(RhythmOffer(rhythm="VT", episodes=43), RhythmOffer(rhythm="VF", episodes=31)),
    injections=(),
)
LIVE = changed(RECORDED, bed="bed-2", record="synthetic/live", steerable=True, rhythms=(), synthetic=True)
MAINS = RunningInjection(injection_id="m", kind="mains", signal="ecg", lead=None, level=0.2, hz=50.0, begin=0, end=None)


class Given:
    """A source of given messages, which collects what is sent."""

    def __init__(self) -> None:
        self.connected = True
        self.counters: dict[str, int] = {}
        self.commands: list[Command] = []
        self._coming: list[Received] = []

    @property
    def phrase(self) -> Phrase:
        return phrase("broker.connected", address="mqtt://test")

    def put(self, message: Message, topic: Topic) -> None:
        self._coming.append(Received(topic, message, False, 0, 0, 0, 0))

    def drain(self) -> list[Received]:
        coming, self._coming = self._coming, []
        return coming

    def send(self, message: Message) -> bool:
        assert isinstance(message, Command)
        if self.connected:
            self.commands.append(message)
        return self.connected


@pytest.fixture
def source() -> Given:
    return Given()


@pytest.fixture
def window(source: Given, qtbot: QtBot) -> Iterator[InstructorWindow]:
    shown = InstructorWindow(source, NIGHT, "teacher", timed=False)
    qtbot.addWidget(shown)
    shown.show()
    process(source, "online")
    for status in (RECORDED, LIVE):
        report(source, status)
    shown.tick()
    yield shown
    set_language("en")


def process(source: Given, state: str) -> None:
    message = ProcessStatus(role="publisher", instance="p", state=state, when="2026-01-01T00:00:00.000Z")  # type: ignore[arg-type]
    source.put(message, Topic(Kind.PROCESS, role=Role.PUBLISHER, instance="p"))


def report(source: Given, status: BedStatus) -> None:
    source.put(status, Topic(Kind.STATUS, status.bed, Role.PUBLISHER))


def press(qtbot: QtBot, widget: object) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def actions(source: Given, bed: str) -> list[object]:
    assert {one.who for one in source.commands} <= {"teacher"}
    return [one.action for one in source.commands if one.bed == bed]


def test_a_recorded_bed_shows_episodes_and_says_why_it_cannot_be_steered(
    window: InstructorWindow, source: Given, qtbot: QtBot
) -> None:
    controls = window.controls
    assert window.bed == "bed-1"
    assert list(controls.rhythms.buttons) == ["VT", "VF"]
    assert window.minimumSizeHint().height() < 300 < controls.sizeHint().height(), "what does not fit is scrolled"
    press(qtbot, controls.rhythms.buttons["VT"])
    controls.back.setChecked(False)
    press(qtbot, controls.rhythms.buttons["VF"])
    assert actions(source, "bed-1") == [ShowEpisode(rhythm="VT"), ShowEpisode(rhythm="VF", after="go_on")]
    assert not controls.vitals.sliders["spo2"].isEnabled()
    assert "synthetic/live" in controls.vitals.sliders["spo2"].toolTip()
    before = controls.rhythms.buttons["VT"].styleSheet()
    episode = ShownEpisode(rhythm="VT", record="mitdb/205", start_s=1.0, end_s=9.0, returns=True)
    report(source, changed(RECORDED, episode=episode))
    window.tick()
    assert controls.rhythms.buttons["VT"].styleSheet() != before, "shown once it comes back"


def test_a_live_patient_is_steered(window: InstructorWindow, source: Given, qtbot: QtBot) -> None:
    window.beds.setCurrentRow(1)
    controls = window.controls
    assert list(controls.rhythms.buttons) == list(STEERABLE)
    press(qtbot, controls.rhythms.buttons["ASYS"])
    controls.vitals.ramp.setCurrentIndex(3)
    slider = controls.vitals.sliders["spo2"]
    slider.setValue(82)
    slider.sliderReleased.emit()
    assert actions(source, "bed-2") == [SetRhythm(rhythm="ASYS"), SetVitals(values={"spo2": 82.0}, seconds=90.0)]
    for name, (low, high, _) in VITALS.items():
        assert RANGES[name][0] <= low < high <= RANGES[name][1], name
    assert set(STEERABLE) == set(RhythmCode.__args__)  # type: ignore[attr-defined]


def test_a_slider_follows_its_value_until_it_is_moved_and_again_once_the_value_is_there(
    window: InstructorWindow, source: Given
) -> None:
    def measured(value: float) -> None:
        source.put(numerics(bed="bed-2", values=(numeric(value=value),)), Topic(Kind.NUMERICS, "bed-2"))
        window.tick()

    def label() -> str:
        return window.controls.vitals._values["spo2"].text()

    slider = window.controls.vitals.sliders["spo2"]
    window.beds.setCurrentRow(1)
    assert label() == ""
    measured(97.4)
    assert (slider.value(), label()) == (97, "97 %")
    slider.setValue(82)
    slider.sliderReleased.emit()
    measured(91.0)
    assert (slider.value(), label()) == (82, "91 → 82 %")
    measured(82.2)
    measured(83.0)
    assert (slider.value(), label()) == (83, "83 %")
    slider.setValue(60)
    slider.sliderReleased.emit()
    window.beds.setCurrentRow(0)
    window.beds.setCurrentRow(1)
    assert (slider.value(), label()) == (83, "83 %"), "another bed has no target"


def test_an_injection_is_begun_and_stopped_and_a_refusal_is_shown(
    window: InstructorWindow, source: Given, qtbot: QtBot
) -> None:
    button = window.controls.injections.buttons["mains"]
    press(qtbot, button)
    [begun] = actions(source, "bed-1")
    assert isinstance(begun, Inject)
    assert begun.kind == "mains"
    refused = CommandResult(command_id=source.commands[0].command_id, refused="no such lead")
    report(source, changed(RECORDED, injections=(MAINS,), commands=(refused,)))
    window.tick()
    assert "no such lead" in window.notice.text()
    press(qtbot, button)
    assert actions(source, "bed-1")[1:] == [StopInjection(injection_id="m")]
    report(source, changed(RECORDED, injections=None))
    window.tick()
    assert not button.isEnabled()
    assert "cannot inject" in button.toolTip()


def test_an_injection_that_the_bed_would_refuse_says_why_and_another_names_a_signal_that_it_has(
    window: InstructorWindow, source: Given, qtbot: QtBot
) -> None:
    def shown(*disturbable: Disturbable) -> dict[str, str]:
        report(source, changed(RECORDED, disturbable=disturbable, injections=(MAINS,)))
        window.tick()
        return {code: one.toolTip() for code, one in window.controls.injections.buttons.items() if not one.isEnabled()}

    against = shown("ecg", "pap", "wire")
    assert list(against) == ["poor_perfusion", "cuff_inflation"]
    assert against["cuff_inflation"] == "This bed sends none of PLETH."
    press(qtbot, window.controls.injections.buttons["damped_pressure"])
    [begun] = actions(source, "bed-1")
    assert isinstance(begun, Inject)
    assert begun.signal == "pap"
    assert "large ward" in shown("ecg")["loss"]
    assert "mains" not in shown(), "what is in progress can be stopped"
    assert window.controls.unable.isHidden()
    report(source, changed(RECORDED, disturbable=()))
    window.tick()
    assert window.controls.unable.text() == "Nothing can be injected: this bed sends numerics alone."
    assert not window.controls.unable.isHidden()


def test_a_scenario_is_paused_and_continued_elsewhere_and_a_note_is_written(
    window: InstructorWindow, source: Given, qtbot: QtBot
) -> None:
    panel = window.controls.scenario
    assert not panel.play.isVisible()
    step = ScenarioStep(text="VT 160/min", at_s=60.0, happened=False)
    scenario = ScenarioStatus(
        name="vf", title="VF arrest", position_s=10.0, seconds=100.0, playing=True, next="VT", steps=(step,)
    )
    report(source, changed(RECORDED, scenario=scenario))
    window.tick()
    press(qtbot, panel.play)
    middle = QPoint(panel.timeline.width() // 2, 40)
    qtbot.mouseClick(panel.timeline, Qt.MouseButton.LeftButton, pos=middle)
    window.controls.note.setText("  well done ")
    qtbot.keyClick(window.controls.note, Qt.Key.Key_Return)
    paused, jump, note = actions(source, "bed-1")
    assert paused == SetScenario(playing=False)
    assert isinstance(jump, SetScenario)
    assert jump.position_s == pytest.approx(50, abs=1)
    assert note == Note(text="well done")


def test_all_steps_are_listed_in_order_with_what_they_wait_for(window: InstructorWindow, source: Given) -> None:
    steps = (
        ScenarioStep(
            text="",
            at_s=10.0,
            happened=True,
            actions=(StepAction(do="vital", name="pvc_rate", value=10.0, seconds=0.0),),
        ),
        ScenarioStep(
            text="",
            at_s=None,
            happened=False,
            after=StepWait(on="action", name="acknowledge", seconds=5.0, latest_s=80.0),
            actions=(StepAction(do="inject", name="muscle_noise", value=0.0, seconds=9.0), StepAction(do="note")),
        ),
        ScenarioStep(
            text="", at_s=60.0, happened=False, name="vf", actions=(StepAction(do="rhythm", name="VT", value=160.0),)
        ),
        ScenarioStep(
            text="",
            at_s=None,
            happened=False,
            after=StepWait(on="rhythm", name="VT", seconds=12.0),
            actions=(StepAction(do="expect", name="acknowledge", seconds=30.0),),
        ),
        ScenarioStep(
            text="",
            at_s=None,
            happened=False,
            after=StepWait(on="step", name="vf", seconds=30.0),
            actions=(StepAction(do="note"),),
        ),
    )
    scenario = ScenarioStatus(name="vf", title="VF", position_s=10.0, seconds=100.0, playing=True, steps=steps)
    report(source, changed(RECORDED, scenario=scenario))
    window.tick()
    shown = window.controls.scenario.steps
    assert shown.texts == [
        ("1", "00:10", "", "PVCs 10 1/min"),
        ("2", "–", "5 s after acknowledge, at 01:20 at the latest", "muscle noise 0 dB for 9 s"),
        ("3", "01:00", "", "ventricular tachycardia 160 1/min"),
        ("4", "–", "after 12 s of ventricular tachycardia", "student: acknowledge within 30 s"),
        ("5", "–", "30 s after step 3", "note"),
    ]
    assert "next: ventricular tachycardia 160 1/min" in window.controls.scenario.title.text()
    bold = [shown.item(row, 0).font().bold() for row in range(shown.rowCount())]
    assert bold == [False, False, True, False, False]
    if set_language("ja") == "":
        window.apply_theme(NIGHT)
        window.tick()
        assert shown.texts[1][2:] == ("アラーム確認の 5 秒後(遅くとも 01:20)", "筋電ノイズ 0 dB(9 秒間)")
        assert shown.texts[3][2:] == ("心室頻拍が 12 秒続いた後", "学習者: アラーム確認(30 秒以内)")


def test_the_score_of_the_session_is_shown_as_a_table(window: InstructorWindow, source: Given) -> None:
    table = window.controls.score
    assert table.rows[0][0].startswith("none")
    source.put(changed(SCORE, session="f" * 32), Topic(Kind.SCORE, "bed-1"))
    window.tick()
    assert table.rows[0][0].startswith("none"), "of another session"
    source.put(changed(SCORE, session=RECORDED.session), Topic(Kind.SCORE, "bed-1"))
    window.tick()
    assert table.rows == (
        ("% Se / PPV, Sp", "300 s", "last 5 min", "found", "delay"),
        ("QRS", "99.8 / 99.5", "99.8 / 99.5", "400 / 401", ""),
        ("VEB", "100.0 / 100.0", "100.0 / 100.0", "3 / 3", ""),
        ("VT", "90.0 / --", "90.0 / --", "1 / 1", "0.5 s"),
        ("false alarms per h", "10.0", "10.0", "", ""),
    )
    source.put(changed(SCORE, session=RECORDED.session, scored_from_s=600.0), Topic(Kind.SCORE, "bed-1"))
    window.tick()
    assert table.rows[-1] == ("beats and AF from 10:00 on",)
    source.put(changed(RECORDED, state="ended"), Topic(Kind.STATUS, "bed-1", Role.PUBLISHER))
    source.put(changed(SCORE, session=RECORDED.session, complete=True), Topic(Kind.SCORE, "bed-1"))
    window.tick()
    assert table.rows[0][1] == "complete", "it stays when the record has ended"
    window.beds.setCurrentRow(1)
    assert table.rows[0][0].startswith("none")


def test_truth_is_listed_for_its_bed_in_the_language_of_the_window(window: InstructorWindow, source: Given) -> None:
    truth = Truth(
        bed="bed-2",
        session="0" * 32,
        epoch=0,
        index=75 * 360,
        when="2026-01-01T00:00:00.000Z",
        truth_id="e",
        what="rhythm",
        phase="begin",
        name="VT",
        level=160.0,
        unit="1/min",
        synthetic=True,
    )
    source.put(truth, Topic(Kind.TRUTH, "bed-2"))
    window.tick()
    assert window.truths.lines == ()
    window.beds.setCurrentRow(1)
    assert window.truths.lines[0] == "0:01:15   ventricular tachycardia   160 1/min   begins"
    if set_language("ja") == "":
        source.put(changed(truth, phase="end"), Topic(Kind.TRUTH, "bed-2"))
        window.tick()
        assert window.truths.lines[1] == "0:01:15   心室頻拍   160 1/min   終了"


def test_what_is_said_before_the_first_status_and_of_a_student_is_listed_in_words(
    window: InstructorWindow, source: Given
) -> None:
    def told(what: TruthWhat, phase: TruthPhase, name: str, **values: float) -> None:
        message = Truth(
            bed="bed-3",
            session="0" * 32,
            epoch=0,
            index=0,
            when="2026-01-01T00:00:00.000Z",
            truth_id="e",
            what=what,
            phase=phase,
            name=name,
            values=values,
            synthetic=True,
        )
        source.put(message, Topic(Kind.TRUTH, "bed-3"))

    told("scenario", "begin", "vf-arrest")
    window.tick()
    assert window.beds.count() == 2
    report(source, changed(LIVE, bed="bed-3"))
    told("expected_action", "begin", "acknowledge", within_s=30.0)
    told("expected_action", "end", "acknowledge", done=1.0, seconds=8.9)
    told("expected_action", "end", "acknowledge", done=0.0, seconds=30.0)
    window.tick()
    window.beds.setCurrentRow(2)
    assert list(window.truths.lines) == [
        "0:00:00   scenario vf-arrest   begins",
        "0:00:00   student: acknowledge within 30 s",
        "0:00:00   acknowledge: done after 9 s",
        "0:00:00   acknowledge: missed",
    ]


def test_without_a_publisher_or_broker_nothing_is_sent_and_the_reason_is_said(
    window: InstructorWindow, source: Given, qtbot: QtBot
) -> None:
    source.connected = False
    press(qtbot, window.controls.rhythms.buttons["VT"])
    window.tick()
    assert "not connected" in window.notice.text()
    source.connected = True
    process(source, "offline")
    window.tick()
    assert not window.controls.injections.buttons["mains"].isEnabled()
    assert "No publisher" in window.controls.note.toolTip()
    assert source.commands == []
    assert "SIMULATION" in window.warning.text()


def test_it_receives_what_it_needs_and_no_samples() -> None:
    assert set(INSTRUCTOR_KINDS) == {Kind.STATUS, Kind.PROCESS, Kind.TRUTH, Kind.NUMERICS, Kind.SCORE}
