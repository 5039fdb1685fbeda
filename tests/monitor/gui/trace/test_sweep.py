"""Sweep: checks of drawn pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from monitor.gui.style.theme import NIGHT, colour
from monitor.gui.trace.sweep import GUTTER, SweepView
from monitor.gui.window import MonitorWindow
from monitor.view.autoscale import GAIN_STEPS
from monitor.view.trace import FORECAST_GAP, GAP_MARGIN, Trace
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import SECOND, alarm

DARK = 40


def picture(window: MonitorWindow) -> QImage:
    QApplication.processEvents()
    return window.bed_view.sweep.grab().toImage()


def pixels(image: QImage) -> np.ndarray:
    """Return the colours of an image, shape (height, width)."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(rgb.constBits(), np.uint32).reshape(rgb.height(), rgb.width()).copy()


def column(view: SweepView, trace: Trace, index: int) -> int:
    """Return the pixel column of a sample."""
    return round(GUTTER + (index % trace.span) * (view.width() - GUTTER) / trace.span)


def inks(image: QImage, columns: range) -> Iterator[QColor]:
    for x in columns:
        for y in range(8, image.height() - 8):
            yield image.pixelColor(x, y)


def is_close_to(ink: QColor, text: str) -> bool:
    wanted = colour(text)
    return max(abs(ink.red() - wanted.red()), abs(ink.green() - wanted.green()), abs(ink.blue() - wanted.blue())) < 30


def trace_of(window: MonitorWindow) -> Trace:
    assert window.frame_shown is not None
    assert window.frame_shown.trace is not None
    return window.frame_shown.trace


def test_the_trace_is_drawn_behind_the_cursor_and_ahead_of_the_gap(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 90)  # one sweep and a half
    trace, image = trace_of(window), picture(window)
    behind = column(window.bed_view.sweep, trace, trace.cursor - 100)
    ahead = column(window.bed_view.sweep, trace, trace.cursor + trace.gap + 50)
    for x in (behind, ahead):
        assert any(is_close_to(ink, NIGHT.ecg) for ink in inks(image, range(x, x + 3)))


def test_the_erased_gap_contains_only_the_forecast(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 120)
    trace, image = trace_of(window), picture(window)
    fan_end = trace.fan.stop
    dark = range(
        column(window.bed_view.sweep, trace, fan_end) + 3,
        column(window.bed_view.sweep, trace, trace.cursor + trace.gap) - 3,
    )
    assert len(dark) > 4
    assert all(max(ink.red(), ink.green(), ink.blue()) < DARK for ink in inks(image, dark))
    in_fan = range(
        column(window.bed_view.sweep, trace, trace.cursor) + 4, column(window.bed_view.sweep, trace, fan_end) - 2
    )
    assert any(is_close_to(ink, NIGHT.forecast) for ink in inks(image, in_fan))
    assert not any(is_close_to(ink, NIGHT.ecg) for ink in inks(image, in_fan))


def test_in_a_narrow_window_at_high_speed_the_forecast_ends_before_the_previous_sweep(
    window: MonitorWindow, script: Script
) -> None:
    window.resize(800, 480)
    window.preferences.change(speed=50.0)
    script.worker()
    script.stream(window, 70)
    trace, sweep = trace_of(window), window.bed_view.sweep
    assert trace.gap == trace.span // 3 < FORECAST_GAP
    assert trace.fan.stop > trace.cursor + trace.gap - GAP_MARGIN
    image = picture(window)

    def pixel(index: int) -> int:
        return round(sweep.gutter + (index % trace.span) * (sweep.width() - sweep.gutter) / trace.span)

    ahead = trace.cursor + trace.gap
    dark = range(pixel(ahead - GAP_MARGIN) + 3, pixel(ahead) - 3)
    assert len(dark) > 4
    assert all(max(ink.red(), ink.green(), ink.blue()) < DARK for ink in inks(image, dark))
    in_fan = range(pixel(trace.cursor) + 4, pixel(ahead - GAP_MARGIN) - 2)
    assert any(is_close_to(ink, NIGHT.forecast) for ink in inks(image, in_fan))


