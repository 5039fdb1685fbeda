"""The residual strip: how surprising the samples above it were, against the threshold, on the same time axis.

A pyqtgraph plot: it gets a new score ten times per second, not 60 columns, and its axis comes for nothing.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.frame import Trace
from monitor.gui.sweep import GUTTER
from monitor.gui.theme import Theme, colour, font
from stream.messages import FS, STRIDE

TOP = 8.0
"""Highest score that the axis shows; the line of a higher one runs along the edge."""

_EVERY = 4


class ResidualStrip(pg.PlotWidget):
    """Score over the sweep, in two curves: before the cursor, and what is left of the sweep before.

    Parameters
    ----------
    theme : Theme
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent, background=theme.ground)
        self.theme = theme
        self._shown: tuple[object, ...] | None = None
        self.setFixedHeight(150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameStyle(0)
        plot = self.getPlotItem()
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(False, False)
        plot.hideAxis("bottom")
        plot.layout.setContentsMargins(0, 2, 0, 2)
        plot.setYRange(0.0, TOP, padding=0.02)
        axis = plot.getAxis("left")
        axis.setWidth(GUTTER)
        axis.setTextPen(colour(theme.faint))
        axis.setPen(colour(theme.edge))
        axis.setTickFont(font(11))
        axis.setTicks([[(value, str(value)) for value in (0, 2, 4, 6, 8)], []])
        pen = pg.mkPen(colour(theme.score), width=1)
        self._curves = [plot.plot(pen=pen, connect="finite") for _ in range(2)]
        over = colour(theme.threshold)
        fill = colour(theme.threshold)
        fill.setAlphaF(0.35)
        self._over = [
            plot.plot(pen=pg.mkPen(over, width=1), connect="finite", fillLevel=0.0, fillBrush=fill) for _ in range(2)
        ]
        self._threshold = pg.InfiniteLine(
            angle=0, pen=pg.mkPen(colour(theme.threshold), width=1, style=Qt.PenStyle.DashLine)
        )
        self._threshold.setVisible(False)
        plot.addItem(self._threshold)
        self._title = pg.LabelItem("surprise (3: once in 1,000 s by chance)", color=theme.faint, size="9pt")
        self._title.setParentItem(plot.vb)
        self._title.anchor(itemPos=(0, 0), parentPos=(0, 0), offset=(6, 0))
        self._label = pg.TextItem("", color=colour(theme.threshold), anchor=(1.0, 1.0))
        self._label.setFont(font(11))
        plot.addItem(self._label)

    def show_trace(self, trace: Trace | None, *, stale: bool) -> None:
        """Bring the strip up to a trace; at most ten times per second of signal there is anything to do."""
        shown = (
            None
            if trace is None
            else (
                trace.session,
                trace.cursor // STRIDE,
                trace.revision,
                trace.origin,
                trace.span,
            )
        )
        if stale != (self.getPlotItem().opacity() < 1):
            self.getPlotItem().setOpacity(self.theme.stale_opacity if stale else 1.0)
        if shown == self._shown:
            return
        self._shown = shown
        if trace is None:
            for curve in (*self._curves, *self._over):
                curve.clear()
            return
        self.getPlotItem().setXRange(0.0, trace.span / FS, padding=0)
        self._threshold.setVisible(trace.threshold is not None)
        if trace.threshold is not None:
            self._threshold.setValue(trace.threshold)
            self._label.setText(f"alarm from {trace.threshold:g}")
            self._label.setPos(trace.span / FS, trace.threshold)
        split = max(trace.cursor - (trace.cursor - trace.origin) % trace.span, trace.first)
        for number, (first, stop) in enumerate(((split, trace.cursor), (trace.first, split))):
            first += -first % _EVERY
            index = np.arange(first, max(stop, first), _EVERY)
            score = np.minimum(trace.score[index - trace.first], TOP).astype(np.float64)
            x = (index - trace.origin) % trace.span / FS
            self._curves[number].setData(x, score)
            high = score >= trace.threshold if trace.threshold is not None else np.zeros(len(score), bool)
            self._over[number].setData(x, np.where(high, score, np.nan))
