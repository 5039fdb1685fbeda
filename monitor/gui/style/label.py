"""Words and buttons that take their colours and letters from the theme."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLabel

from monitor.gui.style.theme import Theme, font, px


class Label(QLabel):
    """Words in an ink of the theme.

    Parameters
    ----------
    theme : Theme
    ink : str or callable
        Name of a colour of `Theme`, or what chooses one.
    pixels : int
    bold : bool
    ground : str
        Name of the colour of a field behind the words; empty for none.
    says : callable or None
        Returns the words, in the language of the moment; without it they are set from outside.
    """

    def __init__(
        self,
        theme: Theme,
        ink: str | Callable[[Theme], str],
        pixels: int,
        bold: bool = False,
        ground: str = "",
        says: Callable[[], str] | None = None,
    ) -> None:
        super().__init__()
        self._look, self._says = (ink, pixels, bold, ground), says
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme, and determine the ink again."""
        ink, pixels, bold, ground = self._look
        chosen = getattr(theme, ink) if isinstance(ink, str) else ink(theme)
        field = f"; background: {getattr(theme, ground)}; padding: 2px {px(8)}px" if ground else ""
        style, letters = f"color: {chosen}{field}", font(pixels, bold)
        # Setting what it has would lay out the window again.
        if style != self.styleSheet():
            self.setStyleSheet(style)
        if letters != self.font():
            self.setFont(letters)
        if self._says is not None:
            self.setText(self._says())


def button_style(theme: Theme) -> str:
    """Return the style sheet of a button."""
    return (
        f"QPushButton {{ color: {theme.text}; background: {theme.panel}; border: 1px solid {theme.faint};"
        f" padding: 2px }}"
        f"QPushButton:pressed {{ background: {theme.edge} }}"
        f"QPushButton:disabled {{ color: {theme.faint}; border-color: {theme.edge} }}"
    )


def dialog_style(theme: Theme) -> str:
    """Return the style sheet of a dialog with its fields."""
    return (
        f"QWidget {{ background: {theme.panel}; color: {theme.text} }}"
        f"QDialogButtonBox QPushButton {{ padding: {px(4)}px {px(12)}px }}"
    ) + button_style(theme)
