"""Bar of beds with more beds than fit."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.bed.bed_tabs import BedTabs
from monitor.gui.style.theme import NIGHT
from monitor.view.link import LinkState
from monitor.view.view_model import BedTab


def test_32_beds_do_not_widen_the_window_and_the_current_one_is_seen(qtbot: QtBot) -> None:
    bar = BedTabs(NIGHT)
    qtbot.addWidget(bar)
    bar.resize(800, 40)
    tabs = tuple(BedTab(f"bed-{number:02}", LinkState.LIVE, None) for number in range(1, 33))
    for current in ("bed-31", "bed-02"):
        bar.show_beds(tabs, current)
        QApplication.processEvents()
        assert bar.width() == 800
        button, area = bar.buttons[current], bar._area.viewport()
        assert area.rect().contains(button.geometry().translated(button.parentWidget().pos()))
        assert bar.station.width() >= bar.station.sizeHint().width()
