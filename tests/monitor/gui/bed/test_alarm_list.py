"""Alarm list: updates keep clicks and the scroll position."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.bed.alarm_list import MAX_SHOWN, AlarmList
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import NIGHT
from monitor.view.view_model import AdvisoryCount, AlarmLine
from stream.wire.alarm_texts import alarm_phrase
from tests.monitor.message_samples import alarm, residual


def line(number: int, lead: str = "", duration_s: float = 1.0, active: bool = False) -> AlarmLine:
    """Return a line of an alarm with its number, or another text, as the lead."""
    leads = (lead or f"alarm {number}",)
    return AlarmLine(alarm(400, alarm_id=f"a-{number}", kind="lead_off", leads=leads), "12:00:00", duration_s, active)


def shown(view: AlarmList) -> list[str]:
    texts = [view.item(row).text().splitlines()[-1] for row in range(view.count())]
    return [text.removeprefix("Lead off: ") for text in texts]


def place(view: AlarmList, row: int) -> QPoint:
    return view.visualItemRect(view.item(row)).center()


def row_of(view: AlarmList, text: str) -> int:
    """Return the row of the alarm with this text."""
    return shown(view).index(text)


def alarm_list(qtbot: QtBot) -> AlarmList:
    view = AlarmList(NIGHT)
    qtbot.addWidget(view)
    view.resize(300, 200)
    view.show()
    return view


def test_a_click_emits_the_alarm_id(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    view.show_lines((line(2), line(1)))
    with qtbot.waitSignal(view.chosen) as got:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, row_of(view, "alarm 1")))
    assert got.args == ["a-1"]


def test_a_click_is_not_lost_when_the_line_changes(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    view.show_lines((line(1, active=True, duration_s=1.0),))
    with qtbot.waitSignal(view.chosen):
        qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, 1))
        view.show_lines((line(1, active=True, duration_s=2.0),))
        qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, 1))
    assert "now, 2 s" in view.item(1).text()


def test_without_a_worker_nothing_is_said_to_go_on(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    lines = (line(2, active=True, duration_s=7.0), line(1))
    view.show_lines(lines)
    view.show_lines(lines, current=False)
    assert shown(view) == ["ACTIVE WHEN LAST KNOWN", "alarm 2", "PAST", "alarm 1"]
    assert "now" not in view.item(1).text()
    view.show_lines(lines)
    assert "now, 7 s" in view.item(1).text()


def test_lines_are_in_groups_and_kept_while_they_change(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    view.show_lines((line(2, active=True), line(1)))
    assert shown(view) == ["ACTIVE", "alarm 2", "PAST", "alarm 1"]
    kept = view.item(3)
    view.show_lines((line(4), line(3), line(2), line(1, lead="over")))
    assert shown(view) == ["PAST", "alarm 4", "alarm 3", "alarm 2", "over"]
    assert view.item(4) is kept
    assert not view.item(3).font().bold()


def test_a_latched_alarm_stays_above_the_advisories_and_later_past_ones(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    over = alarm(400, "cleared", end=800, kind="ventricular_fibrillation", priority="high", latched=True)
    latched = AlarmLine(over, "12:00:00", 1.1, active=True)
    view.show_lines((counting(3, 9), line(5), line(4), latched, line(1, active=True)))
    assert shown(view) == [
        "ACTIVE",
        "alarm 1",
        "ENDED, NOT ACKNOWLEDGED",
        text_of(alarm_phrase(over)),
        "Unusual complexes: 9, 3 in 1 min",
        "PAST",
        "alarm 5",
        "alarm 4",
    ]


def test_a_click_on_a_heading_opens_nothing(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    view.show_lines((line(1),))
    chosen: list[str] = []
    view.chosen.connect(chosen.append)
    for row in range(2):
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, row))
    assert chosen == ["a-1"]


def test_another_bed_has_other_lines(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    view.show_lines((line(2), line(1)))
    view.show_lines((line(9), line(2)))
    assert shown(view) == ["PAST", "alarm 9", "alarm 2"]
    view.show_lines((line(8),))
    assert shown(view) == ["PAST", "alarm 8"]
    view.show_lines(())
    assert shown(view) == []


def test_the_scroll_position_is_kept_when_a_line_changes(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    lines = tuple(line(n) for n in range(MAX_SHOWN + 20, 0, -1))
    view.show_lines(lines)
    assert view.count() == MAX_SHOWN + 1
    QApplication.processEvents()
    view.verticalScrollBar().setValue(200)
    view.show_lines((line(MAX_SHOWN + 20, lead="changed"), *lines[1:]))
    QApplication.processEvents()
    assert view.verticalScrollBar().value() == 200


def counting(recent: int, count: int, onset: int = 400, who: str | None = None) -> AlarmLine:
    """Return the line of the advisories."""
    latest = residual(onset, acknowledged_by=who)
    return AlarmLine(latest, "15:44:04", 0.5, recent > 0, AdvisoryCount(recent, count, "15:02:10", "15:44:04"))


def test_the_line_of_the_advisories_counts_in_place(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    view.show_lines((counting(1, 1), line(1)))
    kept = view.item(0)
    view.show_lines((counting(12, 34), line(2), line(1)))
    assert view.item(0) is kept
    assert kept.text() == "Unusual complexes: 34, 12 in 1 min"
    assert kept.toolTip().startswith("34 advisories since 15:02:10, the last at 15:44:04\n")
    assert view.visualItemRect(kept).height() < 2 * view.fontMetrics().height(), "a single line"
    view.show_lines((counting(0, 0, who="nurse 1"), line(2), line(1)))
    assert kept.text() == "Unusual complexes: none new  ✓ nurse 1"


def test_a_click_on_the_line_of_the_advisories_emits_the_latest(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    view.show_lines((counting(1, 1, onset=400), line(1)))
    view.show_lines((counting(2, 2, onset=800), line(1)))
    with qtbot.waitSignal(view.chosen) as got:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, 0))
    assert got.args == [residual(800).alarm_id]


def test_a_returned_technical_alarm_shows_how_often(qtbot: QtBot) -> None:
    view = alarm_list(qtbot)
    noise = alarm(400, kind="noise", priority="technical", repeats=2)
    view.show_lines((AlarmLine(noise, "12:00:00", 1.0, active=True),))
    assert view.item(1).text().splitlines()[0].endswith("now, 1 s  3×")
