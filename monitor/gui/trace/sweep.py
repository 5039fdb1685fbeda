"""Sweep: a fixed trace with an erase bar, and the forecast ahead of the cursor.

It is a plain widget with a cached pixmap instead of a pyqtgraph plot: pyqtgraph draws a whole curve for each added
sample. Here each frame draws only the new samples into the cache, erases as many columns ahead of the cursor, and
repaints only these columns. The forecast ahead of the cursor is painted over the cache. The whole cache is redrawn when
something already drawn has changed.
"""

from __future__ import annotations

import functools
import math
from dataclasses import replace

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPixmap, QRegion, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.language import current_language
from monitor.gui.style.pixmap_copy import copy_part
from monitor.gui.style.theme import Theme, colour, font, font_scale, px
from monitor.gui.trace.annotation_rows import AnnotationRows, rows_height
from monitor.gui.trace.forecast_layer import ForecastLayer
from monitor.gui.trace.sweep_background import Grid, draw_grid, draw_scales
from monitor.gui.trace.sweep_layout import LANE_PADDING, Layout
from monitor.gui.trace.sweep_painter import draw_samples
from monitor.view.alarm_spans import first_changed
from monitor.view.trace import FORECAST_GAP, GAP, AlarmSpan, Drawn, Fan, Trace, View
from monitor.view.trace_scale import Lane, Ruler
from stream.timebase import FS

GUTTER = 60
"""Space left of the trace for lead name and scale, px at normal font size; the strips below use the same."""

TWO_LEADS_MIN_PX = 130
MIN_LANE_MV = 2.5
"""Height in px and of a lane in mV below which a small sweep shows only one lead."""

_CAP_PX = 3
_CURSOR = 3
"""Samples after the cursor that it covers."""

_GAP_INTERVAL = 18
"""Samples after which the gap is painted again, 50 ms: it is many times as wide as what a frame adds to the trace."""

PAUSED_OPACITY = 0.75
"""Opacity of the trace while the replay is paused; it stays readable."""

_SMALL_GUTTER = 38


def gutter() -> int:
    """Return the space left of the trace at the current font size, px."""
    return px(GUTTER)


