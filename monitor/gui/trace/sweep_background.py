"""Background of a sweep: lead names, calibration pulses, and the ECG grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from monitor.gui.style.theme import Theme, colour, font, px
from monitor.gui.trace.sweep_layout import LANE_PADDING, Layout
from stream.timebase import FS

_LARGE_S, _LARGE_MV = 0.2, 0.5
_SMALL_S, _SMALL_MV = 0.04, 0.1


class Grid(IntEnum):
    """Grid of ECG paper: none, 5 mm lines (at 25 mm/s and 10 mm/mV), or 1 mm and 5 mm lines."""

    OFF = 0
    LARGE = 1
    FINE = 2


def draw_scales(painter: QPainter, layout: Layout, leads: Sequence[str], theme: Theme, *, small: bool) -> None:
    """Draw the name of each lead, and a calibration pulse of 1 mV if there is room for it."""
    for lead, name in enumerate(leads):
        top, bottom = layout.lane(lead)
        painter.setPen(colour(theme.ecg))
        painter.setFont(font(11 if small else 17, bold=True))
        rect = QRectF(0, top + (0 if small else 6), layout.gutter - 4, px(16 if small else 22))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, name)
        middle, height = (top + bottom) / 2, layout.px_per_mv(lead)
        # In a low lane the pulse is moved below the name; without room it is omitted.
        bottom_y = middle + height / 2 if small else min(max(middle + height / 2, top + px(28) + height), bottom - 4)
        top_y = bottom_y - height
        if small and (top_y < rect.bottom() or bottom_y + px(14) > bottom):
            continue
        painter.setPen(QPen(colour(theme.faint), 1.5))
        steps = ((0.2, bottom_y), (0.33, bottom_y), (0.33, top_y), (0.6, top_y), (0.6, bottom_y), (0.73, bottom_y))
        painter.drawPolyline(QPolygonF([QPointF(layout.gutter * x, y) for x, y in steps]))
        painter.setFont(font(10))
        painter.drawText(QRectF(0, bottom_y + 3, layout.gutter, px(14)), Qt.AlignmentFlag.AlignCenter, "1 mV")


def draw_grid(painter: QPainter, layout: Layout, grid: Grid, theme: Theme) -> None:
    """Draw the grid and the lines between the lanes."""
    if grid is Grid.FINE:
        _draw_lines(painter, layout, _SMALL_S, _SMALL_MV, theme.grid_fine, theme.thin_px)
    if grid is not Grid.OFF:
        _draw_lines(painter, layout, _LARGE_S, _LARGE_MV, theme.grid, theme.thin_px)
    for lead in range(1, len(layout.ranges)):
        y = round(layout.lane(lead)[0] - LANE_PADDING)
        painter.fillRect(QRectF(layout.gutter, y, layout.width, theme.thin_px), colour(theme.edge))


def _draw_lines(painter: QPainter, layout: Layout, step_s: float, step_mv: float, ink: str, width: float) -> None:
    painter.setPen(QPen(colour(ink), width))
    step = step_s * FS * layout.per_sample
    for number in range(int((layout.width - layout.gutter) / step) + 1):
        x = round(layout.gutter + number * step)
        painter.drawLine(QPointF(x, 0), QPointF(x, layout.height))
    for lead, (low, high) in enumerate(layout.ranges):
        first = math.ceil(low / step_mv - 1e-6) * step_mv
        levels = np.arange(first, high + 1e-6, step_mv, dtype=np.float32)
        for y in layout.y(lead, levels).tolist():
            painter.fillRect(QRectF(layout.gutter, round(y), layout.width, width), colour(ink))
