"""A line of text in the largest font that fits its place."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter

from monitor.gui.style.theme import font, font_families, px, unscaled_font

_SMALLEST = 13


def text_width(text: str, pixels: int) -> int:
    """Return the width of a text in the bold font of a size in pixels at normal font size."""
    return _width(text, px(pixels), tuple(font_families()))


@lru_cache(maxsize=1024)
def _width(text: str, pixels: int, families: tuple[str, ...]) -> int:  # noqa: ARG001 - they are part of the key
    return QFontMetrics(unscaled_font(pixels, bold=True)).horizontalAdvance(text)


def draw_fitted(painter: QPainter, place: QRect, text: str, largest: int, *, smallest: int = _SMALLEST) -> str:
    """Draw a bold text, smaller where it is long, and elided below the smallest size; return what was drawn.

    Parameters
    ----------
    painter : QPainter
        Its pen has the colour of the text.
    place : QRect
        The text is at its left, centred vertically.
    text : str
    largest, smallest : int
        Font sizes in pixels at normal font size.
    """
    fitting = (pixels for pixels in range(largest, smallest - 1, -1) if text_width(text, pixels) <= place.width())
    painter.setFont(font(next(fitting, min(smallest, largest)), bold=True))
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
    return shown
