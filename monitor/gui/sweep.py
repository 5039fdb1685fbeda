"""The sweep: a fixed trace with an erase bar, the forecast ahead of the cursor.

A plain widget with a cached pixmap instead of a pyqtgraph plot: a plot curve is drawn whole whenever one sample is
added, while here each frame draws the few new samples into the cache, erases as many columns ahead of the cursor, and
repaints those columns of the window only. The forecast changes with every frame and is painted over the cache. The
whole cache is drawn anew when something already on it has changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from pyqtgraph.functions import arrayToQPath
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.frame import Fan, Trace, View
from monitor.gui.mark_rows import HEIGHT, MarkRows
from monitor.gui.theme import Theme, colour, font
from monitor.ring import FloatArray
from monitor.ruler import Lane, Ruler
from stream.messages import FS

GUTTER = 60
"""Pixels left of the trace, for lead name and scale; the residual strip keeps the same."""

_LARGE_S, _LARGE_MV = 0.2, 0.5
_SMALL_S, _SMALL_MV = 0.04, 0.1
_PAD = 8.0
_PIECE = 24
_CAP = 3
_PAUSED_OPACITY = 0.75
"""Of a trace that was stopped on purpose, to be looked at."""


@dataclass(frozen=True)
class _Layout:
    """From sample and mV to pixels, for one size of the widget."""

    width: float
    height: float
    span: int
    ranges: tuple[tuple[float, float], ...]
    origin: int
    head: int
    """Pixels above the first lane."""

    @property
    def per_sample(self) -> float:
        return (self.width - GUTTER) / self.span

    def x(self, index: float, page: int) -> float:
        return GUTTER + (index - self.origin - page * self.span) * self.per_sample

    def page(self, index: int) -> int:
        return (index - self.origin) // self.span

    def lane(self, lead: int) -> tuple[float, float]:
        """Return top and bottom of a lead's lane."""
        height = (self.height - self.head) / len(self.ranges)
        return self.head + lead * height + _PAD, self.head + (lead + 1) * height - _PAD

    def y(self, lead: int, mv: FloatArray) -> FloatArray:
        top, bottom = self.lane(lead)
        low, high = self.ranges[lead]
        return bottom - (mv - np.float32(low)) * np.float32((bottom - top) / (high - low))

    def px_per_mv(self, lead: int) -> float:
        top, bottom = self.lane(lead)
        return (bottom - top) / (self.ranges[lead][1] - self.ranges[lead][0])


class Grid(IntEnum):
    """The lines of ECG paper: none, those 5 mm apart at 25 mm/s and 10 mm/mV, or those 1 mm apart too."""

    OFF = 0
    LARGE = 1
    FINE = 2


