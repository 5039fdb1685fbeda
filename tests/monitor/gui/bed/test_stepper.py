"""Stepper: the wheel, which scrolls the dialog, leaves its number alone."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.bed.stepper import Stepper


def test_the_mouse_wheel_does_not_change_the_number(qtbot: QtBot) -> None:
    stepper = Stepper(30, 200, 5, 120, "")
    qtbot.addWidget(stepper)
    at = QPointF(stepper.number.rect().center())
    plain, begin = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(at, at, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, plain, begin, False)
    QApplication.sendEvent(stepper.number, event)
    assert stepper.number.value() == 120
    assert not event.isAccepted(), "the page scrolls"
    stepper.plus.click()
    assert stepper.number.value() == 125
