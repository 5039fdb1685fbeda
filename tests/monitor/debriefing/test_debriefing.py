"""What was stored of a class is judged as a teacher would, and the page says it in both languages."""

from __future__ import annotations

import dataclasses
import re
import xml.dom.minidom
from pathlib import Path

import msgspec
import numpy as np
import pytest

from monitor import cli
from monitor.alarm_log.class_log import ClassLog, strip_id
from monitor.alarm_log.class_reader import ClassSession, read_sessions
from monitor.alarm_log.export import AlarmFilter
from monitor.alarm_log.store import AlarmLog
from monitor.alarm_log.strip_forecasts import StripForecasts
from monitor.alarm_log.strips import StripRecorder
from monitor.common.strip import Strip
from monitor.debriefing.alarm_lives import alarms_by_span, lives_of
from monitor.debriefing.assessment import assess
from monitor.debriefing.expected_alarms import alarms_of, expects_alarm
from monitor.debriefing.pictures import _Bar, _bar
from monitor.debriefing.report import report
from monitor.debriefing.spans import spans_of
from monitor.debriefing.texts import TABLES
from stream.clock import rfc3339
from stream.timebase import FS
from stream.wire.alarm_messages import Acknowledge, Action, Alarm, AlarmKind, Command, PauseAudio
from stream.wire.answer import QUIZ_RHYTHMS, Answer
from stream.wire.injection_kinds import INJECTION_KINDS
from stream.wire.messages import Annotation
from stream.wire.replay_actions import SetLoop
from stream.wire.truth_message import Truth
from tests.monitor import message_samples
from tests.waveforms import SESSION, chunk

T0_NS = 1_770_000_000_000_000_000


def when(second: float) -> str:
    return rfc3339(T0_NS + round(second * 1e9))


def truth(second: float, name: str, what: str = "rhythm", phase: str = "at", **fields: object) -> Truth:
    values = {"truth_id": f"{what}-{name}", "text": "", **fields}
    return Truth(
        bed="bed-1", session=SESSION, epoch=0, index=round(second * FS), when=when(second), what=what,  # type: ignore[arg-type]
        phase=phase, name=name, synthetic=False, **values,  # type: ignore[arg-type]
    )  # fmt: skip


def alarm(second: float, kind: AlarmKind, after_s: float, phase: str = "raised", end: float | None = None) -> Alarm:
    made = message_samples.alarm(round(second * FS), kind=kind, session=SESSION)
    return msgspec.structs.replace(
        made,
        alarm_id=f"{kind}-{second}",
        event_id=f"{kind}-{second}-{phase}",
        phase=phase,
        when=when((end if end is not None else second) + after_s),
        end=None if end is None else round(end * FS),
        duration_s=after_s if end is None else end - second,
    )


def command(second: float, action: Action, who: str = "student 1") -> Command:
    return Command(command_id=f"{round(second * 1000):032x}", bed="bed-1", who=who, when=when(second), action=action)


def answer(second: float, rhythm: str) -> Command:
    return command(second, Answer(rhythm=rhythm, session=SESSION, index=round(second * FS)))


