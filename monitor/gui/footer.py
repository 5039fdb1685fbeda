"""The line at the bottom: what this is not, and the connection to the broker in words."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QWidget

from monitor.gui.label import Label
from monitor.gui.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.phrases import say
from monitor.gui.theme import Theme

SIMULATION = QT_TRANSLATE_NOOP("Footer", "SIMULATION — NOT FOR CLINICAL USE")


def simulation() -> str:
    """Return the warning in the language of the window."""
    return translate("Footer", SIMULATION)


class Footer(QWidget):
    """A permanent warning, and the broker."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.simulation, self.broker = (
            Label(theme, "simulation", 16, bold=True, says=simulation),
            Label(theme, "faint", 12),
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 14, 6)
        row.addWidget(self.simulation)
        row.addStretch(1)
        row.addWidget(self.broker)
        self._text = ""

    def show_broker(self, text: str) -> None:
        """Take the state of the connection in words; too long ones are cut and kept whole in the tool tip."""
        text = say(text)
        if text != self._text:
            self._text = text
            room = max(self.width() - self.simulation.sizeHint().width() - 60, 200)
            metrics = QFontMetrics(self.broker.font())
            self.broker.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))
            self.broker.setToolTip(text)
