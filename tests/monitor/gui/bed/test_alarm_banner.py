"""Alarm banner: the most urgent alarm, flashing by its priority."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from monitor.gui.window import MonitorWindow
from stream.wire.alarm_messages import (
    ActiveAlarms,
)
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import SECOND, alarm, process


def test_an_alarm_appears_flashes_and_disappears(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    assert window.bed_view.banner.alarm == ""
    assert not window.bed_view.banner.all_clear, "nothing is known yet"
    assert window.bed_view.banner.notice == "no alarms are received from the worker"
    script.receive(ActiveAlarms(bed="bed-1"))
    window.tick()
    assert window.bed_view.banner.all_clear
    assert window.bed_view.banner.notice == ""
    script.receive(alarm(400, priority="high"))
    bright = set()
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        bright.add(window.bed_view.banner.bright)
    assert window.bed_view.banner.alarm == "*** Unusual complexes: 6 in the last minute besides PVCs"
    assert bright == {True, False}
    assert "now, " in window.bed_view.alarms.item(1).text()
    script.receive(alarm(400, "cleared", end=600, priority="high"))
    window.tick()
    assert window.bed_view.banner.alarm == ""
    rows = [window.bed_view.alarms.item(row).text() for row in range(window.bed_view.alarms.count())]
    assert len(rows) == 2
    assert rows[0] == "PAST"
    assert "now, " not in rows[1]


def test_a_low_alarm_does_not_flash(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.receive(alarm(400))
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        assert window.bed_view.banner.bright
    assert window.bed_view.banner.alarm.startswith("* ")


def test_without_a_worker_an_alarm_stays_dark(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.receive(alarm(400, priority="high"), process("worker", "offline"))
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        assert not window.bed_view.banner.bright
    assert window.bed_view.banner.alarm
    assert "NO WORKER" in window.bed_view.banner.notice


def test_alarms_of_one_priority_alternate(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.receive(ActiveAlarms(bed="bed-1", alarms=(alarm(400, kind="noise"), alarm(500, kind="lead_off"))))
    texts = set()
    for _ in range(5):
        script.now += SECOND
        window.tick()
        texts.add(window.bed_view.banner.alarm)
    assert texts == {"* Noise hides QRS complexes: MLII", "* Lead off: MLII"}
    assert window.bed_view.banner.others == "+1"


def test_active_alarms_are_shown_before_ended_ones_and_the_others_counted(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.worker()
    script.stream(window, 20)
    over = alarm(400, "cleared", 500, kind="ventricular_fibrillation", priority="high", latched=True)
    now = alarm(500, kind="ventricular_tachycardia", priority="high", value=182.0, beats=5)
    script.receive(over, ActiveAlarms(bed="bed-1", alarms=(over, now, alarm(600, priority="medium"))))
    window.tick()
    banner = window.bed_view.banner
    assert (banner.line.alarm, banner.others) == (now, "+2")
    script.now += 2 * SECOND
    window.tick()
    assert banner.line.alarm == over
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert window.review.dialog is not None
    assert window.review.dialog.review.alarm == over, "the review is that of the alarm shown"
