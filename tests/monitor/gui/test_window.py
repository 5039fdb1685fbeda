"""The window through its real widgets: what people see, press and close."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.frame import LinkState, Numbers
from monitor.gui.footer import SIMULATION
from monitor.gui.window import MonitorWindow
from stream.messages import ActiveAlarms
from tests.monitor.gui.conftest import Script
from tests.monitor.stories import SECOND, alarm, process

# --- texts ----------------------------------------------------------------------------------------------------------


def test_it_always_says_simulation(window: MonitorWindow, script: Script) -> None:
    assert window.footer.simulation.text() == SIMULATION
    for _ in range(2):
        window.tick()
        assert window.footer.simulation.isVisible()
        script.stream(window, 5)


def test_it_says_which_bed_and_record_and_how_old_the_data_are(window: MonitorWindow, script: Script) -> None:
    window.tick()
    assert window.header.bed.text() == "NO BED YET"
    script.worker()
    script.stream(window, 20)
    assert window.header.bed.text() == "BED-1"
    assert window.header.record.text().startswith("mitdb/208 at 0:01")
    assert window.header.link.text().startswith("● LIVE 0.")
    script.now += 7 * SECOND
    window.tick()
    assert window.header.link.text() == "● NO DATA 7 s"
    assert window.banner.notice == "NO DATA 7 s"


def test_synthetic_is_said_and_only_when_it_is(window: MonitorWindow, script: Script) -> None:
    script.stream(window, 3)
    assert not window.header.synthetic.isVisible()
    script.stream(window, 3, synthetic=True)
    assert window.header.synthetic.isVisible()


def test_without_a_broker_the_reason_is_in_the_window(window: MonitorWindow, script: Script) -> None:
    script.connected, script.text = False, "broker mqtt://test:1883 cannot be reached"
    window.tick()
    assert window.banner.notice == script.text
    assert window.header.link.text() == f"● {LinkState.NO_BROKER}"


def test_no_heart_rate_is_invented(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 30)
    assert window.heart_rate.value == "--"


def test_the_engineers_numbers_read_dashes_until_they_exist(window: MonitorWindow, script: Script) -> None:
    window.tick()
    assert dict(window.engineer.rows)["forecast better by"] == "--"
    script.stream(window, 30)
    rows = dict(window.engineer.rows)
    assert rows["surprise / alarm from"] == "0.2 / 3"
    assert rows["forecast better by"].endswith("%")


def test_a_score_just_below_nothing_reads_as_nothing(window: MonitorWindow) -> None:
    window.engineer.show_numbers(Numbers(score=-0.01, threshold=3.0), 0)
    assert window.engineer.rows[0] == ("surprise / alarm from", "0.0 / 3")


# --- alarms ---------------------------------------------------------------------------------------------------------


def test_an_alarm_appears_flashes_by_its_priority_and_goes(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    assert window.banner.alarm == ""
    assert window.banner.calm
    script.say(alarm(400, priority="high"))
    bright = set()
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        bright.add(window.banner.bright)
    assert window.banner.alarm == "*** the ECG left its forecast"
    assert bright == {True, False}
    assert "now, " in window.alarms.item(0).text()
    script.say(alarm(400, "cleared", end=600, priority="high"))
    window.tick()
    assert window.banner.alarm == ""
    assert window.alarms.count() == 1
    assert "lasts" not in window.alarms.item(0).text()


def test_a_low_alarm_stands_still(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.say(alarm(400))
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        assert window.banner.bright
    assert window.banner.alarm.startswith("* ")


def test_an_alarm_whose_worker_is_gone_goes_dark_and_stays(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.say(alarm(400, priority="high"), process("worker", "offline"))
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        assert not window.banner.bright
    assert window.banner.alarm
    assert "NO WORKER" in window.banner.notice


def test_alarms_of_one_priority_take_turns(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.say(ActiveAlarms(bed="bed-1", alarms=(alarm(400, text="first"), alarm(500, text="second"))))
    seen = set()
    for _ in range(5):
        script.now += SECOND
        window.tick()
        seen.add(window.banner.alarm)
    assert seen == {"* first", "* second"}


# --- keys and clicks ------------------------------------------------------------------------------------------------


def two_beds(window: MonitorWindow, script: Script) -> None:
    script.stream(window, 3)
    script.stream(window, 3, bed="bed-2")


def test_one_bed_needs_no_bar(window: MonitorWindow, script: Script) -> None:
    script.stream(window, 3)
    assert not window.beds.isVisible()


def test_arrows_and_digits_choose_the_bed(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    two_beds(window, script)
    assert window.beds.isVisible()
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
        assert window.header.bed.text() == bed.upper()


def test_a_click_chooses_the_bed(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    two_beds(window, script)
    qtbot.mouseClick(window.beds.buttons["bed-2"], Qt.MouseButton.LeftButton)
    window.tick()
    assert window.header.bed.text() == "BED-2"
    qtbot.mouseClick(window.beds.buttons["bed-1"], Qt.MouseButton.LeftButton)
    window.tick()
    assert window.header.bed.text() == "BED-1"


def test_full_screen_and_back(window: MonitorWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F)
    assert window.isFullScreen()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()


def test_q_closes(window: MonitorWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Q)
    assert not window.isVisible()


def test_the_bed_asked_for_is_shown_though_another_streams(qtbot: QtBot, script: Script) -> None:
    window = MonitorWindow(script, "bed-2", clock=script.clock)
    window._timer.stop()
    qtbot.addWidget(window)
    script.stream(window, 3)
    assert window.header.bed.text() == "BED-2"
    assert window.first_drawn_ns is None
    script.stream(window, 4, bed="bed-2")
    assert window.first_drawn_ns is not None


@pytest.mark.parametrize(("width", "height"), [(800, 480), (1920, 1080)])
def test_it_fits_other_sizes(window: MonitorWindow, script: Script, width: int, height: int) -> None:
    window.resize(width, height)
    script.stream(window, 5)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (width, height)
    assert window.sweep.height() > 100
    assert window.alarms.height() > 100


# --- nothing is left ------------------------------------------------------------------------------------------------


def test_closing_stops_the_timer_and_says_goodbye_once(window: MonitorWindow) -> None:
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


def test_a_thousand_frames_keep_the_references_to_none(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 30)
    before = sys.getrefcount(None)
    for _ in range(1000):
        script.now += SECOND // 60
        window.tick()
        window.sweep.repaint()
        window.strip.viewport().repaint()
        window.banner.repaint()
    # On Python ≥ 3.12 None is immortal. Some thousands would be lost by a Qt that forgets one per call.
    assert abs(sys.getrefcount(None) - before) < 500
