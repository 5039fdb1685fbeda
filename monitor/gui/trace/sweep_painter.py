"""Painting of a sweep: predicted and observed ECG, and alarm spans."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from monitor.gui.style.polyline import draw_line, round_pen, square_pen, thin
from monitor.gui.style.theme import Theme, colour
from monitor.gui.trace.sweep_layout import Layout
from monitor.view.alarm_spans import alarm_masks
from monitor.view.trace import Trace

_MIN_THINNED = 200
"""Number of samples from which a small sweep thins its lines."""

_EDGE_PX = 4


def draw_samples(
    painter: QPainter,
    layout: Layout,
    trace: Trace,
    first: int,
    theme: Theme,
    *,
    small: bool,
    earlier_forecast: bool,
) -> None:
    """Draw the samples from ``first`` to the cursor, connected to the previous one.

    Parameters
    ----------
    painter : QPainter
        Its clip region is limited to the plot, and removed at the end.
    layout : Layout
    trace : Trace
    first : int
    theme : Theme
    small : bool
        Thin lines, and several samples per point.
    earlier_forecast : bool
        Draw the predicted ECG under the trace.
    """
    plot = QRectF(layout.gutter, 0, layout.width - layout.gutter, layout.height)
    painter.setClipRect(plot, Qt.ClipOperation.IntersectClip)
    _draw_spans(painter, layout, trace, first, theme)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = square_pen if small else round_pen
    begin = max(first - 1, trace.first)
    index = np.arange(begin, trace.cursor)
    rows = slice(begin - trace.first, None)
    every = round(1 / layout.per_sample) if small and len(index) > _MIN_THINNED else 0
    masks = alarm_masks(trace, index)
    for page in range(layout.page(first), layout.page(max(trace.cursor - 1, first)) + 1):
        x = layout.xs(index, page)
        for lead in range(len(trace.leads)):
            if earlier_forecast:
                predicted = layout.y(lead, trace.predicted[rows, lead])
                draw_line(painter, *thin(x, predicted, every), pen(theme.predicted, theme.predicted_px))
            mv = layout.y(lead, trace.mv[rows, lead])
            draw_line(painter, *thin(x, mv, every), pen(theme.ecg, theme.trace_px))
            for priority, mask in masks:
                within = np.where(mask, mv, np.nan)
                draw_line(painter, *thin(x, within, every), pen(theme.priority[priority], theme.trace_px + 0.5))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setClipping(False)


def _draw_spans(painter: QPainter, layout: Layout, trace: Trace, first: int, theme: Theme) -> None:
    """Tint the columns of alarm spans and mark their top edge."""
    for alarm_span in trace.alarm_spans:
        stop = trace.cursor if alarm_span.stop is None else min(alarm_span.stop, trace.cursor)
        begin = max(alarm_span.first, first)
        if begin < stop:
            for left, right in layout.columns(begin, stop):
                rect = QRectF(left, 0, right - left, layout.height)
                painter.fillRect(rect, colour(theme.priority_tint[alarm_span.priority]))
                rect.setHeight(_EDGE_PX)
                painter.fillRect(rect, colour(theme.priority[alarm_span.priority]))
