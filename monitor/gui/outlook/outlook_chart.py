"""The last hours of a bed, and the forecast of the next ones, one row for each group of numerics.

A value is a point at its hour; neighbouring hours are joined, and an hour without a value is a gap. Right of the line
"now" are the median and the 80 % interval of the forecast. The lowest row is the risk of the advisory, hour by hour.
The mouse wheel shows more or fewer hours of the past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.outlook import risk_row
from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.gui.style.wheel_steps import WheelSteps
from monitor.view.chart import PRESSURE_LIMIT, ChartGroup, HoursAhead, latest, shown_groups
from monitor.view.hourly_course import SPANS_H, HourlyCourse
from stream.wire.numerics_message import UNIT_OF, NumericName
from stream.wire.outlook_message import MAX_PAST_H, Fan, Outlook
from stream.wire.outlook_texts import name_phrase, value_text
from stream.wire.wave_message import Signal

_LEFT_PX, _RIGHT_PX, _AXIS_PX = 44, 26, 22
_RISK_SHARE, _PRESSURE_SHARE = 0.9, 1.6
"""Height of the rows of the risk and of a pressure, as a share of that of another row."""

_TICKS_H, _TICK_PX = (1, 2, 6, 12, 24), 44
"""Intervals of the written hours of the past, and the least distance of two texts."""

_MEAN = ("abp_mean", "nibp_mean")
_POINT_PX = 2.5
_TWO_LIMITS_PX, _THREE_LIMITS_PX = 40, 80
"""Heights from which the limits of a row are written, and that of the pressure, px at normal font size."""

_LEGEND_ROW_PX = 50
"""Height of the row of the risk from which the bands are explained beside it."""

_WAVES: Mapping[str, Signal] = {"ABP": "abp", "NIBP": "abp", "SpO₂": "pleth", "RR": "resp", "etCO₂": "co2"}
"""Whose colour each group has; others have that of texts."""

Axis = Callable[[float], float]
"""Returns the pixel of a value."""


class OutlookChart(QWidget):
    """Draws an outlook.

    Attributes
    ----------
    outlook : Outlook or None
    stale : bool
        Drawn dimmed: nothing is sent any more.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.outlook: Outlook | None = None
        self._span: int | None = None
        self.stale = False
        self._course = HourlyCourse()
        self._wheel = WheelSteps()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the default size."""
        return QSize(800, px(400))

    def show_hours(self, hours: HoursAhead | None, *, stale: bool) -> None:
        """Show the hours of a bed; nothing is drawn again while they are the same."""
        outlook = None if hours is None else hours.outlook
        if (outlook, stale) != (self.outlook, self.stale):
            self.outlook, self.stale = outlook, stale
            self._course = HourlyCourse() if hours is None else hours.course
            self.update()

    # --- span -----------------------------------------------------------------------------------------------------

    @property
    def span(self) -> int:
        """Hours of the past that are shown, of `SPANS_H`: as chosen, else those that there are, up to a day."""
        if self._span is not None:
            return self._span
        return next((span for span in SPANS_H if span >= min(len(self._course.rows), MAX_PAST_H)), MAX_PAST_H)

    def zoom(self, by: int) -> None:
        """Show more (positive) or fewer hours of the past."""
        self._span = SPANS_H[min(max(SPANS_H.index(self.span) + by, 0), len(SPANS_H) - 1)]
        self.update()

    def next_span(self) -> None:
        """Show the next span; after the longest, the shortest."""
        self.zoom(-len(SPANS_H) if self.span == SPANS_H[-1] else 1)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Zoom: up shows a shorter span."""
        if step := self._wheel.take(event):
            self.zoom(-step)

    # --- drawing --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw all rows."""
        outlook = self.outlook
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self.theme.ground))
            if outlook is None:
                painter.setFont(font(16))
                painter.setPen(colour(self.theme.faint))
                text = translate("Outlook", "no outlook yet: a worker sends one with each hour")
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
                return
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            groups, course = shown_groups(self._course), self._course.last(self.span)
            edges = self._edges(groups, 0.0 if outlook.advisory_risk is None else _RISK_SHARE)
            self._draw_hours(painter, outlook, edges[-1])
            painter.setOpacity(self.theme.stale_opacity if self.stale else 1.0)
            for group, (top, bottom) in zip(groups, pairwise(edges), strict=False):
                self._draw_group(painter, outlook, course, group, top, bottom)
            row = QRectF(px(_LEFT_PX), edges[-2], self.width() - px(_LEFT_PX), edges[-1] - edges[-2])
            risk_row.draw(painter, self.theme, outlook, course, row, self._x)
            painter.setOpacity(1.0)
            if outlook.forecasts and row.height() >= px(_LEGEND_ROW_PX):
                self._draw_legend(painter, edges[-2])

    def _edges(self, groups: Sequence[ChartGroup], risk: float) -> list[int]:
        """Return the pixels that divide the rows, the last of which is the risk, with its share of the height."""
        shares = [0.0, *(_PRESSURE_SHARE if len(group.members) > 1 else 1.0 for group in groups), risk]
        row = (self.height() - px(_AXIS_PX)) / (sum(shares) or 1.0)  # there may be no row at all
        return [round(row * share) for share in accumulate(shares)]

    def _x(self, hours: float) -> float:
        """Return the pixel of an hour, counted from now."""
        outlook = self.outlook
        assert outlook is not None
        left, right = px(_LEFT_PX), self.width() - px(_RIGHT_PX)
        span = self.span - 1 + max(outlook.horizons, default=0)
        return left + (hours + self.span - 1) / span * (right - left)

    def _draw_hours(self, painter: QPainter, outlook: Outlook, bottom: int) -> None:
        """Draw the hours of the record, those of the forecast, and the line of the present."""
        painter.setFont(font(11))
        wide = (step for step in _TICKS_H if self._x(step) - self._x(0) >= 2 * px(_TICK_PX))
        step = next(wide, _TICKS_H[-1])
        past = [h for h in range(max(outlook.hour - self.span + 1, 0), outlook.hour) if h % step == 0]
        ticks = [(h - outlook.hour, translate("Outlook", "hour {hour}").format(hour=h)) for h in past]
        ticks += [(h, translate("Outlook", "+{hours} h").format(hours=h)) for h in outlook.horizons]
        present, free = self._x(0), float(self.width() + px(_TICK_PX))
        for hours, text in reversed(ticks):
            x = self._x(hours)
            painter.setPen(QPen(colour(self.theme.grid), 1))
            painter.drawLine(QLineF(x, 0, x, bottom))
            if px(_LEFT_PX) + px(_TICK_PX) / 2 < x < free - px(_TICK_PX) and abs(x - present) > px(_TICK_PX):
                self._draw_hour(painter, x, text, self.theme.faint)
                free = x
        x = self._x(0)
        painter.setPen(QPen(colour(self.theme.text), 1.5))
        painter.drawLine(QLineF(x, 0, x, bottom))
        painter.setFont(font(11))
        painter.setPen(colour(self.theme.faint))
        corner = QRect(0, self.height() - px(_AXIS_PX), px(_LEFT_PX) - 6, px(_AXIS_PX))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(corner, right, translate("Trend", "{count} h").format(count=self.span))
        painter.setFont(font(12, bold=True))
        self._draw_hour(painter, x, translate("Outlook", "now: {hour}").format(hour=outlook.hour), self.theme.text)

    def _draw_hour(self, painter: QPainter, x: float, text: str, ink: str) -> None:
        painter.setPen(colour(ink))
        place = QRectF(x - px(50), self.height() - px(_AXIS_PX), px(100), px(_AXIS_PX))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _draw_group(
        self, painter: QPainter, outlook: Outlook, course: HourlyCourse, group: ChartGroup, top: int, bottom: int
    ) -> None:
        fans = [fan for fan in outlook.forecasts if fan.name in group.members]
        past = {name: course.values_of(name) for name in group.members if name in course.names}
        ink = self._ink(group)
        low, high, step = group.scale
        drawn = [value for values in past.values() for value in values if value is not None]
        drawn += [value for fan in fans for value in (*fan.low, *fan.high)]
        low = min([low, *(value // step * step for value in drawn)])
        high = max([high, *(-(-value // step) * step for value in drawn)])

        def y(value: float) -> float:
            return bottom - 4 - (value - low) / (high - low) * (bottom - top - 8)

        painter.setPen(QPen(colour(self.theme.edge), 1))
        painter.drawLine(QLineF(px(_LEFT_PX), bottom, self.width(), bottom))
        if not past.keys().isdisjoint(_MEAN):
            painter.setPen(QPen(colour(self.theme.threshold), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QLineF(px(_LEFT_PX), y(PRESSURE_LIMIT), self.width(), y(PRESSURE_LIMIT)))
            painter.setFont(font(11))
            place = QRectF(0, y(PRESSURE_LIMIT) - px(8), px(_LEFT_PX) - 6, px(16))
            centre = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            if bottom - top >= px(_THREE_LIMITS_PX):
                painter.drawText(place, centre, f"{PRESSURE_LIMIT:.0f}")
        for fan in fans:
            self._draw_fan(painter, outlook, fan, y)
        for name in group.members:
            if name in past:
                thin = len(past) > 1 and name not in _MEAN
                self._draw_values(painter, past[name], ink, y, 1.0 if thin else 2.0)
        self._draw_labels(painter, outlook, group, (low, high), top, bottom)

    def _ink(self, group: ChartGroup) -> str:
        if group.name == "HR":
            return self.theme.ecg
        return self.theme.wave[_WAVES[group.name]] if group.name in _WAVES else self.theme.text

    def _draw_values(self, painter: QPainter, values: Sequence[float | None], ink: str, y: Axis, width: float) -> None:
        """Draw the values of the past, the last of which is of the present hour."""
        points = [
            None if value is None else QPointF(self._x(number + 1 - len(values)), y(value))
            for number, value in enumerate(values)
        ]
        painter.setPen(QPen(colour(ink), width))
        for one, other in pairwise(points):
            if one is not None and other is not None:
                painter.drawLine(one, other)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(ink))
        for point in points:
            if point is not None:
                painter.drawEllipse(point, _POINT_PX * width / 2, _POINT_PX * width / 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_fan(self, painter: QPainter, outlook: Outlook, fan: Fan, y: Axis) -> None:
        known = latest(outlook, fan.name)
        start = [] if known is None or known[1] else [(0, known[0])]  # an old value is not joined to the forecast
        upper = [QPointF(self._x(h), y(value)) for h, value in [*start, *zip(outlook.horizons, fan.high, strict=True)]]
        lower = [QPointF(self._x(h), y(value)) for h, value in [*start, *zip(outlook.horizons, fan.low, strict=True)]]
        middle = [QPointF(self._x(h), y(v)) for h, v in [*start, *zip(outlook.horizons, fan.median, strict=True)]]
        painter.setPen(QPen(colour(self.theme.band_edge), 1))
        painter.setBrush(colour(self.theme.band))
        painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour(self.theme.forecast), 2))
        painter.drawPolyline(QPolygonF(middle))

    def _draw_labels(
        self, painter: QPainter, outlook: Outlook, group: ChartGroup, limits: tuple[float, float], top: int, bottom: int
    ) -> None:
        """Write the limits of the axis at the left, and names and latest values into the row."""
        painter.setFont(font(11))
        painter.setPen(colour(self.theme.faint))
        place, right = QRect(0, top + 2, px(_LEFT_PX) - 6, bottom - top - 4), Qt.AlignmentFlag.AlignRight
        if bottom - top >= px(_TWO_LIMITS_PX):
            painter.drawText(place, right | Qt.AlignmentFlag.AlignTop, f"{limits[1]:.0f}")
            painter.drawText(place, right | Qt.AlignmentFlag.AlignBottom, f"{limits[0]:.0f}")
        painter.setFont(font(15, bold=True))
        painter.setPen(colour(self._ink(group)))
        text = "   ".join(self._latest_texts(outlook, group))
        box = painter.fontMetrics().boundingRect(text).adjusted(-4, 0, 4, 0)
        box.moveTopLeft(QRect(px(_LEFT_PX) + 4, top + 2, 0, 0).topLeft())
        ground = colour(self.theme.ground)
        ground.setAlphaF(0.75)
        painter.fillRect(box, ground)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _latest_texts(self, outlook: Outlook, group: ChartGroup) -> Iterator[str]:
        """Yield the latest values of a group, with their age in hours where they are not of this hour."""
        by_age: dict[int, list[NumericName]] = {}
        for name in group.members:
            if (known := latest(outlook, name)) is not None:
                by_age.setdefault(known[1], []).append(name)
        for back, names in by_age.items():
            values = (f"{text_of(name_phrase(name))} {self._value(outlook, name)}" for name in names)
            unit = UNIT_OF[names[0]]
            age = translate("Outlook", " ({hours} h ago)").format(hours=back) if back else ""
            yield f"{'  '.join(values)} {unit}{age}"

    @staticmethod
    def _value(outlook: Outlook, name: NumericName) -> str:
        known = latest(outlook, name)
        return value_text(name, None if known is None else known[0])

    def _draw_legend(self, painter: QPainter, top: int) -> None:
        """Write what the bands are, into the room right of the risk, which has no forecast."""
        painter.setFont(font(11))
        painter.setPen(colour(self.theme.forecast))
        left = self._x(0)
        place = QRectF(left, top + 4, self.width() - left - 4, self.height() - px(_AXIS_PX) - top - 4)
        text = translate("Outlook", "forecast:\nmedian,\n80 % band")
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, text)
