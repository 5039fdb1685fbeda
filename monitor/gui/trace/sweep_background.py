"""What lies beneath the samples of a sweep: lead names, calibration boxes, and the lines of ECG paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from monitor.common.ring_buffer import FloatArray
from monitor.gui.style.polyline import FloatArray64
from monitor.gui.style.theme import Theme, colour, font, px
from stream.timebase import FS

PAD = 8.0
"""Pixels above and below each lane."""

_LARGE_S, _LARGE_MV = 0.2, 0.5
_SMALL_S, _SMALL_MV = 0.04, 0.1


@dataclass(frozen=True)
class Layout:
    """From sample and mV to pixels, for one size of the widget.

    Attributes
    ----------
    width, height : float
        Pixels of the whole sweep.
    span : int
        Samples from the gutter to the right edge.
    ranges : tuple of (float, float)
        mV at the lower and upper edge, for each lead.
    origin : int
        A sample at the left edge.
    gutter : int
        Pixels left of the trace.
    head : int
        Pixels above the first lane.
    """

    width: float
    height: float
    span: int
    ranges: tuple[tuple[float, float], ...]
    origin: int
    gutter: int
    head: int = 0

    @property
    def per_sample(self) -> float:
        """Pixels from one sample to the next."""
        return (self.width - self.gutter) / self.span

    def x(self, index: float, page: int) -> float:
        """Return the pixel of a sample, on one passage of the sweep."""
        return self.gutter + (index - self.origin - page * self.span) * self.per_sample

    def xs(self, index: np.ndarray, page: int) -> FloatArray64:
        """Return the pixels of many."""
        return np.asarray(index * self.per_sample + self.x(0, page), np.float64)

    def page(self, index: int) -> int:
        """Return the passage on which a sample lies."""
        return (index - self.origin) // self.span

    def lane(self, lead: int) -> tuple[float, float]:
        """Return top and bottom of a lead's lane."""
        height = (self.height - self.head) / len(self.ranges)
        return self.head + lead * height + PAD, self.head + (lead + 1) * height - PAD

    def y(self, lead: int, mv: FloatArray) -> FloatArray64:
        """Return the pixels of some mV of a lead."""
        top, bottom = self.lane(lead)
        low, high = self.ranges[lead]
        return bottom - (mv.astype(np.float64) - low) * ((bottom - top) / (high - low))

    def px_per_mv(self, lead: int) -> float:
        """Return the pixels of 1 mV."""
        top, bottom = self.lane(lead)
        return (bottom - top) / (self.ranges[lead][1] - self.ranges[lead][0])


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
