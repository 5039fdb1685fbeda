"""Calipers on a trace: dragging draws two vertical and two horizontal lines, which can then be moved singly."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from monitor.gui.style.theme import Theme, colour, font
from monitor.view.trace_scale import CaliperLines, Ruler, lines_between

GRAB_DISTANCE = 6.0
"""Distance from which a line can be dragged, px."""

_DRAG_THRESHOLD = 4.0
_CURSORS = (Qt.CursorShape.SizeHorCursor, Qt.CursorShape.SizeVerCursor)


class Calipers(QWidget):
    """Overlay on the widget of a trace that draws the lines and the measurement.

    Parameters
    ----------
    theme : Theme
    host : QWidget
        The widget that draws the trace.
    ruler : callable
        Returns the current scale of the trace, or None.

    Attributes
    ----------
    lines : CaliperLines or None
        Positions in samples and mV: the lines move with the trace.
    """

    def __init__(self, theme: Theme, host: QWidget, ruler: Callable[[], Ruler | None]) -> None:
        super().__init__(host)
        self.theme = theme
        self.lines: CaliperLines | None = None
        self._ruler = ruler
        self._pressed: QPointF | None = None
        self._held: int | None = None
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.resize(host.size())
        host.installEventFilter(self)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.update()

    @property
    def text(self) -> str:
        """The measurement as text; empty without lines."""
        ruler = self._ruler()
        return self.lines.text(ruler) if self.lines is not None and ruler is not None else ""

    def remove(self) -> bool:
        """Remove the lines; False if there were none."""
        existed = self.lines is not None
        self.lines = self._pressed = self._held = None
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.update()
        return existed

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Follow the size of the host widget."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.resize(watched.size())
        return False

    # --- mouse --------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Grab the line under the mouse, or start new lines."""
        ruler, at = self._ruler(), event.position()
        if ruler is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self._held = self.lines.nearest(ruler, at.x(), at.y(), GRAB_DISTANCE) if self.lines is not None else None
        self._pressed = at if self._held is None and at.x() >= ruler.left else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Move the grabbed line or the second corner of new lines; without a button, show which line can be grabbed."""
        ruler, at = self._ruler(), event.position()
        if ruler is None:
            return
        if self._held is not None and self.lines is not None:
            self.lines = self.lines.moved(self._held, ruler, at.x(), at.y())
        elif self._pressed is not None:
            if (at - self._pressed).manhattanLength() >= _DRAG_THRESHOLD:
                start = self._pressed
                self.lines = lines_between(ruler, (start.x(), start.y()), (at.x(), at.y()))
        else:
            near = self.lines.nearest(ruler, at.x(), at.y(), GRAB_DISTANCE) if self.lines is not None else None
            self.setCursor(Qt.CursorShape.CrossCursor if near is None else _CURSORS[near // 2])
            return
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802, ARG002
        """Release the lines."""
        self._held = self._pressed = None

    # --- drawing ------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the lines and the measurement."""
        ruler = self._ruler()
        if self.lines is None or ruler is None:
            return
        with QPainter(self) as painter:
            visible = self.visibleRegion().boundingRect()
            _draw(painter, self.lines, ruler, self.theme, QRectF(visible))


def _draw(painter: QPainter, lines: CaliperLines, ruler: Ruler, theme: Theme, visible: QRectF) -> None:
    """Draw the lines, and the measurement within the visible part."""
    lane = ruler.lanes[lines.lane]
    xs, ys = [ruler.x(sample) for sample in lines.samples], [lane.y(mv) for mv in lines.mv]
    left, right = max(ruler.left, visible.left()), min(ruler.right, visible.right())
    if not any(left <= x <= right for x in xs):
        return  # the lines are on a part of the trace that is not shown
    painter.setClipRect(QRectF(left, visible.top(), right - left, visible.height()))
    painter.setPen(QPen(colour(theme.calipers), 1.0))
    for x in xs:
        painter.drawLine(QPointF(x, visible.top()), QPointF(x, visible.bottom()))
    painter.setPen(QPen(colour(theme.calipers), 1.0, Qt.PenStyle.DashLine))
    for y in ys:
        painter.drawLine(QPointF(left, y), QPointF(right, y))
    text = lines.text(ruler)
    painter.setFont(font(15, bold=True))
    box = QFontMetrics(painter.font()).boundingRect(text).adjusted(-8, -4, 8, 4)
    beside = min(max(max(xs) + 8, left + 4), right - box.width() - 4)
    above = min(ys) - box.height() - 4
    place = QRectF(beside, above if above > lane.top else max(ys) + 4, box.width(), box.height())
    painter.fillRect(place, colour(theme.panel))
    painter.setPen(colour(theme.calipers))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
