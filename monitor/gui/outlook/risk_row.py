"""The risk of the advisory, hour by hour: bars, the threshold, and the hours in which the pressure was low."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.chart import low_hours
from monitor.view.hourly_course import HourlyCourse
from stream.wire.outlook_message import Outlook
from stream.wire.outlook_texts import risk_phrase

_NAME_PX, _LIMITS_PX = 18, 26
"""Height of the name, and height of the bars from which their limits are written, px at normal font size."""


def draw(
    painter: QPainter, theme: Theme, outlook: Outlook, course: HourlyCourse, row: QRectF, x: Callable[[float], float]
) -> None:
    """Draw the row; nothing of a worker without a model of risks.

    Parameters
    ----------
    painter : QPainter
    theme : Theme
    outlook : Outlook
    course : HourlyCourse
        The hours that are shown.
    row : QRectF
        Where the bars have room; the limits of the axis stand left of it.
    x : callable
        Returns the pixel of an hour, counted from now.
    """
    if outlook.advisory_risk is None or outlook.threshold is None:
        return
    height, bottom, width = row.height() - px(_NAME_PX) - 2, row.bottom(), x(1) - x(0)
    for number, (hour, low) in enumerate(zip(course.rows, low_hours(course), strict=True)):
        middle = x(number + 1 - len(course.rows))
        left = max(middle - width / 2 + 1, row.left())
        bar = QRectF(left, bottom, middle + width / 2 - 1 - left, 0)
        if hour.risk is not None:
            ink = theme.priority["medium"] if outlook.is_over(hour.risk) else theme.score
            painter.fillRect(bar.adjusted(0, -hour.risk * height, 0, 0), colour(ink))
        elif low:
            _draw_low(painter, theme, bar.adjusted(0, -height, 0, 0))
    if course.rows and low_hours(course)[-1]:
        painter.setFont(font(11))
        painter.setPen(colour(theme.wave["abp"]))
        place = QRectF(x(0) + width / 2 + 4, row.top(), row.right(), row.height() - 2)
        text = translate("Outlook", "pressure is low now")
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, text)
    y = bottom - outlook.threshold * height
    painter.setPen(QPen(colour(theme.threshold), 1, Qt.PenStyle.DashLine))
    painter.drawLine(QLineF(row.left(), y, x(0) + width / 2, y))
    painter.setFont(font(11))
    painter.setPen(colour(theme.faint))
    if height >= px(_LIMITS_PX):
        limits, right = QRectF(0, bottom - height, row.left() - 6, height), Qt.AlignmentFlag.AlignRight
        painter.drawText(limits, right | Qt.AlignmentFlag.AlignTop, "100 %")
        painter.drawText(limits, right | Qt.AlignmentFlag.AlignBottom, "0")
    painter.setFont(font(12, bold=True))
    painter.setPen(colour(theme.score))
    name = translate("Outlook", "Risk: {event}").format(event=text_of(risk_phrase(outlook.advisory_risk)))
    painter.drawText(
        QRectF(row.left() + 4, row.top() + 2, row.width(), px(_NAME_PX)), Qt.AlignmentFlag.AlignVCenter, name
    )


def _draw_low(painter: QPainter, theme: Theme, place: QRectF) -> None:
    """Mark an hour in which the pressure was low, with a word where it fits."""
    ground = colour(theme.wave["abp"])
    ground.setAlphaF(0.25)
    painter.fillRect(place, ground)
    painter.setFont(font(11))
    painter.setPen(colour(theme.wave["abp"]))
    text = translate("Outlook", "low")
    if QFontMetrics(painter.font()).horizontalAdvance(text) < place.width():
        painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)
