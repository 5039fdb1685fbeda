"""The annotations over the beats, as they are drawn."""

from __future__ import annotations

from PySide6.QtGui import QImage

from monitor.gui.style.theme import NIGHT, colour
from monitor.gui.trace.annotation_rows import ROW, rows_height
from monitor.gui.trace.sweep import GUTTER
from monitor.gui.window import MonitorWindow
from monitor.view.trace import Trace
from stream.wire.messages import Annotation, Beat
from tests.monitor.gui.conftest import Script
from tests.waveforms import SESSION

REACH = 9


def say(script: Script, index: int, symbol: str = "V", aux: str = "") -> None:
    script.say(Annotation(bed="bed-1", session=SESSION, index=index, symbol=symbol, aux=aux))


def start(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 30)
    say(script, 1000, "N")
    script.stream(window, 60)


def shown(window: MonitorWindow) -> Trace:
    assert window.frame_shown is not None
    assert window.frame_shown.trace is not None
    return window.frame_shown.trace


def inked(window: MonitorWindow, index: int, row: int, ink: str, right: int = REACH) -> int:
    """Return how many pixels around a sample, in a row of annotations, have a colour."""
    view = window.bed_view.sweep
    image, trace, wanted = view.grab().toImage(), shown(window), colour(ink)
    x = round(GUTTER + index % trace.span * (view.width() - GUTTER) / trace.span)
    return sum(
        image.pixelColor(column, y) == wanted
        for column in range(max(x - REACH, GUTTER), min(x + right, view.width()))
        for y in range(row * ROW, (row + 1) * ROW)
    )


def test_letters_stand_over_their_samples_reference_and_detected_apart(window: MonitorWindow, script: Script) -> None:
    start(window, script)
    index = script.next_seq * 36 + 10
    script.stream(window, 1)
    say(script, index)
    script.stream(window, 3)
    # What the worker finds comes later: the cursor may have passed the beat.
    script.say(Beat(bed="bed-1", session=SESSION, index=index + 120, type="S", rr_ms=800, quality=1.0))
    script.stream(window, 8)
    assert shown(window).cursor > index + 200
    assert inked(window, index, 1, NIGHT.text) > 5
    assert inked(window, index, 2, NIGHT.score) == 0
    assert inked(window, index + 120, 2, NIGHT.score) > 5
    assert inked(window, index + 120, 1, NIGHT.text) == 0
    assert inked(window, index + 60, 1, NIGHT.text) == 0


def test_a_mark_waits_until_the_cursor_has_passed_all_of_it(window: MonitorWindow, script: Script) -> None:
    start(window, script)
    index = script.next_seq * 36
    script.stream(window, 1)
    say(script, index, "+", "(AFIB")
    script.stream(window, 1)
    assert shown(window).cursor < index + 20
    assert inked(window, index, 0, NIGHT.text, right=30) == 0
    script.stream(window, 6)
    assert inked(window, index, 0, NIGHT.text, right=30) > 10


def test_a_mark_costs_no_full_redraw_and_goes_with_its_columns(window: MonitorWindow, script: Script) -> None:
    start(window, script)
    before = window.bed_view.sweep.full_redraws
    index = script.next_seq * 36
    script.stream(window, 1)
    say(script, index)
    script.stream(window, 8)
    assert inked(window, index, 1, NIGHT.text) > 5
    sweeps = -(-shown(window).span // 36)
    script.stream(window, sweeps - 11)
    assert inked(window, index, 1, NIGHT.text) == 0
    assert window.bed_view.sweep.full_redraws == before


def test_drawn_anew_the_marks_are_where_they_were(window: MonitorWindow, script: Script) -> None:
    start(window, script)
    for _ in range(5):
        say(script, script.next_seq * 36 + 5, "A")
        script.stream(window, 7)
    view = window.bed_view.sweep

    def rows() -> list[int]:
        image: QImage = view.grab().toImage()
        return [image.pixel(x, y) for y in range(rows_height()) for x in range(GUTTER, view.width())]

    pieces = rows()
    view._drawn = None
    window.tick()
    assert rows() == pieces
    assert colour(NIGHT.text).rgb() in pieces


def test_the_rows_take_room_only_where_there_is_a_reference(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    ruler = window.bed_view.sweep.ruler()
    assert ruler is not None
    without = ruler.lanes[0].top
    say(script, 700)
    script.stream(window, 1)
    ruler = window.bed_view.sweep.ruler()
    assert ruler is not None
    assert ruler.lanes[0].top == without + rows_height()
