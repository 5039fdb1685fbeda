"""Number with buttons − and +, large enough for a finger."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox, QHBoxLayout, QPushButton, QWidget

from monitor.gui.style.dialog_buttons import BUTTON_HEIGHT
from monitor.gui.style.theme import Theme, font, px
from monitor.gui.style.wheel_boxes import WholeNumberBox

_NUMBER_WIDTH = 104


class Stepper(QWidget):
    """Whole number that is typed or stepped.

    Parameters
    ----------
    minimum, maximum, step, value : int
    suffix : str
        Unit after the number.

    Attributes
    ----------
    number : WholeNumberBox
    minus, plus : QPushButton
    """

    def __init__(self, minimum: int, maximum: int, step: int, value: int, suffix: str) -> None:
        super().__init__()
        self.number = WholeNumberBox()
        self.number.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.number.setRange(minimum, maximum)
        self.number.setSingleStep(step)
        self.number.setSuffix(suffix)
        self.number.setValue(value)
        self.minus, self.plus = QPushButton("−"), QPushButton("+")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for widget in (self.minus, self.number, self.plus):
            row.addWidget(widget)
        for button, action in ((self.minus, self.number.stepDown), (self.plus, self.number.stepUp)):
            button.setAutoRepeat(True)
            button.setAutoDefault(False)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(action)

    def apply_theme(self, theme: Theme) -> None:  # noqa: ARG002
        """Adapt size and font."""
        for button in (self.minus, self.plus):
            button.setFixedSize(px(BUTTON_HEIGHT), px(BUTTON_HEIGHT))
            button.setFont(font(22, bold=True))
        self.number.setFixedSize(px(_NUMBER_WIDTH), px(BUTTON_HEIGHT))
        self.number.setFont(font(15, bold=True))
