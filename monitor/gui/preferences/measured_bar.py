"""A bar to be measured with a ruler, so that the trace is true to scale on this screen."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.palettes import Theme
from monitor.gui.style.theme import colour


class MeasuredBar(QWidget):
    """Bar of known length in pixels, to be measured with a ruler.

    Attributes
    ----------
    pixels : int
        Length of the bar.
    """

    def __init__(self, theme: Theme, pixels: int) -> None:
        super().__init__()
        self.theme, self.pixels = theme, pixels
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme; the length does not change."""
        self.theme = theme
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of the bar with its end marks."""
        return QSize(self.pixels + 3, 24)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw a line with end marks."""
        with QPainter(self) as painter:
            painter.setPen(QPen(colour(self.theme.text), 1))
            painter.drawLine(1, 12, 1 + self.pixels, 12)
            for x in (1, 1 + self.pixels):
                painter.drawLine(x, 2, x, 22)
