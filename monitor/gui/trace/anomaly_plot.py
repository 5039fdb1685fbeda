"""Plot of anomaly score and threshold on the time axis of the sweep.

It is a pyqtgraph plot: unlike the sweep it changes only ten times per second, and pyqtgraph provides the axis.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.gui.trace.sweep import gutter
from monitor.view.trace import Trace
from stream.timebase import FS, STRIDE

MAX_SCORE = 8.0
"""Upper limit of the axis; higher scores are drawn at the limit."""

_DECIMATION = 4
_TITLE = QT_TRANSLATE_NOOP("AnomalyStrip", "anomaly score (3: once in 1,000 s by chance)")


class AnomalyPlot(pg.PlotWidget):
    """Score over the sweep, in two curves: the current sweep up to the cursor, and the rest of the previous one.

    Parameters
    ----------
    theme : Theme

    Attributes
    ----------
    curves : list of PlotDataItem
        The current sweep, and the rest of the previous one: s of the sweep, and score.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._shown: tuple[object, ...] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameStyle(0)
        plot = self.getPlotItem()
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(False, False)
        plot.hideAxis("bottom")
        plot.setYRange(0.0, MAX_SCORE, padding=0.02)
        self._axis = plot.getAxis("left")
        self._axis.setTicks([[(value, str(value)) for value in (0, 2, 4, 6, 8)], []])
        self.curves = [plot.plot(connect="finite") for _ in range(2)]
        self._above_threshold = [plot.plot(connect="finite", fillLevel=0.0) for _ in range(2)]
        self._threshold = pg.InfiniteLine(angle=0)
        self._threshold.setVisible(False)
        plot.addItem(self._threshold)
        self._title = Label(theme, "faint", 12, text_source=lambda: translate("AnomalyStrip", _TITLE))
        self._title.setParent(self)
        self._title.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._label = pg.TextItem("", anchor=(1.0, 1.0))
        plot.addItem(self._label)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme, self._shown = theme, None
        self.setBackground(theme.ground)
        self._axis.setWidth(gutter())
        self._axis.setTextPen(colour(theme.faint))
        self._axis.setPen(colour(theme.edge))
        self._axis.setTickFont(font(11))
        high_ink, fill = colour(theme.threshold), colour(theme.threshold)
        fill.setAlphaF(0.35)
        for curve, high in zip(self.curves, self._above_threshold, strict=True):
            curve.setPen(pg.mkPen(colour(theme.score), width=1))
            high.setPen(pg.mkPen(high_ink, width=1))
            high.setFillBrush(fill)
        self._threshold.setPen(pg.mkPen(high_ink, width=1, style=Qt.PenStyle.DashLine))
        self._title.apply_theme(theme)
        self._title.adjustSize()
        self._title.move(gutter() + 6, 2)
        self.getPlotItem().layout.setContentsMargins(0, px(6), 0, px(4))
        self._label.setColor(high_ink)
        self._label.setFont(font(11))

    def show_trace(self, trace: Trace | None, *, stale: bool) -> None:
        """Show a trace; the curves change at most ten times per second of signal."""
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
            for curve in (*self.curves, *self._above_threshold):
                curve.clear()
            return
        self.getPlotItem().setXRange(0.0, trace.span / FS, padding=0)
        self._threshold.setVisible(trace.threshold is not None)
        if trace.threshold is not None:
            self._threshold.setValue(trace.threshold)
            self._label.setText(translate("AnomalyStrip", "unusual from {score}").format(score=f"{trace.threshold:g}"))
            self._label.setPos(trace.span / FS, trace.threshold)
        split = max(trace.cursor - (trace.cursor - trace.origin) % trace.span, trace.first)
        for number, (first, stop) in enumerate(((split, trace.cursor), (trace.first, split))):
            first += -first % _DECIMATION
            index = np.arange(first, max(stop, first), _DECIMATION)
            score = np.minimum(trace.score[index - trace.first], MAX_SCORE).astype(np.float64)
            x = (index - trace.origin) % trace.span / FS
            self.curves[number].setData(x, score)
            high = score >= trace.threshold if trace.threshold is not None else np.zeros(len(score), bool)
            self._above_threshold[number].setData(x, np.where(high, score, np.nan))
