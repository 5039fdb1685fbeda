"""The window with its real widgets: texts, keys, clicks and closing."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.style.footer import SIMULATION
from monitor.gui.window import MonitorWindow
from stream.wire.alarm_texts import phrase
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import SECOND

# --- texts ----------------------------------------------------------------------------------------------------------


def test_the_simulation_warning_is_always_visible(window: MonitorWindow, script: Script) -> None:
    assert window.footer.simulation.text() == SIMULATION
    for _ in range(2):
        window.tick()
        assert window.footer.simulation.isVisible()
        script.stream(window, 5)


def test_the_header_shows_bed_record_and_data_age(window: MonitorWindow, script: Script) -> None:
    window.tick()
    assert window.bed_view.header.bed.text() == "NO BED YET"
    script.worker()
    script.stream(window, 20)
    assert window.bed_view.header.bed.text() == "BED-1"
    assert window.bed_view.header.record.text().startswith("mitdb/208 at 0:01")
    assert window.bed_view.header.link.text().startswith("● LIVE 0.")
    script.now += 7 * SECOND
    window.tick()
    assert window.bed_view.header.link.text() == "● NO DATA 7 s"
    assert window.bed_view.banner.notice == "NO DATA 7 s"


def test_synthetic_is_shown_only_for_synthetic_signals(window: MonitorWindow, script: Script) -> None:
    script.stream(window, 3)
    assert not window.bed_view.header.synthetic.isVisible()
    script.stream(window, 3, synthetic=True)
    assert window.bed_view.header.synthetic.isVisible()


def test_without_a_broker_the_reason_is_shown(window: MonitorWindow, script: Script) -> None:
    script.connected, script.phrase = False, phrase("broker.lost", address="mqtt://test:1883")
    window.tick()
    assert window.bed_view.banner.notice == "connection to mqtt://test:1883 lost; trying again"
    assert window.bed_view.header.link.text() == "● NO BROKER"


# --- keys and clicks ------------------------------------------------------------------------------------------------


def two_beds(window: MonitorWindow, script: Script) -> None:
    script.stream(window, 3)
    script.stream(window, 3, bed="bed-2")


def test_a_single_bed_has_no_bar(window: MonitorWindow, script: Script) -> None:
    script.stream(window, 3)
    assert not window.bed_view.beds.isVisible()


def test_arrows_and_digits_select_the_bed(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    two_beds(window, script)
    assert window.bed_view.beds.isVisible()
    for key, bed in [
        (Qt.Key.Key_Right, "bed-2"),
        (Qt.Key.Key_Right, "bed-1"),
        (Qt.Key.Key_Left, "bed-2"),
        (Qt.Key.Key_1, "bed-1"),
        (Qt.Key.Key_2, "bed-2"),
        (Qt.Key.Key_9, "bed-2"),
    ]:
        qtbot.keyClick(window, key)
        window.tick()
        assert window.bed_view.header.bed.text() == bed.upper()


def test_a_click_selects_the_bed(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    two_beds(window, script)
    qtbot.mouseClick(window.bed_view.beds.buttons["bed-2"], Qt.MouseButton.LeftButton)
    window.tick()
    assert window.bed_view.header.bed.text() == "BED-2"
    qtbot.mouseClick(window.bed_view.beds.buttons["bed-1"], Qt.MouseButton.LeftButton)
    window.tick()
    assert window.bed_view.header.bed.text() == "BED-1"


def test_full_screen_and_back(window: MonitorWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F)
    assert window.isFullScreen()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()


def test_q_closes(window: MonitorWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Q)
    assert not window.isVisible()


def test_the_requested_bed_is_shown_though_another_streams(qtbot: QtBot, script: Script) -> None:
    window = MonitorWindow(script, "bed-2", clock=script.clock)
    window._timer.stop()
    qtbot.addWidget(window)
    script.stream(window, 3)
    assert window.bed_view.header.bed.text() == "BED-2"
    assert window.first_drawn_ns is None
    script.stream(window, 4, bed="bed-2")
    assert window.first_drawn_ns is not None


@pytest.mark.parametrize(("width", "height"), [(800, 480), (1920, 1080)])
def test_it_fits_into_other_sizes(window: MonitorWindow, script: Script, width: int, height: int) -> None:
    window.resize(width, height)
    script.stream(window, 5)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (width, height)
    assert window.bed_view.sweep.height() > 100
    assert window.bed_view.alarms.height() > 100


# --- cleanup --------------------------------------------------------------------------------------------------------


def test_closing_stops_the_timer_and_calls_back_once(window: MonitorWindow) -> None:
    calls = []
    window.before_close = lambda: calls.append(1)
    window._timer.start()
    window.close()
    window.close()
    assert calls == [1]
    assert not window._timer.isActive()


def test_no_widget_or_timer_outlives_the_window(qtbot: QtBot, script: Script) -> None:
    before = set(QApplication.allWidgets())
    window = MonitorWindow(script, clock=script.clock)
    window.show()
    script.stream(window, 3)
    gone = weakref.ref(window)
    timers = [weakref.ref(timer) for timer in window.findChildren(QTimer)]
    assert timers
    window.close()
    window.deleteLater()
    del window
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert set(QApplication.allWidgets()) <= before
    assert gone() is None
    assert all(timer() is None for timer in timers)


def test_a_thousand_frames_leak_no_references_to_none(window: MonitorWindow, script: Script) -> None:
    script.worker()
    window.preferences.change(engineer=True)
    script.stream(window, 30)
    before = sys.getrefcount(None)
    for _ in range(1000):
        script.now += SECOND // 60
        window.tick()
        window.bed_view.sweep.repaint()
        window.bed_view.strip.repaint()
        window.bed_view.banner.repaint()
    # On Python ≥ 3.12 None is immortal. A Qt binding that leaks one reference per call would lose thousands.
    assert abs(sys.getrefcount(None) - before) < 500
