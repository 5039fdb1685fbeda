"""The window fits into the screen that is left beside title bar and task bar."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication

from monitor.gui.system.screen_fit import fit_into
from monitor.gui.window import MonitorWindow
from tests.monitor.gui.conftest import Script


@pytest.mark.parametrize(
    "available",
    [QRect(0, 0, 800, 440), QRect(0, 27, 1280, 733), QRect(64, 0, 1302, 728), QRect(1920, 0, 1920, 1040)],
)
def test_the_window_with_its_warning_lies_inside_the_room_of_the_screen(
    window: MonitorWindow, script: Script, available: QRect
) -> None:
    fit_into(window, available)
    script.stream(window, 3)
    QApplication.processEvents()
    assert available.contains(window.frameGeometry())
    footer = window.footer.simulation
    assert available.contains(QRect(footer.mapToGlobal(footer.rect().topLeft()), footer.size()))


def test_a_window_that_fits_is_not_changed_and_a_full_screen_one_is_left_alone(window: MonitorWindow) -> None:
    before = window.geometry()
    fit_into(window, QRect(0, 0, 1920, 1080))
    assert window.geometry() == before
    window.showFullScreen()
    before = window.geometry()
    fit_into(window, QRect(0, 0, 640, 400))
    assert window.geometry() == before
