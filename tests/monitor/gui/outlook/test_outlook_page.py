"""A bed without ECG in the window: its page, the list of the ward, and what is missing."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from monitor.gui.window import MonitorWindow
from stream.wire.outlook_message import PastValues, Risk
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import SECOND, process, status
from tests.outlooks import alone, outlook
from tests.waveforms import SESSION


def send(script: Script, bed: str = "bed-1", **changes: Any) -> None:
    """Deliver an hour of a bed without ECG, and the outlook of its worker."""
    script.receive(process("publisher"), process("worker"))
    script.receive(status("publisher", "playing", bed=bed, session=SESSION, record="hours", duration=90 * 1_296_000))
    script.receive(status("worker", "forecasting", bed=bed, session=SESSION))
    script.receive(alone(4, {"nibp_mean": 69.0, "heart_rate": None}, bed=bed), outlook(bed=bed, **changes))


def colours(window: MonitorWindow) -> set[int]:
    image: QImage = window.bed_view.outlook.chart.grab().toImage()
    return {image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}


def test_the_page_shows_values_forecast_risks_score_and_why_and_nothing_of_an_ecg(
    window: MonitorWindow, script: Script
) -> None:
    send(script)
    window.tick()
    view, panel = window.bed_view, window.bed_view.outlook.panel
    assert view.outlook.isVisible()
    assert not any(widget.isVisible() for widget in (view.sweep, view.heart_rate, view.waves, view.numbers, view.trend))
    assert view.header.record.text() == "hours at hour 4 · replayed at ×7200"
    assert view.header.link.text() == "● LIVE"
    assert panel.advisory.text() == "EARLY WARNING: MAP below 65 mmHg within 6 h"
    assert panel.reasons.text() == "• MAP fell from 78 to 69 mmHg in 2 h\n• HR 97 1/min"
    assert (panel.score.text(), panel.parts.text(), panel.missing.text()) == (
        "NEWS2  3",
        "HR 1",
        "not known: consciousness",
    )
    assert "not a diagnosis" in panel.hint.text()
    assert window.footer.simulation.isVisible()
    drawn = colours(window)
    theme = window.preferences.theme
    for ink in (theme.ecg, theme.wave["abp"], theme.forecast, theme.priority["medium"], theme.score):
        assert int(f"ff{ink[1:]}", 16) in drawn, ink
    script.now += 3000 * SECOND  # values may come once an hour: nothing is said to be missing
    window.tick()
    assert view.header.link.text() == "● LIVE"
    window.preferences.change(language="ja")
    assert panel.reasons.text().startswith("• 平均血圧が 2 時間で 78 から 69 mmHg に低下")


def test_without_its_worker_the_outlook_is_old_and_without_its_publisher_there_is_no_data(
    window: MonitorWindow, script: Script
) -> None:
    send(script)
    window.tick()
    assert not window.bed_view.outlook.chart.stale
    script.receive(process("worker", state="offline"))
    window.tick()
    assert window.bed_view.header.link.text() == "● NO WORKER"
    assert window.bed_view.outlook.chart.stale
    script.receive(process("publisher", state="offline"))
    script.now += 20 * SECOND
    window.tick()
    assert window.bed_view.header.link.text() == "● NO DATA 20 s"


def test_an_outlook_of_another_session_is_not_shown(window: MonitorWindow, script: Script) -> None:
    send(script, session="ab" * 16)
    window.tick()
    assert window.bed_view.outlook.chart.outlook is None
    assert window.bed_view.outlook.panel.advisory.text() == "No outlook"


def test_the_ward_lists_the_highest_risk_first_and_opens_the_bed_that_is_clicked(
    window: MonitorWindow, script: Script
) -> None:
    script.stream(window, 5, bed="ecg")
    for bed, probability in (("calm", 0.1), ("ill", 0.4), ("worse", 0.3)):
        send(script, bed, risks=(Risk(name="hypotension_6h", probability=probability),), advisory=bed == "worse")
    window.switch_page()
    window.tick()
    ward = window.station.ward
    assert [row.bed for row in ward.rows] == ["worse", "ill", "calm"]
    assert list(window.station.tiles) == ["ecg"]
    assert window.station.title.text().startswith("CENTRAL STATION  ·  4 beds")
    texts = [ward.item(1, column).text() for column in range(ward.columnCount())]
    assert texts == ["ILL", "4", "69", "3", "–", "–", "40 %", "–", "MAP fell from 78 to 69 mmHg in 2 h, HR 97 1/min"]
    heading = ward.horizontalHeader()
    assert heading.defaultAlignment() & Qt.AlignmentFlag.AlignLeft, "above its column"
    script.receive(status("publisher", "ended", bed="calm", session=SESSION, record="hours", duration=90 * 1_296_000))
    window.tick()
    assert ward.item(2, ward.columnCount() - 1).text().startswith("no new values, ")
    place = ward.visualItemRect(ward.item(1, 0)).center()
    QTest.mouseClick(ward.viewport(), Qt.MouseButton.LeftButton, pos=place)
    window.tick()
    assert (window.frame_shown and window.frame_shown.bed, window.at_station) == ("ill", False)
    window.select_bed("ecg")  # and back to a trace
    script.stream(window, 2, bed="ecg")
    assert window.bed_view.sweep.isVisible()
    assert window.bed_view.heart_rate.isVisible()
    assert not window.bed_view.outlook.isVisible()


def test_a_bed_whose_pressure_is_low_now_is_first_and_says_so(window: MonitorWindow, script: Script) -> None:
    send(script, "warned", advisory=True)
    past = (PastValues(name="nibp_mean", unit="mmHg", values=(70.0, 61.0)),)
    risks = (Risk(name="hypotension_6h", probability=None),)
    send(script, "low", past=past, past_risk=(0.6, None), risks=risks, advisory=False, reasons=())
    window.switch_page()
    window.tick()
    ward = window.station.ward
    assert [row.bed for row in ward.rows] == ["low", "warned"]
    assert ward.item(0, ward.columnCount() - 1).text() == "MAP below 65 now"


def test_a_standing_warning_says_since_when_and_whether_its_risk_has_fallen(
    window: MonitorWindow, script: Script
) -> None:
    send(script, advisory_hour=4)
    window.tick()
    panel = window.bed_view.outlook.panel
    assert panel.since.text() == "since this hour"
    for risk, text in (
        (0.55, "since hour 2: risk 20 %, now 55 %"),
        (0.1, "since hour 2: risk 20 %, now 10 %, below the threshold"),
    ):
        send(script, advisory_hour=2, risks=(Risk(name="hypotension_6h", probability=risk),))
        window.tick()
        assert panel.since.text() == text
    window.switch_page()
    window.tick()
    ward = window.station.ward
    assert ward.item(0, ward.columnCount() - 1).text().startswith("since hour 2 (20 % → 10 %), MAP fell")
    send(script)
    window.switch_page()
    window.tick()
    assert not panel.since.isVisible(), "of a worker that does not say since when"


def test_a_low_pressure_is_said_in_words_where_its_risk_would_be(window: MonitorWindow, script: Script) -> None:
    past = (PastValues(name="nibp_mean", unit="mmHg", values=(70.0, 61.0, None)),)
    risks = (Risk(name="hypotension_6h", probability=None), Risk(name="sepsis_6h", probability=0.1))
    send(script, past=past, past_risk=(0.6, None, None), risks=risks, advisory=False, reasons=())
    window.tick()
    page = window.bed_view.outlook
    low = page.chart.grab().toImage(), page.panel.risks.grab().toImage()
    past = (PastValues(name="nibp_mean", unit="mmHg", values=(70.0, 71.0, None)),)
    send(script, past=past, past_risk=(0.6, None, None), risks=risks, advisory=False, reasons=())
    window.tick()
    assert page.chart.grab().toImage() != low[0]
    assert page.panel.risks.grab().toImage() != low[1]


def test_an_outlook_without_values_and_risks_is_an_empty_chart(window: MonitorWindow, script: Script) -> None:
    send(script, past=(), past_risk=(None,), forecasts=(), horizons=(), risks=(), advisory=False, advisory_risk=None)
    window.tick()
    chart = window.bed_view.outlook.chart
    assert chart.outlook is not None
    assert not chart.grab().isNull()


def test_wheel_and_key_show_more_or_fewer_hours(window: MonitorWindow, script: Script) -> None:
    send(script)
    window.tick()
    chart = window.bed_view.outlook.chart
    spans = [chart.span]
    for _ in range(4):
        QTest.keyClick(window, Qt.Key.Key_Z)
        spans.append(chart.span)
    assert spans == [6, 12, 24, 72, 6], "five hours fit into the shortest"
    few = chart.grab().toImage()
    chart.zoom(+1)
    assert chart.span == 12
    assert chart.grab().toImage() != few
    chart.zoom(-5)
    assert chart.span == 6
    assert chart.grab().toImage() == few


def test_a_bed_with_ecg_shows_its_hours_below_the_trace_on_request(window: MonitorWindow, script: Script) -> None:
    script.stream(window, 5)
    view, button = window.bed_view, window.bed_view.header.hours
    QTest.keyClick(window, Qt.Key.Key_H)
    window.tick()
    assert not view.outlook.isVisible(), "there is no outlook yet"
    assert not button.isVisible()
    script.receive(outlook(session=SESSION, advisory=False, reasons=()))
    window.tick()
    assert view.outlook.isVisible()
    assert view.sweep.isVisible()
    assert view.outlook.panel.score.text() == "NEWS2  3"
    assert (button.isVisible(), button.text()) == (True, "Hours  (H)")
    script.receive(outlook(session=SESSION, hour=5))
    window.tick()
    assert button.text() == "Early warning  (H)"
    window.resize(800, 480)
    window.tick()
    assert not view.outlook.isVisible(), "there is no room beside traces and controls"
    assert not button.isEnabled()
    window.resize(1280, 800)
    window.tick()
    assert view.outlook.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    window.tick()
    assert not view.outlook.isVisible()
    script.receive(outlook(session="ab" * 16, hour=6))
    window.tick()
    assert not button.isVisible(), "an outlook of another session"


def test_in_a_narrow_window_the_name_of_the_record_gives_way_to_a_warning(
    window: MonitorWindow, script: Script
) -> None:
    window.resize(800, 480)
    script.stream(window, 5, synthetic=True, record="synthetic/sepsis-decline")
    script.receive(outlook(session=SESSION, hour=5))
    window.tick()
    QApplication.processEvents()
    header = window.bed_view.header
    for whole in (header.bed, header.hours, header.synthetic, header.link):
        assert whole.width() >= whole.sizeHint().width()
    assert 0 < header.record.width() < header.record.sizeHint().width()


def test_risks_of_a_worker_that_is_gone_are_dimmed(window: MonitorWindow, script: Script) -> None:
    send(script)
    window.tick()
    effect = window.bed_view.outlook.panel.graphicsEffect()
    assert not effect.isEnabled()
    script.receive(process("worker", "offline"))
    window.tick()
    assert effect.isEnabled()
    assert effect.opacity() == window.bed_view.outlook.chart.theme.stale_opacity
    script.receive(process("worker"))
    window.tick()
    assert not effect.isEnabled()
