"""The trend strip: heart rate and score over the last hours, with the alarms in their colours.

Drawn into a cache when a new second has come; the mouse over it costs a line and a few words.
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
from monitor.view.trend import TrendPicture
from stream.wire.alarm_messages import PRIORITIES

HEIGHT = 140
"""Pixels, at the normal size of letters."""

SCORE_TOP = 8.0
_TICKS_S = (60, 300, 600, 1800, 3600, 7200)
_TICK_PX = 60
_BAR = 6
_FOOT = 18
_ALARMS = {
    "high": QT_TRANSLATE_NOOP("Trend", "high alarm"),
    "medium": QT_TRANSLATE_NOOP("Trend", "medium alarm"),
    "low": QT_TRANSLATE_NOOP("Trend", "low alarm"),
    "technical": QT_TRANSLATE_NOOP("Trend", "technical alarm"),
}


class TrendStrip(QWidget):
    """Draws `TrendPicture` after `TrendPicture`.

    Attributes
    ----------
    picture : TrendPicture or None
    drawn : int
        How often all of it was drawn.
    hover : str
        What the mouse points at, in words; empty while it is elsewhere.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.picture: TrendPicture | None = None
        self.drawn = 0
        self.hover = ""
        self._at: int | None = None
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
        """Return the size that the window gives it by default."""
        return QSize(960, px(HEIGHT))

    def show_picture(self, picture: TrendPicture | None) -> None:
        """Take what is to be shown; the caller asks for it once per second."""
        self.picture, self._cache = picture, None
        self._point()
        self.update()

    # --- the picture ----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Copy the drawing, and put what the mouse points at over it."""
        ratio = self.devicePixelRatio()
        if self._cache is None or self._cache.size() != self.size() * ratio:
            self._cache = QPixmap(self.size() * ratio)
            self._cache.setDevicePixelRatio(ratio)
            self._draw(self._cache)
            self.drawn += 1
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, self._cache)
            if self._at is not None and self.hover:
                self._draw_hover(painter, self._at)

    def _draw(self, cache: QPixmap) -> None:
        theme, picture = self.theme, self.picture
        cache.fill(colour(theme.ground))
        with QPainter(cache) as painter:
            painter.fillRect(QRectF(0, 0, self.width(), 1), colour(theme.edge))
            if picture is None:
                return
            self._draw_times(painter, picture)
            self._draw_alarms(painter, picture)
            low, high = _rates(picture.heart_rate)
            left, foot = gutter(), self.height() - px(_FOOT)
            middle = round(foot * 0.6)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw_curve(painter, picture.heart_rate, (low, high), (_BAR + 4, middle - 4), theme.ecg)
            score = np.minimum(picture.score, SCORE_TOP)
            self._draw_curve(painter, score, (0.0, SCORE_TOP), (middle + 4, foot), theme.score)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(colour(theme.edge), 1))
            painter.drawLine(left, middle, self.width(), middle)
            for top, name, upper, lower, bottom, ink in (
                (_BAR + 2, translate("Trend", "heart rate"), high, low, middle, theme.ecg),
                (middle + 2, translate("Trend", "anomaly score"), SCORE_TOP, 0.0, foot, theme.score),
            ):
                painter.setPen(colour(ink))
                painter.setFont(font(12))
                painter.drawText(QRect(left + 6, top, px(200), px(16)), Qt.AlignmentFlag.AlignVCenter, name)
                painter.setPen(colour(theme.faint))
                painter.setFont(font(11))
                place = QRect(0, top, left - 6, bottom - top - 2)
                painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, f"{upper:.0f}")
                painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, f"{lower:.0f}")

    def _draw_times(self, painter: QPainter, picture: TrendPicture) -> None:
        left, foot = gutter(), self.height() - px(_FOOT)
        per_second = (self.width() - left) / (picture.stop - picture.first)
        step = next((step for step in _TICKS_S if step * per_second >= px(_TICK_PX)), _TICKS_S[-1])
        painter.setFont(font(11))
        offset = round(datetime.fromtimestamp(picture.first).astimezone().utcoffset().total_seconds())  # type: ignore[union-attr]
        for second in range(picture.first + -(picture.first + offset) % step, picture.stop, step):
            x = self._x(second)
            painter.setPen(QPen(colour(self.theme.grid), 1))
            painter.drawLine(QLineF(x, 1, x, foot))
            if left + px(20) < x < self.width() - px(20):
                painter.setPen(colour(self.theme.faint))
                place = QRectF(x - px(30), foot + 1, px(60), px(_FOOT) - 2)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, f"{datetime.fromtimestamp(second):%H:%M}")

    def _draw_curve(
        self, painter: QPainter, values: FloatArray, limits: tuple[float, float], rows: tuple[int, int], ink: str
    ) -> None:
        """Draw lowest to highest of each pixel column, tied to the next column that follows without a gap."""
        left = gutter()
        columns = max(self.width() - left, 1)
        low, high = _by_column(values, columns)
        there = np.flatnonzero(np.isfinite(low))
        top, bottom = rows
        scale = (bottom - top) / (limits[1] - limits[0])
        upper, lower = bottom - (high - limits[0]) * scale, bottom - (low - limits[0]) * scale
        # Where a column is less than a second, columns between two seconds are empty without a gap.
        reach = max(columns / len(values), 1.0) * 2.5
        lines = []
        for this, following in zip(there, np.append(there[1:], -1), strict=True):
            x = left + float(this) + 0.5
            lines.append(QLineF(x, upper[this], x, max(lower[this], upper[this] + 1)))
            if following >= 0 and following - this <= reach:
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

    def _draw_alarms(self, painter: QPainter, picture: TrendPicture) -> None:
        marked = picture.priority
        edges = np.flatnonzero(np.diff(marked, prepend=np.int8(-1), append=np.int8(-1)))
        for begin, end in pairwise(edges):
            if marked[begin] >= 0:
                left, right = self._x(picture.first + int(begin)), self._x(picture.first + int(end))
                ink = self.theme.priority[PRIORITIES[marked[begin]]]
                painter.fillRect(QRectF(left, 1, max(right - left, 2.0), _BAR), colour(ink))
                tint = colour(ink)
                tint.setAlphaF(0.18)
                painter.fillRect(
                    QRectF(left, 1 + _BAR, max(right - left, 2.0), self.height() - px(_FOOT) - _BAR - 1), tint
                )

    def _x(self, second: float) -> float:
        assert self.picture is not None
        span = self.picture.stop - self.picture.first
        return gutter() + (second - self.picture.first) / span * (self.width() - gutter())

    # --- the mouse ------------------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Say what was at this time."""
        self._at = round(event.position().x())
        self._point()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Say nothing more."""
        self._at = None
        self._point()
        self.update()
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Draw for the new width."""
        self._cache = None
        super().resizeEvent(event)

    def _point(self) -> None:
        """Find the second under the mouse."""
        self.hover = ""
        if self.picture is None or self._at is None or not gutter() <= self._at < self.width():
            return
        span = self.picture.stop - self.picture.first
        row = min(int((self._at - gutter()) / (self.width() - gutter()) * span), span - 1)
        rate, score = float(self.picture.heart_rate[row]), float(self.picture.score[row])
        said = [
            f"{datetime.fromtimestamp(self.picture.first + row):%H:%M:%S}",
            translate("Trend", "HR {rate}").format(rate="--" if np.isnan(rate) else f"{rate:.0f}/min"),
            translate("Trend", "anomaly score {score}").format(score="--" if np.isnan(score) else f"{score:.1f}"),
        ]
        if self.picture.priority[row] >= 0:
            said.append(translate("Trend", _ALARMS[PRIORITIES[self.picture.priority[row]]]))
        self.hover = "  ·  ".join(said)

    def _draw_hover(self, painter: QPainter, x: int) -> None:
        painter.setPen(QPen(colour(self.theme.text), 1))
        painter.drawLine(QPointF(x, 1), QPointF(x, self.height() - px(_FOOT)))
        painter.setFont(font(13, bold=True))
        box = QFontMetrics(painter.font()).boundingRect(self.hover).adjusted(-8, -3, 8, 3)
        left = x + 8 if x + 8 + box.width() < self.width() else x - 8 - box.width()
        place = QRect(left, _BAR + 6, box.width(), box.height())
        painter.fillRect(place, colour(self.theme.panel))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self.hover)


def _rates(values: FloatArray) -> tuple[float, float]:
    """Return limits of the axis, on a grid of 20/min: 40 to 140, and more where the heart rate leaves them."""
    there = values[np.isfinite(values)]
    if not len(there):
        return 40.0, 140.0
    return min(40.0, float(there.min()) // 20 * 20), max(140.0, -(-float(there.max()) // 20) * 20)


def _by_column(values: FloatArray, columns: int) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and the highest value in each of so many columns; NaN where there is none."""
    low = np.full(columns, np.inf, np.float32)
    high = np.full(columns, -np.inf, np.float32)
    there = np.flatnonzero(np.isfinite(values))
    at = there * columns // len(values)
    np.minimum.at(low, at, values[there])
    np.maximum.at(high, at, values[there])
    empty = np.isinf(low)
    low[empty] = high[empty] = np.nan
    return low, high