class SweepView(QWidget):
    """Draws `Trace` after `Trace`.

    Attributes
    ----------
    full_redraws : int
        How often the whole cache was drawn; each other frame drew its new columns only.
    grid : Grid
    px_per_mm : float
        What Qt says of the screen; people may know better.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.full_redraws = 0
        self.grid = Grid.LARGE
        self.px_per_mm = self.physicalDpiX() / 25.4
        self._trace: Trace | None = None
        self._stale = self._paused = False
        self._message = ""
        self._cache = QPixmap()
        self._drawn: tuple[object, ...] | None = None
        self._drawn_to = 0
        self._next_mark = 0
        self._fan_columns: list[tuple[int, int]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size that the window gives it by default."""
        return QSize(960, 440)

    # --- what to show -------------------------------------------------------------------------------------------

    def show_trace(self, trace: Trace | None, *, stale: bool, message: str, paused: bool = False) -> None:
        """Bring the sweep up to a trace.

        Parameters
        ----------
        trace : Trace or None
        stale : bool
            Dim everything: this is not now.
        message : str
            Written across the trace while stale.
        paused : bool
            Stale on purpose: people look at it, so it dims less, and the message stands above it.
        """
        if (stale, paused) != (self._stale, self._paused) or (stale and message != self._message) or trace is None:
            self.update()
        self._stale, self._paused, self._message, self._trace = stale, paused, message, trace
        if trace is None:
            self._drawn = None
            return
        key = (
            trace.session,
            trace.revision,
            trace.leads,
            trace.ranges,
            trace.span,
            trace.origin,
            trace.annotated,
            self.grid,
            self.size(),
            self.devicePixelRatio(),
        )
        room = trace.span - trace.gap
        if key != self._drawn or not 0 <= trace.cursor - self._drawn_to < room:
            self._draw_all(trace)
            self._drawn = key
            self.update()
        elif trace.cursor > self._drawn_to:
            self._draw_new(trace)
        else:
            self._update_fan(trace)

    @property
    def _layout(self) -> _Layout:
        assert self._trace is not None
        trace = self._trace
        return _Layout(self.width(), self.height(), trace.span, trace.ranges, trace.origin, self._head)

    @property
    def _head(self) -> int:
        return HEIGHT if self._trace is not None and self._trace.annotated else 0

    def ruler(self) -> Ruler | None:
        """Return the scale of what is shown; None while nothing is."""
        trace = self._trace
        if trace is None:
            return None
        layout = self._layout
        lanes = tuple(Lane(name, *layout.lane(i), *trace.ranges[i]) for i, name in enumerate(trace.leads))
        start = trace.origin + layout.page(trace.cursor - 1) * trace.span
        seam = trace.cursor if trace.gap else None
        return Ruler(GUTTER, self.width(), start, layout.per_sample, lanes, seam, trace.span)

    # --- the cache ----------------------------------------------------------------------------------------------

    def _draw_all(self, trace: Trace) -> None:
        ratio = self.devicePixelRatio()
        if self._cache.size() != self.size() * ratio:
            self._cache = QPixmap(self.size() * ratio)
            self._cache.setDevicePixelRatio(ratio)
        self._cache.fill(colour(self.theme.ground))
        with QPainter(self._cache) as painter:
            self._draw_scales(painter, trace)
            self._draw_grid(painter, GUTTER, self.width())
            self._draw_samples(painter, trace, trace.first)
            self._next_mark = 0
            self._draw_marks(painter, trace)
        self._drawn_to = trace.cursor
        self.full_redraws += 1

    def _draw_new(self, trace: Trace) -> None:
        layout = self._layout
        with QPainter(self._cache) as painter:
            for begin, right in self._columns(layout, self._drawn_to + trace.gap, trace.cursor + trace.gap):
                # After all was drawn anew, the round end of the old trace reaches a little into the gap.
                left = max(begin - _CAP, GUTTER)
                painter.fillRect(QRectF(left, 0, right - left, self.height()), colour(self.theme.ground))
                self._draw_grid(painter, left, right)
                self.update(QRect(left, 0, right - left, self.height()))
            self._draw_samples(painter, trace, self._drawn_to)
            self._draw_marks(painter, trace)
        for left, right in self._columns(layout, self._drawn_to - 2, trace.cursor + 2):
            self.update(QRect(left - 2, 0, right - left + 4, self.height()))
        self._drawn_to = trace.cursor
        self._update_fan(trace)

    def _columns(self, layout: _Layout, first: int, stop: int) -> list[tuple[int, int]]:
        """Return the whole pixel columns of a stretch of samples, one pair for each page that it touches."""
        found = []
        for page in range(layout.page(first), layout.page(stop - 1) + 1):
            left = max(round(layout.x(first, page)), GUTTER)
            right = min(round(layout.x(stop, page)), self.width())
            if left < right:
                found.append((left, right))
        return found

    def _draw_scales(self, painter: QPainter, trace: Trace) -> None:
        layout = self._layout
        for lead, name in enumerate(trace.leads):
            top, bottom = layout.lane(lead)
            painter.setPen(colour(self.theme.ecg))
            painter.setFont(font(17, bold=True))
            painter.drawText(QRectF(0, top + 6, GUTTER - 4, 22), Qt.AlignmentFlag.AlignCenter, name)
            height = layout.px_per_mv(lead)
            middle = (top + bottom) / 2
            # The calibration box of paper ECGs: 1 mV high.
            painter.setPen(QPen(colour(self.theme.faint), 1.5))
            # In a low lane it gives way to the name above it.
            foot = min(max(middle + height / 2, top + 28 + height), bottom - 4)
            head = foot - height
            corners = [(12, foot), (20, foot), (20, head), (36, head), (36, foot), (44, foot)]
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in corners]))
            painter.setFont(font(10))
            painter.drawText(QRectF(0, foot + 3, GUTTER, 14), Qt.AlignmentFlag.AlignCenter, "1 mV")

        if trace.annotated:
            MarkRows(self.theme).draw_names(painter, GUTTER)

    def _draw_marks(self, painter: QPainter, trace: Trace) -> None:
        """Draw the marks that have come since, in their order, once the cursor has passed their last letter.

        What is drawn ahead of the cursor would be erased again.
        """
        if not trace.marks:
            return
        layout, rows = self._layout, MarkRows(self.theme)
        painter.setClipRect(QRectF(GUTTER, 0, self.width() - GUTTER, HEIGHT))
        skip = max(self._next_mark - trace.marks[0].number, 0)
        for mark in trace.marks[skip:]:
            page = layout.page(mark.index)
            place = rows.rect(mark, layout.x(mark.index, page))
            if trace.gap and place.right() + 1 > layout.x(trace.cursor, page):
                break
            self._next_mark = mark.number + 1
            if place.left() >= layout.x(trace.cursor - trace.span + trace.gap, page):
                rows.draw(painter, mark, place)
                self.update(place)
        painter.setClipping(False)

    def _draw_grid(self, painter: QPainter, left: float, right: float) -> None:
        layout = self._layout
        if self.grid is Grid.FINE:
            self._draw_lines(painter, left, right, _SMALL_S, _SMALL_MV, self.theme.grid_fine)
        if self.grid is not Grid.OFF:
            self._draw_lines(painter, left, right, _LARGE_S, _LARGE_MV, self.theme.grid)
        for lead in range(1, len(layout.ranges)):
            y = round(layout.lane(lead)[0] - _PAD)
            painter.fillRect(QRectF(left, y, right - left, self.theme.thin_px), colour(self.theme.edge))

    def _draw_lines(
        self, painter: QPainter, left: float, right: float, step_s: float, step_mv: float, ink: str
    ) -> None:
        layout = self._layout
        painter.setPen(QPen(colour(ink), self.theme.thin_px))
        step = step_s * FS * layout.per_sample
        for number in range(int((left - GUTTER) / step), int((right - GUTTER) / step) + 1):
            x = round(GUTTER + number * step)
            if left <= x < right:
                painter.drawLine(x, 0, x, self.height())
        for lead, (low, high) in enumerate(layout.ranges):
            first = math.ceil(low / step_mv - 1e-6) * step_mv
            levels = np.arange(first, high + 1e-6, step_mv, dtype=np.float32)
            for y in layout.y(lead, levels).tolist():
                # A line over a single column would have no length, and not be drawn.
                painter.fillRect(QRectF(left, round(y), right - left, self.theme.thin_px), colour(ink))

    def view(self, mm_per_s: float, mm_per_mv: float | None) -> View:
        """Return how much of a signal fits at a paper speed and an amplitude; None fits the amplitude to the signal."""
        span = max(round((self.width() - GUTTER) / self.px_per_mm / mm_per_s * FS), FS)
        if mm_per_mv is None:
            return View(span)
        height = self.height() - self._head
        one, two = (max(height / leads - 2 * _PAD, 1.0) / self.px_per_mm / mm_per_mv for leads in (1, 2))
        return View(span, (one, two))

    def _draw_samples(self, painter: QPainter, trace: Trace, first: int) -> None:
        """Draw the samples from ``first`` to the cursor, tied to the one before."""
        layout = self._layout
        painter.setClipRect(QRectF(GUTTER, 0, self.width() - GUTTER, self.height()))
        self._draw_tints(painter, trace, first)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        begin = max(first - 1, trace.first)
        index = np.arange(begin, trace.cursor)
        rows = slice(begin - trace.first, None)
        marked = _marked(trace, index)
        for page in range(layout.page(first), layout.page(max(trace.cursor - 1, first)) + 1):
            x = layout.x(0, page) + index * layout.per_sample
            for lead in range(len(trace.leads)):
                ghost, mv = layout.y(lead, trace.ghost[rows, lead]), layout.y(lead, trace.mv[rows, lead])
                self._draw_line(painter, x, ghost, self.theme.ghost, self.theme.ghost_px)
                self._draw_line(painter, x, mv, self.theme.ecg, self.theme.trace_px)
                for priority in sorted(set(marked.tolist()) - {""}):
                    here = marked == priority
                    here[1:] |= here[:-1]  # the line into the next sample belongs to the stretch too
                    self._draw_line(
                        painter, x, np.where(here, mv, np.nan), self.theme.priority[priority], self.theme.trace_px + 0.5
                    )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setClipping(False)

    def _draw_tints(self, painter: QPainter, trace: Trace, first: int) -> None:
        for stretch in trace.stretches:
            stop = trace.cursor if stretch.stop is None else min(stretch.stop, trace.cursor)
            begin = max(stretch.first, first)
            if begin < stop:
                for left, right in self._columns(self._layout, begin, stop):
                    tint = colour(self.theme.priority_tint[stretch.priority])
                    painter.fillRect(QRect(left, 0, right - left, self.height()), tint)
                    self._draw_edge(painter, stretch.priority, left, right)

    def _draw_edge(self, painter: QPainter, priority: str, left: int, right: int) -> None:
        painter.fillRect(QRect(left, 0, right - left, 4), colour(self.theme.priority[priority]))

    def _draw_line(self, painter: QPainter, x: np.ndarray, y: np.ndarray, ink: str, px: float) -> None:
        painter.setPen(QPen(colour(ink), px, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        y = y.astype(np.float64)
        # Stroking a wide smooth line costs more than in proportion to its length.
        for piece in (slice(at, at + _PIECE + 1) for at in range(0, len(x), _PIECE)):
            if np.isfinite(y[piece]).any():
                painter.drawPath(arrayToQPath(x[piece], y[piece], connect="finite"))

    # --- over the cache -----------------------------------------------------------------------------------------

    def _update_fan(self, trace: Trace) -> None:
        """Repaint the columns where the forecast and the cursor were, and where they are."""
        layout = self._layout
        first = trace.cursor - 3 if trace.fan is None else min(trace.fan.first, trace.cursor) - 3
        stop = trace.cursor + 3 if trace.fan is None else trace.fan.first + len(trace.fan.mean) + 3
        columns = self._columns(layout, first, max(stop, first + 1))
        for left, right in {*columns, *self._fan_columns}:
            self.update(QRect(left - 2, 0, right - left + 4, self.height()))
        self._fan_columns = columns

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Copy the exposed columns from the cache, and draw the forecast over them."""
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), colour(self.theme.ground))
            if self._trace is not None and self._drawn is not None:
                if self._stale:
                    painter.setOpacity(_PAUSED_OPACITY if self._paused else self.theme.stale_opacity)
                painter.drawPixmap(0, 0, self._cache)  # Qt clips it to the exposed columns
                if not self._stale:
                    self._draw_ahead(painter, self._trace)
                painter.setOpacity(1.0)
            if self._stale:
                self._draw_message(painter)

    def _draw_message(self, painter: QPainter) -> None:
        painter.setPen(colour(self.theme.priority["technical"]))
        if not self._paused:
            painter.setFont(font(44, bold=True))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._message)
            return
        painter.setFont(font(30, bold=True))
        box = painter.fontMetrics().boundingRect(self._message).adjusted(-16, -2, 16, 2)
        box.moveCenter(QPoint((GUTTER + self.width()) // 2, 0))
        box.moveTop(0)
        painter.fillRect(box, colour(self.theme.priority_tint["technical"]))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._message)

    def _draw_ahead(self, painter: QPainter, trace: Trace) -> None:
        layout = self._layout
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(QRectF(GUTTER, 0, self.width() - GUTTER, self.height()))
        page = layout.page(trace.cursor)
        for at in (page, page + 1):
            if trace.fan is not None:
                self._draw_fan(painter, layout, trace.fan, at, trace.cursor)
        x = layout.x(trace.cursor, page)
        if trace.gap:
            painter.fillRect(QRectF(x, 0, 2, self.height()), colour(self.theme.edge))

    def _draw_fan(self, painter: QPainter, layout: _Layout, fan: Fan, page: int, cursor: int) -> None:
        skip = max(cursor - 1 - fan.first, 0)
        x = layout.x(0, page) + np.arange(fan.first + skip, fan.first + len(fan.mean)) * layout.per_sample
        if not len(x) or x[-1] < GUTTER or x[0] > self.width():
            return
        for lead in range(fan.mean.shape[1]):
            low, high = layout.y(lead, fan.low[skip:, lead]), layout.y(lead, fan.high[skip:, lead])
            outline = [QPointF(a, b) for a, b in zip(x, high, strict=True)]
            outline += [QPointF(a, b) for a, b in zip(x[::-1], low[::-1], strict=True)]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(self.theme.band))
            painter.drawPolygon(QPolygonF(outline))
            self._draw_line(painter, x, layout.y(lead, fan.mean[skip:, lead]), self.theme.forecast, self.theme.trace_px)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Draw all anew for the new size."""
        super().resizeEvent(event)
        self.show_trace(self._trace, stale=self._stale, message=self._message, paused=self._paused)


def _marked(trace: Trace, index: np.ndarray) -> np.ndarray:
    """Return for each sample the most urgent priority of the stretches that hold it, or an empty text."""
    marked = np.full(len(index), "", dtype="<U9")
    for stretch in trace.stretches:  # the least urgent first
        inside = index >= stretch.first
        if stretch.stop is not None:
            inside &= index < stretch.stop
        marked[inside] = stretch.priority
    return marked
