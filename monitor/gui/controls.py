"""The buttons under the list of alarms: acknowledge, pause, limits. What they did shows when it comes back."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from monitor.frame import Frame
from monitor.gui.theme import Theme, font

_NOTE_MS = 4000


class Controls(QWidget):
    """Four buttons and a line for what could not be done.

    Attributes
    ----------
    acknowledge, audio, silence, limits : QPushButton
    note : QLabel
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.acknowledge = QPushButton("Acknowledge  (A)")
        self.audio = QPushButton()
        self.silence = QPushButton()
        self.limits = QPushButton("Limits  (L)")
        self.note = QLabel()
        self.note.setFont(font(13))
        self.note.setStyleSheet(f"color: {theme.simulation}")
        self.note.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 4, 6, 4)
        grid.setSpacing(4)
        for place, button in enumerate((self.acknowledge, self.audio, self.limits, self.silence)):
            button.setFont(font(14, bold=True))
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setMinimumHeight(34)
            button.setStyleSheet(
                f"QPushButton {{ color: {theme.text}; background: {theme.panel}; border: 1px solid {theme.faint} }}"
                f"QPushButton:pressed {{ background: {theme.edge} }}"
                f"QPushButton:disabled {{ color: {theme.edge}; border-color: {theme.edge} }}"
            )
            grid.addWidget(button, place // 2, place % 2)
        grid.addWidget(self.note, 2, 0, 1, 2)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.note.hide)

    def show_frame(self, frame: Frame) -> None:
        """Take what can be done now."""
        self.acknowledge.setEnabled(frame.worker and any(line.calls for line in frame.active))
        for button in (self.audio, self.silence, self.limits):
            button.setEnabled(frame.worker)
        _set(self.audio, "Tone on  (P)" if frame.pauses.audio_s else "Pause tone  (P)")
        _set(self.silence, "Alarms on  (O)" if frame.pauses.alarms_s else "Pause alarms  (O)")

    def say(self, text: str) -> None:
        """Tell for some seconds what could not be done."""
        self.note.setText(text)
        self.note.show()
        self._timer.start(_NOTE_MS)


def _set(button: QPushButton, text: str) -> None:
    if button.text() != text:
        button.setText(text)
