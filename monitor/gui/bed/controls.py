"""Buttons below the list of alarms: acknowledge, pause, limits. They change when the worker reports the effect."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from monitor.gui.style.label import Label, button_style
from monitor.gui.style.language import translate
from monitor.gui.style.theme import Theme, font, px
from monitor.view.view_model import Frame

_NOTE_MS = 4000


class Controls(QWidget):
    """Four buttons and a line for messages.

    Attributes
    ----------
    acknowledge, audio, pause, limits : QPushButton
    note : Label
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.acknowledge = QPushButton()
        self.audio = QPushButton()
        self.pause = QPushButton()
        self.limits = QPushButton()
        self.note = Label(theme, "simulation", 13)
        self.note.setWordWrap(True)
        self.note.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 4, 6, 4)
        grid.setSpacing(4)
        for place, button in enumerate((self.acknowledge, self.audio, self.limits, self.pause)):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            grid.addWidget(button, place // 2, place % 2)
        grid.addWidget(self.note, 2, 0, 1, 2)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.note.hide)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.acknowledge.setText(translate("Controls", "Acknowledge  (A)"))
        self.limits.setText(translate("Controls", "Limits  (L)"))
        for button in (self.acknowledge, self.audio, self.limits, self.pause):
            button.setFont(font(13, bold=True))
            button.setMinimumHeight(px(34))
            button.setStyleSheet(button_style(theme))

    def show_frame(self, frame: Frame) -> None:
        """Enable the buttons that have an effect now."""
        self.acknowledge.setEnabled(frame.worker and bool(frame.unacknowledged))
        for button in (self.audio, self.pause, self.limits):
            button.setEnabled(frame.worker)
        tone = translate("Controls", "Tone on  (P)"), translate("Controls", "Pause tone  (P)")
        alarms = translate("Controls", "Alarms on  (O)"), translate("Controls", "Pause alarms  (O)")
        _set(self.audio, tone[not frame.pauses.audio_s])
        _set(self.pause, alarms[not frame.pauses.alarms_s])

    def show_note(self, text: str) -> None:
        """Show a message for some seconds."""
        self.note.setText(text)
        self.note.show()
        self._timer.start(_NOTE_MS)


def _set(button: QPushButton, text: str) -> None:
    if button.text() != text:
        button.setText(text)
