"""List of alarms: the latest on top, active ones in the colour of their priority; a click opens the review."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QListView, QListWidget, QListWidgetItem

from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import STARS, Theme, colour, font
from monitor.view.view_model import AlarmLine
from stream.wire.alarm_texts import alarm_phrase

MAX_SHOWN = 50


class AlarmList(QListWidget):
    """Shows alarm lines; items are updated only when they have changed.

    Attributes
    ----------
    chosen : Signal(str)
        The id of the alarm that was clicked.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._lines: tuple[AlarmLine, ...] | None = None
        self.setWordWrap(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.itemClicked.connect(lambda item: self.chosen.emit(item.data(Qt.ItemDataRole.UserRole)))
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setFont(font(13))
        self.setStyleSheet(
            f"QListWidget {{ background: {theme.panel}; border: none; padding: 6px }}"
            f"QListWidget::item {{ padding: 4px 2px; border-bottom: 1px solid {theme.edge} }}"
            f"QListWidget::item:hover {{ background: {theme.edge} }}"
            f"QScrollBar {{ background: {theme.panel}; width: 8px }}"
            f"QScrollBar::handle {{ background: {theme.edge}; min-height: 24px; border-radius: 4px }}"
            "QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page "
            "{ background: none; height: 0 }"
        )
        for row, line in enumerate((self._lines or ())[:MAX_SHOWN]):
            self._fill(self.item(row), line)
            self._apply_style(self.item(row), line)
        self.scheduleDelayedItemsLayout()

    def show_lines(self, lines: tuple[AlarmLine, ...]) -> None:
        """Show the lines, the latest first."""
        if lines == self._lines:
            return
        self._lines = lines
        # An active line changes each second: refilling the list would lose a click and the scroll position.
        shown = lines[:MAX_SHOWN]
        existing = [self.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.count())]
        wanted = [line.alarm.alarm_id for line in shown]
        new = wanted.index(existing[0]) if existing and existing[0] in wanted else len(wanted)
        if existing[: len(wanted) - new] != wanted[new:]:
            self.clear()
            new = len(wanted)
        for line in reversed(shown[:new]):
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, line.alarm.alarm_id)
            self.insertItem(0, item)
        while self.count() > len(shown):
            self.takeItem(self.count() - 1)
        for row, line in enumerate(shown):
            self._fill(self.item(row), line)

    def _fill(self, item: QListWidgetItem, line: AlarmLine) -> None:
        text = _text(line)
        if item.text() != text or item.font().bold() != line.active:
            item.setText(text)
            item.setToolTip(translate("AlarmList", "click: review from 10 s before to 10 s after the onset"))
            self._apply_style(item, line)

    def _apply_style(self, item: QListWidgetItem, line: AlarmLine) -> None:
        item.setForeground(colour(self.theme.priority[line.alarm.priority] if line.active else self.theme.faint))
        item.setFont(font(13, bold=line.active))


def _text(line: AlarmLine) -> str:
    if line.latched:
        seconds = translate("AlarmList", "{seconds} s, not acknowledged").format(seconds=f"{line.duration_s:.1f}")
    elif line.active:
        seconds = translate("AlarmList", "now, {seconds} s").format(seconds=f"{line.duration_s:.0f}")
    else:
        seconds = translate("AlarmList", "{seconds} s").format(seconds=f"{line.duration_s:.1f}")
    who = "" if line.alarm.acknowledged_by is None else f"  ✓ {line.alarm.acknowledged_by}"
    return f"{line.clock}  {STARS[line.alarm.priority]}  {seconds}{who}\n{text_of(alarm_phrase(line.alarm))}"
