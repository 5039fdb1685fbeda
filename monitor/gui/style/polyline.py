"""Fast drawing of polylines with many points."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF
from shiboken6 import VoidPtr

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


def polygon(x: FloatArray64, y: FloatArray64) -> QPolygonF:
    """Return points, shape (n,), as Qt draws them; they are written into its memory at once."""
    points = QPolygonF()
    points.resize(len(x))
    if len(x):
        pointer: Any = VoidPtr  # its stub lacks the size of the memory, and that it may be written to
        memory = np.frombuffer(pointer(points.data(), 16 * len(x), True), np.float64).reshape(-1, 2)
        memory[:, 0], memory[:, 1] = x, y
    return points


def runs(wanted: npt.NDArray[np.bool_]) -> Iterator[slice]:
    """Yield the intervals in which all values are true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]).astype(np.int8)))
    for first, stop in edges.reshape(-1, 2).tolist():
        yield slice(first, stop)


def draw_line(painter: QPainter, x: FloatArray64, y: FloatArray64, pen: QPen) -> None:
    """Draw a line through points, shape (n,); it breaks where ``y`` is NaN."""
    painter.setPen(pen)
    finite = np.isfinite(y)
    for run in (slice(None),) if finite.all() else runs(finite):
        own_x, own_y = x[run], y[run]
        # Stroking a line costs more than proportionally to its length, so it is drawn in segments.
        for at in range(0, len(own_x) - 1, _SEGMENT_POINTS):
            segment = slice(at, at + _SEGMENT_POINTS + 1)
            painter.drawPolyline(polygon(own_x[segment], own_y[segment]))


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
