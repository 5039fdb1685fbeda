"""What lies beneath the samples of a sweep: lead names, calibration boxes, and the lines of ECG paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from monitor.gui.style.theme import Theme, colour, font, px
from monitor.gui.trace.sweep_layout import PAD, Layout
from stream.timebase import FS

_LARGE_S, _LARGE_MV = 0.2, 0.5
_SMALL_S, _SMALL_MV = 0.04, 0.1


class Grid(IntEnum):
    """The lines of ECG paper: none, those 5 mm apart at 25 mm/s and 10 mm/mV, or those 1 mm apart too."""

    OFF = 0
    LARGE = 1
    FINE = 2


def draw_scales(painter: QPainter, layout: Layout, leads: Sequence[str], theme: Theme, *, small: bool) -> None:
    """Draw the name of each lead, and the calibration box of paper ECGs, 1 mV high, where it has room."""
    for lead, name in enumerate(leads):
        top, bottom = layout.lane(lead)
        painter.setPen(colour(theme.ecg))
        painter.setFont(font(11 if small else 17, bold=True))
        place = QRectF(0, top + (0 if small else 6), layout.gutter - 4, px(16 if small else 22))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, name)
        middle, height = (top + bottom) / 2, layout.px_per_mv(lead)
        # In a low lane it gives way to the name above it, and where there is no room at all, it goes.
        foot = middle + height / 2 if small else min(max(middle + height / 2, top + px(28) + height), bottom - 4)
        head = foot - height
        if small and (head < place.bottom() or foot + px(14) > bottom):
            continue
        painter.setPen(QPen(colour(theme.faint), 1.5))
        steps = ((0.2, foot), (0.33, foot), (0.33, head), (0.6, head), (0.6, foot), (0.73, foot))
        painter.drawPolyline(QPolygonF([QPointF(layout.gutter * x, y) for x, y in steps]))
        painter.setFont(font(10))
        painter.drawText(QRectF(0, foot + 3, layout.gutter, px(14)), Qt.AlignmentFlag.AlignCenter, "1 mV")


def draw_grid(painter: QPainter, layout: Layout, grid: Grid, theme: Theme) -> None:
    """Draw the lines of ECG paper, and those between the lanes."""
    if grid is Grid.FINE:
        _draw_lines(painter, layout, _SMALL_S, _SMALL_MV, theme.grid_fine, theme.thin_px)
    if grid is not Grid.OFF:
        _draw_lines(painter, layout, _LARGE_S, _LARGE_MV, theme.grid, theme.thin_px)
    for lead in range(1, len(layout.ranges)):
        y = round(layout.lane(lead)[0] - PAD)
        painter.fillRect(QRectF(layout.gutter, y, layout.width, theme.thin_px), colour(theme.edge))


def _draw_lines(painter: QPainter, layout: Layout, step_s: float, step_mv: float, ink: str, wide: float) -> None:
    painter.setPen(QPen(colour(ink), wide))
    step = step_s * FS * layout.per_sample
    for number in range(int((layout.width - layout.gutter) / step) + 1):
        x = round(layout.gutter + number * step)
        painter.drawLine(QPointF(x, 0), QPointF(x, layout.height))
    for lead, (low, high) in enumerate(layout.ranges):
        first = math.ceil(low / step_mv - 1e-6) * step_mv
        levels = np.arange(first, high + 1e-6, step_mv, dtype=np.float32)
        for y in layout.y(lead, levels).tolist():
            painter.fillRect(QRectF(layout.gutter, round(y), layout.width, wide), colour(ink))
