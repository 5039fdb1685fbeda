"""List of alarms: the latest on top, active ones in the colour of their priority; a click opens the review.

The first line counts the advisories; a click on it opens the latest one.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QListView, QListWidget, QListWidgetItem

from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import STARS, Theme, colour, font
from monitor.view.display_texts import advisories_phrase
from monitor.view.view_model import AdvisoryCount, AlarmLine
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
        self.itemClicked.connect(self._choose)
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
        wanted = [line.key for line in shown]
        for row in reversed(range(self.count())):
            if self._key(row) not in wanted:
                self.takeItem(row)
        for row, key in enumerate(wanted):
            if row >= self.count() or self._key(row) != key:
                item = QListWidgetItem()
                item.setData(Qt.ItemDataRole.UserRole, key)
                self.insertItem(row, item)
        while self.count() > len(wanted):
            self.takeItem(self.count() - 1)
        for row, line in enumerate(shown):
            self._fill(self.item(row), line)

    def _key(self, row: int) -> str:
        key: str = self.item(row).data(Qt.ItemDataRole.UserRole)
        return key

    def _choose(self, item: QListWidgetItem) -> None:
        line = next(line for line in self._lines or () if line.key == item.data(Qt.ItemDataRole.UserRole))
        self.chosen.emit(line.alarm.alarm_id)

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
    who = "" if line.alarm.acknowledged_by is None else f"  ✓ {line.alarm.acknowledged_by}"
    if line.advisories is not None:
        return f"{_counted(line.advisories)}{who}\n{text_of(advisories_phrase(line.advisories))}"
    if line.latched:
        seconds = translate("AlarmList", "{seconds} s, not acknowledged").format(seconds=f"{line.duration_s:.1f}")
    elif line.active:
        seconds = translate("AlarmList", "now, {seconds} s").format(seconds=f"{line.duration_s:.0f}")
    else:
        seconds = translate("AlarmList", "{seconds} s").format(seconds=f"{line.duration_s:.1f}")
    times = f"  {line.alarm.repeats + 1}×" if line.alarm.repeats else ""
    return f"{line.clock}  {STARS[line.alarm.priority]}  {seconds}{times}{who}\n{text_of(alarm_phrase(line.alarm))}"


def _counted(advisories: AdvisoryCount) -> str:
    if not advisories.count:
        return translate("AlarmList", "advisory")
    return translate("AlarmList", "advisory, {count} since {since}").format(
        count=advisories.count, since=advisories.since
    )
