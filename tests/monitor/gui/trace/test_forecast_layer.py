"""Layer with the forecast: what is copied from it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter, QPixmap
from pytestqt.qtbot import QtBot

from monitor.gui.style.palettes import DAY, NIGHT, Theme
from monitor.gui.style.theme import colour
from monitor.gui.trace.forecast_layer import ForecastLayer
from monitor.gui.trace.sweep_layout import Layout
from monitor.view.trace import FORECAST_GAP, GAP_MARGIN, Fan, Trace

LAYOUT = Layout(width=660, height=200, span=2000, ranges=((-1.0, 1.0),), origin=0, gutter=60)


def fan(first: int, mv: float) -> Fan:
    mean = np.full((361, 1), mv, np.float32)
    return Fan(first, mean, mean - np.float32(0.2), mean + np.float32(0.2))


def trace(cursor: int, ahead: Fan | None, gap: int = FORECAST_GAP) -> Trace:
    blank = np.empty((0, 1), np.float32)
    return Trace(
        session="0" * 32,
        revision=0,
        leads=("MLII",),
        rows=(0,),
        first=cursor,
        cursor=cursor,
        span=LAYOUT.span,
        gap=gap,
        mv=blank,
        predicted=blank,
        score=blank[:, 0],
        threshold=None,
        fan=ahead,
        alarm_spans=(),
        ranges=LAYOUT.ranges,
    )


def painted(layer: ForecastLayer, shown: Trace, theme: Theme = NIGHT, layout: Layout = LAYOUT) -> QImage:
    pixmap = QPixmap(round(layout.width), round(layout.height))
    pixmap.fill(colour(theme.ground))
    with QPainter(pixmap) as painter:
        layer.paint(painter, layout, shown, theme, 1.0)
    return pixmap.toImage()


def inked(image: QImage) -> list[int]:
    """Return the pixel columns that are not empty."""
    ground = colour(NIGHT.ground).rgb()
    rows = range(image.height())
    return [x for x in range(image.width()) if any(image.pixel(x, y) != ground for y in rows)]


def test_only_what_lies_ahead_of_the_cursor_is_shown(qtbot: QtBot) -> None:
    columns = inked(painted(ForecastLayer(), trace(1030, fan(1000, 0.0))))
    assert columns == list(range(round(LAYOUT.x(1029, 0)), round(LAYOUT.x(1361, 0))))


def test_a_gap_shorter_than_the_forecast_ends_it(qtbot: QtBot) -> None:
    columns = inked(painted(ForecastLayer(), trace(1030, fan(1000, 0.0), gap=200)))
    assert columns[-1] + 1 == round(LAYOUT.x(1000 + 1 + 200 - GAP_MARGIN, 0)), "the same until the next one"


def test_across_the_right_edge_it_continues_at_the_left(qtbot: QtBot) -> None:
    columns = inked(painted(ForecastLayer(), trace(1900, fan(1890, 0.0))))
    left = list(range(LAYOUT.gutter, round(LAYOUT.x(2251, 1))))
    assert columns == left + list(range(round(LAYOUT.x(1899, 0)), round(LAYOUT.width)))


@pytest.mark.parametrize("change", ["forecast", "theme", "layout", "cursor"])
def test_a_used_layer_shows_what_a_new_one_does(qtbot: QtBot, change: str) -> None:
    layer, first = ForecastLayer(), fan(1000, 0.0)
    painted(layer, trace(1010, first))
    shown, theme, layout = trace(1010, first), NIGHT, LAYOUT
    if change == "forecast":
        shown = trace(1010, fan(1000, 0.5))  # as of another bed, at the same sample
    elif change == "theme":
        theme = DAY
    elif change == "layout":
        layout = dataclasses.replace(LAYOUT, ranges=((-2.0, 2.0),))
    else:
        shown = trace(1020, first)
    assert painted(layer, shown, theme, layout) == painted(ForecastLayer(), shown, theme, layout)


def test_without_a_forecast_nothing_is_shown(qtbot: QtBot) -> None:
    layer = ForecastLayer()
    painted(layer, trace(1010, fan(1000, 0.0)))
    assert inked(painted(layer, trace(1020, None))) == []
