"""The sweep: a fixed trace with an erase bar, the forecast ahead of the cursor.

A plain widget with a cached pixmap instead of a pyqtgraph plot: a plot curve is drawn whole whenever one sample is
added, while here each frame draws the few new samples into the cache, erases as many columns ahead of the cursor, and
repaints those columns of the window only. The forecast changes with every frame and is painted over the cache. The
whole cache is drawn anew when something already on it has changed.
"""

from __future__ import annotations

import functools
import math

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPixmap, QRegion, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.language import current
from monitor.gui.style.theme import Theme, colour, font, letter_scale, px
from monitor.gui.trace.annotation_rows import AnnotationRows, rows_height
from monitor.gui.trace.sweep_background import Grid, draw_grid, draw_scales
from monitor.gui.trace.sweep_layout import PAD, Layout
from monitor.gui.trace.sweep_painter import draw_forecast, draw_samples
from monitor.view.alarm_spans import first_changed
from monitor.view.trace import AlarmSpan, Drawn, Trace, View
from monitor.view.trace_scale import Lane, Ruler
from stream.timebase import FS

GUTTER = 60
"""Pixels left of the trace, for lead name and scale, at the normal size of letters; all strips keep the same."""

TWO_LEADS_PX = 130
LEAST_MV = 2.5
"""A small sweep that is lower, or whose lanes would hold less, shows one lead."""

_CAP = 3
_PAUSED_OPACITY = 0.75
"""Of a trace that was stopped on purpose, to be looked at."""

_SMALL_GUTTER = 38


def gutter() -> int:
    """Return the pixels left of the trace at the size of letters of this moment."""
    return px(GUTTER)


