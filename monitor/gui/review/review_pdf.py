"""PDF of an event on A4, as vectors in true scale: all of it at 12.5 mm/s, ten seconds of it at 25 mm/s."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, Qt
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter

from monitor.gui.review.ecg_paper import Sheet, draw, draw_annotations
from monitor.gui.style.footer import simulation
from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import PAPER, colour, unscaled_font
from monitor.view.event_review import Review, crop
from monitor.view.event_summary import summary_rows
from stream.timebase import FS
from stream.wire.alarm_texts import alarm_phrase, kind_phrase

_DPI = 300
_MM = _DPI / 25.4
_MARGIN_MM = 10.0
_HEIGHT_MM = 210.0 - 2 * _MARGIN_MM
_GAINS = (10.0, 5.0, 2.5, 1.25)
_CLOSE_UP = (-4 * FS, 6 * FS)


def pdf(review: Review, measured: str) -> bytes:
    """Return the PDF file of an event.

    Parameters
    ----------
    review : Review
    measured : str
        Measurement of the calipers; empty without calipers.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(_DPI)
    writer.setTitle(f"bedside: {text_of(kind_phrase(review.alarm.kind))} ({simulation()})")
    writer.setCreator("bedside")
    margins = QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    writer.setPageLayout(
        QPageLayout(
            QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Landscape, margins, QPageLayout.Unit.Millimeter
        )
    )
    with QPainter(writer) as painter:
        _page(painter, review, 12.5, measured)
        if review.leads:
            writer.newPage()
            onset = review.alarm.onset
            _page(painter, crop(review, onset + _CLOSE_UP[0], onset + _CLOSE_UP[1]), 25.0, measured)
    return bytes(buffer.data().data())


def _page(painter: QPainter, review: Review, mm_per_s: float, measured: str) -> None:
    """Draw the summary, and the event below it."""
    width = painter.viewport().width()
    y = _text(painter, 0.0, simulation(), 5.0, PAPER.simulation, bold=True)
    y = _text(painter, y, text_of(alarm_phrase(review.alarm)), 5.0, PAPER.priority[review.alarm.priority], bold=True)
    rows = [(text_of(name), text_of(text)) for name, text in summary_rows(review)]
    if measured:
        rows.append((translate("Review", "Calipers"), measured))
    if review.notes:
        rows.append((translate("Review", "Samples"), text_of(review.notes)))
    middle = (len(rows) + 1) // 2
    lowest = y
    for column, part in enumerate((rows[:middle], rows[middle:])):
        at = y
        for name, value in part:
            at = _text(painter, at, f"{name}: {value}", 3.0, PAPER.text, left=column * width / 2)
        lowest = max(lowest, at)
    if not review.leads:
        return
    available = _HEIGHT_MM * _MM - lowest - 8 * _MM
    sheets = [Sheet(_MM, mm_per_s, gain) for gain in _GAINS]
    sheet = next((sheet for sheet in sheets if sheet.size(review)[1] <= available), sheets[-1])
    lowest = _text(painter, lowest, sheet.text, 3.0, PAPER.faint)
    painter.save()
    painter.translate(0, lowest + 2 * _MM)
    draw(painter, review, sheet, PAPER)
    draw_annotations(painter, review, sheet, PAPER)
    painter.restore()


def _text(
    painter: QPainter, top: float, text: str, mm: float, ink: str, *, left: float = 0.0, bold: bool = False
) -> float:
    """Draw one line of text and return the top of the next."""
    painter.setFont(unscaled_font(mm * _MM, bold))
    painter.setPen(colour(ink))
    height = 1.5 * mm * _MM
    painter.drawText(QRectF(left, top, painter.viewport().width() - left, height), Qt.AlignmentFlag.AlignVCenter, text)
    return top + height
