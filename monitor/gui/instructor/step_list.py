"""All steps of a scenario in order: when, what each waits for, and what it does."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from monitor.gui.instructor.step_texts import step_text, wait_text
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.replay_status import clock
from monitor.view.scenario_steps import in_order, next_step
from stream.wire.plain_text import plain
from stream.wire.scenario_status import ScenarioStatus

_ROW, _ROWS = 21, 4
NO_TIME = "–"


class StepList(QTableWidget):
    """Table of steps: number in the file, time, what it waits for, what it does; the next one is bold.

    Attributes
    ----------
    texts : list of tuple of str
        The cells as shown.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__(0, 4)
        self.texts: list[tuple[str, ...]] = []
        self._scenario: ScenarioStatus | None = None
        self._next: int | None = None
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        for column in (0, 1, 2):
            self.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.apply_theme(theme)

    def show_scenario(self, scenario: ScenarioStatus) -> None:
        """Show the steps of a scenario; the next one comes into view."""
        steps = scenario.steps
        texts: list[tuple[str, ...]] = []
        for number in in_order(steps):
            step = steps[number]
            time = NO_TIME if step.at_s is None else clock(int(step.at_s))
            wait = "" if step.after is None else wait_text(step.after, steps)
            texts.append((f"{number + 1}", time, plain(wait), plain(step_text(step))))
        if (texts, scenario.steps) == (self.texts, self._scenario and self._scenario.steps):
            return
        self.texts, self._scenario = texts, scenario
        self._fill()

    def _fill(self) -> None:
        if self._scenario is None:
            return
        steps, coming = self._scenario.steps, next_step(self._scenario.steps)
        self.setRowCount(len(self.texts))
        for row, (number, cells) in enumerate(zip(in_order(steps), self.texts, strict=True)):
            ink = self.theme.faint if steps[number].happened else self.theme.text
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setForeground(QBrush(colour(ink)))
                item.setFont(font(13, bold=number == coming))
                item.setToolTip(f"<span>{html.escape(text)}</span>")  # Qt has no plain format for it
                self.setItem(row, column, item)
            self.setRowHeight(row, px(_ROW))
            if number == coming and coming != self._next:
                self.scrollTo(self.model().index(row, 0), QAbstractItemView.ScrollHint.PositionAtCenter)
        self._next = coming

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setFixedHeight(px(_ROW * _ROWS + 4))
        self.setStyleSheet(
            f"QTableWidget {{ background: {theme.panel}; color: {theme.text}; border: none }}"
            f"QTableWidget::item {{ padding: 0 6px }}"
        )
        self._fill()
