"""Review dialog: opening, updates, measurement, closing."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.alarm_log.reader import StoreReader
from monitor.alarm_log.store import AlarmLog
from monitor.common.strip import Strip
from monitor.gui.review.ecg_paper import ANNOTATION_ROW_MM
from monitor.gui.style.theme import NIGHT
from monitor.gui.window import MonitorWindow
from stream.clock import rfc3339
from stream.records.wfdb_writer import write
from stream.wire.alarm_messages import Acknowledge, Command
from stream.wire.messages import Annotation, Beat
from tests.monitor.gui.bulk import feed
from tests.monitor.gui.conftest import Script
from tests.monitor.gui.review.events import ONSET, click, drag, event, press
from tests.monitor.gui.trace.test_sweep import is_close_to
from tests.monitor.message_samples import alarm, process, status
from tests.waveforms import SESSION

# --- content --------------------------------------------------------------------------------------------------------


def test_a_click_on_a_line_opens_the_review(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    assert dialog.isVisible()
    assert dialog.heading.text() == "*** Unusual complexes: 6 in 2 s besides PVCs"
    assert dialog.summary["Alarm"] == "unusual complexes, high priority"
    assert dialog.summary["Time"].endswith("lasted 2.0 s")
    assert dialog._labels["Waveform"].text() == "1.00 mV observed, 0.10 mV predicted"
    assert dialog.scale.text().startswith("12.5 mm/s · 10 mm/mV")
    assert not dialog.note.isVisible()


def test_trace_forecast_and_alarm_span_are_drawn(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    chart, ruler = dialog.chart, dialog.chart.ruler()
    image = chart.grab().toImage()
    lane = ruler.lanes[0]

    def has(text: str, sample: int) -> bool:
        x = round(ruler.x(sample))
        rows = range(round(lane.top), round(lane.bottom))
        return any(is_close_to(image.pixelColor(x + i, y), text) for i in range(4) for y in rows)

    def forecast_at(sample: int) -> bool:
        x, y = round(ruler.x(sample)), round(lane.y(0.0))
        inks = [image.pixelColor(x, y + i) for i in (-1, 0, 1)]
        return any(ink.red() > 70 and ink.blue() > 70 and ink.green() < 70 for ink in inks)

    assert has(NIGHT.ecg, ONSET - 1000)
    assert forecast_at(ONSET - 1050)
    assert has(NIGHT.priority["high"], ONSET + 300)
    assert has(NIGHT.priority_tint["high"], ONSET + 300)
    assert not has(NIGHT.priority["high"], ONSET + 1000)
    assert has(NIGHT.ecg, ONSET + 1000)


def test_ten_seconds_have_the_length_of_the_paper_speed(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    for speed in (12.5, 25.0, 50.0):
        ruler = dialog.chart.ruler()
        mm = (ruler.x(ONSET) - ruler.x(ONSET - 3600)) / dialog.chart.sheet.px_per_mm
        assert abs(mm - 10 * speed) < 0.1
        lane = ruler.lanes[0]
        assert abs((lane.y(0) - lane.y(1)) / dialog.chart.sheet.px_per_mm - 10) < 0.1
        assert dialog.scale.text().startswith(f"{speed:g} mm/s")
        qtbot.keyClick(dialog, Qt.Key.Key_S)
    assert dialog.chart.sheet.mm_per_s == 12.5


def test_a_large_chart_is_scrolled_to_the_onset(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    press(dialog, "Speed", qtbot)
    press(dialog, "Speed", qtbot)

    def off_middle() -> float:
        return abs(dialog.chart.ruler().x(ONSET) - dialog.chart.visibleRegion().boundingRect().center().x())

    qtbot.waitUntil(lambda: off_middle() < 20)


def test_the_gain_changes_by_key_and_button(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    qtbot.keyClick(dialog, Qt.Key.Key_Plus)
    assert "20 mm/mV" in dialog.scale.text()
    press(dialog, "Size", qtbot)
    assert "· 5 mm/mV" in dialog.scale.text()
    qtbot.keyClick(dialog, Qt.Key.Key_Minus)
    assert "· 5 mm/mV" in dialog.scale.text()


def test_it_is_extended_while_samples_arrive(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 14)
    script.receive(alarm(ONSET, priority="high"))
    window.tick()
    qtbot.keyClick(window, Qt.Key.Key_R)
    dialog = window.review.dialog
    assert dialog is not None
    assert "8 s still to come" in dialog.note.text()
    assert "active for 2 s" in dialog.summary["Time"]
    feed(script, window, 4)
    assert "4 s still to come" in dialog.note.text()
    script.receive(alarm(ONSET, "cleared", end=ONSET + 720, priority="high"))
    feed(script, window, 5)
    assert not dialog.note.isVisible()
    assert dialog.review.end == dialog.review.stop
    dialog.chart.repaint()
    drawn = dialog.chart.drawn, dialog.chart.added
    feed(script, window, 3)
    dialog.chart.repaint()
    assert (dialog.chart.drawn, dialog.chart.added) == drawn, "nothing is drawn again without a change"


def test_incremental_drawing_equals_a_full_redraw(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 13)
    script.receive(alarm(ONSET, "cleared", end=ONSET + 100, priority="high"))
    window.tick()
    chart = click(window, qtbot).chart
    for _ in range(10):
        feed(script, window, 1)
        chart.repaint()
    pieces = chart.grab().toImage()
    assert (chart.drawn, chart.added) == (1, 9)
    chart._cache = None
    whole = chart.grab().toImage()
    # Grid lines differ slightly at the edge of the clip; a seam in the trace would differ far more.
    assert pieces.size() == whole.size()
    differing = [
        (x, y)
        for x in range(pieces.width())
        for y in range(pieces.height())
        if abs(QColor(pieces.pixel(x, y)).green() - QColor(whole.pixel(x, y)).green()) > 60
    ]
    assert len(differing) <= 4, differing


def test_an_acknowledgement_appears_in_the_open_review(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    script.receive(alarm(ONSET, "acknowledged", end=ONSET + 720, priority="high", acknowledged_by="nurse 1"))
    feed(script, window, 1)
    assert dialog.summary["Acknowledged"].startswith("by nurse 1")
    assert dialog._labels["Acknowledged"].text() == dialog.summary["Acknowledged"]


def test_missing_samples_are_noted(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    event(window, script)
    script.next_seq = 0
    script.receive(status("worker", "forecasting", session="f" * 32))
    feed(script, window, 1, session="f" * 32)
    dialog = click(window, qtbot)
    assert "another session" in dialog.note.text()
    assert not dialog.chart.isVisible()
    assert not dialog.buttons["CSV"].isEnabled()
    assert not dialog.buttons["WFDB"].isEnabled()


def test_another_click_shows_another_event_in_the_same_dialog(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    event(window, script)
    script.receive(alarm(ONSET + 1000, kind="noise", leads=("V1",)))
    window.tick()
    dialog = click(window, qtbot, 1)
    drag(dialog, (200, 30), (260, 60), qtbot)
    assert click(window, qtbot, 0) is dialog
    assert dialog.heading.text() == "* Noise hides QRS complexes: V1"
    assert dialog.chart.calipers.lines is None


def test_r_without_an_alarm_does_nothing(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_R)
    window.tick()
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert window.review.dialog is None


def test_the_key_a_acknowledges_from_the_dialog(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 14)
    raised = alarm(ONSET, priority="high")
    script.receive(raised)
    window.tick()
    dialog = click(window, qtbot)
    qtbot.keyClick(dialog, Qt.Key.Key_A)
    assert [m.action for m in script.sent if isinstance(m, Command)] == [Acknowledge(alarm_id=raised.alarm_id)]


def test_the_monitor_stays_live(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    event(window, script)
    click(window, qtbot)
    before = window.frame_shown.trace.cursor
    script.receive(process("worker", "offline"))
    feed(script, window, 2)
    assert window.frame_shown.trace.cursor > before
    assert "NO WORKER" in window.bed_view.banner.notice


# --- calipers -------------------------------------------------------------------------------------------------------


def test_calipers_measure_and_escape_removes_them_then_closes(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    mm = dialog.chart.sheet.px_per_mm
    drag(dialog, (200, 20), (200 + round(12.5 * mm), 20 + round(10 * mm)), qtbot)
    text = dialog.chart.calipers.text
    assert abs(float(text.split()[1]) - 1000) < 25
    assert abs(float(text.split("Δ ")[1].split()[0]) - 1.0) < 0.05
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.chart.calipers.text == ""
    assert dialog.isVisible()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.review.dialog is None


# --- cleanup --------------------------------------------------------------------------------------------------------


def test_no_widget_outlives_the_window(qtbot: QtBot, script: Script) -> None:
    before = set(QApplication.allWidgets())
    window = MonitorWindow(script, clock=script.clock, write_record=write)
    window.show()
    event(window, script, 13)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_T)
    qtbot.keyClick(window, Qt.Key.Key_R)
    dialog = window.review.dialog
    press(dialog, "CSV", qtbot)
    references = [weakref.ref(window), weakref.ref(dialog)]
    window.close()
    assert window.review.dialog is None
    window.deleteLater()
    del window, dialog
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert set(QApplication.allWidgets()) <= before
    assert [ref() for ref in references] == [None, None]


def test_annotations_are_drawn_if_there_is_a_reference(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    event(window, script)
    without = click(window, qtbot).chart.height()
    note = Annotation(bed="bed-1", session=SESSION, index=ONSET, symbol="V", aux="")
    script.receive(note, Beat(bed="bed-1", session=SESSION, index=ONSET, type="S", rr_ms=800, quality=1.0))
    window.tick()
    QApplication.processEvents()
    dialog = window.review.dialog
    assert dialog is not None
    chart, ruler = dialog.chart, dialog.chart.ruler()
    assert ruler is not None
    head = round(3 * ANNOTATION_ROW_MM * chart.sheet.px_per_mm)
    assert chart.height() == pytest.approx(without + head, abs=1)
    assert ruler.lanes[0].top == pytest.approx(head, abs=1)
    image, x, row = chart.grab().toImage(), round(ruler.x(ONSET)), head // 3
    for number, ink in ((1, NIGHT.text), (2, NIGHT.score)):
        inks = {
            image.pixelColor(column, y).name()
            for column in range(x - 6, x + 6)
            for y in range(number * row, (number + 1) * row)
        }
        assert ink in inks


# --- alarms from before the window was opened -----------------------------------------------------------------------


def test_after_a_restart_the_review_shows_the_strip_of_the_store(qtbot: QtBot, script: Script, tmp_path: Path) -> None:
    past = alarm(ONSET, session="f" * 32, when=rfc3339(script.now))
    samples = np.full(7200, 1224, "<i2").tobytes()
    start = ONSET - 3600
    own = (past.alarm_id, "bed-1", past.session, "low", start)
    strip = Strip(*own, ("V5",), (200.0,), (1024,), samples, complete=True)
    with AlarmLog(tmp_path / "alarms.sqlite") as store:
        store.add([(past, script.now)])
        made = MonitorWindow(script, clock=script.clock, alarm_store=StoreReader(store.path), timed=False)
        qtbot.addWidget(made)
        made.show()
        script.worker()
        feed(script, made, 2)
        dialog = click(made, qtbot)
        assert "The alarm store has no samples of it." in dialog.note.text()
        store.add_strips([strip])
        feed(script, made, 3)
        assert dialog.note.text().startswith("From the alarm store")
        assert dialog.review.leads == ("V5",)
        assert float(dialog.review.mv[3600, 0]) == 1.0
        made.close()


def test_without_a_store_the_review_says_how_to_have_one(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    feed(script, window, 2)
    script.receive(alarm(ONSET, session="f" * 32))
    window.tick()
    assert "start the monitor with --db FILE" in click(window, qtbot).note.text()
