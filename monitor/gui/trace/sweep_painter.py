"""Painting of a sweep: predicted and observed ECG, and the bars of alarms above them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from monitor.gui.style.polyline import draw_line, round_pen, square_pen, thin
from monitor.gui.style.theme import Theme, colour
from monitor.gui.trace.sweep_layout import Layout
from monitor.view.trace import Trace

_MIN_THINNED = 200
"""Number of samples from which a small sweep thins its lines."""

BAR_PX = 6
"""Height of the bar of an alarm; it fits into the padding above the first lane."""


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
    _draw_bars(painter, layout, trace, first, theme)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = square_pen if small else round_pen
    begin = max(first - 1, trace.first)
    index = np.arange(begin, trace.cursor)
    rows = slice(begin - trace.first, None)
    every = round(1 / layout.per_sample) if small and len(index) > _MIN_THINNED else 0
    for page in range(layout.page(first), layout.page(max(trace.cursor - 1, first)) + 1):
        x = layout.xs(index, page)
        for lead in range(len(trace.leads)):
            if earlier_forecast and trace.rows[lead] < trace.predicted.shape[1]:
                predicted = layout.y(lead, trace.predicted[rows, trace.rows[lead]])
                draw_line(painter, *thin(x, predicted, every), pen(theme.predicted, theme.predicted_px))
            mv = layout.y(lead, trace.mv[rows, lead])
            draw_line(painter, *thin(x, mv, every), pen(theme.ecg, theme.trace_px))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setClipping(False)


def _draw_bars(painter: QPainter, layout: Layout, trace: Trace, first: int, theme: Theme) -> None:
    """Draw a bar above the interval of each alarm, the most urgent on top; the trace keeps its colour."""
    for alarm_span in trace.alarm_spans:
        stop = trace.cursor if alarm_span.stop is None else min(alarm_span.stop, trace.cursor)
        begin = max(alarm_span.first, first)
        if begin < stop:
            for left, right in layout.columns(begin, stop):
                bar = QRectF(left, layout.header_height, right - left, BAR_PX)
                painter.fillRect(bar, colour(theme.signal[alarm_span.priority]))
