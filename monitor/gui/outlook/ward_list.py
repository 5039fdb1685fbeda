"""Beds without ECG in a list, those at the highest risk first; a click opens the page of a bed.

The name of a bed in alarm has the colour of the alarm; a bed of which nothing comes any more is dimmed, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from monitor.gui.outlook.outlook_panel import percent
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.chart import WardRow, mean_pressure
from monitor.view.early_warning import EarlyWarning, early_warning
from stream.wire.alarm_texts import NO_VALUE
from stream.wire.outlook_message import RISK_NAMES
from stream.wire.outlook_texts import reason_phrases

HEADINGS = (
    QT_TRANSLATE_NOOP("WardList", "Bed"),
    QT_TRANSLATE_NOOP("WardList", "Hour"),
    QT_TRANSLATE_NOOP("WardList", "MAP, mmHg"),
    QT_TRANSLATE_NOOP("WardList", "NEWS2"),
    QT_TRANSLATE_NOOP("WardList", "MAP < 65, 1 h"),
    QT_TRANSLATE_NOOP("WardList", "MAP < 65, 3 h"),
    QT_TRANSLATE_NOOP("WardList", "MAP < 65, 6 h"),
    QT_TRANSLATE_NOOP("WardList", "Sepsis, 6 h"),
    QT_TRANSLATE_NOOP("WardList", "Early warning (not a diagnosis)"),
)

_NEARER = (4, 5)
"""Columns of the risks within 1 h and 3 h."""

_ROW_PX, _WIDE_PX = 34, 1000


class WardList(QTableWidget):
    """Shows the beds of a ward, one line each.

    Attributes
    ----------
    chosen : Signal(str)
        The bed that was clicked.
    rows : tuple of WardRow
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(0, len(HEADINGS))
        self.theme = theme
        self.rows: tuple[WardRow, ...] = ()
        self._selected: str | None = None
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionsClickable(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(len(HEADINGS) - 1, QHeaderView.ResizeMode.Stretch)
        self.cellClicked.connect(lambda row, _column: self.chosen.emit(self.rows[row].bed))
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setFont(font(15))
        self.setStyleSheet(
            f"QTableWidget {{ background: {theme.ground}; border: none }}"
            f"QTableWidget::item {{ padding: 2px 8px; border-bottom: 1px solid {theme.edge} }}"
            f"QHeaderView::section {{ background: {theme.panel}; color: {theme.faint}; border: none }}"
            "QHeaderView::section { padding: 4px 8px }"
        )
        self.horizontalHeader().setFont(font(13, bold=True))
        self.setHorizontalHeaderLabels([translate("WardList", heading) for heading in HEADINGS])
        self._fill()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Leave out the nearer risks where there is no room for the reasons."""
        super().resizeEvent(event)
        for column in _NEARER:
            self.setColumnHidden(column, self.width() < px(_WIDE_PX))

    def show_rows(self, rows: Sequence[WardRow], selected: str | None) -> None:
        """Show beds in the given order."""
        if (tuple(rows), selected) != (self.rows, self._selected):
            self.rows, self._selected = tuple(rows), selected
            self._fill()

    def _fill(self) -> None:
        self.setRowCount(len(self.rows))
        for place, row in enumerate(self.rows):
            self.setRowHeight(place, px(_ROW_PX))
            outlook = row.chart.outlook
            advised = outlook is not None and outlook.advisory
            over = outlook is not None and outlook.is_over(outlook.probability(outlook.advisory_risk))
            ink = self.theme.priority["medium"] if advised else self.theme.text
            name = ink if row.priority is None else self.theme.priority[row.priority]
            for column, text in enumerate(_texts(row)):
                item = self.item(place, column) or QTableWidgetItem()
                item.setText(text)
                item.setForeground(colour(name if column == 0 else ink if row.live else self.theme.faint))
                item.setBackground(colour(self.theme.panel if row.bed == self._selected else self.theme.ground))
                item.setFont(font(15, bold=column == 0 or (advised and over and column == len(HEADINGS) - 1)))
                item.setToolTip(text if column == len(HEADINGS) - 1 else "")
                if self.item(place, column) is None:
                    self.setItem(place, column, item)


def _texts(row: WardRow) -> tuple[str, ...]:
    silent = [] if row.live else [translate("WardList", "no new values")]
    low = [translate("WardList", "MAP below 65 now")] if row.low else []
    outlook = row.chart.outlook
    if outlook is None:
        return row.bed.upper(), str(row.chart.hour), *[NO_VALUE] * (len(HEADINGS) - 3), ", ".join(silent)
    known = mean_pressure(outlook)
    warning = None if row.chart.hours is None else early_warning(row.chart.hours)
    pressure = NO_VALUE if known is None else f"{known[0]:.0f}"
    if known is not None and known[1]:
        pressure = translate("WardList", "{value} ({hours} h ago)").format(value=pressure, hours=known[1])
    score = NO_VALUE if outlook.score is None else str(outlook.score)
    risks = [percent(outlook.probability(name)) for name in RISK_NAMES]
    since = [] if warning is None else [_since(warning)]
    reasons = ", ".join([*silent, *low, *since, *(text_of(reason) for reason in reason_phrases(outlook))])
    return row.bed.upper(), str(outlook.hour), pressure, score, *risks, reasons


def _since(warning: EarlyWarning) -> str:
    """Return since when a warning stands, and from what to what its risk has changed."""
    if None in (warning.before, warning.now) or not warning.hours:
        return translate("WardList", "since hour {hour}").format(hour=warning.since)
    text = translate("WardList", "since hour {hour} ({before} → {now})")
    return text.format(hour=warning.since, before=percent(warning.before), now=percent(warning.now))