@functools.lru_cache(maxsize=64)
def _view(
    width_px: int,
    height_px: int,
    px_per_mm: float,
    mm_per_s: float,
    mm_per_mv: float | None,
    leads: int,
    *,
    forecast: bool,
) -> View:
    """Return the amount of signal that fits on a plot: see `SweepView.view`; it is asked for in each frame."""
    span = max(round(width_px / px_per_mm / mm_per_s * FS), FS)
    # At a high speed in a narrow window, two thirds remain for the trace, and the end of the forecast is cut.
    gap = min(FORECAST_GAP, span // 3) if forecast else GAP
    leads = max(min(leads, height_px // (TWO_LEADS_MIN_PX // 2)), 1)
    height_mm, padding_mm = height_px / px_per_mm, 2 * LANE_PADDING / px_per_mm
    return View(span, height_mm, padding_mm, mm_per_mv, leads, gap, forecast=forecast)


class SweepView(QWidget):
    """Draws a sequence of `Trace`: the ECG.

    Parameters
    ----------
    theme : Theme
    small : bool
        For tiles: small fonts, no forecast, and one lead if the height is small.

    Attributes
    ----------
    full_redraws : int
        Number of redraws of the whole cache; all other frames draw only new columns and those of a changed alarm.
    grid : Grid
    forecast_shown, earlier_forecast_shown : bool
        Whether the forecast is drawn in the gap, and the earlier one under the trace.
    px_per_mm : float
        Resolution of the screen as reported by Qt; the user preferences may replace it.
    """

    def __init__(self, theme: Theme, *, small: bool = False) -> None:
        super().__init__()
        self.theme = theme
        self.small = small
        self.full_redraws = 0
        self.grid = Grid.LARGE
        self.forecast_shown = not small
        self.earlier_forecast_shown = False
        self.px_per_mm = self.physicalDpiX() / 25.4
        self._trace: Trace | None = None
        self._stale = self._paused = False
        self._message = ""
        self._cache, self._background = QPixmap(), QPixmap()
        self._forecast = ForecastLayer()
        self._drawn: tuple[object, ...] | None = None
        self._background_key: tuple[object, ...] | None = None
        self._drawn_to = 0
        self._next_label = 0
        self._revision = 0
        self._alarm_spans: tuple[AlarmSpan, ...] = ()
        self._fan: Fan | None = None
        self._gap_painted_at = 0
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the default size."""
        return QSize(960, 440)

    @property
    def gutter(self) -> int:
        """Pixels left of the trace."""
        return px(_SMALL_GUTTER) if self.small else gutter()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme; the next trace is drawn completely."""
        self.theme = theme
        self.update()

    # --- traces -------------------------------------------------------------------------------------------------

    def show_trace(self, trace: Trace | None, *, stale: bool, message: str, paused: bool = False) -> None:
        """Show a trace.

        Parameters
        ----------
        trace : Trace or None
        stale : bool
            Dim the trace because it shows no current samples.
        message : str
            Written across the trace while stale.
        paused : bool
            Stale because the replay is paused: the trace is dimmed less, and the message is above it.
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
            self._update_columns(trace, trace.cursor)
        if trace.whole:
            self._revision, self._alarm_spans = trace.revision, trace.alarm_spans
        elif not set(trace.alarm_spans) <= set(self._alarm_spans):
            self._alarm_spans += tuple(set(trace.alarm_spans) - set(self._alarm_spans))  # drawn with the new samples

    def _key(self, trace: Trace) -> tuple[object, ...]:
        """Return the values that must be unchanged for the cache to remain valid."""
        lanes = trace.leads, trace.rows, trace.ranges
        time = trace.session, trace.span, trace.origin, trace.gap, trace.annotated
        return (*lanes, *time, *self._appearance(), self.devicePixelRatio())

    def _appearance(self) -> tuple[object, ...]:
        shown = self.forecast_shown, self.earlier_forecast_shown
        return self.grid, self.theme.name, font_scale(), current_language(), self.size(), *shown, self.px_per_mm

    @property
    def drawn(self) -> Drawn | None:
        """What has been drawn and is still valid; None if everything must be redrawn."""
        trace = self._trace
        if trace is None or self._drawn is None or self._drawn != self._key(trace):
            return None
        return Drawn(trace.session, self._revision, trace.span, trace.rows, self._drawn_to)

    @property
    def _layout(self) -> Layout:
        assert self._trace is not None
        trace = self._trace
        return Layout(
            self.width(), self.height(), trace.span, trace.ranges, trace.origin, self.gutter, self._header_height
        )

    @property
    def _header_height(self) -> int:
        return rows_height() if self._trace is not None and self._trace.annotated and not self.small else 0

    def ruler(self) -> Ruler | None:
        """Return the scale of the trace shown; None without a trace."""
        trace = self._trace
        if trace is None:
            return None
        layout = self._layout
        lanes = tuple(Lane(name, *layout.lane(i), *trace.ranges[i]) for i, name in enumerate(trace.leads))
        start = trace.origin + layout.page(trace.cursor - 1) * trace.span
        seam = trace.cursor if trace.gap else None
        return Ruler(self.gutter, self.width(), start, layout.per_sample, lanes, seam, trace.span)

    def view(self, mm_per_s: float, mm_per_mv: float | None, leads: int = 2) -> View:
        """Return the amount of signal that fits at a paper speed and gain; a gain of None fits it to the signal.

        ``leads`` is the largest number of leads.
        """
        size = self.width() - self.gutter, self.height() - self._header_height
        view = _view(*size, self.px_per_mm, mm_per_s, mm_per_mv, leads, forecast=self.forecast_shown)
        if self.small and mm_per_mv is not None and view.lane_mm(view.max_leads) / mm_per_mv < MIN_LANE_MV:
            return replace(view, max_leads=1)
        return view

    def gain_texts(self, trace: Trace) -> list[str]:
        """Return the gain of each lead of a trace, such as ``20 mm/mV``."""
        layout = self._layout
        return [f"{layout.px_per_mv(lead) / self.px_per_mm:.3g} mm/mV" for lead in range(len(trace.leads))]

    # --- the cache ----------------------------------------------------------------------------------------------

    def _draw_all(self, trace: Trace) -> None:
        ratio = self.devicePixelRatio()
        if self._cache.size() != self.size() * ratio:
            self._cache = QPixmap(self.size() * ratio)
            self._cache.setDevicePixelRatio(ratio)
        self._draw_background(trace)
        with QPainter(self._cache) as painter:
            painter.drawPixmap(0, 0, self._background)
            self._draw_samples(painter, trace, trace.first)
            self._next_label = 0
            self._draw_annotations(painter, trace)
        self._drawn_to = self._gap_painted_at = trace.cursor
        self.full_redraws += 1

    def _draw_background(self, trace: Trace) -> None:
        """Draw the background, which is also copied to erase samples; it does not depend on alarms."""
        ratio = self.devicePixelRatio()
        key = (trace.leads, trace.ranges, trace.span, trace.origin, trace.annotated, *self._appearance(), ratio)
        if key == self._background_key:
            return
        self._background_key = key
        self._background = QPixmap(self.size() * ratio)
        self._background.setDevicePixelRatio(ratio)
        self._background.fill(colour(self.theme.ground))
        with QPainter(self._background) as painter:
            draw_scales(painter, self._layout, trace.leads, self.gain_texts(trace), self.theme, small=self.small)
            if self._header_height:
                AnnotationRows(self.theme).draw_names(painter, self.gutter)
            draw_grid(painter, self._layout, self.grid, self.theme)

    def _draw_from(self, trace: Trace, first: int) -> None:
        """Draw the samples from ``first`` to the cursor: new ones, and those whose colour has changed."""
        layout = self._layout
        with QPainter(self._cache) as painter:
            for start, right in layout.columns(self._drawn_to + trace.gap, trace.cursor + trace.gap):
                # After a full redraw, the round end of the old trace extends into the gap.
                left = max(start - _CAP_PX, self.gutter)
                copy_part(painter, self._background, QRect(left, 0, right - left, self.height()))
            if first < self._drawn_to:
                # Erase these samples and a margin before them: joints and ends of the line are round.
                first = max(first - math.ceil(2 * _CAP_PX / layout.per_sample), trace.first)
                erased = [
                    QRect(left, 0, right - left, self.height())
                    for left, right in layout.columns(first, trace.cursor + trace.gap)
                ]
                for rect in erased:
                    copy_part(painter, self._background, rect)
                rects = functools.reduce(QRegion.united, erased, QRegion())
                painter.setClipRegion(rects)
                again = max(first - math.ceil(2 * _CAP_PX / layout.per_sample), trace.first)
                self._draw_samples(painter, trace, again)
                painter.setClipRegion(rects)
                self._next_label = 0
            else:
                self._draw_samples(painter, trace, first)
            self._draw_annotations(painter, trace)
        self._update_columns(trace, first)
        self._drawn_to = trace.cursor

    def _draw_samples(self, painter: QPainter, trace: Trace, first: int) -> None:
        earlier = self.earlier_forecast_shown
        draw_samples(painter, self._layout, trace, first, self.theme, small=self.small, earlier_forecast=earlier)

    def _draw_annotations(self, painter: QPainter, trace: Trace) -> None:
        """Draw new annotations in order of arrival, once the cursor has passed the end of their text.

        Text ahead of the cursor would be erased again.
        """
        if not trace.annotations or self.small:
            return
        layout, rows = self._layout, AnnotationRows(self.theme)
        area = QRectF(self.gutter, 0, self.width() - self.gutter, self._header_height)
        painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
        skip = max(self._next_label - trace.annotations[0].number, 0)
        for label in trace.annotations[skip:]:
            page = layout.page(label.index)
            rect = rows.rect(label, layout.x(label.index, page))
            if trace.gap and rect.right() + 1 > layout.x(trace.cursor, page):
                break
            self._next_label = label.number + 1
            if rect.left() >= layout.x(trace.cursor - trace.span + trace.gap, page):
                rows.draw(painter, label, rect)
                self.update(rect)
        painter.setClipping(False)

    # --- over the cache -----------------------------------------------------------------------------------------

    def _update_columns(self, trace: Trace, first: int) -> None:
        """Repaint the columns from a sample to the cursor and, with a new forecast or in turn, those of the gap."""
        fan = trace.fan if self.forecast_shown else None
        gap = fan is not self._fan or trace.cursor - self._gap_painted_at >= _GAP_INTERVAL
        if gap:
            self._fan, self._gap_painted_at = fan, trace.cursor
        stop = trace.cursor + (trace.gap + 1 if gap else _CURSOR)
        # One rectangle per page: a region of several rectangles costs Qt many times as much.
        for left, right in self._layout.columns(first - 2, stop):
            self.update(QRect(left - _CAP_PX, 0, right - left + 2 * _CAP_PX, self.height()))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Copy the exposed columns from the cache and draw the forecast over them."""
        with QPainter(self) as painter:
            if self._trace is None or self._drawn is None:
                painter.fillRect(event.rect(), colour(self.theme.ground))
            elif self._stale:
                painter.fillRect(event.rect(), colour(self.theme.ground))
                painter.setOpacity(PAUSED_OPACITY if self._paused else self.theme.stale_opacity)
                copy_part(painter, self._cache, self.rect())
                painter.setOpacity(1.0)
            else:
                copy_part(painter, self._cache, event.rect())
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
        if self.forecast_shown:
            self._forecast.paint(painter, layout, trace, self.theme, self.devicePixelRatio())
        x = layout.x(trace.cursor, page)
        if trace.gap:
            painter.fillRect(QRectF(x, 0, 2, self.height()), colour(self.theme.edge))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Redraw for the new size; if the trace is not whole, the next one will be."""
        super().resizeEvent(event)
        self.show_trace(self._trace, stale=self._stale, message=self._message, paused=self._paused)