def test_the_forecast_is_drawn_across_the_right_edge(window: MonitorWindow, script: Script) -> None:
    script.worker()
    while True:
        script.stream(window, 1)
        trace = trace_of(window)
        if trace.fan is not None and 20 < trace.span - trace.cursor % trace.span < 45:
            break
    image = picture(window)
    for columns in (
        range(window.bed_view.sweep.width() - 6, window.bed_view.sweep.width()),
        range(GUTTER + 1, GUTTER + 6),
    ):
        assert any(is_close_to(ink, NIGHT.forecast) for ink in inks(image, columns))


def test_an_alarm_is_a_bar_above_its_interval_and_the_trace_keeps_its_colour(
    window: MonitorWindow, script: Script
) -> None:
    script.worker()
    script.stream(window, 30)
    script.receive(alarm(400, "cleared", end=600, priority="high"))
    window.tick()
    trace, image = trace_of(window), picture(window)
    inside = column(window.bed_view.sweep, trace, 500)
    outside = column(window.bed_view.sweep, trace, 300)
    assert image.pixelColor(inside, 2) == colour(NIGHT.signal["high"])
    assert image.pixelColor(outside, 2) != colour(NIGHT.signal["high"])
    assert any(is_close_to(ink, NIGHT.ecg) for ink in inks(image, range(inside, inside + 3)))
    assert not any(is_close_to(ink, NIGHT.priority["high"]) for ink in inks(image, range(inside, inside + 3)))
    assert colour(NIGHT.priority_tint["high"]) not in inks(image, range(inside, inside + 3)), "no coloured background"


def test_a_stale_trace_is_dimmed(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 60)
    script.now += 5 * SECOND
    window.tick()
    image = picture(window)
    assert not any(is_close_to(ink, NIGHT.ecg) for ink in inks(image, range(0, image.width(), 5)))


def test_a_gap_in_the_stream_is_blank(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 10)
    script.next_seq += 5
    script.stream(window, 20)
    trace, image = trace_of(window), picture(window)
    blank = range(column(window.bed_view.sweep, trace, 370), column(window.bed_view.sweep, trace, 530))
    assert not any(is_close_to(ink, NIGHT.ecg) for ink in inks(image, blank))


def test_a_frame_draws_only_new_columns(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 70)
    before = window.bed_view.sweep.full_redraws
    script.stream(window, 70)
    assert window.bed_view.sweep.full_redraws == before


def test_incremental_drawing_equals_a_full_redraw(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 90)
    pieces = picture(window)
    window.bed_view.sweep._drawn = None
    window.tick()
    whole = picture(window)
    differing = sum(
        pieces.pixel(x, y) != whole.pixel(x, y) for x in range(pieces.width()) for y in range(0, pieces.height(), 2)
    )
    # Joints of two segments overlap by a pixel of antialiasing.
    assert differing < 0.01 * pieces.width() * pieces.height() / 2


def test_what_is_on_the_screen_equals_a_full_paint_up_to_the_end_of_the_gap(
    window: MonitorWindow, script: Script
) -> None:
    script.worker()
    script.stream(window, 90)
    for _ in range(5):
        script.stream(window, 1)
        QApplication.processEvents()
        view, trace = window.bed_view.sweep, trace_of(window)
        place = QRect(view.mapTo(window, QPoint(0, 0)), view.size())
        screen = QApplication.primaryScreen().grabWindow(window.winId()).copy(place).toImage()
        differing = np.flatnonzero((pixels(screen) != pixels(view.grab().toImage())).any(axis=0))
        erased = column(view, trace, trace.cursor + trace.gap)
        assert ((erased - 8 <= differing) & (differing <= erased)).all(), "painted 20 times per second"


def test_a_full_redraw_is_erased_completely(window: MonitorWindow, script: Script) -> None:
    script.worker()
    for _ in range(6):
        script.stream(window, 67)
        window.bed_view.sweep._drawn = None
        window.tick()
        trace = trace_of(window)
        ahead = trace.cursor + trace.gap
        script.stream(window, 3)
        later = trace_of(window)
        assert later.cursor < ahead < later.cursor + later.gap
        if ahead % trace.span < 10 or ahead % trace.span > trace.span - 10:
            continue
        at = column(window.bed_view.sweep, trace, ahead)
        strip = list(inks(picture(window), range(at - 3, at + 3)))
        assert not any(is_close_to(ink, NIGHT.ecg) or (ink.green() > 100 and ink.red() < 100) for ink in strip)


