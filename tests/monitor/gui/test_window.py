"""The window through its real widgets: what people see, press and close."""

from __future__ import annotations

import gc
import sys
import weakref

import msgspec
import pytest
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.style.footer import SIMULATION
from monitor.gui.window import MonitorWindow
from monitor.view.view_model import Numbers
from stream.clock import rfc3339
from stream.wire.alarm_messages import (
    Acknowledge,
    Action,
    ActiveAlarms,
    Alarm,
    Command,
    Limits,
    PauseAlarms,
    PauseAudio,
    SetLimits,
)
from stream.wire.messages import Beat
from stream.wire.phrases import phrase
from tests.monitor.gui.conftest import Script
from tests.monitor.stories import SECOND, alarm, process, sine, vitals
from tests.waveforms import SESSION

# --- texts ----------------------------------------------------------------------------------------------------------


def test_it_always_says_simulation(window: MonitorWindow, script: Script) -> None:
    assert window.footer.simulation.text() == SIMULATION
    for _ in range(2):
        window.tick()
        assert window.footer.simulation.isVisible()
        script.stream(window, 5)


def test_it_says_which_bed_and_record_and_how_old_the_data_are(window: MonitorWindow, script: Script) -> None:
    window.tick()
    assert window.bed_page.header.bed.text() == "NO BED YET"
    script.worker()
    script.stream(window, 20)
    assert window.bed_page.header.bed.text() == "BED-1"
    assert window.bed_page.header.record.text().startswith("mitdb/208 at 0:01")
    assert window.bed_page.header.link.text().startswith("● LIVE 0.")
    script.now += 7 * SECOND
    window.tick()
    assert window.bed_page.header.link.text() == "● NO DATA 7 s"
    assert window.bed_page.banner.notice == "NO DATA 7 s"


def test_synthetic_is_said_and_only_when_it_is(window: MonitorWindow, script: Script) -> None:
    script.stream(window, 3)
    assert not window.bed_page.header.synthetic.isVisible()
    script.stream(window, 3, synthetic=True)
    assert window.bed_page.header.synthetic.isVisible()


def test_without_a_broker_the_reason_is_in_the_window(window: MonitorWindow, script: Script) -> None:
    script.connected, script.phrase = False, phrase("broker.lost", address="mqtt://test:1883")
    window.tick()
    assert window.bed_page.banner.notice == "connection to mqtt://test:1883 lost; trying again"
    assert window.bed_page.header.link.text() == "● NO BROKER"


def test_no_heart_rate_is_invented(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 30)
    assert window.bed_page.heart_rate.value == "--"


