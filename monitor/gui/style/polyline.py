"""Fast drawing of polylines with many points."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from pyqtgraph.functions import arrayToQPath, arrayToQPolygonF
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPen

from monitor.gui.style.theme import colour

FloatArray64 = npt.NDArray[np.float64]

_SEGMENT_POINTS = 24


@lru_cache(maxsize=64)
def round_pen(ink: str, px: float) -> QPen:
    """Return a pen with round ends and joints."""
    return QPen(colour(ink), px, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


@lru_cache(maxsize=64)
def square_pen(ink: str, px: float) -> QPen:
    """Return a pen with square ends and bevelled joints, which Qt strokes in half the time; for narrow lines."""
    return QPen(colour(ink), px, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap, Qt.PenJoinStyle.BevelJoin)


def draw_line(painter: QPainter, x: FloatArray64, y: FloatArray64, pen: QPen) -> None:
    """Draw a line through points, shape (n,); it breaks where ``y`` is NaN."""
    finite = np.isfinite(y)
    if not finite.any():
        return
    painter.setPen(pen)
    broken = not finite.all()
    # Stroking a line costs more than proportionally to its length, so it is drawn in segments.
    for at in range(0, max(len(x) - 1, 1), _SEGMENT_POINTS):
        segment = slice(at, at + _SEGMENT_POINTS + 1)
        if not broken:
            painter.drawPolyline(arrayToQPolygonF(x[segment], y[segment]))
        elif finite[segment].any():
            painter.drawPath(arrayToQPath(x[segment], y[segment], connect="finite"))


def thin(x: FloatArray64, y: FloatArray64, every: int) -> tuple[FloatArray64, FloatArray64]:
    """Return minimum and maximum of each block of ``every`` points, in their order; all points if ``every`` < 4.

    If several samples share a pixel column, this keeps all peaks and reduces the drawing time.
    """
    count = len(x) // every if every >= 4 else 0
    if count == 0:
        return x, y
    blocks = y[: count * every].reshape(count, every)
    low = np.argmin(np.where(np.isnan(blocks), np.inf, blocks), axis=1)
    high = np.argmax(np.where(np.isnan(blocks), -np.inf, blocks), axis=1)
    rows = np.arange(count)[:, np.newaxis] * every + np.sort(np.column_stack([low, high]), axis=1)
    kept = np.concatenate([rows.ravel(), np.arange(count * every, len(x))])
    return x[kept], y[kept]
