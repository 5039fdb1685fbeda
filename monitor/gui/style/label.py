"""Labels and style sheets with the colours and fonts of the theme."""

from __future__ import annotations

import html
from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel

from monitor.gui.style.theme import Theme, font, px
from stream.wire.plain_text import plain


class Label(QLabel):
    """Label in colours of the theme, for plain text: names from the wire are shown as they are, not as HTML.

    Parameters
    ----------
    theme : Theme
    ink : str or callable
        Name of a colour of `Theme`, or a function that selects one.
    pixels : int
        Font size at normal scale.
    bold : bool
    ground : str
        Name of the background colour of `Theme`; empty for none.
    text_source : callable or None
        Returns the text in the current language; None if the text is set by the caller.
    """

    def __init__(
        self,
        theme: Theme,
        ink: str | Callable[[Theme], str],
        pixels: int,
        bold: bool = False,
        ground: str = "",
        text_source: Callable[[], str] | None = None,
    ) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._style, self._text_source = (ink, pixels, bold, ground), text_source
        self.apply_theme(theme)

    def setText(self, text: str) -> None:  # noqa: N802
        """Set the text; its control characters other than line breaks are shown as escapes."""
        super().setText("\n".join(map(plain, text.split("\n"))))

    def setToolTip(self, text: str) -> None:  # noqa: N802
        """Set the tool tip; Qt has no plain format for it, so the text is escaped."""
        super().setToolTip(f"<span>{html.escape(text)}</span>" if text else "")

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme, and update colour, font and text."""
        ink, pixels, bold, ground = self._style
        chosen = getattr(theme, ink) if isinstance(ink, str) else ink(theme)
        field = f"; background: {getattr(theme, ground)}; padding: 2px {px(8)}px" if ground else ""
        style, label_font = f"color: {chosen}{field}", font(pixels, bold)
        # Setting unchanged values would trigger a new layout of the window.
        if style != self.styleSheet():
            self.setStyleSheet(style)
        if label_font != self.font():
            self.setFont(label_font)
        if self._text_source is not None:
            self.setText(self._text_source())


class ElidedLabel(Label):
    """Label that takes the room it is given; a text that is too long ends in "…", and the tool tip has all of it."""

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return no width: a layout with a stretch factor gives the room that is left."""
        return QSize(0, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return no width."""
        return self.sizeHint()

    def setText(self, text: str) -> None:  # noqa: N802
        """Set the text, and the tool tip to all of it."""
        super().setText(text)
        self.setToolTip(text)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the text as far as there is room."""
        with QPainter(self) as painter:
            shown = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
            painter.setPen(self.palette().windowText().color())
            painter.drawText(self.rect(), self.alignment() | Qt.AlignmentFlag.AlignVCenter, shown)


def button_style(theme: Theme) -> str:
    """Return the style sheet of a button."""
    return (
        f"QPushButton {{ color: {theme.text}; background: {theme.panel}; border: 1px solid {theme.faint};"
        f" padding: 2px }}"
        f"QPushButton:pressed {{ background: {theme.edge} }}"
        f"QPushButton:disabled {{ color: {theme.faint}; border-color: {theme.edge} }}"
    )


def dialog_style(theme: Theme) -> str:
    """Return the style sheet of a dialog and its input fields."""
    return (
        f"QWidget {{ background: {theme.panel}; color: {theme.text} }}"
        f"QDialogButtonBox QPushButton {{ padding: {px(4)}px {px(12)}px }}"
    ) + button_style(theme)
