"""The rows of letters above the trace: rhythm and beats as the reference has them, and beneath what was detected."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter

from monitor.gui.style.phrases import text_of
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.annotations import DOT, ROWS
from monitor.view.view_model import Mark
from stream.wire.phrases import phrase

ROW = 15
_LETTER, _NAME = 14, 10
_SPACE = 4


def height() -> int:
    """Return the pixels above the first lane, where there is a reference."""
    return len(ROWS) * px(ROW) + 2


def rows_height() -> int:
    """Return the pixels above the first lane, where there is a reference, at the size of letters of this moment."""
    return len(ROWS) * px(ROW) + 2


@dataclass(frozen=True)
class MarkRows:
    """Where each mark lies, and how it looks.

    Attributes
    ----------
    theme : Theme
    """

    theme: Theme

    def rect(self, mark: Mark, x: float) -> QRect:
        """Return the place of a mark whose sample lies at a pixel: a letter over it, a rhythm from it on."""
        width = QFontMetrics(_font(mark)).horizontalAdvance(mark.text) + _SPACE
        left = round(x) if mark.row == "rhythm" else round(x - width / 2)
        return QRect(left, ROWS.index(mark.row) * px(ROW), width, px(ROW))

    def draw(self, painter: QPainter, mark: Mark, place: QRect) -> None:
        """Draw a mark."""
        if mark.row == "rhythm":
            painter.fillRect(place, colour(self.theme.edge))
        painter.setPen(colour(self._ink(mark.row)))
        painter.setFont(_font(mark))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, mark.text)

    def draw_names(self, painter: QPainter, width: int) -> None:
        """Name the rows, at the left."""
        painter.setFont(font(_NAME))
        for number, name in enumerate(ROWS):
            painter.setPen(colour(self._ink(name)))
            place = QRect(0, number * px(ROW), width - 4, px(ROW))
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, align, text_of(phrase(f"row.{name}")))

    def _ink(self, row: str) -> str:
        return self.theme.score if row == "detected" else self.theme.text


def _font(mark: Mark) -> QFont:
    return font(_LETTER + 4 if mark.text == DOT else _LETTER, bold=True)
