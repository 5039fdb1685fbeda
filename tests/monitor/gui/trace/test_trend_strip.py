"""Trend strip: shown on demand, drawn once per second, with the values at the mouse; zoomed, and saved as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.style.theme import NIGHT
from monitor.gui.trace.sweep import GUTTER
from monitor.gui.trace.trend_curve import column_extremes, curve_pixels
from monitor.gui.window import MonitorWindow
from stream.wire.alarm_messages import ActiveAlarms
from tests.monitor.gui.bulk import feed
from tests.monitor.gui.conftest import Script
from tests.monitor.gui.trace.test_sweep import is_close_to
from tests.monitor.message_samples import SECOND, alarm, vitals
from tests.waveforms import numeric, numerics


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
    low, high = column_extremes(values, columns)
    assert np.nanmin(low) == np.nanmin(values)
    assert np.nanmax(high) == np.nanmax(values)
    assert np.isnan(low[0])
    assert np.isnan(high[-1])


def test_a_curve_is_connected_over_seconds_and_broken_at_gaps() -> None:
    values = np.array([10, 20, np.nan, np.nan, np.nan, 20, 20], np.float32)
    covered = curve_pixels(values, 70, 40, (0, 40))
    assert covered[:, :11].any(0).all(), "no value falls into the columns between two seconds"
    assert not covered[:, 12:50].any()
    assert covered[:, 50:61].any(0).all()
    rows = np.flatnonzero(covered.any(1))
    assert (rows.min(), rows.max()) == (19, 30)
    assert not curve_pixels(np.full(7, np.nan, np.float32), 70, 40, (0, 40)).any()


def with_numbers(window: MonitorWindow, script: Script, seconds: int) -> None:
    """Deliver ECG, vital signs and numbers, of which the arterial pressure is missing in every other ten seconds."""
    script.worker()
    for second in range(seconds):
        feed(script, window, 1, forecasts=False)
        systolic = None if second // 10 % 2 else 120.0
        pressure = (numeric("abp_systolic", systolic, age_s=30.0), numeric("abp_diastolic", 80.0))
        script.receive(vitals(36 * script.next_seq - 1, heart_rate=80.0, score=1.5))
        script.receive(numerics(values=(numeric("spo2", 97.0), numeric("pulse_rate", 81.0), *pressure)))
    window.tick()


def test_each_group_of_numbers_has_a_row_in_its_colour(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    with_numbers(window, script, 3)
    qtbot.keyClick(window, Qt.Key.Key_T)
    QApplication.processEvents()
    window.tick()
    strip = window.bed_view.trend
    assert [row.name for row in strip._rows] == ["heart rate", "SpO₂", "ABP"]
    image = strip.grab().toImage()
    for number, ink in enumerate((NIGHT.ecg, NIGHT.wave["pleth"], NIGHT.wave["abp"])):
        top, bottom = strip._edges()[number : number + 2]
        now = range(image.width() - 8, image.width())
        assert any(is_close_to(image.pixelColor(x, y), ink) for x in now for y in range(top, bottom))
    qtbot.mouseMove(strip, QPoint(strip.width() - 2, 40))
    assert "HR 80/min  ·  SpO₂ 97  ·  ABP --/80" in strip.hover


def test_wheel_and_key_change_the_span(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(window, script, 2)
    qtbot.keyClick(window, Qt.Key.Key_T)
    strip = window.bed_view.trend

    def span() -> int:
        window.tick()
        assert strip.trend is not None
        return (strip.trend.stop - strip.trend.first) // 60

    def turn(angle: int) -> None:
        none, middle = QPoint(), QPointF(strip.rect().center())
        keys = (Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase)
        QApplication.sendEvent(strip, QWheelEvent(middle, middle, none, QPoint(0, angle), *keys, False))

    spans = [span()]
    for angle in (-120, -120, -120, 60, 60):
        turn(angle)
        spans.append(span())
    assert spans == [10, 60, 480, 480, 480, 60]
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_Z)
        spans.append(span())
    assert spans[-3:] == [480, 10, 60]


def test_w_saves_all_hours_as_csv(window: MonitorWindow, script: Script, qtbot: QtBot, tmp_path: Path) -> None:
    qtbot.keyClick(window, Qt.Key.Key_W)
    assert window.trend_file.dialog is None, "no bed"
    with_numbers(window, script, 25)
    qtbot.keyClick(window, Qt.Key.Key_W)
    dialog = window.trend_file.dialog
    assert dialog is not None
    assert dialog.selectedFiles()[0].endswith("Z.csv")
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile("trend.csv")
    dialog.accept()
    QApplication.processEvents()
    with (tmp_path / "trend.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["spo2 (%)"] for row in rows} == {"97"}
    assert window.bed_view.controls.note.text() == f"saved {tmp_path / 'trend.csv'}"
