"""Helpers: an event in a window, and actions on its review."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.review.review_dialog import ReviewDialog
from monitor.gui.window import MonitorWindow
from tests.monitor.gui.bulk import feed
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import alarm

ONSET = 12 * 360


def event(window: MonitorWindow, script: Script, seconds: int = 23, **changes: object) -> None:
    script.worker()
    feed(script, window, seconds, **changes)
    script.receive(alarm(ONSET, priority="high"), alarm(ONSET, "cleared", end=ONSET + 720, priority="high"))
    window.tick()


def click(window: MonitorWindow, qtbot: QtBot, row: int = 0) -> ReviewDialog:
    QApplication.processEvents()
    view = window.bed_view.alarms
    lines = [item for at in range(view.count()) if (item := view.item(at)).flags() & Qt.ItemFlag.ItemIsEnabled]
    place = view.visualItemRect(lines[row]).center()  # headings are not counted
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.review.dialog is not None
    QApplication.processEvents()
    return window.review.dialog


def press(dialog: ReviewDialog, name: str, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.buttons[name], Qt.MouseButton.LeftButton)


def drag(dialog: ReviewDialog, begin: tuple[int, int], end: tuple[int, int], qtbot: QtBot) -> None:
    over = dialog.chart.calipers
    qtbot.mousePress(over, Qt.MouseButton.LeftButton, pos=QPoint(*begin))
    qtbot.mouseMove(over, QPoint(*end))
    qtbot.mouseRelease(over, Qt.MouseButton.LeftButton, pos=QPoint(*end))
