"""Seek bar: position in the record, requested position, and time under the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.replay_status import clock

_HEIGHT = 40
_RADIUS = 7


class SeekBar(QWidget):
    """Slider that shows the position of the replay and emits requested positions.

    Attributes
    ----------
    chosen : Signal(int)
        Requested position in seconds, when the mouse is released.
    text : str
        Text above the bar: pending requests.
    """

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.text = ""
        self._position_s = self._duration_s = 0
        self._requested_s: int | None = None
        self._mouse_x: float | None = None
        self._dragging = False
        self.setMouseTracking(True)
        self.apply_theme(theme)
        self.setMinimumWidth(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the default size."""
        return QSize(400, px(_HEIGHT))

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setFixedHeight(px(_HEIGHT))
        self.update()

    def show_position(self, position_s: int, duration_s: int, requested_s: int | None, text: str) -> None:
        """Show position, length of the record and requested position, in seconds, and a text above the bar."""
        shown = (position_s, duration_s, requested_s, text)
        if shown != (self._position_s, self._duration_s, self._requested_s, self.text):
            self._position_s, self._duration_s, self._requested_s, self.text = shown
            self.update()

    def x_of(self, second: float) -> float:
        """Return the pixel of a second of the record."""
        return _RADIUS + min(max(second / max(self._duration_s, 1), 0.0), 1.0) * (self.width() - 2 * _RADIUS)

    def second(self, x: float) -> int:
        """Return the second of the record at a pixel; at most one second before the end."""
        fraction = (x - _RADIUS) / max(self.width() - 2 * _RADIUS, 1)
        return min(max(round(fraction * self._duration_s), 0), max(self._duration_s - 1, 0))

    # --- mouse ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Start dragging."""
        if event.button() is Qt.MouseButton.LeftButton and self._duration_s:
            self._dragging = True
            self._set_mouse_x(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Show the time under the mouse."""
        self._set_mouse_x(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Emit the position at the mouse."""
        if event.button() is Qt.MouseButton.LeftButton and self._dragging:
            self._dragging = False
            self.chosen.emit(self.second(event.position().x()))
            self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Hide the time."""
        self._set_mouse_x(None)
        super().leaveEvent(event)

    def _set_mouse_x(self, x: float | None) -> None:
        self._mouse_x = x
        self.update()

    # --- drawing --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the bar and the text above it."""
        theme = self.theme
        y = self.height() - 12
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(colour(theme.edge), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(_RADIUS, y), QPointF(self.width() - _RADIUS, y))
            if not self._duration_s:
                return
            position_x = self.x_of(self._position_s)
            painter.setPen(QPen(colour(theme.ecg), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(_RADIUS, y), QPointF(position_x, y))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(theme.text))
            painter.drawEllipse(QPointF(position_x, y), _RADIUS, _RADIUS)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if self._requested_s is not None:
                painter.setPen(QPen(colour(theme.simulation), 2))
                painter.drawEllipse(QPointF(self.x_of(self._requested_s), y), _RADIUS - 1, _RADIUS - 1)
            self._draw_text(painter, y)

    def _draw_text(self, painter: QPainter, y: int) -> None:
        place = QRect(0, 0, self.width(), y - _RADIUS - 1)
        painter.setFont(font(13, bold=True))
        if self._mouse_x is not None:
            x = self.x_of(self.second(self._mouse_x))
            painter.setPen(QPen(colour(self.theme.calipers), 2))
            painter.drawLine(QPointF(x, y - _RADIUS), QPointF(x, y + _RADIUS))
            time_rect = QRectF(min(max(x - px(40), 0), self.width() - px(80)), 0, px(80), place.height())
            painter.drawText(time_rect, Qt.AlignmentFlag.AlignCenter, clock(self.second(self._mouse_x)))
        elif self.text:
            painter.setPen(colour(self.theme.simulation))
            short = painter.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, short)