def test_two_leads_have_a_lane_each(window: MonitorWindow, script: Script) -> None:

    samples = np.full((36, 2), 1024, "<i2").tobytes()
    script.worker()
    script.stream(window, 40, leads=("MLII", "V1"), gain=(200.0, 200.0), zero=(1024, 1024), samples=samples)
    trace, image = trace_of(window), picture(window)
    x = column(window.bed_view.sweep, trace, trace.cursor - 100)
    middle = image.height() // 2
    for rows in (range(10, middle - 10), range(middle + 10, image.height() - 10)):
        assert any(is_close_to(image.pixelColor(x, y), NIGHT.ecg) for y in rows)


# --- alarms ---------------------------------------------------------------------------------------------------------


def test_an_alarm_drawn_incrementally_equals_a_full_redraw(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 40)
    script.receive(alarm(1300))
    script.stream(window, 3)
    redraws = window.bed_view.sweep.full_redraws
    script.receive(alarm(1300, "cleared", end=1400))
    script.stream(window, 1)
    assert window.bed_view.sweep.full_redraws == redraws
    pieces = picture(window)
    window.bed_view.sweep._drawn = None
    window.tick()
    whole = picture(window)
    assert window.bed_view.sweep.full_redraws == redraws + 1
    columns, rows = range(pieces.width()), range(0, pieces.height(), 2)
    differing = sum(pieces.pixel(x, y) != whole.pixel(x, y) for x in columns for y in rows)
    assert differing < 0.005 * pieces.width() * pieces.height() / 2
    trace = trace_of(window)
    behind = range(GUTTER + 4, column(window.bed_view.sweep, trace, trace.cursor) - 4)
    for x in behind:
        assert any(max(ink.red(), ink.green()) > 150 for ink in inks(pieces, range(x, x + 1))), f"a gap at {x}"


# --- what is drawn of forecasts -------------------------------------------------------------------------------------


def test_the_earlier_forecast_is_drawn_only_on_request(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 60)
    trace = trace_of(window)
    behind = range(column(window.bed_view.sweep, trace, 300), column(window.bed_view.sweep, trace, 1500))
    assert not any(is_close_to(ink, NIGHT.predicted) for ink in inks(picture(window), behind))
    window.preferences.change(forecast="both")
    script.stream(window, 1)
    assert any(is_close_to(ink, NIGHT.predicted) for ink in inks(picture(window), behind))
    assert "forecast 100 ms before" in window.bed_view.header.legend.text()


def test_without_a_forecast_the_gap_is_narrow_and_dark(window: MonitorWindow, script: Script) -> None:
    window.preferences.change(forecast="off")
    script.worker()
    script.stream(window, 120)
    trace, image = trace_of(window), picture(window)
    assert trace.gap < FORECAST_GAP / 2
    gap = range(
        column(window.bed_view.sweep, trace, trace.cursor) + 4,
        column(window.bed_view.sweep, trace, trace.cursor + trace.gap) - 3,
    )
    assert len(gap) > 4
    assert all(max(ink.red(), ink.green(), ink.blue()) < DARK for ink in inks(image, gap))
    assert window.bed_view.header.legend.text() == ""


def test_the_gain_beside_each_lead_is_that_of_the_lane(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 40)
    sweep, trace = window.bed_view.sweep, trace_of(window)
    assert sweep.gain_texts(trace) == [f"{step:g} mm/mV" for step in (_gain(sweep, trace),)]


def _gain(sweep: SweepView, trace: Trace) -> float:
    lane = sweep.ruler().lanes[0]
    gain = (lane.bottom - lane.top) / sweep.px_per_mm / (lane.high - lane.low)
    return min(GAIN_STEPS, key=lambda step: abs(step - gain))
