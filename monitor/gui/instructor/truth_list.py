"""What has been done to a bed, one paragraph each, the latest at the end."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextBlockFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QTextEdit

from monitor.gui.style.theme import Theme, font, px

_BETWEEN = 6
"""Space between two paragraphs, pixels."""


class TruthList(QTextEdit):
    """Lines of plain text, which break where they are too long.

    Attributes
    ----------
    lines : tuple of str
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.lines: tuple[str, ...] = ()
        self.setReadOnly(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.apply_theme(theme)

    def show_lines(self, lines: tuple[str, ...]) -> None:
        """Show other lines, from the last one on."""
        if lines == self.lines:
            return
        self.lines = lines
        self.setPlainText("\n".join(" ".join(line.split("\n")) for line in lines))
        apart = QTextBlockFormat()
        apart.setBottomMargin(px(_BETWEEN))
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(apart)
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.setFont(font(13))
        self.setStyleSheet(f"QTextEdit {{ background: {theme.panel}; color: {theme.text}; padding: {px(4)}px }}")
