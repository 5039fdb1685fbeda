"""Trend strip: heart rate, numbers and alarms over the last minutes or hours.

The drawing is cached; the mouse adds a line and the values at its position, and its wheel zooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.common.ring_buffer import FloatArray
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.gui.style.wheel_steps import WheelSteps
from monitor.gui.trace.sweep import gutter
from monitor.gui.trace.trend_curve import curve_pixels
from monitor.view.number_groups import GROUPS, value_texts
from monitor.view.trend import TrendSnapshot
from stream.wire.alarm_messages import PRIORITIES

HEIGHT = 140
"""Height of two rows at normal font size, and the least of more rows, px."""

_ROW_PX = 32
"""Height that each of more than two rows has if there is room, px at normal font size."""

_TWO_LIMITS_PX = 26
"""Height from which both limits of a row are written, px at normal font size."""

MAX_SCORE = 8.0
_TICKS_S = (60, 300, 600, 1800, 3600, 7200)
_TICK_PX = 60
_ALARM_BAR_PX = 6
_RATE_SCALE = (40.0, 140.0, 20.0)
_RATE_SHARE = 1.5
"""Height of the heart rate, as a share of that of another row."""

_TIME_AXIS_PX = 18
_ALARMS = {
    "high": QT_TRANSLATE_NOOP("Trend", "high alarm"),
    "medium": QT_TRANSLATE_NOOP("Trend", "medium alarm"),
    "low": QT_TRANSLATE_NOOP("Trend", "low alarm"),
    "technical": QT_TRANSLATE_NOOP("Trend", "technical alarm"),
}


@dataclass(frozen=True, slots=True)
class _Row:
    """Curves with a common axis; the last is on top."""

    name: str
    curves: tuple[tuple[FloatArray, str], ...]
    low: float
    high: float
    ink: str


class TrendStrip(QWidget):
    """Draws the trend of a bed: heart rate and score, or heart rate and each group of numbers that the bed has.

    Attributes
    ----------
    zoomed : Signal(int)
        The wheel was turned: 1 for a longer span, −1 for a shorter one.
    trend : TrendSnapshot or None
    drawn : int
        Number of drawings of the cache.
    hover : str
        Values at the mouse; empty while it is elsewhere.
    """

    zoomed = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._height_limit = 0
        self._wheel = WheelSteps()
        self._rows: list[_Row] = []
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
        self._rows = [] if self.trend is None else self._rows_of(self.trend)
        self.set_height_limit(self._height_limit)
        self.update()

    def set_height_limit(self, limit: int) -> None:
        """Set the height to that of the rows, at most ``limit`` px but at least that of two rows."""
        self._height_limit = limit
        self.setFixedHeight(max(px(HEIGHT), min(px(_ROW_PX * len(self._rows)), limit)))

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the default size."""
        return QSize(960, px(HEIGHT))

    def show_trend(self, trend: TrendSnapshot | None) -> None:
        """Show a trend; the caller updates it once per second."""
        self.trend, self._cache = trend, None
        self._rows = [] if trend is None else self._rows_of(trend)
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
            for row, (top, bottom) in zip(self._rows, pairwise(self._edges()), strict=True):
                for values, ink in row.curves:
                    self._draw_curve(painter, values, (row.low, row.high), (top + 4, bottom - 4), ink)
                painter.setPen(QPen(colour(theme.edge), 1))
                painter.drawLine(gutter(), bottom, self.width(), bottom)
                self._draw_names(painter, row, top + 2, bottom - 2)

    def _rows_of(self, trend: TrendSnapshot) -> list[_Row]:
        """Return the rows from top to bottom."""
        theme, numbers = self.theme, trend.numbers
        rate = ((trend.heart_rate, theme.ecg),)
        pulse = ((numbers["pulse_rate"], theme.wave["pleth"]),) if "pulse_rate" in numbers else ()
        rows = [_row(translate("Trend", "heart rate"), (*pulse, *rate), _RATE_SCALE)]
        for group in GROUPS:
            ink = theme.text if group.wave is None else theme.wave[group.wave]
            curves = tuple((numbers[name], ink) for name in group.main if name in numbers)
            if curves:
                rows.append(_row(group.name, curves, group.scale))
        if len(rows) == 1:
            score = np.minimum(trend.score, MAX_SCORE)
            rows.append(_Row(translate("Trend", "anomaly score"), ((score, theme.score),), 0, MAX_SCORE, theme.score))
        return rows

    def _edges(self) -> list[int]:
        """Return the pixels that divide the rows, one more than there are rows."""
        top, bottom = 1 + _ALARM_BAR_PX, self.height() - px(_TIME_AXIS_PX)
        shares = np.cumsum([0, _RATE_SHARE] + [1] * (len(self._rows) - 1))
        return [round(top + (bottom - top) * share / shares[-1]) for share in shares]

    def _draw_names(self, painter: QPainter, row: _Row, top: int, bottom: int) -> None:
        """Write the name of a row, and its limits at the left."""
        left = gutter()
        painter.setFont(font(12))
        ground = colour(self.theme.ground)
        ground.setAlphaF(0.8)
        name = QRect(left + 4, top, QFontMetrics(painter.font()).horizontalAdvance(row.name) + 4, px(14))
        painter.fillRect(name, ground)
        painter.setPen(colour(row.ink))
        painter.drawText(name, Qt.AlignmentFlag.AlignCenter, row.name)
        painter.setPen(colour(self.theme.faint))
        painter.setFont(font(11))
        place, right = QRect(0, top, left - 6, bottom - top), Qt.AlignmentFlag.AlignRight
        if bottom - top < px(_TWO_LIMITS_PX):
            painter.drawText(place, right | Qt.AlignmentFlag.AlignVCenter, f"{row.low:.0f}–{row.high:.0f}")
            return
        painter.drawText(place, right | Qt.AlignmentFlag.AlignTop, f"{row.high:.0f}")
        painter.drawText(place, right | Qt.AlignmentFlag.AlignBottom, f"{row.low:.0f}")

    def _draw_times(self, painter: QPainter, trend: TrendSnapshot) -> None:
        left, axis_y = gutter(), self.height() - px(_TIME_AXIS_PX)
        per_second = (self.width() - left) / (trend.stop - trend.first)
        step = next((step for step in _TICKS_S if step * per_second >= px(_TICK_PX)), _TICKS_S[-1])
        painter.setFont(font(11))
        painter.setPen(colour(self.theme.faint))
        corner = QRect(0, axis_y + 1, left - 6, px(_TIME_AXIS_PX) - 2)
        painter.drawText(corner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, _span_text(trend))
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
        left, (top, bottom), ratio = gutter(), rows, self.devicePixelRatio()
        columns, height = (max(round(length * ratio), 1) for length in (self.width() - left, bottom - top))
        covered = curve_pixels(values, columns, height, limits, 2.0 * ratio)
        pixels = np.where(covered, np.uint32(colour(ink).rgba()), np.uint32(0))
        image = QImage(pixels.data, columns, height, 4 * columns, QImage.Format.Format_ARGB32)
        image.setDevicePixelRatio(ratio)
        painter.drawImage(QPointF(left, top), image)

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

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Zoom: up shows a shorter span."""
        if step := self._wheel.take(event):
            self.zoomed.emit(-step)

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
        rate = float(self.trend.heart_rate[row])
        parts = [
            f"{datetime.fromtimestamp(self.trend.first + row):%H:%M:%S}",
            translate("Trend", "HR {rate}").format(rate="--" if np.isnan(rate) else f"{rate:.0f}/min"),
            *self._texts_at(self.trend, row),
        ]
        if self.trend.priority[row] >= 0:
            parts.append(translate("Trend", _ALARMS[PRIORITIES[self.trend.priority[row]]]))
        self.hover = "  ·  ".join(parts)

    def _texts_at(self, trend: TrendSnapshot, row: int) -> list[str]:
        """Return the numbers at a row of the trend, or the score of a bed that has none."""
        values = {name: float(column[row]) for name, column in trend.numbers.items()}
        known = {name: None if np.isnan(value) else value for name, value in values.items()}
        groups = [group for group in GROUPS if not known.keys().isdisjoint(group.main)]
        if groups:
            return [" ".join(filter(None, (group.name, *value_texts(group, known)))) for group in groups]
        score = "--" if np.isnan(trend.score[row]) else f"{trend.score[row]:.1f}"
        return [translate("Trend", "anomaly score {score}").format(score=score)]

    def _draw_hover(self, painter: QPainter, x: int) -> None:
        painter.setPen(QPen(colour(self.theme.text), 1))
        painter.drawLine(QPointF(x, 1), QPointF(x, self.height() - px(_TIME_AXIS_PX)))
        painter.setFont(font(13, bold=True))
        box = QFontMetrics(painter.font()).boundingRect(self.hover).adjusted(-8, -3, 8, 3)
        left = x + 8 if x + 8 + box.width() < self.width() else max(x - 8 - box.width(), 0)
        place = QRect(left, _ALARM_BAR_PX + 6, box.width(), box.height())
        painter.fillRect(place, colour(self.theme.panel))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self.hover)


def _row(name: str, curves: tuple[tuple[FloatArray, str], ...], scale: tuple[float, float, float]) -> _Row:
    """Return a row whose axis has the limits of a scale, extended by its steps where the values need it."""
    low, high, step = scale
    for values, _ in curves:
        known = values[np.isfinite(values)]
        if len(known):
            low = min(low, float(known.min()) // step * step)
            high = max(high, -(-float(known.max()) // step) * step)
    return _Row(name, curves, low, high, curves[-1][1])


def _span_text(trend: TrendSnapshot) -> str:
    minutes = (trend.stop - trend.first) // 60
    if minutes < 60:
        return translate("Trend", "{count} min").format(count=minutes)
    return translate("Trend", "{count} h").format(count=minutes // 60)
