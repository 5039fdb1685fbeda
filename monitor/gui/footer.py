"""The line at the bottom: what this is not, and the connection to the broker in words."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from monitor.gui.theme import Theme, font

SIMULATION = "SIMULATION — NOT FOR CLINICAL USE"


class Footer(QWidget):
    """A permanent warning, and the broker."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.simulation, self.broker = QLabel(SIMULATION), QLabel()
        self.simulation.setFont(font(16, bold=True))
        self.simulation.setStyleSheet(f"color: {theme.simulation}")
        self.broker.setFont(font(12))
        self.broker.setStyleSheet(f"color: {theme.faint}")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 14, 6)
        row.addWidget(self.simulation)
        row.addStretch(1)
        row.addWidget(self.broker)
        self._text = ""

    def show_broker(self, text: str) -> None:
        """Take the state of the connection in words; too long ones are cut and kept whole in the tool tip."""
        if text != self._text:
            self._text = text
            room = max(self.width() - self.simulation.sizeHint().width() - 60, 200)
            metrics = QFontMetrics(self.broker.font())
            self.broker.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))
            self.broker.setToolTip(text)
