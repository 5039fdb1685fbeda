"""Trend strip: heart rate, anomaly score and alarms over the last hours.

The drawing is cached and renewed once per second; the mouse adds a line and the values at its position.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.common.ring_buffer import FloatArray
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.gui.trace.sweep import gutter
from monitor.view.trend import TrendSnapshot
from stream.wire.alarm_messages import PRIORITIES

HEIGHT = 140
"""Height at normal font size, px."""

MAX_SCORE = 8.0
_TICKS_S = (60, 300, 600, 1800, 3600, 7200)
_TICK_PX = 60
_ALARM_BAR_PX = 6
_TIME_AXIS_PX = 18
_ALARMS = {
    "high": QT_TRANSLATE_NOOP("Trend", "high alarm"),
    "medium": QT_TRANSLATE_NOOP("Trend", "medium alarm"),
    "low": QT_TRANSLATE_NOOP("Trend", "low alarm"),
    "technical": QT_TRANSLATE_NOOP("Trend", "technical alarm"),
}


class TrendStrip(QWidget):
    """Draws the trend of a bed.

    Attributes
    ----------
    trend : TrendSnapshot or None
    drawn : int
        Number of drawings of the cache.
    hover : str
        Values at the mouse; empty while it is elsewhere.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.trend: TrendSnapshot | None = None
        self.drawn = 0
        self.hover = ""
        self._mouse_x: int | None = None
        self._cache: QPixmap | None = None
        self.setMouseTracking(True)
        self.apply_theme(theme)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme, self._cache = theme, None
        self.setFixedHeight(px(HEIGHT))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the default size."""
        return QSize(960, px(HEIGHT))

    def show_trend(self, trend: TrendSnapshot | None) -> None:
        """Show a trend; the caller updates it once per second."""
        self.trend, self._cache = trend, None
        self._update_hover()
        self.update()

    # --- drawing --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Copy the cached drawing, and draw the values at the mouse over it."""
        ratio = self.devicePixelRatio()
        if self._cache is None or self._cache.size() != self.size() * ratio:
            self._cache = QPixmap(self.size() * ratio)
            self._cache.setDevicePixelRatio(ratio)
            self._draw(self._cache)
            self.drawn += 1
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, self._cache)
            if self._mouse_x is not None and self.hover:
                self._draw_hover(painter, self._mouse_x)

    def _draw(self, cache: QPixmap) -> None:
        theme, trend = self.theme, self.trend
        cache.fill(colour(theme.ground))
        with QPainter(cache) as painter:
            painter.fillRect(QRectF(0, 0, self.width(), 1), colour(theme.edge))
            if trend is None:
                return
            self._draw_times(painter, trend)
            self._draw_alarms(painter, trend)
            low, high = _rate_limits(trend.heart_rate)
            left, axis_y = gutter(), self.height() - px(_TIME_AXIS_PX)
            middle = round(axis_y * 0.6)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw_curve(painter, trend.heart_rate, (low, high), (_ALARM_BAR_PX + 4, middle - 4), theme.ecg)
            score = np.minimum(trend.score, MAX_SCORE)
            self._draw_curve(painter, score, (0.0, MAX_SCORE), (middle + 4, axis_y), theme.score)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(colour(theme.edge), 1))
            painter.drawLine(left, middle, self.width(), middle)
            for top, name, upper, lower, bottom, ink in (
                (_ALARM_BAR_PX + 2, translate("Trend", "heart rate"), high, low, middle, theme.ecg),
                (middle + 2, translate("Trend", "anomaly score"), MAX_SCORE, 0.0, axis_y, theme.score),
            ):
                painter.setPen(colour(ink))
                painter.setFont(font(12))
                painter.drawText(QRect(left + 6, top, px(200), px(16)), Qt.AlignmentFlag.AlignVCenter, name)
                painter.setPen(colour(theme.faint))
                painter.setFont(font(11))
                place = QRect(0, top, left - 6, bottom - top - 2)
                painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, f"{upper:.0f}")
                painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, f"{lower:.0f}")

    def _draw_times(self, painter: QPainter, trend: TrendSnapshot) -> None:
        left, axis_y = gutter(), self.height() - px(_TIME_AXIS_PX)
        per_second = (self.width() - left) / (trend.stop - trend.first)
        step = next((step for step in _TICKS_S if step * per_second >= px(_TICK_PX)), _TICKS_S[-1])
        painter.setFont(font(11))
        offset = round(datetime.fromtimestamp(trend.first).astimezone().utcoffset().total_seconds())  # type: ignore[union-attr]
        for second in range(trend.first + -(trend.first + offset) % step, trend.stop, step):
            x = self._x(second)
            painter.setPen(QPen(colour(self.theme.grid), 1))
            painter.drawLine(QLineF(x, 1, x, axis_y))
            if left + px(20) < x < self.width() - px(20):
                painter.setPen(colour(self.theme.faint))
                place = QRectF(x - px(30), axis_y + 1, px(60), px(_TIME_AXIS_PX) - 2)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, f"{datetime.fromtimestamp(second):%H:%M}")

    def _draw_curve(
        self, painter: QPainter, values: FloatArray, limits: tuple[float, float], rows: tuple[int, int], ink: str
    ) -> None:
        """Draw minimum to maximum of each pixel column, connected to the next column if there is no gap."""
        left = gutter()
        columns = max(self.width() - left, 1)
        low, high = _column_extremes(values, columns)
        filled = np.flatnonzero(np.isfinite(low))
        top, bottom = rows
        scale = (bottom - top) / (limits[1] - limits[0])
        upper, lower = bottom - (high - limits[0]) * scale, bottom - (low - limits[0]) * scale
        # If a column is shorter than a second, columns between two seconds are empty, which is not a gap.
        max_distance = max(columns / len(values), 1.0) * 2.5
        lines = []
        for this, following in zip(filled, np.append(filled[1:], -1), strict=True):
            x = left + float(this) + 0.5
            lines.append(QLineF(x, upper[this], x, max(lower[this], upper[this] + 1)))
            if following >= 0 and following - this <= max_distance:
                lines.append(
                    QLineF(
                        x,
                        (upper[this] + lower[this]) / 2,
                        left + float(following) + 0.5,
                        (upper[following] + lower[following]) / 2,
                    )
                )
        painter.setPen(QPen(colour(ink), 2.0))
        painter.drawLines(lines)

    def _draw_alarms(self, painter: QPainter, trend: TrendSnapshot) -> None:
        priority = trend.priority
        edges = np.flatnonzero(np.diff(priority, prepend=np.int8(-1), append=np.int8(-1)))
        for begin, end in pairwise(edges):
            if priority[begin] >= 0:
                left, right = self._x(trend.first + int(begin)), self._x(trend.first + int(end))
                ink = self.theme.priority[PRIORITIES[priority[begin]]]
                painter.fillRect(QRectF(left, 1, max(right - left, 2.0), _ALARM_BAR_PX), colour(ink))
                tint = colour(ink)
                tint.setAlphaF(0.18)
                painter.fillRect(
                    QRectF(
                        left,
                        1 + _ALARM_BAR_PX,
                        max(right - left, 2.0),
                        self.height() - px(_TIME_AXIS_PX) - _ALARM_BAR_PX - 1,
                    ),
                    tint,
                )

    def _x(self, second: float) -> float:
        assert self.trend is not None
        span = self.trend.stop - self.trend.first
        return gutter() + (second - self.trend.first) / span * (self.width() - gutter())

    # --- mouse ----------------------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Show the values at the mouse."""
        self._mouse_x = round(event.position().x())
        self._update_hover()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Hide the values."""
        self._mouse_x = None
        self._update_hover()
        self.update()
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Draw again for the new size."""
        self._cache = None
        super().resizeEvent(event)

    def _update_hover(self) -> None:
        """Set `hover` to the values of the second under the mouse."""
        self.hover = ""
        if self.trend is None or self._mouse_x is None or not gutter() <= self._mouse_x < self.width():
            return
        span = self.trend.stop - self.trend.first
        row = min(int((self._mouse_x - gutter()) / (self.width() - gutter()) * span), span - 1)
        rate, score = float(self.trend.heart_rate[row]), float(self.trend.score[row])
        parts = [
            f"{datetime.fromtimestamp(self.trend.first + row):%H:%M:%S}",
            translate("Trend", "HR {rate}").format(rate="--" if np.isnan(rate) else f"{rate:.0f}/min"),
            translate("Trend", "anomaly score {score}").format(score="--" if np.isnan(score) else f"{score:.1f}"),
        ]
        if self.trend.priority[row] >= 0:
            parts.append(translate("Trend", _ALARMS[PRIORITIES[self.trend.priority[row]]]))
        self.hover = "  ·  ".join(parts)

    def _draw_hover(self, painter: QPainter, x: int) -> None:
        painter.setPen(QPen(colour(self.theme.text), 1))
        painter.drawLine(QPointF(x, 1), QPointF(x, self.height() - px(_TIME_AXIS_PX)))
        painter.setFont(font(13, bold=True))
        box = QFontMetrics(painter.font()).boundingRect(self.hover).adjusted(-8, -3, 8, 3)
        left = x + 8 if x + 8 + box.width() < self.width() else x - 8 - box.width()
        place = QRect(left, _ALARM_BAR_PX + 6, box.width(), box.height())
        painter.fillRect(place, colour(self.theme.panel))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self.hover)


def _rate_limits(values: FloatArray) -> tuple[float, float]:
    """Return the limits of the heart rate axis: 40 to 140/min, extended in steps of 20 where needed."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 40.0, 140.0
    return min(40.0, float(known.min()) // 20 * 20), max(140.0, -(-float(known.max()) // 20) * 20)


def _column_extremes(values: FloatArray, columns: int) -> tuple[FloatArray, FloatArray]:
    """Return minimum and maximum of the values in each of a number of columns; NaN in empty columns."""
    low = np.full(columns, np.inf, np.float32)
    high = np.full(columns, -np.inf, np.float32)
    known = np.flatnonzero(np.isfinite(values))
    at = known * columns // len(values)
    np.minimum.at(low, at, values[known])
    np.maximum.at(high, at, values[known])
    empty = np.isinf(low)
    low[empty] = high[empty] = np.nan
    return low, high
