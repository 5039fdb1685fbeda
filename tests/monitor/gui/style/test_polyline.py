"""Lines of many points."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage, QPainter, QPixmap
from pytestqt.qtbot import QtBot

from monitor.gui.style.polyline import draw_line, polygon, runs, square_pen


def test_a_polygon_has_the_points(qtbot: QtBot) -> None:
    points = polygon(np.array([1.0, 2.5]), np.array([-3.0, 4.25]))
    assert [(point.x(), point.y()) for point in points] == [(1.0, -3.0), (2.5, 4.25)]
    assert polygon(np.zeros(0), np.zeros(0)).isEmpty()


def test_runs_are_the_intervals_of_true_values() -> None:
    wanted = np.array([True, False, False, True, True, False, True])
    assert list(runs(wanted)) == [slice(0, 1), slice(3, 5), slice(6, 7)]
    assert list(runs(np.zeros(0, bool))) == []


def test_a_line_breaks_where_values_are_missing(qtbot: QtBot) -> None:
    pixmap = QPixmap(100, 20)
    pixmap.fill("#000000")
    y = np.full(100, 10.0)
    y[40:60] = np.nan
    with QPainter(pixmap) as painter:
        draw_line(painter, np.arange(100.0), y, square_pen("#ffffff", 1))
    image: QImage = pixmap.toImage()
    lit = [x for x in range(100) if any(image.pixelColor(x, row).red() > 128 for row in range(20))]
    assert lit == [*range(40), *range(60, 100)]
