"""Names and values in lines, for engineers and instructors."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.theme import Theme, colour, font, px

_ROW, _LOW_ROW, _GAP = 26, 19, 14

Row = tuple[str, ...]
"""A name, and its values from left to right."""


class ValueRows(QWidget):
    """Names and values, one line each; the values stand in columns at the right.

    Parameters
    ----------
    theme : Theme
    lines : int
        Lines for which there is always room.
    table : bool
        Whether it is a table: its first line names the columns, and its lines are lower.

    Attributes
    ----------
    rows : tuple of tuple of str
        Names and values as shown.
    """

    def __init__(self, theme: Theme, lines: int = 4, *, table: bool = False) -> None:
        super().__init__()
        self.theme = theme
        self.rows: tuple[Row, ...] = ()
        self._lines, self._table = lines, table
        self.apply_theme(theme)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self._fit_height()
        self.update()

    @property
    def _row(self) -> int:
        return _LOW_ROW if self._table else _ROW

    def _fit_height(self) -> None:
        self.setFixedHeight(px(self._row * max(self._lines, len(self.rows)) + 12))

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Show other names and values."""
        if rows != self.rows:
            self.rows = rows
            self._fit_height()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the rows."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self.theme.panel))
            painter.setFont(font(13))
            metrics = painter.fontMetrics()
            columns = max((len(row) for row in self.rows), default=1)
            rights, right = [0] * columns, self.width() - px(_GAP)
            for column in range(columns - 1, 0, -1):
                rights[column] = right
                widest = max(metrics.horizontalAdvance(row[column]) for row in self.rows if column < len(row))
                right -= widest + px(_GAP)
            for number, (name, *values) in enumerate(self.rows):
                top, height = px(8 + self._row * number), px(self._row - 2)
                heading = self._table and not number
                painter.setPen(colour(self.theme.faint))
                align = Qt.AlignmentFlag.AlignVCenter
                painter.drawText(QRect(px(_GAP), top, self.width() - px(2 * _GAP), height), align, name)
                painter.setPen(colour(self.theme.faint if heading else self.theme.score))
                for column, value in enumerate(values, 1):
                    place = QRect(0, top, rights[column], height)
                    painter.drawText(place, align | Qt.AlignmentFlag.AlignRight, value)
