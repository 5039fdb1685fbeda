"""Anomaly strip: what is drawn of the scores."""

from __future__ import annotations

import dataclasses

import numpy as np
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from monitor.gui.style.palettes import DAY, NIGHT
from monitor.gui.style.theme import colour
from monitor.gui.trace.anomaly_strip import AnomalyStrip
from monitor.gui.trace.sweep import gutter
from monitor.view.trace import Trace
from stream.timebase import FS
from tests.monitor.gui.trace.test_forecast_layer import trace

WIDTH, HEIGHT = 800, 150


def scored(cursor: int, score: np.ndarray) -> Trace:
    """Return a trace that ends at a sample, with the scores of its samples."""
    return dataclasses.replace(
        trace(cursor, None), first=cursor - len(score), score=score.astype(np.float32), threshold=3.0
    )


def shown(qtbot: QtBot, trace: Trace) -> AnomalyStrip:
    """Return a strip that shows a trace."""
    strip = AnomalyStrip(NIGHT)
    qtbot.addWidget(strip)
    strip.resize(WIDTH, HEIGHT)
    strip.show_trace(trace, stale=False)
    strip.show()
    qtbot.waitExposed(strip)
    return strip


def has(image: QImage, ink: str, columns: range) -> bool:
    """Return whether a colour is in some columns, right of the axis and above the line of the threshold."""
    wanted = colour(ink)
    return any(image.pixelColor(x, y) == wanted for x in columns for y in range(8, 80))


def test_the_plot_is_made_when_it_is_first_shown(qtbot: QtBot) -> None:
    strip = AnomalyStrip(NIGHT)
    qtbot.addWidget(strip)
    assert strip.plot is None
    strip.show_trace(None, stale=False)
    plot = strip.plot
    assert plot is not None
    strip.apply_theme(DAY)
    strip.show_trace(scored(1000, np.full(1000, 1.0)), stale=False)
    assert strip.plot is plot


def test_scores_from_the_threshold_on_have_its_colour(qtbot: QtBot) -> None:
    score = np.full(1000, 1.0)
    score[400:600] = 6.0
    strip = shown(qtbot, scored(1000, score))
    image, per_sample = strip.grab().toImage(), (WIDTH - gutter()) / 2000
    left, right = round(gutter() + 430 * per_sample), round(gutter() + 570 * per_sample)
    assert has(image, NIGHT.threshold, range(left, right))
    assert not has(image, NIGHT.threshold, range(gutter() + 4, left - 20))


def test_the_curve_breaks_at_the_cursor_and_where_there_is_no_score(qtbot: QtBot) -> None:
    score = np.full(1600, 2.0)
    score[100:500] = np.nan
    strip = shown(qtbot, scored(2500, score))
    assert strip.plot is not None
    (now, scores), (before, earlier) = (curve.getData() for curve in strip.plot.curves)
    assert (now.min(), now.max()) == (0.0, 496 / FS)
    assert before.min() == 900 / FS
    assert np.isfinite(scores).all()
    assert np.isnan(earlier[(before * FS >= 1000) & (before * FS < 1400)]).all()


def test_without_a_trace_it_is_empty(qtbot: QtBot) -> None:
    strip = shown(qtbot, scored(1000, np.full(1000, 6.0)))
    strip.show_trace(None, stale=True)
    assert not has(strip.grab().toImage(), NIGHT.score, range(gutter() + 4, WIDTH))
