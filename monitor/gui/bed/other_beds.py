"""The red alarms of beds that are not on the page: in turn, flashing unless paused; a click opens the bed."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.bed.alarm_banner import alarm_name, alarm_short_name
from monitor.gui.style.alarm_message import paint_background
from monitor.gui.style.fitted_text import draw_fitted, text_width
from monitor.gui.style.language import translate
from monitor.gui.style.theme import Theme, colour, font, lit, px
from monitor.view.alarm_order import ROTATE_S
from monitor.view.central_station import RedAlarm

_HEIGHT, _LOW_HEIGHT = 56, 30
_DETAIL_PX = 18


class OtherBeds(QWidget):
    """Shows the red alarms of other beds; hidden while there is none.

    Parameters
    ----------
    theme : Theme
    low : bool
        One line of text, for a title row.

    Attributes
    ----------
    chosen : Signal(str)
        The bed whose alarm was clicked.
    alarm : RedAlarm or None
        The alarm shown.
    headline, detail : str
        Texts as shown: bed and number of other beds, and the alarm.
    bright : bool
        Phase of the flash cycle.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, *, low: bool = False) -> None:
        super().__init__()
        self.theme = theme
        self.alarm: RedAlarm | None = None
        self.headline = self.detail = ""
        self.bright = False
        self._low = low
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.apply_theme(theme)
        self.hide()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setFixedHeight(px(_LOW_HEIGHT if self._low else _HEIGHT))
        self.setToolTip(translate("OtherBeds", "click: show this bed"))
        self.update()

    def show_alarms(self, alarms: tuple[RedAlarm, ...], now_ns: int) -> None:
        """Show the red alarms of other beds in turn at a Unix time in ns."""
        if self.isHidden() == bool(alarms):
            self.setVisible(bool(alarms))
        self.alarm = alarms[now_ns // (ROTATE_S * 1_000_000_000) % len(alarms)] if alarms else None
        if self.alarm is None:
            return
        line = self.alarm.line
        others = f"  +{len(alarms) - 1}" if len(alarms) > 1 else ""
        name = alarm_name(line)
        if text_width(name, _DETAIL_PX - 3) > self.width() - px(24):
            name = alarm_short_name(line)
        detail = translate("OtherBeds", "{alarm}, ended").format(alarm=name) if line.latched else name
        shown = (f"{self.alarm.bed.upper()}{others}", detail, not self.alarm.paused and lit("high", now_ns))
        if shown != (self.headline, self.detail, self.bright):
            self.headline, self.detail, self.bright = shown
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw bed and alarm."""
        over = self.alarm is not None and self.alarm.line.latched
        with QPainter(self) as painter:
            field = self.rect().adjusted(4, 4, -4, -4)
            ink = paint_background(painter, field, self.theme, "high", bright=self.bright, over=over)
            painter.setPen(colour(ink))
            field.adjust(px(8), 0, -px(8), 0)
            if self._low:
                draw_fitted(painter, field, f"{self.headline}  {self.detail}", 16)
                return
            painter.setFont(font(15, bold=True))
            upper = QRect(field.left(), field.top() + px(2), field.width(), px(20))
            painter.drawText(upper, Qt.AlignmentFlag.AlignVCenter, self.headline)
            draw_fitted(painter, field.adjusted(0, px(21), 0, 0), self.detail, _DETAIL_PX)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, ARG002
        """Emit `chosen`."""
        if self.alarm is not None:
            self.chosen.emit(self.alarm.bed)
