"""Frozen trace: keys freeze and move it, the mouse measures on it, and everything else stays live."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.style.theme import NIGHT
from monitor.gui.trace.sweep import GUTTER
from monitor.gui.window import MonitorWindow
from monitor.view.trace import Trace
from tests.monitor.gui.bulk import feed
from tests.monitor.gui.conftest import Script
from tests.monitor.gui.trace.test_sweep import column, inks, is_close_to
from tests.monitor.message_samples import alarm, status


def picture(window: MonitorWindow) -> QImage:
    QApplication.processEvents()
    return window.bed_view.sweep.grab().toImage()


def frozen_trace(window: MonitorWindow) -> Trace:
    assert window.bed_view.freeze.frozen is not None
    return window.bed_view.freeze.frozen.trace


def drag(qtbot: QtBot, window: MonitorWindow, begin: tuple[int, int], end: tuple[int, int]) -> None:
    over = window.bed_view.freeze.calipers
    qtbot.mousePress(over, Qt.MouseButton.LeftButton, pos=QPoint(*begin))
    qtbot.mouseMove(over, QPoint(*end))
    qtbot.mouseRelease(over, Qt.MouseButton.LeftButton, pos=QPoint(*end))


def test_a_frozen_trace_is_marked_and_can_return_to_live(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 20)
    live = picture(window)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    window.tick()
    assert window.bed_view.header.frozen.isVisible()
    assert window.bed_view.header.frozen.text().startswith("FROZEN ")
    assert picture(window) == live, "freezing does not change the picture"
    feed(script, window, 7)
    assert picture(window) == live
    assert window.frame_shown.trace.cursor > frozen_trace(window).cursor + 6 * 360, "samples are still processed"
    qtbot.keyClick(window, Qt.Key.Key_Space)
    window.tick()
    assert not window.bed_view.header.frozen.isVisible()
    assert window.bed_view.header.legend.isVisible()
    assert picture(window) != live
    assert not window.bed_view.freeze.calipers.isVisible()


def test_alarms_stay_live(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 10)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    script.receive(alarm(3500, priority="high"))
    feed(script, window, 1)
    assert window.bed_view.banner.alarm.startswith("*** ")
    assert window.bed_view.alarms.count() == 2, "the alarm below the heading of its group"


def test_arrows_move_by_half_a_sweep_home_and_end_to_the_ends(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.worker()
    feed(script, window, 60)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    anchor, span = frozen_trace(window).cursor, frozen_trace(window).span
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_Left)
    window.tick()
    assert (
        frozen_trace(window).cursor == anchor - 3 * (span // 2) or frozen_trace(window).cursor == anchor - 3 * span // 2
    )
    assert window.bed_view.header.frozen.text().endswith(f"−0:{round(1.5 * span / 360):02}")
    qtbot.keyClick(window, Qt.Key.Key_Home)
    assert frozen_trace(window).first == 0
    qtbot.keyClick(window, Qt.Key.Key_End)
    assert frozen_trace(window).cursor == anchor
    feed(script, window, 5)
    qtbot.keyClick(window, Qt.Key.Key_End)
    window.tick()
    assert window.bed_view.header.frozen.text().endswith("+0:05")


def test_the_moved_trace_is_drawn_from_edge_to_edge(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 30)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    window.tick()
    image = picture(window)
    for x in range(GUTTER + 4, image.width() - 4, 40):
        assert any(is_close_to(ink, NIGHT.ecg) for ink in inks(image, range(x, x + 2)))


def test_an_alarm_span_keeps_its_samples(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 30)
    script.receive(alarm(20 * 360, "cleared", end=21 * 360, priority="high"))
    window.tick()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    while frozen_trace(window).cursor > 26 * 360:
        qtbot.keyClick(window, Qt.Key.Key_Left)
    window.tick()
    trace, image = frozen_trace(window), picture(window)
    x = column(window.bed_view.sweep, trace, 20 * 360 + 180 - trace.origin)
    assert is_close_to(image.pixelColor(x, 1), NIGHT.priority["high"])


def test_arrows_select_beds_when_live_and_another_bed_is_live(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.stream(window, 20)
    script.stream(window, 20, bed="bed-2")
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Right)
    window.tick()
    assert window.bed_view.header.bed.text() == "BED-1"
    qtbot.keyClick(window, Qt.Key.Key_2)
    window.tick()
    assert window.bed_view.header.bed.text() == "BED-2"
    assert window.bed_view.freeze.frozen is None
    qtbot.keyClick(window, Qt.Key.Key_Right)
    window.tick()
    assert window.bed_view.header.bed.text() == "BED-1"


def test_without_a_trace_freezing_has_no_effect(window: MonitorWindow, qtbot: QtBot) -> None:
    window.tick()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert window.bed_view.freeze.frozen is None


def test_a_new_session_leaves_the_frozen_trace_with_a_note(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 20)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    frozen = frozen_trace(window)
    script.next_seq = 0
    script.receive(status("worker", "forecasting", session="f" * 32))
    feed(script, window, 1, session="f" * 32)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    window.tick()
    assert frozen_trace(window) is frozen
    assert "new session" in window.bed_view.header.frozen.text()


def test_another_paper_speed_keeps_the_time(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 20)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    before = frozen_trace(window)
    qtbot.keyClick(window, Qt.Key.Key_S)
    window.tick()
    assert frozen_trace(window).cursor == before.cursor
    assert abs(frozen_trace(window).span - before.span / 2) < 2


# --- calipers -------------------------------------------------------------------------------------------------------


def test_a_drag_measures_time_and_amplitude(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    window.preferences.change(gain=10.0)
    feed(script, window, 20)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    window.tick()
    per_s = window.bed_view.sweep.px_per_mm * 25
    per_mv = window.bed_view.sweep.px_per_mm * 10
    drag(qtbot, window, (200, 100), (200 + round(per_s), 100 + round(per_mv)))
    text = window.bed_view.freeze.calipers.text
    ms = float(text.split()[1])
    assert abs(ms - 1000) < 12
    assert "MLII Δ" in text
    assert abs(float(text.split("Δ ")[1].split()[0]) - 1.0) < 0.03


def test_each_line_can_be_dragged_and_escape_removes_all(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 20)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    window.tick()
    plain = picture(window)
    drag(qtbot, window, (200, 100), (300, 180))
    calipers = window.bed_view.freeze.calipers
    first = calipers.lines
    assert first is not None
    assert picture(window) != plain
    drag(qtbot, window, (300, 140), (400, 140))
    assert calipers.lines.samples[0] == first.samples[0]
    assert abs(calipers.lines.ms - 2 * first.ms) < 5
    drag(qtbot, window, (250, 180), (250, 260))
    assert abs(abs(calipers.lines.mv[1] - calipers.lines.mv[0]) - 2 * abs(first.mv[1] - first.mv[0])) < 0.02
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert calipers.lines is None
    assert picture(window) == plain
    assert window.bed_view.freeze.frozen is not None


def test_a_click_draws_nothing(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 10)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.mouseClick(window.bed_view.freeze.calipers, Qt.MouseButton.LeftButton, pos=QPoint(300, 100))
    assert window.bed_view.freeze.calipers.lines is None


def test_the_lines_move_with_the_trace(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 30)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    window.tick()
    drag(qtbot, window, (200, 100), (300, 180))
    before = window.bed_view.freeze.calipers.text
    ruler = window.bed_view.sweep.ruler()
    x = ruler.x(window.bed_view.freeze.calipers.lines.samples[0])
    qtbot.keyClick(window, Qt.Key.Key_Left)
    window.tick()
    moved = window.bed_view.sweep.ruler().x(window.bed_view.freeze.calipers.lines.samples[0])
    half = ruler.per_sample * (frozen_trace(window).span // 2)
    assert abs(moved - x - half) < 1.5
    assert window.bed_view.freeze.calipers.text == before


def test_lines_across_the_cursor_measure_the_right_interval(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.worker()
    feed(script, window, 20)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    ruler = window.bed_view.sweep.ruler()
    x = ruler.left + (ruler.seam - ruler.start) * ruler.per_sample
    drag(qtbot, window, (round(x) - 30, 100), (round(x) + 60, 150))
    lines = window.bed_view.freeze.calipers.lines
    assert lines.samples[1] < lines.samples[0], "samples right of the cursor are older"
