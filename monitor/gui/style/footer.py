"""Footer: warning, buttons for help and settings, state of the connection to the broker."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.theme import Theme, font, px

SIMULATION = QT_TRANSLATE_NOOP("Footer", "SIMULATION — NOT FOR CLINICAL USE")


def simulation() -> str:
    """Return the warning in the language of the window."""
    return translate("Footer", SIMULATION)


class Footer(QWidget):
    """Permanent warning, buttons, and the state of the broker.

    Attributes
    ----------
    help, settings : QPushButton
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.simulation, self.broker = (
            Label(theme, "simulation", 16, bold=True, text_source=simulation),
            Label(theme, "faint", 12),
        )
        self.help, self.settings = QPushButton(), QPushButton()
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 14, 6)
        row.addWidget(self.simulation)
        row.addSpacing(10)
        for button in (self.help, self.settings):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.broker)
        self._text = ""
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme; the labels are updated separately."""
        self.help.setText(translate("Footer", "Help (?)"))
        self.settings.setText(translate("Footer", "Settings (F2)"))
        for button in (self.help, self.settings):
            button.setFont(font(12))
            button.setStyleSheet(
                f"QPushButton {{ color: {theme.faint}; border: none; padding: 2px {px(6)}px }}"
                f"QPushButton:hover {{ color: {theme.text} }}"
            )

    def show_broker(self, text: str) -> None:
        """Show the state of the connection; a long text is elided, the tool tip has all of it."""
        if text != self._text:
            self._text = text
            used = sum(w.sizeHint().width() for w in (self.simulation, self.help, self.settings))
            available = max(self.width() - used - 60, 160)
            metrics = QFontMetrics(self.broker.font())
            self.broker.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, available))
            self.broker.setToolTip(text)
