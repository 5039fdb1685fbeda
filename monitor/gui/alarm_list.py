"""The list of alarms: the latest on top, those that last in the colour of their priority."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from monitor.frame import AlarmLine
from monitor.gui.theme import STARS, Theme, colour, font

SHOWN = 50


class AlarmList(QListWidget):
    """Shows alarm lines; filled anew only when they have changed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._lines: tuple[AlarmLine, ...] | None = None
        self.setFont(font(13))
        self.setWordWrap(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_lines(self, lines: tuple[AlarmLine, ...]) -> None:
        """Take the lines, the latest first."""
        if lines == self._lines:
            return
        self._lines = lines
        self.clear()
        for line in lines[:SHOWN]:
            item = QListWidgetItem(_text(line))
            item.setForeground(colour(self.theme.priority[line.priority] if line.active else self.theme.faint))
            item.setFont(font(13, bold=line.active))
            self.addItem(item)


def _text(line: AlarmLine) -> str:
    seconds = f"now, {line.duration_s:.0f} s" if line.active else f"{line.duration_s:.1f} s"
    return f"{line.clock}  {STARS[line.priority]}  {seconds}\n{line.text}"
