"""Footer: warning, buttons for help and settings, state of the connection to the broker."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from monitor.gui.style.label import ElidedLabel, Label
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
            ElidedLabel(theme, "faint", 12),
        )
        self.broker.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.help, self.settings = QPushButton(), QPushButton()
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 14, 6)
        row.addWidget(self.simulation)
        row.addSpacing(10)
        for button in (self.help, self.settings):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(button)
        row.addWidget(self.broker, 1)
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
        """Show the state of the connection, shortened to the room beside the warning."""
        if text != self.broker.text():
            self.broker.setText(text)