def test_the_worker_s_numbers_are_shown_and_go_when_they_are_old(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.say(vitals(719), ActiveAlarms(bed="bed-1"))
    window.tick()
    assert window.bed_page.heart_rate.value == "72"
    assert (window.bed_page.heart_rate.patient.rhythm, window.bed_page.heart_rate.patient.pvc_per_min) == ("sinus", 2)
    assert (window.bed_page.heart_rate.patient.low, window.bed_page.heart_rate.patient.high) == (50, 120)
    script.stream(window, 40)
    assert window.bed_page.heart_rate.value == "--", "four seconds without a word of the worker"


def test_a_number_without_an_honest_value_reads_dashes(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.say(vitals(719, heart_rate=None, rhythm="unknown"))
    window.tick()
    assert window.bed_page.heart_rate.value == "--"
    assert window.bed_page.heart_rate.patient.rhythm == ""


def test_the_heart_beats_when_the_cursor_passes_a_qrs(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.say(vitals(719), Beat(bed="bed-1", session=SESSION, index=740, type="N", rr_ms=800, quality=1.0))
    beating = []
    for _ in range(8):
        script.stream(window, 1)
        beating.append(window.bed_page.heart_rate.patient.beating)
    assert True in beating
    assert beating[0] is False
    assert beating[-1] is False


def test_the_broken_limit_lights_up(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    high = alarm(400, kind="heart_rate_high", priority="medium", value=131.0, limit=120.0)
    script.say(vitals(719, heart_rate=131.0), high, ActiveAlarms(bed="bed-1", alarms=(high,)))
    window.tick()
    assert window.bed_page.heart_rate.patient.broken == "high"


# --- commands -------------------------------------------------------------------------------------------------------


def sent(script: Script) -> list[Action]:
    return [message.action for message in script.sent if isinstance(message, Command)]


def latch(script: Script) -> Alarm:
    over = alarm(400, "cleared", end=800, kind="ventricular_tachycardia", priority="high", latched=True)
    script.say(over, ActiveAlarms(bed="bed-1", alarms=(over,)))
    return over


def test_a_latched_alarm_stays_until_it_is_acknowledged(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    script.stream(window, 20)
    over = latch(script)
    window.tick()
    assert "not acknowledged" in window.bed_page.banner.alarm
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert sent(script) == [Acknowledge(alarm_id=over.alarm_id)]
    window.tick()
    assert window.bed_page.banner.alarm, "pressing the key is not yet an acknowledgement"
    script.say(
        msgspec.structs.replace(over, phase="acknowledged", acknowledged_by="nurse 1", latched=False),
        ActiveAlarms(bed="bed-1"),
    )
    window.tick()
    assert window.bed_page.banner.alarm == ""
    assert "nurse 1" in window.bed_page.alarms.item(0).text()


def test_an_acknowledged_alarm_that_lasts_stands_still(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.say(alarm(400, "acknowledged", priority="high", acknowledged_by="nurse 1"))
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        assert window.bed_page.banner.bright
    assert window.bed_page.banner.alarm.endswith("acknowledged by nurse 1")
    assert not window.bed_page.controls.acknowledge.isEnabled()


def test_pauses_are_asked_for_shown_with_a_countdown_and_taken_back(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.worker()
    script.stream(window, 20)
    qtbot.mouseClick(window.bed_page.controls.audio, Qt.MouseButton.LeftButton)
    assert sent(script) == [PauseAudio(seconds=120)]
    script.say(ActiveAlarms(bed="bed-1", audio_paused_until=rfc3339(script.now + 90 * SECOND)))
    window.tick()
    assert window.bed_page.banner.notice == "AUDIO PAUSED 1:30"
    qtbot.keyClick(window, Qt.Key.Key_P)
    assert sent(script)[-1] == PauseAudio(seconds=0)
    qtbot.keyClick(window, Qt.Key.Key_O)
    assert sent(script)[-1] == PauseAlarms(seconds=60)
    script.say(ActiveAlarms(bed="bed-1", alarms_paused_until=rfc3339(script.now + 9 * SECOND)))
    window.tick()
    assert window.bed_page.banner.notice == "ALARMS PAUSED 0:09"


def test_limits_are_asked_for_and_sent(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    script.stream(window, 20)
    qtbot.keyClick(window, Qt.Key.Key_L)
    assert window.limits_dialog is None, "nobody has told any limits yet"
    assert window.bed_page.controls.note.isVisible()
    script.say(ActiveAlarms(bed="bed-1", limits=Limits(heart_rate_low=45, heart_rate_high=130)))
    window.tick()
    qtbot.keyClick(window, Qt.Key.Key_L)
    dialog = window.limits_dialog
    assert dialog is not None
    assert (dialog.low.value(), dialog.high.value()) == (45, 130)
    dialog.low.setValue(200)
    assert dialog.low.value() == 129, "low stays below high"
    dialog.low.setValue(60)
    assert not dialog.on["asystole"].isEnabled()
    dialog.on["residual"].setChecked(False)
    dialog.accept()
    assert sent(script) == [SetLimits(limits=Limits(heart_rate_low=60, heart_rate_high=130, off=("residual",)))]
    assert window.limits_dialog is None


def test_a_command_without_a_broker_is_not_sent_and_said_so(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.worker()
    script.stream(window, 20)
    latch(script)
    window.tick()
    script.connected = False
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert script.sent == []
    assert "not sent" in window.bed_page.controls.note.text()


def test_the_engineers_numbers_read_dashes_until_they_exist(window: MonitorWindow, script: Script) -> None:
    window.tick()
    assert dict(window.bed_page.engineer.rows)["forecast better by"] == "--"
    script.stream(window, 30)
    rows = dict(window.bed_page.engineer.rows)
    assert rows["anomaly score / alarm from"] == "0.2 / 3"
    assert rows["forecast better by"].endswith("%")


def test_a_score_just_below_nothing_reads_as_nothing(window: MonitorWindow) -> None:
    window.bed_page.engineer.show_numbers(Numbers(score=-0.01, threshold=3.0), 0)
    assert window.bed_page.engineer.rows[0] == ("anomaly score / alarm from", "0.0 / 3")


# --- alarms ---------------------------------------------------------------------------------------------------------


def test_an_alarm_appears_flashes_by_its_priority_and_goes(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    assert window.bed_page.banner.alarm == ""
    assert window.bed_page.banner.calm
    script.say(alarm(400, priority="high"))
    bright = set()
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        bright.add(window.bed_page.banner.bright)
    assert window.bed_page.banner.alarm == "*** Forecast deviation: 1.00 mV, predicted 0.10 mV (MLII, 100 ms ahead)"
    assert bright == {True, False}
    assert "now, " in window.bed_page.alarms.item(0).text()
    script.say(alarm(400, "cleared", end=600, priority="high"))
    window.tick()
    assert window.bed_page.banner.alarm == ""
    assert window.bed_page.alarms.count() == 1
    assert "lasts" not in window.bed_page.alarms.item(0).text()


def test_a_low_alarm_stands_still(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.say(alarm(400))
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        assert window.bed_page.banner.bright
    assert window.bed_page.banner.alarm.startswith("* ")


def test_an_alarm_whose_worker_is_gone_goes_dark_and_stays(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.say(alarm(400, priority="high"), process("worker", "offline"))
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        assert not window.bed_page.banner.bright
    assert window.bed_page.banner.alarm
    assert "NO WORKER" in window.bed_page.banner.notice


def test_alarms_of_one_priority_take_turns(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.say(ActiveAlarms(bed="bed-1", alarms=(alarm(400, kind="noise"), alarm(500, kind="lead_off"))))
    seen = set()
    for _ in range(5):
        script.now += SECOND
        window.tick()
        seen.add(window.bed_page.banner.alarm)
    assert seen == {"* Noise hides QRS complexes: MLII", "* Lead off: MLII"}


# --- keys and clicks ------------------------------------------------------------------------------------------------


def two_beds(window: MonitorWindow, script: Script) -> None:
    script.stream(window, 3)
    script.stream(window, 3, bed="bed-2")


def test_one_bed_needs_no_bar(window: MonitorWindow, script: Script) -> None:
    script.stream(window, 3)
    assert not window.bed_page.beds.isVisible()


def test_arrows_and_digits_choose_the_bed(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    two_beds(window, script)
    assert window.bed_page.beds.isVisible()
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
        assert window.bed_page.header.bed.text() == bed.upper()


def test_a_click_chooses_the_bed(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    two_beds(window, script)
    qtbot.mouseClick(window.bed_page.beds.buttons["bed-2"], Qt.MouseButton.LeftButton)
    window.tick()
    assert window.bed_page.header.bed.text() == "BED-2"
    qtbot.mouseClick(window.bed_page.beds.buttons["bed-1"], Qt.MouseButton.LeftButton)
    window.tick()
    assert window.bed_page.header.bed.text() == "BED-1"


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
    assert window.bed_page.header.bed.text() == "BED-2"
    assert window.first_drawn_ns is None
    script.stream(window, 4, bed="bed-2")
    assert window.first_drawn_ns is not None


@pytest.mark.parametrize(("width", "height"), [(800, 480), (1920, 1080)])
def test_it_fits_other_sizes(window: MonitorWindow, script: Script, width: int, height: int) -> None:
    window.resize(width, height)
    script.stream(window, 5)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (width, height)
    assert window.bed_page.sweep.height() > 100
    assert window.bed_page.alarms.height() > 100


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
        window.bed_page.sweep.repaint()
        window.bed_page.strip.viewport().repaint()
        window.bed_page.banner.repaint()
    # On Python ≥ 3.12 None is immortal. Some thousands would be lost by a Qt that forgets one per call.
    assert abs(sys.getrefcount(None) - before) < 500


def test_the_jitter_of_the_arrivals_stands_among_the_engineer_s_numbers(window: MonitorWindow, script: Script) -> None:
    window.tick()
    assert dict(window.bed_page.engineer.rows)["jitter of the arrivals"] == "-- ms"
    script.worker()
    for seq in range(20):
        made = sine(seq)
        script.now = made.due_ns + (40_000_000 if seq == 7 else 0)
        script.say(made)
        window.tick()
    assert dict(window.bed_page.engineer.rows)["jitter of the arrivals"] == "40 ms"
