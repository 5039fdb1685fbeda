"""Anomaly strip: anomaly score and threshold on the time axis of the sweep."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.polyline import FloatArray64, draw_line, polygon, runs, square_pen
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.gui.trace.sweep import gutter
from monitor.view.trace import Trace
from stream.timebase import STRIDE

MAX_SCORE = 8.0
"""Upper limit of the axis; higher scores are drawn at the limit."""

_TICKS = (0, 2, 4, 6, 8)
_DECIMATION = 4
_HEIGHT, _COMPACT_HEIGHT = 150, 100
_MARGIN = 8
"""Space above and below the axis, px."""

_TITLE = QT_TRANSLATE_NOOP("AnomalyStrip", "anomaly score (3: once in 1,000 s by chance)")


class AnomalyStrip(QWidget):
    """Score over the sweep, in two curves: the current sweep up to the cursor, and the rest of the previous one.

    Parameters
    ----------
    theme : Theme

    Attributes
    ----------
    curves : list of (array, array)
        Share of the sweep, 0 to 1, and score of the points of each curve.
    threshold : float or None
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.curves: list[tuple[FloatArray64, FloatArray64]] = []
        self.threshold: float | None = None
        self._shown: tuple[object, ...] | None = None
        self._compact = self._stale = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._title = Label(theme, "faint", 12, text_source=lambda: translate("AnomalyStrip", _TITLE))
        self._title.setParent(self)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.set_compact(self._compact)
        self._title.apply_theme(theme)
        self._title.adjustSize()
        self._title.move(gutter() + 6, 2)
        self.update()

    def set_compact(self, compact: bool) -> None:
        """Reduce the height for small windows."""
        self._compact = compact
        self.setFixedHeight(px(_COMPACT_HEIGHT if compact else _HEIGHT))

    def show_trace(self, trace: Trace | None, *, stale: bool) -> None:
        """Show a trace; the curves change at most ten times per second of signal."""
        shown = (
            None
            if trace is None
            else (trace.session, trace.cursor // STRIDE, trace.revision, trace.origin, trace.span, trace.threshold)
        )
        if (shown, stale) == (self._shown, self._stale):
            return
        self._shown, self._stale = shown, stale
        self.curves = [] if trace is None else [_curve(trace, *part) for part in _parts(trace)]
        self.threshold = None if trace is None else trace.threshold
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw axis, scores, and the threshold with its name."""
        left, top, bottom = gutter(), px(_MARGIN), self.height() - px(_MARGIN)
        per_score = (bottom - top) / MAX_SCORE
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self.theme.ground))
            painter.setOpacity(self.theme.stale_opacity if self._stale else 1.0)
            painter.setFont(font(11))
            for tick in _TICKS:
                level = bottom - tick * per_score
                painter.setPen(colour(self.theme.faint))
                place = QRectF(0, level - px(8), left - px(8), px(16))
                painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(tick))
                painter.fillRect(QRectF(left - px(5), round(level), px(5), 1), colour(self.theme.edge))
            painter.fillRect(QRectF(left - 1, top, 1, bottom - top), colour(self.theme.edge))
            for share, score in self.curves:
                x, y = left + share * (self.width() - left), bottom - score * per_score
                draw_line(painter, x, y, square_pen(self.theme.score, 1))
                if self.threshold is not None:
                    self._draw_high(painter, x, y, score >= self.threshold, bottom)
            if self.threshold is not None:
                self._draw_threshold(painter, bottom - min(self.threshold, MAX_SCORE) * per_score)

    def _draw_high(
        self, painter: QPainter, x: FloatArray64, y: FloatArray64, high: npt.NDArray[np.bool_], bottom: float
    ) -> None:
        """Draw the scores from the threshold on in its colour, down to the axis."""
        fill = colour(self.theme.threshold)
        fill.setAlphaF(0.35)
        for run in runs(high):
            own_x, own_y = x[run], y[run]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            outline = np.concatenate([own_x[:1], own_x, own_x[-1:]]), np.concatenate([[bottom], own_y, [bottom]])
            painter.drawPolygon(polygon(*outline))
            draw_line(painter, own_x, own_y, square_pen(self.theme.threshold, 1))

    def _draw_threshold(self, painter: QPainter, y: float) -> None:
        ink = colour(self.theme.threshold)
        painter.setPen(QPen(ink, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(gutter(), y), QPointF(self.width(), y))
        painter.setPen(ink)
        painter.setFont(font(11))
        text = translate("AnomalyStrip", "unusual from {score}").format(score=f"{self.threshold:g}")
        place = QRectF(gutter(), y - px(20), self.width() - gutter() - 4, px(18))
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, text)


def _parts(trace: Trace) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the samples of the current sweep, and those that remain of the previous one."""
    split = max(trace.cursor - (trace.cursor - trace.origin) % trace.span, trace.first)
    return (split, trace.cursor), (trace.first, split)


def _curve(trace: Trace, first: int, stop: int) -> tuple[FloatArray64, FloatArray64]:
    """Return where on the sweep, 0 to 1, some samples lie, and their scores; every fourth of the session."""
    first += -first % _DECIMATION
    index = np.arange(first, max(stop, first), _DECIMATION)
    score = np.minimum(trace.score[index - trace.first], MAX_SCORE).astype(np.float64)
    return (index - trace.origin) % trace.span / trace.span, score
