"""Alarm banner: the most urgent alarm, flashing by its priority."""

from __future__ import annotations

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
    assert window.bed_view.banner.all_clear
    script.receive(alarm(400, priority="high"))
    bright = set()
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        bright.add(window.bed_view.banner.bright)
    assert window.bed_view.banner.alarm == "*** Unusual complexes: 6 in the last minute besides PVCs"
    assert bright == {True, False}
    assert "now, " in window.bed_view.alarms.item(0).text()
    script.receive(alarm(400, "cleared", end=600, priority="high"))
    window.tick()
    assert window.bed_view.banner.alarm == ""
    assert window.bed_view.alarms.count() == 1
    assert "now, " not in window.bed_view.alarms.item(0).text()


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