TRUTHS = (
    truth(0, "N"),
    truth(20, "VT"),
    truth(30, "N"),
    truth(35, "muscle_noise", "injection", "begin", level=0.0, unit="dB"),
    truth(45, "muscle_noise", "injection", "end"),
    truth(50, "AFIB"),
    truth(20, "acknowledge", "expected_action", values={"within_s": 15.0}, text="see to the patient"),
    truth(50, "answer", "expected_action", values={"within_s": 5.0}, truth_id="e2"),
    truth(60, "set_limits", "expected_action", values={"within_s": 9.0}, truth_id="e3"),
    truth(80, "pause_alarms", "expected_action", truth_id="e4"),
    truth(62, "spo2", "vitals", level=82.0, unit="%", values={"seconds": 5.0}),
    truth(64, "etco2", "vitals", level=40.0, unit="mmHg"),
    truth(66, "heart_rate", "vitals", level=131.0, unit="1/min"),
)
EVENTS = (
    alarm(20.5, "ventricular_tachycardia", 2.0),
    alarm(20.5, "ventricular_tachycardia", 0.5, "cleared", end=30),
    alarm(36, "asystole", 4.0),
    alarm(70, "heart_rate_high", 4.0),
)
COMMANDS = (
    command(1, SetLoop(loop=True), "teacher"),
    command(26.5, Acknowledge(alarm_id="ventricular_tachycardia-20.5")),
    answer(28, "VT"),
    answer(40, "NOISE"),
    answer(53, "AFL"),
    answer(57, "AFIB"),
    command(65, PauseAudio(seconds=60)),
)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Return an alarm store of a class, with the strip and the forecast of the VT."""
    collected, forecasts, strips = ClassLog(), StripForecasts(), StripRecorder()
    for second in range(31):
        strips.push(chunk(second, FS), second)
        forecasts.push(message_samples.forecast(second * FS + 35, mean=2.5), second)
    strips.request(alarm(20.5, "ventricular_tachycardia", 2.0), 31)
    event = collected.receive(TRUTHS[1], T0_NS)
    assert event is not None
    strips.request(event, 31)
    strips.finish()
    with AlarmLog(tmp_path / "class.sqlite") as log:
        log.add((one, T0_NS) for one in EVENTS)
        log.add_commands((one, T0_NS) for one in COMMANDS)
        log.add_truths((one, T0_NS) for one in (*TRUTHS, TRUTHS[0]))
        ready = strips.ready.values()
        log.add_strips(ready, [one for strip in ready if (one := forecasts.of(strip))])
    return tmp_path / "class.sqlite"


@pytest.fixture
def session(stored: Path) -> ClassSession:
    [found] = read_sessions(stored, AlarmFilter())
    return found


def test_what_is_expected_counts_the_time_of_the_patient() -> None:
    begun = truth(20, "acknowledge", "expected_action", "begin", values={"within_s": 600.0}, truth_id="e")
    twentyfold = msgspec.structs.replace(begun, phase="end", index=begun.index + 600 * FS, when=when(50))
    for second, verdict, seconds in ((35, "done", 300), (55, "late", 700)):
        session = ClassSession(
            "bed-1", SESSION, (begun, twentyfold), (), (command(second, Acknowledge(alarm_id="a")),), {}, {}
        )
        [found] = assess(session).expected
        assert found.verdict == verdict
        assert found.seconds == pytest.approx(seconds)


def test_a_pressure_without_alarms_of_its_own_misses_none() -> None:
    disconnected = truth(5, "disconnected_pressure", "injection", "begin", signal="cvp")
    assert not alarms_of(disconnected)
    assert "abp_disconnected" in alarms_of(msgspec.structs.replace(disconnected, signal="abp"))


def test_no_alarm_is_expected_of_a_lead_that_is_not_analysed() -> None:
    strip = Strip("a", "bed-1", SESSION, "low", 0, ("II", "V1"), (200.0,) * 2, (0,) * 2, bytes(4 * 3600), True)
    for lead, missed in (("V1", True), ("V6", False), (None, True)):
        begun = truth(5, "lead_off", "injection", "begin", lead=lead)
        [found] = assess(ClassSession("bed-1", SESSION, (begun,), (), (), {"a": strip}, {})).happenings
        assert found.missed is missed


@pytest.mark.parametrize(
    ("name", "level", "lead", "expected"),
    [
        ("muscle_noise", 2.0, None, True),
        ("muscle_noise", 2.0, "V1", True),
        ("muscle_noise", 10.0, None, False),
        ("electrode_motion", -2.0, None, True),
        ("electrode_motion", -2.0, "V1", False),
        ("electrode_motion", 0.0, None, False),
        ("mains", 5.0, None, False),
        ("baseline_wander", 2.0, None, True),
        ("saturation", 0.5, None, False),
        ("lead_off", None, "V1", True),
        ("gain_error", 0.5, None, False),
    ],
)
def test_an_alarm_is_expected_of_what_makes_the_signal_unusable(
    name: str, level: float | None, lead: str | None, expected: bool
) -> None:
    begun = truth(35, name, "injection", "begin", level=level, lead=lead)
    assert expects_alarm(begun) is expected
    for events in ((), (alarm(37, "noise", 2.0),)):
        [found] = assess(ClassSession("bed-1", SESSION, (begun,), events, (), {}, {})).happenings
        assert found.missed is (expected and (not events or name == "lead_off"))
        if events and "noise" in alarms_of(begun):
            assert found.alarm is not None, "it belongs to the noise, expected or not"


def test_a_time_that_is_none_makes_a_class_no_longer(session: ClassSession) -> None:
    forged = msgspec.structs.replace(TRUTHS[0], when="soon")
    with_it = dataclasses.replace(session, truths=(*session.truths, forged))
    assert (assess(with_it).begin_ns, assess(with_it).end_ns) == (assess(session).begin_ns, assess(session).end_ns)


def test_an_id_may_be_used_again() -> None:
    twice = [(35, "begin"), (45, "end"), (100, "begin"), (110, "end"), (110, "begin")]
    spans = spans_of([truth(second, "mains", "injection", phase) for second, phase in twice])
    assert [(span.begin, span.end) for span in spans] == [
        (35 * FS, 45 * FS),
        (100 * FS, 110 * FS),
        (110 * FS, None),
    ]


def test_what_is_read_is_what_was_stored(session: ClassSession, stored: Path) -> None:
    assert list(session.truths) == sorted(TRUTHS, key=lambda one: one.when)
    assert session.commands == COMMANDS
    strip = session.strips[strip_id(TRUTHS[1])]
    points = session.forecasts[strip.alarm_id]
    inside = [n for s in range(31) for o in range(40, 73, 4) if 10 * FS <= (n := s * FS + 35 + o) < 30 * FS]
    assert (points[:, 0] + strip.start).tolist() == inside
    np.testing.assert_array_equal(points[:, 1], np.float32(2.5))
    assert read_sessions(stored, AlarmFilter(bed="bed-2")) == []
    with AlarmLog(stored) as log:
        earlier = msgspec.structs.replace(TRUTHS[0], session="e" * 32, when=when(-7 * 3600))
        log.add_truths([(earlier, T0_NS)])
    assert [one.session for one in read_sessions(stored, AlarmFilter())] == [SESSION], "the latest class"
    everything = AlarmFilter(since="2020-01-01")
    assert [one.session for one in read_sessions(stored, everything)] == ["e" * 32, SESSION]
    assert [one.session for one in read_sessions(stored, everything, last=1)] == [SESSION]


def test_alarms_answers_and_actions_are_judged(session: ClassSession) -> None:
    found = assess(session)
    by_name = {one.truth.name: one for one in found.happenings}
    assert list(by_name) == ["VT", "muscle_noise", "AFIB", "spo2", "heart_rate"], "a normal value is not listed"
    rate = by_name["heart_rate"]
    assert rate.alarm is not None
    assert (rate.alarm.kind, rate.alarms[0][1], by_name["spo2"].missed) == ("heart_rate_high", 8.0, True)
    vt = by_name["VT"]
    assert vt.alarm is not None
    assert (vt.alarm.kind, vt.alarms[0][1], vt.missed) == ("ventricular_tachycardia", 2.5, False)
    assert vt.reaction is not None
    assert (type(vt.reaction[0].action), vt.reaction[1]) == (Acknowledge, 4.0)
    assert by_name["AFIB"].missed
    assert [(one.rhythm, one.true, one.right) for one in found.answers] == [
        ("VT", "VT", True),
        ("NOISE", "NOISE", True),
        ("AFL", "AFIB", False),
        ("AFIB", "AFIB", True),
    ]
    assert [(one.truth.name, one.verdict, one.seconds) for one in found.expected] == [
        ("acknowledge", "done", 6.5),
        ("answer", "late", 7.0),
        ("set_limits", "wrong", None),
        ("pause_alarms", "missed", None),
    ]
    assert [one.kind for one in found.unfounded] == ["asystole"]


def test_an_alarm_belongs_to_the_latest_that_it_is_expected_of() -> None:
    spans = spans_of([truth(20, "VT"), truth(32, "VF"), truth(60, "N")])
    tachycardia = (
        alarm(20.5, "ventricular_tachycardia", 2.0),
        alarm(20.5, "ventricular_tachycardia", 0.5, "cleared", end=40),
    )
    [first] = lives_of(tachycardia)
    assert alarms_by_span([first], spans) == {0: [first], 1: [first], 2: []}, "it went on"
    first, second = lives_of((*tachycardia, alarm(33, "ventricular_fibrillation", 4.0)))
    assert alarms_by_span([first, second], spans) == {0: [first], 1: [second], 2: []}


def test_a_reference_rhythm_is_truth_and_other_annotations_are_not() -> None:
    log = ClassLog()
    note = Annotation(bed="bed-1", session=SESSION, index=720, symbol="+", aux="(AFIB")
    assert log.receive(msgspec.structs.replace(note, aux=""), T0_NS) is None
    event = log.receive(note, T0_NS)
    assert event is not None
    assert event.onset == 720
    [(made, _)] = log.truths
    assert (made.what, made.name, made.index) == ("reference", "AFIB", 720)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_is_complete_and_stands_alone(session: ClassSession, language: str) -> None:
    page = report([session], language)  # type: ignore[arg-type]
    assert not re.search(r"<script|href=|src=|url\(", page)
    assert page.count(TABLES[language]["simulation"]) == 2  # type: ignore[index]
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 2, "timeline, and the strip of the VT"
    for picture in pictures:
        xml.dom.minidom.parseString(picture)
    assert "fill-opacity" in pictures[1], "the forecast"
    words = {"en": ("late: after 7.0 s", "wrong: pause audio instead", "✗ atrial flutter", "3 of 4 answers right",
                    "acknowledge, 4.0\u00a0s after the alarm", "s after the start"),
             "ja": ("遅れ: 7.0 秒後", "誤り: 代わりに音の一時停止", "✗ 心房粗動", "回答 4 件中 3 件正解",
                    "アラームから 4.0\u00a0秒", "開始から")}  # fmt: skip
    assert all(one in page for one in words[language])


def test_a_label_without_room_at_the_right_is_inside_its_bar() -> None:
    left, right = 313.4364244112401, 896.9486747387447
    assert left + (right - left) < right, "rounded"
    assert f'<text x="{left + 5:.1f}"' in _bar(_Bar(left, right, "#c62828", "ventricular tachycardia"), 0.0)


def test_both_languages_have_all_names() -> None:
    assert TABLES["en"].keys() == TABLES["ja"].keys()
    names = {*QUIZ_RHYTHMS, *INJECTION_KINDS}
    assert all(f"name.{one}" in TABLES["ja"] or f"mitbih.{one}" in TABLES["ja"] for one in names)


def test_the_command_writes_a_page_and_says_what_is_wrong(
    stored: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["debrief", "--db", str(stored), "--out", str(tmp_path / "a.html"), "--language", "ja"]) == 0
    assert "心室頻拍" in (tmp_path / "a.html").read_text()
    for out, line in (("a.txt", "end the name in .html or .pdf"), ("no/a.html", "no such folder")):
        assert cli.main(["debrief", "--db", str(stored), "--out", str(tmp_path / out)]) == 2
        assert line in capfd.readouterr().err
    assert cli.main(["debrief", "--db", str(stored), "--out", str(tmp_path / "b.html"), "--bed", "bed-9"]) == 2
    assert "has nothing to show of this bed or time" in capfd.readouterr().err
