"""Waves other than ECG below its sweep: a lane for each, with the same cursor, erased gap and paper speed.

As the sweep, each frame draws only new samples into a cached pixmap, erases as many columns ahead, and repaints these.
The bars of alarms are few: they are painted over the cache.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.language import current_language
from monitor.gui.style.pixmap_copy import copy_part
from monitor.gui.style.polyline import draw_line, square_pen
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, font, font_scale, px
from monitor.gui.trace.sweep import PAUSED_OPACITY, gutter
from monitor.gui.trace.sweep_layout import LANE_PADDING, Layout
from monitor.gui.trace.sweep_painter import BAR_PX
from monitor.view.trace import Trace, WaveTrace
from monitor.view.wave_buffers import MIN_ADVANCE
from stream.timebase import FS
from stream.wire.alarm_texts import phrase
from stream.wire.wave_message import Signal

NAMES: dict[Signal, str] = {
    "pleth": "Pleth",
    "abp": "ABP",
    "pap": "PAP",
    "cvp": "CVP",
    "resp": "Resp",
    "co2": "CO₂",
}
"""Names of the waves, as on monitors."""

MIN_LANE_PX = 26

_THIN_BAR_PX = 3
_CAP_PX = 3
_CURSOR = 3
"""Samples after the cursor that it covers."""


class WaveView(QWidget):
    """Draws the waves of a sequence of `Trace`.

    Attributes
    ----------
    full_redraws : int
        Number of redraws of the whole cache.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.full_redraws = 0
        self._trace: Trace | None = None
        self._stale = self._paused = False
        self._cache, self._background = QPixmap(), QPixmap()
        self._drawn: tuple[object, ...] | None = None
        self._drawn_to = self._gap_painted_at = 0
        self._line_ends: dict[Signal, float] = {}
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the default size."""
        return QSize(960, 200)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme; the next trace is drawn completely."""
        self.theme = theme
        self.update()

    def show_trace(self, trace: Trace | None, *, stale: bool, paused: bool = False) -> None:
        """Show a trace.

        Parameters
        ----------
        trace : Trace or None
        stale, paused : bool
            As in `SweepView.show_trace`.
        """
        if (stale, paused) != (self._stale, self._paused) or trace is None or not trace.waves:
            self.update()
        if trace is not None and self._trace is not None and trace.wave_spans != self._trace.wave_spans:
            self.update()
        self._stale, self._paused, self._trace = stale, paused, trace
        if trace is None or not trace.waves or self.size().isEmpty():
            self._drawn = None
            return
        key = self._key(trace)
        advance = trace.cursor - self._drawn_to
        if key != self._drawn or not 0 <= advance < trace.span - trace.gap:
            self._draw_all(trace)
            self._drawn = key
            self.update()
        elif advance >= MIN_ADVANCE:
            self._draw_new(trace)

    def _key(self, trace: Trace) -> tuple[object, ...]:
        """Return the values that must be unchanged for the cache to remain valid."""
        waves = tuple((wave.signal, wave.unit, wave.range, wave.off) for wave in trace.waves)
        of_trace = (trace.session, waves, trace.span, trace.origin, trace.gap)
        return (*of_trace, self.theme.name, font_scale(), current_language(), self.size(), self.devicePixelRatio())

    def _layout(self, trace: Trace) -> Layout:
        ranges = tuple(wave.range for wave in trace.waves)
        padding = min(LANE_PADDING, self.height() / len(ranges) / 8)
        return Layout(self.width(), self.height(), trace.span, ranges, trace.origin, gutter(), padding=padding)

    # --- the cache ----------------------------------------------------------------------------------------------

    def _draw_all(self, trace: Trace) -> None:
        ratio, layout = self.devicePixelRatio(), self._layout(trace)
        self._background = QPixmap(self.size() * ratio)
        self._background.setDevicePixelRatio(ratio)
        self._background.fill(colour(self.theme.ground))
        with QPainter(self._background) as painter:
            for lane, wave in enumerate(trace.waves):
                self._draw_scale(painter, layout, lane, wave)
        self._cache = self._background.copy()
        self._line_ends = {}
        with QPainter(self._cache) as painter:
            _set_plot(painter, layout)
            for lane in range(len(trace.waves)):
                self._draw_wave(painter, layout, trace, lane, trace.first)
        self._drawn_to = self._gap_painted_at = trace.cursor
        self.full_redraws += 1

    def _draw_scale(self, painter: QPainter, layout: Layout, lane: int, wave: WaveTrace) -> None:
        """Draw the line above a lane, the name of its wave and, of a pressure, its limits."""
        top, bottom = layout.lane(lane)
        painter.fillRect(QRectF(layout.gutter, round(top - layout.padding), layout.width, 1), colour(self.theme.grid))
        painter.setPen(colour(self.theme.wave[wave.signal]))
        painter.setFont(font(14, bold=True))
        name = QRectF(4, (top + bottom) / 2 - px(9), layout.gutter - 8, px(18))
        painter.drawText(name, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, NAMES[wave.signal])
        painter.setFont(font(11))
        painter.setPen(colour(self.theme.faint))
        if wave.unit == "mmHg" and bottom - top >= px(44):
            low, high = (f"{limit:g}" for limit in wave.range)
            place = QRectF(0, top, layout.gutter - 4, bottom - top)
            painter.drawText(place.adjusted(0, px(2), 0, 0), Qt.AlignmentFlag.AlignRight, high)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, low)
            for y in (top, bottom):
                painter.fillRect(QRectF(layout.gutter, round(y), layout.width, 1), colour(self.theme.grid_fine))
        if wave.off:
            place = QRectF(layout.gutter + 6, top, layout.width - layout.gutter - 12, bottom - top)
            painter.setFont(font(14, bold=True))
            painter.setPen(colour(self.theme.technical))
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, align, text_of(phrase("missing.sensor_off")))

    def _draw_wave(self, painter: QPainter, layout: Layout, trace: Trace, lane: int, first: float) -> float:
        """Draw the samples of one wave from a time on, connected to the last one drawn; return where the line begins.

        A sample that arrives after the cursor has passed it is drawn then, up to a second later.
        """
        wave = trace.waves[lane]
        start = max(min(first, self._line_ends.get(wave.signal, first)), first - FS)
        row = max(int(np.searchsorted(wave.times, start, side="right")) - 1, 0)
        times, values = wave.times[row:], wave.values[row:]
        if not len(times):
            return first
        finite = np.flatnonzero(np.isfinite(values))
        self._line_ends[wave.signal] = float(times[finite[-1]]) if len(finite) else max(start, float(times[-1]))
        pen = square_pen(self.theme.wave[wave.signal], self.theme.trace_px - 0.3)
        y = layout.y(lane, values)
        for page in range(layout.page(int(times[0])), layout.page(int(times[-1])) + 1):
            draw_line(painter, layout.xs(times, page), y, pen)
        return float(times[0])

    def _draw_new(self, trace: Trace) -> None:
        """Erase the columns that the gap has reached, and draw the samples that the cursor has reached."""
        layout = self._layout(trace)
        with QPainter(self._cache) as painter:
            if trace.gap:
                for start, right in layout.columns(self._drawn_to + trace.gap, trace.cursor + trace.gap):
                    left = max(start - _CAP_PX, layout.gutter)
                    copy_part(painter, self._background, QRect(left, 0, right - left, self.height()))
            _set_plot(painter, layout)
            starts = [self._draw_wave(painter, layout, trace, lane, self._drawn_to) for lane in range(len(trace.waves))]
        first = max(round(min(starts)), trace.first)
        gap = trace.cursor - self._gap_painted_at >= 2 * MIN_ADVANCE
        if gap:
            self._gap_painted_at = trace.cursor
        for left, right in layout.columns(first - 2, trace.cursor + (trace.gap + 1 if gap else _CURSOR)):
            self.update(QRect(left - _CAP_PX, 0, right - left + 2 * _CAP_PX, self.height()))
        self._drawn_to = trace.cursor

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Copy the exposed columns from the cache, and draw the cursor."""
        with QPainter(self) as painter:
            trace = self._trace
            if trace is None or self._drawn is None:
                painter.fillRect(event.rect(), colour(self.theme.ground))
            elif self._stale:
                painter.fillRect(event.rect(), colour(self.theme.ground))
                painter.setOpacity(PAUSED_OPACITY if self._paused else self.theme.stale_opacity)
                copy_part(painter, self._cache, self.rect())
                self._draw_bars(painter, trace)
            else:
                copy_part(painter, self._cache, event.rect())
                self._draw_bars(painter, trace)
                if trace.gap:
                    layout = self._layout(trace)
                    x = layout.x(self._drawn_to, layout.page(self._drawn_to))
                    painter.fillRect(QRectF(x, 0, 2, self.height()), colour(self.theme.edge))

    def _draw_bars(self, painter: QPainter, trace: Trace) -> None:
        """Draw a bar above each lane for the interval of each alarm of its wave, the most urgent on top."""
        layout, oldest = self._layout(trace), max(trace.first, self._drawn_to - trace.span + trace.gap)
        for lane, wave in enumerate(trace.waves):
            top = round(layout.lane(lane)[0] - layout.padding) + 1
            height = max(
                min(BAR_PX, round(layout.padding) - 1), _THIN_BAR_PX
            )  # it must not hide the peaks of a low lane
            for alarm_span in trace.wave_spans.get(wave.signal, ()):
                stop = self._drawn_to if alarm_span.stop is None else min(alarm_span.stop, self._drawn_to)
                begin = max(alarm_span.first, oldest)
                if begin < stop:
                    ink = colour(self.theme.signal[alarm_span.priority])
                    for left, right in layout.columns(begin, stop):
                        painter.fillRect(QRectF(left, top, right - left, height), ink)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Redraw for the new size."""
        super().resizeEvent(event)
        self.show_trace(self._trace, stale=self._stale, paused=self._paused)


def _set_plot(painter: QPainter, layout: Layout) -> None:
    """Limit drawing to the right of the names, and smooth lines."""
    painter.setClipRect(QRectF(layout.gutter, 0, layout.width - layout.gutter, layout.height))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
