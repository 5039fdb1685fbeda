"""Bar of beds, shown if there is more than one; arrow keys and digits select beds, too."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QWidget

from monitor.gui.style.language import translate
from monitor.gui.style.theme import Theme, font
from monitor.view.link import STALE
from monitor.view.view_model import BedTab

_SCROLL_MARGIN_PX = 60
"""A part of the next bed's button stays visible beside the current one."""


class BedTabs(QWidget):
    """One button per bed, in the colour of its most urgent alarm; more than fit are scrolled to the current one.

    Attributes
    ----------
    chosen : Signal(str)
        The name of the bed that was clicked.
    buttons : dict of str to QPushButton
    station : QPushButton
        Opens the central station.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.buttons: dict[str, QPushButton] = {}
        self._shown: tuple[tuple[BedTab, ...], str | None] | None = None
        beds, whole = QWidget(), QHBoxLayout(self)
        self._row = QHBoxLayout(beds)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        self._row.addStretch(1)
        self._area = QScrollArea()
        self._area.setWidget(beds)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for policy in (self._area.setHorizontalScrollBarPolicy, self._area.setVerticalScrollBarPolicy):
            policy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.station = QPushButton()
        self.station.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        whole.setContentsMargins(10, 0, 10, 4)
        whole.setSpacing(6)
        whole.addWidget(self._area, 1)
        whole.addWidget(self.station)
        self.apply_theme(theme)
        self.hide()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme, shown = theme, self._shown
        self.station.setText(translate("BedTabs", "Central station  (C)"))
        self.station.setStyleSheet(
            f"color: {theme.text}; background: {theme.panel}; border: 1px solid {theme.faint}; padding: 3px 12px"
        )
        for button in (self.station, *self.buttons.values()):
            button.setFont(font(14, bold=True))
        self._area.setFixedHeight(self.station.sizeHint().height() + 2)  # the edge of a bed's button is wider
        self._area.setStyleSheet(f"QScrollArea, QScrollArea > QWidget > QWidget {{ background: {theme.ground} }}")
        self._shown = None
        if shown is not None:
            self.show_beds(*shown)

    def show_beds(self, tabs: tuple[BedTab, ...], current: str | None) -> None:
        """Show the beds, and mark the current one."""
        if (tabs, current) == self._shown:
            return
        self._shown = (tabs, current)
        names = [tab.name for tab in tabs]
        if names != list(self.buttons):
            self._create_buttons(names)
        for tab in tabs:
            ink = self.theme.faint if tab.state in STALE else self.theme.ecg
            if tab.priority is not None:
                ink = self.theme.priority[tab.priority]
            edge = self.theme.text if tab.name == current else self.theme.edge
            self.buttons[tab.name].setStyleSheet(
                f"color: {ink}; background: {self.theme.panel}; border: 2px solid {edge}; padding: 3px 12px"
            )
        self.setVisible(len(tabs) > 1)
        if current in self.buttons:
            QTimer.singleShot(0, self, self._scroll_to_current)  # after the layout of new buttons

    def _scroll_to_current(self) -> None:
        button = self.buttons.get((self._shown[1] if self._shown else None) or "")
        if button is not None:
            self._area.ensureWidgetVisible(button, _SCROLL_MARGIN_PX, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep the current bed visible."""
        super().resizeEvent(event)
        self._scroll_to_current()

    def _create_buttons(self, names: list[str]) -> None:
        for button in self.buttons.values():
            self._row.removeWidget(button)
            button.deleteLater()
        self.buttons = {}
        for place, name in enumerate(names):
            button = QPushButton(name.upper())
            button.setFont(font(14, bold=True))
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _checked=False, name=name: self.chosen.emit(name))
            self._row.insertWidget(place, button)
            self.buttons[name] = button
