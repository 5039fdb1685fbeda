"""Trend strip: shown on demand, drawn once per second, with the values at the mouse."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.style.theme import NIGHT
from monitor.gui.trace.sweep import GUTTER
from monitor.gui.trace.trend_strip import _column_extremes
from monitor.gui.window import MonitorWindow
from stream.wire.alarm_messages import ActiveAlarms
from tests.monitor.gui.bulk import feed
from tests.monitor.gui.conftest import Script
from tests.monitor.gui.trace.test_sweep import is_close_to
from tests.monitor.message_samples import SECOND, alarm, vitals


def stream(window: MonitorWindow, script: Script, seconds: int = 60) -> None:
    script.worker()
    for _ in range(seconds):
        feed(script, window, 1, forecasts=False)
        script.receive(vitals(36 * script.next_seq - 1, heart_rate=80.0, score=1.5))
    window.tick()


def test_t_shows_and_hides_it(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(window, script, 2)
    assert not window.bed_view.trend.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.bed_view.trend.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert not window.bed_view.trend.isVisible()


def test_in_a_low_window_it_replaces_the_anomaly_strip(window: MonitorWindow, qtbot: QtBot) -> None:
    window.resize(800, 480)
    qtbot.keyClick(window, Qt.Key.Key_E)
    QApplication.processEvents()
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert not window.bed_view.strip.isVisible()
    QApplication.processEvents()
    assert window.bed_view.sweep.height() > 100
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.bed_view.strip.isVisible()


def test_it_is_drawn_once_per_second(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(window, script, 5)
    qtbot.keyClick(window, Qt.Key.Key_T)
    script.now += SECOND - script.now % SECOND

    def frames(count: int) -> int:
        before = window.bed_view.trend.drawn
        for _ in range(count):
            script.now += SECOND // 100
            window.tick()
            window.bed_view.trend.repaint()
        return window.bed_view.trend.drawn - before

    frames(1)
    assert frames(90) == 0
    assert frames(20) == 1


def test_values_are_drawn_at_their_time_in_their_colours(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(window, script)
    raised = alarm(script.next_seq * 36 - 360, priority="high")
    script.receive(raised, ActiveAlarms(bed="bed-1", alarms=(raised,)))
    stream(window, script, 30)
    qtbot.keyClick(window, Qt.Key.Key_T)
    QApplication.processEvents()
    window.tick()
    image = window.bed_view.trend.grab().toImage()

    def has(text: str, columns: range) -> bool:
        return any(is_close_to(image.pixelColor(x, y), text) for x in columns for y in range(image.height() - 20))

    width = image.width() - GUTTER
    now, before = range(image.width() - 12, image.width() - 2), range(GUTTER + width // 2, GUTTER + width // 2 + 10)
    assert has(NIGHT.ecg, now)
    assert has(NIGHT.score, now)
    assert has(NIGHT.priority["high"], now)
    assert not has(NIGHT.ecg, before), "there are no values of five minutes ago"


def test_the_values_at_the_mouse_are_shown(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(window, script)
    qtbot.keyClick(window, Qt.Key.Key_T)
    QApplication.processEvents()
    window.tick()
    qtbot.mouseMove(window.bed_view.trend, QPoint(window.bed_view.trend.width() - 20, 40))
    assert "HR 80/min" in window.bed_view.trend.hover
    assert "anomaly score 1.5" in window.bed_view.trend.hover
    qtbot.mouseMove(window.bed_view.trend, QPoint(GUTTER + 40, 40))
    assert "HR --" in window.bed_view.trend.hover
    QApplication.sendEvent(window.bed_view.trend, QEvent(QEvent.Type.Leave))
    assert window.bed_view.trend.hover == ""


def test_without_a_bed_it_is_empty(window: MonitorWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_T)
    window.tick()
    window.bed_view.trend.repaint()
    assert window.bed_view.trend.trend is None


@pytest.mark.parametrize("columns", [10, 100, 1000])
def test_columns_contain_minimum_and_maximum(columns: int) -> None:
    values = np.full(900, np.nan, np.float32)
    values[100:800] = np.random.default_rng(1).normal(80, 10, 700)
    low, high = _column_extremes(values, columns)
    assert np.nanmin(low) == np.nanmin(values)
    assert np.nanmax(high) == np.nanmax(values)
    assert np.isnan(low[0])
    assert np.isnan(high[-1])
