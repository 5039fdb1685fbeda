"""The question of quiz mode: which rhythm is it?"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from monitor.gui.style.label import Label, button_style
from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import plain_text_of
from monitor.gui.style.theme import Theme, font, px
from monitor.gui.style.wheel_boxes import ChoiceBox
from monitor.view.display_texts import reference_rhythm_phrase
from stream.wire.answer import QUIZ_RHYTHMS

_NOTE_MS = 6000


class QuizPanel(QWidget):
    """A list of rhythms, and a button that sends the answer. It does not say whether the answer is right.

    Attributes
    ----------
    answered : Signal(str)
        The code of the rhythm that was chosen.
    choice : ChoiceBox
    button : QPushButton
    note : Label
    """

    answered = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.question = Label(
            theme, "text", 15, bold=True, text_source=lambda: translate("Quiz", "QUIZ: which rhythm is it?")
        )
        self.choice, self.button, self.note = ChoiceBox(), QPushButton(), Label(theme, "simulation", 13)
        self.choice.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the window
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.setSpacing(10)
        for widget in (self.question, self.choice, self.button, self.note):
            row.addWidget(widget)
        row.addStretch(1)
        self.button.clicked.connect(self._answer)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.note.clear)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme, and write the rhythms in the language of the window."""
        chosen = max(self.choice.currentIndex(), 0)
        self.choice.clear()
        for code in ("", *QUIZ_RHYTHMS):
            text = plain_text_of(reference_rhythm_phrase(code)) if code else translate("Quiz", "choose …")
            self.choice.addItem(text, code)
        self.choice.setCurrentIndex(chosen)
        self.choice.setFont(font(14))
        self.choice.setMinimumHeight(px(30))
        self.choice.setStyleSheet(
            f"QComboBox, QAbstractItemView {{ background: {theme.panel}; color: {theme.text}; padding: 2px 6px }}"
        )
        self.button.setText(translate("Quiz", "Answer"))
        self.button.setFont(font(13, bold=True))
        self.button.setMinimumHeight(px(30))
        self.button.setStyleSheet(button_style(theme))

    def show_sent(self, code: str) -> None:
        """Show which answer was sent, and ask again."""
        self.note.setText(
            translate("Quiz", "sent: {rhythm}").format(rhythm=plain_text_of(reference_rhythm_phrase(code)))
        )
        self.choice.setCurrentIndex(0)
        self._timer.start(_NOTE_MS)

    def _answer(self) -> None:
        code = self.choice.currentData()
        if code:
            self.answered.emit(code)
        else:
            self.note.setText(translate("Quiz", "choose a rhythm first"))
            self._timer.start(_NOTE_MS)
