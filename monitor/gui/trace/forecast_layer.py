"""The forecast ahead of the cursor, with its name: drawn when a new one arrives, and copied in each frame.

A forecast arrives each 100 ms and the cursor moves with each frame; drawing costs a hundred times as much as copying.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPixmap

from monitor.common.ring_buffer import FloatArray
from monitor.gui.style.language import current_language, translate
from monitor.gui.style.polyline import FloatArray64, draw_line, polygon, square_pen
from monitor.gui.style.theme import Theme, colour, px, unscaled_font
from monitor.gui.trace.sweep_layout import Layout
from monitor.view.trace import GAP_MARGIN, Fan, Trace
from stream.timebase import FS, STRIDE

_MARGIN_PX = 2
"""Space for the width of the lines, px."""

_MEAN_PX, _BAND_PX = 1.2, 2.0
"""Distance of the points of the mean, and of the smoother interval, px."""

_LABEL_PX, _LABEL_TOP_PX, _LABEL_SPACE_PX = 12, 6, 5
_LABEL_DELAY = STRIDE
"""Samples after the beginning of a forecast at which its name stands: the cursor has reached them when the next one
comes. So the name stays where it is in between, and is painted as rarely."""


class ForecastLayer:
    """Draws the forecast of a trace from the cursor on."""

    def __init__(self) -> None:
        self._pixmap = QPixmap()
        self._left = 0
        self._fan: Fan | None = None
        self._drawn: tuple[object, ...] | None = None
        self._label: tuple[QPointF, QPixmap] | None = None

    def paint(self, painter: QPainter, layout: Layout, trace: Trace, theme: Theme, ratio: float) -> None:
        """Draw mean and 90 % interval between the cursor and the end of the gap.

        Parameters
        ----------
        painter : QPainter
            Its clip region is replaced, and removed at the end.
        layout : Layout
        trace : Trace
        theme : Theme
        ratio : float
            Device pixels per pixel.
        """
        fan = trace.fan
        if fan is None:
            return
        drawn = layout, trace.rows, trace.gap, theme.name, current_language(), ratio
        if fan is not self._fan or drawn != self._drawn:
            self._draw(fan, layout, trace.rows, theme, ratio)
            self._fan, self._drawn = fan, drawn
            stop = min(fan.stop, fan.first + 1 + trace.gap - GAP_MARGIN)
            self._label = _placed_label(layout, layout.columns(fan.first + _LABEL_DELAY, stop), fan, theme, ratio)
        first, stop = trace.cursor - 1, min(fan.stop, fan.first + 1 + trace.gap - GAP_MARGIN)
        page = layout.page(fan.first)
        for number in (0, 1):
            left = max(layout.x(first, page + number), layout.gutter)
            right = min(layout.x(stop, page + number), layout.width)
            if left < right:
                painter.setClipRect(QRectF(left, 0, right - left, layout.height))
                painter.drawPixmap(QPointF(self._left - number * (layout.width - layout.gutter), 0), self._pixmap)
        painter.setClipping(False)
        reached = fan.first + _LABEL_DELAY + _LABEL_SPACE_PX / layout.per_sample
        if self._label is not None and trace.cursor <= reached:  # behind the cursor it would stay for a whole sweep
            painter.drawPixmap(*self._label)

    def _draw(self, fan: Fan, layout: Layout, rows: tuple[int, ...], theme: Theme, ratio: float) -> None:
        x = layout.xs(np.arange(fan.first, fan.stop), layout.page(fan.first))
        every, of_band = (max(int(points_px / layout.per_sample), 1) for points_px in (_MEAN_PX, _BAND_PX))
        self._left = math.floor(x[0]) - _MARGIN_PX
        width = math.ceil(x[-1]) + _MARGIN_PX - self._left
        self._pixmap = QPixmap(math.ceil(width * ratio), math.ceil(layout.height * ratio))
        self._pixmap.setDevicePixelRatio(ratio)
        self._pixmap.fill(Qt.GlobalColor.transparent)
        with QPainter(self._pixmap) as painter:
            painter.translate(-self._left, 0)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for lead, row in enumerate(rows):
                if row >= fan.mean.shape[1] or np.isnan(fan.mean[-1, row]):
                    continue  # a lead that is not analysed, or off
                low, high = (values[::of_band, row] for values in (fan.low, fan.high))
                _draw_band(painter, layout, lead, x[::of_band], (low, high), theme)
                mean = layout.y(lead, fan.mean[::every, row])
                draw_line(painter, x[::every], mean, square_pen(theme.forecast, theme.trace_px))


def _draw_band(
    painter: QPainter, layout: Layout, lead: int, x: FloatArray64, band: tuple[FloatArray, FloatArray], theme: Theme
) -> None:
    """Draw the interval with its edges, within the lane."""
    low, high = (np.clip(layout.y(lead, edge), *layout.lane(lead)) for edge in band)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(theme.band))
    # The edges are smooth; smoothing the area as well would take most of the time of a frame.
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.drawPolygon(polygon(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]])))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for edge in (low, high):
        draw_line(painter, x, edge, square_pen(theme.band_edge, theme.thin_px))


@lru_cache(maxsize=16)
def _label(text: str, ink: str, ground: str, pixels: int, ratio: float) -> QPixmap:
    """Return a text on a ground: copying it takes a tenth of the time of drawing it."""
    label_font = unscaled_font(pixels, bold=True)
    box = QFontMetrics(label_font).boundingRect(text)
    pixmap = QPixmap(math.ceil((box.width() + 2) * ratio), math.ceil((box.height() + 2) * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(colour(ground))
    with QPainter(pixmap) as painter:
        painter.setFont(label_font)
        painter.setPen(colour(ink))
        place = QRectF(0, 0, box.width() + 2, box.height() + 2)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
    return pixmap


def _placed_label(
    layout: Layout, columns: list[tuple[int, int]], fan: Fan, theme: Theme, ratio: float
) -> tuple[QPointF, QPixmap] | None:
    """Return the name of the curve and its place above the wider part; shorter, or none, where it has no room."""
    seconds = f"{(fan.stop - 1 - fan.first) / FS:.2g}"
    left, right = max(columns, key=lambda edges: edges[1] - edges[0], default=(0, 0))
    for text in (translate("Sweep", "forecast {seconds} s").format(seconds=seconds), f"+{seconds} s"):
        label = _label(text, theme.forecast, theme.ground, px(_LABEL_PX), ratio)
        if left + _LABEL_SPACE_PX + label.width() / ratio <= right:
            return QPointF(left + _LABEL_SPACE_PX, layout.header_height + _LABEL_TOP_PX), label
    return None
