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
_PULSES_MV = (1.0, 0.5, 0.2)
"""Sizes of the calibration pulse, mV; the largest for which there is room."""

_PULSE_LABEL = 20


class Grid(IntEnum):
    """Grid of ECG paper: none, 5 mm lines (at 25 mm/s and 10 mm/mV), or 1 mm and 5 mm lines."""

    OFF = 0
    LARGE = 1
    FINE = 2


def draw_scales(
    painter: QPainter, layout: Layout, leads: Sequence[str], gains: Sequence[str], theme: Theme, *, small: bool
) -> None:
    """Draw the name and gain of each lead, and a calibration pulse if there is room for it."""
    for lead, (name, gain) in enumerate(zip(leads, gains, strict=True)):
        top, bottom = layout.lane(lead)
        painter.setPen(colour(theme.ecg))
        painter.setFont(font(11 if small else 17, bold=True))
        rect = QRectF(0, top + (0 if small else 6), layout.gutter - 4, px(16 if small else 22))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, name)
        if not small:
            rect = QRectF(0, rect.bottom(), layout.gutter, px(15))
            painter.setPen(colour(theme.faint))
            painter.setFont(font(10))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, gain)
        room = bottom - rect.bottom() - px(_PULSE_LABEL)
        size_mv = next((size for size in _PULSES_MV if size * layout.px_per_mv(lead) <= room), None)
        if size_mv is not None:
            _draw_pulse(painter, layout, lead, size_mv, rect.bottom(), theme)


def _draw_pulse(painter: QPainter, layout: Layout, lead: int, size_mv: float, above: float, theme: Theme) -> None:
    """Draw a calibration pulse in the middle of its lane, or below ``above``, with its size."""
    top, bottom = layout.lane(lead)
    height = size_mv * layout.px_per_mv(lead)
    bottom_y = min(max((top + bottom + height) / 2, above + height), bottom - px(_PULSE_LABEL) + 4)
    top_y = bottom_y - height
    painter.setPen(QPen(colour(theme.faint), 1.5))
    steps = ((0.2, bottom_y), (0.33, bottom_y), (0.33, top_y), (0.6, top_y), (0.6, bottom_y), (0.73, bottom_y))
    painter.drawPolyline(QPolygonF([QPointF(layout.gutter * x, y) for x, y in steps]))
    painter.setFont(font(10))
    label = QRectF(0, bottom_y + 3, layout.gutter, px(14))
    painter.drawText(label, Qt.AlignmentFlag.AlignCenter, f"{size_mv:g} mV")


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
