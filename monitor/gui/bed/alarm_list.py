"""List of alarms by group: active, ended but not acknowledged, advisories, past; a click opens the review.

The advisories are one line with their number; a click on it opens the latest one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractItemView, QListView, QListWidget, QListWidgetItem

from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import STARS, Theme, colour, font
from monitor.view.alarm_order import Group, group_of, grouped
from monitor.view.display_texts import advisories_phrase
from monitor.view.view_model import AlarmLine
from stream.wire.alarm_texts import alarm_phrase

MAX_SHOWN = 50
"""Number of lines shown."""

_HOURS_FROM_S = 3600.0
"""Duration from which whole hours are written, s."""

HEADINGS: Mapping[Group, str] = {
    "active": QT_TRANSLATE_NOOP("AlarmList", "ACTIVE"),
    "latched": QT_TRANSLATE_NOOP("AlarmList", "ENDED, NOT ACKNOWLEDGED"),
    "past": QT_TRANSLATE_NOOP("AlarmList", "PAST"),
}
"""Headings of the groups; the line of the advisories needs none."""

LAST_KNOWN = QT_TRANSLATE_NOOP("AlarmList", "ACTIVE WHEN LAST KNOWN")
"""Heading of the active alarms while no worker raises or ends any."""


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
        self._current = True
        self._rows: tuple[_Row, ...] = ()
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
        for place, row in enumerate(self._rows):
            self._fill(self.item(place), row)
            self._apply_style(self.item(place), row)
        self.scheduleDelayedItemsLayout()

    def show_lines(self, lines: tuple[AlarmLine, ...], *, current: bool = True) -> None:
        """Show the lines, given the latest first, by group; ``current`` is False while no worker raises or ends any."""
        if lines == self._lines and current == self._current:
            return
        self._current = current
        self._lines, self._rows = lines, _rows(grouped(lines)[:MAX_SHOWN])
        # An active line changes each second: refilling the list would lose a click and the scroll position.
        wanted = [row.key for row in self._rows]
        for place in reversed(range(self.count())):
            if self._key(place) not in wanted:
                self.takeItem(place)
        for place, row in enumerate(self._rows):
            if place >= self.count() or self._key(place) != row.key:
                self.insertItem(place, self._take(row))
            self._fill(self.item(place), row)

    def _take(self, row: _Row) -> QListWidgetItem:
        """Return the item of a row from its old place, or a new one."""
        for place in range(self.count()):
            if self._key(place) == row.key:
                return self.takeItem(place)
        item = QListWidgetItem()
        item.setData(Qt.ItemDataRole.UserRole, row.key)
        if isinstance(row, _Heading):
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        return item

    def _key(self, place: int) -> str:
        key: str = self.item(place).data(Qt.ItemDataRole.UserRole)
        return key

    def _choose(self, item: QListWidgetItem) -> None:
        key = item.data(Qt.ItemDataRole.UserRole)
        line = next((line for line in self._lines or () if line.key == key), None)
        if line is not None:
            self.chosen.emit(line.alarm.alarm_id)

    def _fill(self, item: QListWidgetItem, row: _Row) -> None:
        text = self._heading(row.group) if isinstance(row, _Heading) else _text(row, current=self._current)
        if item.text() != text or item.font() != self._font(row):
            item.setText(text)
            item.setToolTip("" if isinstance(row, _Heading) else _tool_tip(row))
            self._apply_style(item, row)

    def _heading(self, group: Group) -> str:
        return translate("AlarmList", HEADINGS[group] if self._current or group != "active" else LAST_KNOWN)

    def _font(self, row: _Row) -> QFont:
        if isinstance(row, _Heading):
            return font(11, bold=True)
        return font(13, bold=row.active and row.advisories is None)

    def _apply_style(self, item: QListWidgetItem, row: _Row) -> None:
        priority = row.alarm.priority if isinstance(row, AlarmLine) and row.active else None
        item.setForeground(colour(self.theme.faint if priority is None else self.theme.priority[priority]))
        item.setFont(self._font(row))


@dataclass(frozen=True, slots=True)
class _Heading:
    group: Group

    @property
    def key(self) -> str:
        return f"heading {self.group}"


_Row = AlarmLine | _Heading


def _rows(lines: Iterable[AlarmLine]) -> tuple[_Row, ...]:
    """Return the lines with a heading before each group that has one."""
    rows: list[_Row] = []
    for group, members in groupby(lines, key=group_of):
        if group in HEADINGS:
            rows.append(_Heading(group))
        rows += members
    return tuple(rows)


def _text(line: AlarmLine, *, current: bool) -> str:
    who = "" if line.alarm.acknowledged_by is None else f"  ✓ {line.alarm.acknowledged_by}"
    if line.advisories is not None:
        return f"{text_of(advisories_phrase(line.advisories, line.alarm.kind))}{who}"
    hours = line.duration_s / 3600 if line.duration_s >= _HOURS_FROM_S else None
    if line.latched:
        seconds = translate("AlarmList", "lasted {seconds} s").format(seconds=f"{line.duration_s:.1f}")
        if hours is not None:
            seconds = translate("AlarmList", "lasted {hours} h").format(hours=f"{hours:.0f}")
    elif line.active and not current:
        seconds = ""  # nobody knows whether it goes on
    elif line.active:
        seconds = translate("AlarmList", "now, {seconds} s").format(seconds=f"{line.duration_s:.0f}")
        if hours is not None:
            seconds = translate("AlarmList", "now, {hours} h").format(hours=f"{hours:.0f}")
    else:
        seconds = translate("AlarmList", "{seconds} s").format(seconds=f"{line.duration_s:.1f}")
        if hours is not None:
            seconds = translate("AlarmList", "{hours} h").format(hours=f"{hours:.0f}")
    times = f"  {line.alarm.repeats + 1}×" if line.alarm.repeats else ""
    return f"{line.clock}  {STARS[line.alarm.priority]}  {seconds}{times}{who}\n{text_of(alarm_phrase(line.alarm))}"


def _tool_tip(line: AlarmLine) -> str:
    hint = translate("AlarmList", "click: review from 10 s before to 10 s after the onset")
    if line.advisories is None or not line.advisories.count:
        return hint
    counted = translate("AlarmList", "{count} advisories since {since}, the last at {last}").format(
        count=line.advisories.count, since=line.advisories.since, last=line.advisories.last
    )
    return f"{counted}\n{hint}"