class SweepView(QWidget):
    """Draws `Trace` after `Trace`.

    Parameters
    ----------
    theme : Theme
    small : bool
        One of many: little letters, no forecast, and one lead where height is scarce.

    Attributes
    ----------
    full_redraws : int
        How often the whole cache was drawn; each other frame drew its new columns, and those of an alarm that changed.
    grid : Grid
    px_per_mm : float
        What Qt says of the screen; people may know better.
    """

    def __init__(self, theme: Theme, *, small: bool = False) -> None:
        super().__init__()
        self.theme = theme
        self.small = small
        self.full_redraws = 0
        self.grid = Grid.LARGE
        self.px_per_mm = self.physicalDpiX() / 25.4
        self._trace: Trace | None = None
        self._stale = self._paused = False
        self._message = ""
        self._cache, self._paper = QPixmap(), QPixmap()
        self._drawn: tuple[object, ...] | None = None
        self._paper_of: tuple[object, ...] | None = None
        self._drawn_to = 0
        self._next_label = 0
        self._revision = 0
        self._alarm_spans: tuple[AlarmSpan, ...] = ()
        self._fan_columns: list[tuple[int, int]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size that the window gives it by default."""
        return QSize(960, 440)

    @property
    def gutter(self) -> int:
        """Pixels left of the trace."""
        return px(_SMALL_GUTTER) if self.small else gutter()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme; the next trace is drawn in it, all of it."""
        self.theme = theme
        self.update()

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
        if trace is None or self.size().isEmpty():
            self._drawn = None
            return
        key = self._key(trace)
        advance = trace.cursor - self._drawn_to
        changed = trace.revision != self._revision
        if key != self._drawn or not 0 <= advance < trace.span - trace.gap or (changed and not trace.gap):
            if not trace.whole:
                self._drawn = None  # the next trace will be whole
                return
            self._draw_all(trace)
            self._drawn = key
            self.update()
        elif changed:
            self._draw_from(trace, min(first_changed(self._alarm_spans, trace), self._drawn_to))
        elif advance:
            self._draw_from(trace, self._drawn_to)
        else:
            self._update_fan(trace)
        if trace.whole:
            self._revision, self._alarm_spans = trace.revision, trace.alarm_spans
        elif not set(trace.alarm_spans) <= set(self._alarm_spans):
            self._alarm_spans += tuple(set(trace.alarm_spans) - set(self._alarm_spans))  # drawn with the new samples

    def _key(self, trace: Trace) -> tuple[object, ...]:
        """Return what must be as it was for a picture to be continued."""
        of_trace = (trace.session, trace.leads, trace.ranges, trace.span, trace.origin, trace.gap, trace.annotated)
        return (*of_trace, *self._look(), self.devicePixelRatio())

    def _look(self) -> tuple[object, ...]:
        return self.grid, self.theme.name, letter_scale(), current(), self.size()

    @property
    def drawn(self) -> Drawn | None:
        """What need not be handed over again; None where all must be drawn anew."""
        trace = self._trace
        if trace is None or self._drawn is None or self._drawn != self._key(trace):
            return None
        return Drawn(trace.session, self._revision, trace.span, len(trace.leads), self._drawn_to)

    @property
    def _layout(self) -> Layout:
        assert self._trace is not None
        trace = self._trace
        return Layout(self.width(), self.height(), trace.span, trace.ranges, trace.origin, self.gutter, self._head)

    @property
    def _head(self) -> int:
        return rows_height() if self._trace is not None and self._trace.annotated and not self.small else 0

    def ruler(self) -> Ruler | None:
        """Return the scale of what is shown; None while nothing is."""
        trace = self._trace
        if trace is None:
            return None
        layout = self._layout
        lanes = tuple(Lane(name, *layout.lane(i), *trace.ranges[i]) for i, name in enumerate(trace.leads))
        start = trace.origin + layout.page(trace.cursor - 1) * trace.span
        seam = trace.cursor if trace.gap else None
        return Ruler(self.gutter, self.width(), start, layout.per_sample, lanes, seam, trace.span)

    def view(self, mm_per_s: float, mm_per_mv: float | None) -> View:
        """Return how much of a signal fits at a paper speed and an amplitude; None fits the amplitude to the signal."""
        span = max(round((self.width() - self.gutter) / self.px_per_mm / mm_per_s * FS), FS)
        roomy = not self.small or self.height() >= TWO_LEADS_PX
        if mm_per_mv is None:
            return View(span, None, 2 if roomy else 1)
        height = self.height() - self._head
        one, two = (max(height / leads - 2 * PAD, 1.0) / self.px_per_mm / mm_per_mv for leads in (1, 2))
        if self.small and not (roomy and two >= LEAST_MV):
            return View(span, (one, one), 1)
        return View(span, (one, two))

    # --- the cache ----------------------------------------------------------------------------------------------

    def _draw_all(self, trace: Trace) -> None:
        ratio = self.devicePixelRatio()
        if self._cache.size() != self.size() * ratio:
            self._cache = QPixmap(self.size() * ratio)
            self._cache.setDevicePixelRatio(ratio)
        self._draw_paper(trace)
        with QPainter(self._cache) as painter:
            painter.drawPixmap(0, 0, self._paper)
            draw_samples(painter, self._layout, trace, trace.first, self.theme, small=self.small)
            self._next_label = 0
            self._draw_annotations(painter, trace)
        self._drawn_to = trace.cursor
        self.full_redraws += 1

    def _draw_paper(self, trace: Trace) -> None:
        """Draw what lies beneath the samples, from which they are erased; an alarm does not change it."""
        ratio = self.devicePixelRatio()
        key = (trace.leads, trace.ranges, trace.span, trace.origin, trace.annotated, *self._look(), ratio)
        if key == self._paper_of:
            return
        self._paper_of = key
        self._paper = QPixmap(self.size() * ratio)
        self._paper.setDevicePixelRatio(ratio)
        self._paper.fill(colour(self.theme.ground))
        with QPainter(self._paper) as painter:
            draw_scales(painter, self._layout, trace.leads, self.theme, small=self.small)
            if self._head:
                AnnotationRows(self.theme).draw_names(painter, self.gutter)
            draw_grid(painter, self._layout, self.grid, self.theme)

    def _draw_from(self, trace: Trace, first: int) -> None:
        """Draw the samples from ``first`` to the cursor: those that are new, and those that look different now."""
        layout = self._layout
        with QPainter(self._cache) as painter:
            for start, right in layout.columns(self._drawn_to + trace.gap, trace.cursor + trace.gap):
                # After all was drawn anew, the round end of the old trace reaches a little into the gap.
                left = max(start - _CAP, self.gutter)
                self._copy(painter, self._paper, QRect(left, 0, right - left, self.height()))
            if first < self._drawn_to:
                # What was drawn there goes, and a little before it: joints and ends of the line are round.
                first = max(first - math.ceil(2 * _CAP / layout.per_sample), trace.first)
                gone = [
                    QRect(left, 0, right - left, self.height())
                    for left, right in layout.columns(first, trace.cursor + trace.gap)
                ]
                for place in gone:
                    self._copy(painter, self._paper, place)
                places = functools.reduce(QRegion.united, gone, QRegion())
                painter.setClipRegion(places)
                again = max(first - math.ceil(2 * _CAP / layout.per_sample), trace.first)
                draw_samples(painter, layout, trace, again, self.theme, small=self.small)
                painter.setClipRegion(places)
                self._next_label = 0
            else:
                draw_samples(painter, layout, trace, first, self.theme, small=self.small)
            self._draw_annotations(painter, trace)
        # One rectangle: Qt paints a region of several at many times the cost.
        for left, right in layout.columns(first - 2, trace.cursor + trace.gap + 1):
            self.update(QRect(left - _CAP, 0, right - left + 2 * _CAP, self.height()))
        self._drawn_to = trace.cursor
        self._update_fan(trace)

    def _copy(self, painter: QPainter, source: QPixmap, place: QRect) -> None:
        ratio = self.devicePixelRatio()
        of = QRectF(place.x() * ratio, place.y() * ratio, place.width() * ratio, place.height() * ratio)
        painter.drawPixmap(QRectF(place), source, of)

    def _draw_annotations(self, painter: QPainter, trace: Trace) -> None:
        """Draw the annotations that have come since, in their order, once the cursor has passed their last letter.

        What is drawn ahead of the cursor would be erased again.
        """
        if not trace.annotations or self.small:
            return
        layout, rows = self._layout, AnnotationRows(self.theme)
        rim = QRectF(self.gutter, 0, self.width() - self.gutter, self._head)
        painter.setClipRect(rim, Qt.ClipOperation.IntersectClip)
        skip = max(self._next_label - trace.annotations[0].number, 0)
        for label in trace.annotations[skip:]:
            page = layout.page(label.index)
            place = rows.rect(label, layout.x(label.index, page))
            if trace.gap and place.right() + 1 > layout.x(trace.cursor, page):
                break
            self._next_label = label.number + 1
            if place.left() >= layout.x(trace.cursor - trace.span + trace.gap, page):
                rows.draw(painter, label, place)
                self.update(place)
        painter.setClipping(False)

    # --- over the cache -----------------------------------------------------------------------------------------

    def _update_fan(self, trace: Trace) -> None:
        """Repaint the columns where the forecast and the cursor were, and where they are."""
        if self.small:
            return
        layout = self._layout
        first = trace.cursor - 3 if trace.fan is None else min(trace.fan.first, trace.cursor) - 3
        stop = trace.cursor + 3 if trace.fan is None else trace.fan.first + len(trace.fan.mean) + 3
        columns = layout.columns(first, max(stop, first + 1))
        for left, right in {*columns, *self._fan_columns}:
            self.update(QRect(left - 2, 0, right - left + 4, self.height()))
        self._fan_columns = columns

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Copy the exposed columns from the cache, and draw the forecast over them."""
        with QPainter(self) as painter:
            if self._trace is None or self._drawn is None:
                painter.fillRect(event.rect(), colour(self.theme.ground))
            elif self._stale:
                painter.fillRect(event.rect(), colour(self.theme.ground))
                painter.setOpacity(_PAUSED_OPACITY if self._paused else self.theme.stale_opacity)
                self._copy(painter, self._cache, self.rect())
                painter.setOpacity(1.0)
            else:
                self._copy(painter, self._cache, event.rect())
                self._draw_ahead(painter, self._trace)
            if self._stale:
                self._draw_message(painter)

    def _draw_message(self, painter: QPainter) -> None:
        painter.setPen(colour(self.theme.priority["technical"]))
        if not self._paused:
            pixels, room = 30 if self.small else 44, self.width() - 16
            while pixels > 12 and QFontMetrics(font(pixels, bold=True)).horizontalAdvance(self._message) > room:
                pixels -= 2
            painter.setFont(font(pixels, bold=True))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._message)
            return
        painter.setFont(font(18 if self.small else 30, bold=True))
        box = painter.fontMetrics().boundingRect(self._message).adjusted(-16, -2, 16, 2)
        box.moveCenter(QPoint((self.gutter + self.width()) // 2, 0))
        box.moveTop(0)
        painter.fillRect(box, colour(self.theme.priority_tint["technical"]))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._message)

    def _draw_ahead(self, painter: QPainter, trace: Trace) -> None:
        layout = self._layout
        page = layout.page(trace.cursor)
        if trace.fan is not None and not self.small:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipRect(QRectF(self.gutter, 0, self.width() - self.gutter, self.height()))
            for at in (page, page + 1):
                draw_forecast(painter, layout, trace.fan, at, trace.cursor, self.theme)
        x = layout.x(trace.cursor, page)
        if trace.gap:
            painter.fillRect(QRectF(x, 0, 2, self.height()), colour(self.theme.edge))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Draw all anew for the new size; what is not here comes with the next trace."""
        super().resizeEvent(event)
        self.show_trace(self._trace, stale=self._stale, message=self._message, paused=self._paused)
