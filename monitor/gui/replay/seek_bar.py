"""The bar over a record: how far the replay is, where it was requested to go, and what is under the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.replay_status import clock

_HEIGHT = 40
_RADIUS = 7


class SeekBar(QWidget):
    """A slider that moves only when the replay does.

    Attributes
    ----------
    chosen : Signal(int)
        The second of the record at which the mouse let go.
    text : str
        Stands above the bar: what was requested.
    """

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.text = ""
        self._at_s = self._of_s = 0
        self._asked_s: int | None = None
        self._mouse_x: float | None = None
        self._held = False
        self.setMouseTracking(True)
        self.apply_theme(theme)
        self.setMinimumWidth(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size that the panel gives it by default."""
        return QSize(400, px(_HEIGHT))

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setFixedHeight(px(_HEIGHT))
        self.update()

    def show_place(self, at_s: int, of_s: int, requested_s: int | None, text: str) -> None:
        """Take the place in the record, its length, the place requested, and what to write above; all in seconds."""
        shown = (at_s, of_s, requested_s, text)
        if shown != (self._at_s, self._of_s, self._asked_s, self.text):
            self._at_s, self._of_s, self._asked_s, self.text = shown
            self.update()

    def x_of(self, second: float) -> float:
        """Return where a second of the record lies, in pixels."""
        return _RADIUS + min(max(second / max(self._of_s, 1), 0.0), 1.0) * (self.width() - 2 * _RADIUS)

    def second(self, x: float) -> int:
        """Return the second of the record under a pixel; the last one is not the end, where nothing is left to play."""
        share = (x - _RADIUS) / max(self.width() - 2 * _RADIUS, 1)
        return min(max(round(share * self._of_s), 0), max(self._of_s - 1, 0))

    # --- the mouse ------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Begin to choose a place."""
        if event.button() is Qt.MouseButton.LeftButton and self._of_s:
            self._held = True
            self._point(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Show the time under the mouse."""
        self._point(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Choose the place."""
        if event.button() is Qt.MouseButton.LeftButton and self._held:
            self._held = False
            self.chosen.emit(self.second(event.position().x()))
            self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Show no time."""
        self._point(None)
        super().leaveEvent(event)

    def _point(self, x: float | None) -> None:
        self._mouse_x = x
        self.update()

    # --- the picture ----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw words above, the bar below."""
        theme = self.theme
        y = self.height() - 12
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(colour(theme.edge), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(_RADIUS, y), QPointF(self.width() - _RADIUS, y))
            if not self._of_s:
                return
            at = self.x_of(self._at_s)
            painter.setPen(QPen(colour(theme.ecg), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(_RADIUS, y), QPointF(at, y))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(theme.text))
            painter.drawEllipse(QPointF(at, y), _RADIUS, _RADIUS)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if self._asked_s is not None:
                painter.setPen(QPen(colour(theme.simulation), 2))
                painter.drawEllipse(QPointF(self.x_of(self._asked_s), y), _RADIUS - 1, _RADIUS - 1)
            self._draw_words(painter, y)

    def _draw_words(self, painter: QPainter, y: int) -> None:
        place = QRect(0, 0, self.width(), y - _RADIUS - 1)
        painter.setFont(font(13, bold=True))
        if self._mouse_x is not None:
            x = self.x_of(self.second(self._mouse_x))
            painter.setPen(QPen(colour(self.theme.calipers), 2))
            painter.drawLine(QPointF(x, y - _RADIUS), QPointF(x, y + _RADIUS))
            words = QRectF(min(max(x - px(40), 0), self.width() - px(80)), 0, px(80), place.height())
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, clock(self.second(self._mouse_x)))
        elif self.text:
            painter.setPen(colour(self.theme.simulation))
            short = painter.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, short)
