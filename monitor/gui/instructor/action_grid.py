"""Grid of large buttons, one for each rhythm or injection; a button that is not possible says why in its tool tip."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

from monitor.gui.style.theme import Theme, font, px

BUTTON_HEIGHT, LONG = 40, 12


class ActionGrid(QWidget):
    """Buttons by code.

    Parameters
    ----------
    theme : Theme
    columns : int

    Attributes
    ----------
    pressed : Signal(str)
        The code of a button.
    buttons : dict of str to QPushButton
    """

    pressed = Signal(str)

    def __init__(self, theme: Theme, columns: int) -> None:
        super().__init__()
        self.theme, self._columns = theme, columns
        self.buttons: dict[str, QPushButton] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)

    def show_actions(
        self,
        labels: Mapping[str, str],
        on: frozenset[str],
        reason: str,
        tips: Mapping[str, str] | None = None,
        reasons: Mapping[str, str] | None = None,
    ) -> None:
        """Show buttons with their labels; those that are on are filled; with a reason all, or some, are disabled."""
        if list(labels) != list(self.buttons):
            self._rebuild(labels)
        for code, button in self.buttons.items():
            button.setText(two_lines(labels[code]))
            against = reason or (reasons or {}).get(code, "")
            button.setEnabled(not against)
            button.setToolTip(against or (tips or {}).get(code, ""))
            self._style(button, code in on)

    def _rebuild(self, labels: Mapping[str, str]) -> None:
        for button in self.buttons.values():
            self._grid.removeWidget(button)
            button.deleteLater()
        self.buttons = {code: QPushButton() for code in labels}
        for number, (code, button) in enumerate(self.buttons.items()):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setMinimumHeight(px(BUTTON_HEIGHT))
            button.setFont(font(12, bold=True))
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _checked=False, code=code: self.pressed.emit(code))
            self._grid.addWidget(button, number // self._columns, number % self._columns)

    def _style(self, button: QPushButton, on: bool) -> None:
        theme = self.theme
        ink, ground = (theme.ground, theme.simulation) if on else (theme.text, theme.panel)
        style = (
            f"QPushButton {{ color: {ink}; background: {ground}; border: 1px solid {theme.faint}; padding: 2px }}"
            f"QPushButton:pressed {{ color: {theme.text}; background: {theme.edge} }}"
            f"QPushButton:disabled {{ color: {theme.faint}; border-color: {theme.edge} }}"
        )
        if button.styleSheet() != style:
            button.setStyleSheet(style)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme; texts follow with the next status."""
        self.theme = theme
        for button in self.buttons.values():
            button.setMinimumHeight(px(BUTTON_HEIGHT))
            button.setFont(font(12, bold=True))


def two_lines(text: str) -> str:
    """Return a text with a break at the space nearest to its middle if it is long."""
    spaces = [at for at, letter in enumerate(text) if letter == " "]
    if len(text) <= LONG or not spaces:
        return text
    at = min(spaces, key=lambda at: abs(at - len(text) / 2))
    return f"{text[:at]}\n{text[at + 1 :]}"
