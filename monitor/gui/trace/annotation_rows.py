"""The rows of letters above the trace: rhythm and beats as the reference has them, and beneath what was detected."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter

from monitor.gui.style.phrases import text_of
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.annotations import NORMAL_BEAT, ROWS
from monitor.view.trace import AnnotationLabel
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
class AnnotationRows:
    """Where each label lies, and how it looks.

    Attributes
    ----------
    theme : Theme
    """

    theme: Theme

    def rect(self, label: AnnotationLabel, x: float) -> QRect:
        """Return the place of a label whose sample lies at a pixel: a letter over it, a rhythm from it on."""
        width = QFontMetrics(_font(label)).horizontalAdvance(label.text) + _SPACE
        left = round(x) if label.row == "rhythm" else round(x - width / 2)
        return QRect(left, ROWS.index(label.row) * px(ROW), width, px(ROW))

    def draw(self, painter: QPainter, label: AnnotationLabel, place: QRect) -> None:
        """Draw a label."""
        if label.row == "rhythm":
            painter.fillRect(place, colour(self.theme.edge))
        painter.setPen(colour(self._ink(label.row)))
        painter.setFont(_font(label))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, label.text)

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


def _font(label: AnnotationLabel) -> QFont:
    return font(_LETTER + 4 if label.text == NORMAL_BEAT else _LETTER, bold=True)
