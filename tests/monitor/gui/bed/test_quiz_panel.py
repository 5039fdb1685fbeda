"""A window in quiz mode tells the rhythm nowhere, and sends the answer with the last sample that it shows."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from monitor.gui.style.language import set_language
from monitor.gui.style.text_lookup import text_of
from monitor.gui.window import MonitorWindow
from monitor.view.display_texts import QUIZ_TABLES, TABLES
from monitor.view.quiz import HIDDEN_KINDS, without_answers
from stream.wire.alarm_messages import ActiveAlarms, Command
from stream.wire.alarm_texts import alarm_phrase, kind_phrase
from stream.wire.answer import QUIZ_RHYTHMS, Answer
from stream.wire.messages import Annotation
from stream.wire.status_messages import Offer
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import alarm, received, status, vitals
from tests.waveforms import SESSION


@pytest.fixture
def window(script: Script, qtbot: QtBot) -> Iterator[MonitorWindow]:
    window = MonitorWindow(script, clock=script.clock, timed=False, quiz=True, who="student 3")
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


def texts(widget: QWidget) -> str:
    """Return all that the labels of a window say, and what its painted widgets are given."""
    return " ".join(label.text() for label in widget.findChildren(QLabel))


def test_nothing_tells_the_rhythm(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 5, record="mitdb/223")
    raised = alarm(90, kind="ventricular_tachycardia", priority="high", record="mitdb/223")
    note = Annotation(bed="bed-1", session=SESSION, index=100, symbol="+", aux="(VT")
    offers = (Offer(name="mitdb/223", seconds=1800, rhythms=("VT",)),)
    publisher = msgspec.structs.replace(status("publisher", "playing"), record="mitdb/223", records=offers)
    script.receive(
        raised,
        ActiveAlarms(bed="bed-1", alarms=(raised,)),
        note,
        publisher,
        vitals(150, rhythm="ventricular tachycardia"),
    )
    script.stream(window, 5, record="mitdb/223")
    frame = window.frame_shown
    assert frame is not None
    page = window.bed_view
    assert page.banner.line is not None
    assert page.banner.line.alarm.alarm_id == raised.alarm_id, "the alarm is there, and can be acknowledged"
    assert text_of(kind_phrase("ventricular_tachycardia")) == "Rhythm alarm"
    painted = (page.heart_rate.rhythm, text_of(alarm_phrase(page.banner.line.alarm)))
    shown = " ".join((texts(window), *painted))
    for word in ("223", "tachycardia", "VT", "mitdb"):
        assert word not in shown
    assert frame.trace is not None
    assert not frame.trace.annotations
    page.toggle_replay()
    assert page.replay.isHidden()
    window.open_review(raised.alarm_id)
    assert page.controls.note.text() == "a quiz has no review of alarms"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_answer_is_sent_with_the_sample_that_is_shown(
    window: MonitorWindow, script: Script, qtbot: QtBot, language: str
) -> None:
    set_language(language)
    window.bed_view.quiz.apply_theme(window.preferences.theme)
    panel = window.bed_view.quiz
    assert panel.isVisible()
    assert panel.choice.count() == len(QUIZ_RHYTHMS) + 1
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert script.sent == []
    script.worker()
    script.stream(window, 10)
    panel.choice.setCurrentIndex(1 + QUIZ_RHYTHMS.index("AFIB"))
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    [sent] = script.sent
    assert isinstance(sent, Command)
    trace = window.frame_shown.trace  # type: ignore[union-attr]
    assert trace is not None
    assert sent.action == Answer(rhythm="AFIB", session=SESSION, index=trace.cursor - 1)
    assert (sent.who, panel.choice.currentIndex()) == ("student 3", 0)
    assert {"en": "atrial fibrillation", "ja": "心房細動"}[language] in panel.note.text()


def test_no_template_of_a_hidden_alarm_is_left_and_all_others_are() -> None:
    for language, table in TABLES.items():
        names = {table[f"kind.{kind}"] for kind in HIDDEN_KINDS}
        changed = {code for code, text in QUIZ_TABLES[language].items() if text != table[code]}
        assert all(not any(name in QUIZ_TABLES[language][code] for name in names) for code in changed)
        assert {f"kind.{kind}" for kind in HIDDEN_KINDS} <= changed
        assert "kind.spo2_low" not in changed
    told = status("publisher", "playing", record="mitdb/223", steerable=True, records=(Offer(name="x", seconds=1.0),))
    shown = without_answers(received(told, 0))
    assert shown is not None
    assert shown.message == status("publisher", "playing", record="quiz")
    assert without_answers(received(Annotation(bed="bed-1", session=SESSION, index=1, symbol="V"), 0)) is None


def test_a_window_without_quiz_after_one_with_it_says_all(window: MonitorWindow) -> None:
    window.close()
    assert text_of(kind_phrase("ventricular_tachycardia")) == TABLES["en"]["kind.ventricular_tachycardia"]
