"""Rows of annotation labels above the trace: rhythm and beats of the reference, and detected beats."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter

from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.annotations import NORMAL_BEAT, ROWS
from monitor.view.trace import AnnotationLabel
from stream.wire.alarm_texts import phrase

ROW_HEIGHT = 15
"""Height of a row, px at normal font size."""

_LABEL_FONT_PX, _NAME_FONT_PX = 14, 10
_SPACE_PX = 4


def rows_height() -> int:
    """Return the total height of the rows at the current font size, px."""
    return len(ROWS) * px(ROW_HEIGHT) + 2


@dataclass(frozen=True)
class AnnotationRows:
    """Layout and drawing of annotation labels.

    Attributes
    ----------
    theme : Theme
    """

    theme: Theme

    def rect(self, label: AnnotationLabel, x: float) -> QRect:
        """Return the rectangle of a label whose sample is at a pixel: beats are centred on it, rhythms start there."""
        width = QFontMetrics(_font(label)).horizontalAdvance(label.text) + _SPACE_PX
        left = round(x) if label.row == "rhythm" else round(x - width / 2)
        return QRect(left, ROWS.index(label.row) * px(ROW_HEIGHT), width, px(ROW_HEIGHT))

    def draw(self, painter: QPainter, label: AnnotationLabel, rect: QRect) -> None:
        """Draw a label."""
        if label.row == "rhythm":
            painter.fillRect(rect, colour(self.theme.edge))
        painter.setPen(colour(self._ink(label.row)))
        painter.setFont(_font(label))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, label.text)

    def draw_names(self, painter: QPainter, width: int) -> None:
        """Draw the names of the rows at the left."""
        painter.setFont(font(_NAME_FONT_PX))
        for number, name in enumerate(ROWS):
            painter.setPen(colour(self._ink(name)))
            rect = QRect(0, number * px(ROW_HEIGHT), width - 4, px(ROW_HEIGHT))
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(rect, align, text_of(phrase(f"row.{name}")))

    def _ink(self, row: str) -> str:
        return self.theme.score if row == "detected" else self.theme.text


def _font(label: AnnotationLabel) -> QFont:
    return font(_LABEL_FONT_PX + 4 if label.text == NORMAL_BEAT else _LABEL_FONT_PX, bold=True)
