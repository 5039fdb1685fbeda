"""Drawing of the annotations above the trace."""

from __future__ import annotations

from PySide6.QtGui import QImage

from monitor.gui.style.theme import NIGHT, colour
from monitor.gui.trace.annotation_rows import ROW_HEIGHT, rows_height
from monitor.gui.trace.sweep import GUTTER
from monitor.gui.window import MonitorWindow
from monitor.view.trace import Trace
from stream.wire.messages import Annotation, Beat
from tests.monitor.gui.conftest import Script
from tests.waveforms import SESSION

REACH = 9


def annotate(script: Script, index: int, symbol: str = "V", aux: str = "") -> None:
    script.receive(Annotation(bed="bed-1", session=SESSION, index=index, symbol=symbol, aux=aux))


def start(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 30)
    annotate(script, 1000, "N")
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
        for y in range(row * ROW_HEIGHT, (row + 1) * ROW_HEIGHT)
    )


def test_labels_are_above_their_samples_in_separate_rows(window: MonitorWindow, script: Script) -> None:
    start(window, script)
    index = script.next_seq * 36 + 10
    script.stream(window, 1)
    annotate(script, index)
    script.stream(window, 3)
    # Detected beats arrive later: the cursor may have passed the beat.
    script.receive(Beat(bed="bed-1", session=SESSION, index=index + 120, type="S", rr_ms=800, quality=1.0))
    script.stream(window, 8)
    assert shown(window).cursor > index + 200
    assert inked(window, index, 1, NIGHT.text) > 5
    assert inked(window, index, 2, NIGHT.score) == 0
    assert inked(window, index + 120, 2, NIGHT.score) > 5
    assert inked(window, index + 120, 1, NIGHT.text) == 0
    assert inked(window, index + 60, 1, NIGHT.text) == 0


def test_a_label_is_drawn_once_the_cursor_has_passed_it(window: MonitorWindow, script: Script) -> None:
    start(window, script)
    index = script.next_seq * 36
    script.stream(window, 1)
    annotate(script, index, "+", "(AFIB")
    script.stream(window, 1)
    assert shown(window).cursor < index + 20
    assert inked(window, index, 0, NIGHT.text, right=30) == 0
    script.stream(window, 6)
    assert inked(window, index, 0, NIGHT.text, right=30) > 10


def test_a_label_needs_no_full_redraw_and_is_erased_with_its_columns(window: MonitorWindow, script: Script) -> None:
    start(window, script)
    before = window.bed_view.sweep.full_redraws
    index = script.next_seq * 36
    script.stream(window, 1)
    annotate(script, index)
    script.stream(window, 8)
    assert inked(window, index, 1, NIGHT.text) > 5
    sweeps = -(-shown(window).span // 36)
    script.stream(window, sweeps - 11)
    assert inked(window, index, 1, NIGHT.text) == 0
    assert window.bed_view.sweep.full_redraws == before


def test_a_full_redraw_gives_the_same_labels(window: MonitorWindow, script: Script) -> None:
    start(window, script)
    for _ in range(5):
        annotate(script, script.next_seq * 36 + 5, "A")
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


def test_the_rows_need_space_only_with_a_reference(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    ruler = window.bed_view.sweep.ruler()
    assert ruler is not None
    without = ruler.lanes[0].top
    annotate(script, 700)
    script.stream(window, 1)
    ruler = window.bed_view.sweep.ruler()
    assert ruler is not None
    assert ruler.lanes[0].top == without + rows_height()
