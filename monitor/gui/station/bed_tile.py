"""Tile of one bed on the central station: name, heart rate, most urgent alarm and connection above a small trace."""

from __future__ import annotations

import re

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from monitor.gui.bed.alarm_banner import banner_text, pause_text
from monitor.gui.bed.numerics import NO_VALUE, heart_rate_text
from monitor.gui.style.language import translate
from monitor.gui.style.number_colours import is_bright, number_colours
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, font, lit, px
from monitor.gui.trace.sweep import SweepView
from monitor.view.alarm_order import Rotation
from monitor.view.link import LinkState, state_phrase
from monitor.view.number_alarms import NumberAlarm, number_alarms
from monitor.view.view_model import AlarmLine, Frame

_HEADER_PX, _LARGE_HEADER_PX = 56, 84
_LARGE_MIN_HEIGHT_PX = 240
_LARGE_MIN_WIDTH_PX = 340
_BORDER_PX = 4


class TileHeader(QWidget):
    """Header of a tile.

    Attributes
    ----------
    bed, message, rate : str
        Texts as shown; the message is the most urgent alarm, or else a technical message.
    link : str
    state : LinkState
    line : AlarmLine or None
        The alarm shown.
    priority : str or None
        Priority of the alarm shown.
    bright : bool
        False in the dark half of the flash cycle.
    synthetic : bool
    rate_alarm : NumberAlarm or None
    rate_bright : bool
        Phase of the flash cycle of the heart rate.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.bed, self.message, self.rate, self.link = "", "", NO_VALUE, ""
        self.state = LinkState.WAITING
        self.line: AlarmLine | None = None
        self._rotation = Rotation()
        self.priority: str | None = None
        self.bright, self.synthetic = True, False
        self.rate_alarm: NumberAlarm | None = None
        self.rate_bright = False
        self.set_large(False)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.set_large(self._large)
        self.update()

    def set_large(self, large: bool) -> None:
        """Switch between the large and the normal layout."""
        self._large = large
        self.setFixedHeight(px(_LARGE_HEADER_PX if large else _HEADER_PX))

    def show_frame(self, frame: Frame) -> None:
        """Show a frame; the header is repainted only if something has changed."""
        line = self.line = self._rotation.line(frame.active, frame.now_ns)
        priority = None if line is None else line.alarm.priority
        message = pause_text(frame.pauses) or (text_of(frame.notices[0]) if frame.notices else "")
        if line is not None:
            message = banner_text(line)
        still = line is None or not line.unacknowledged or frame.pauses.alarms_s > 0
        bright = priority is None or (frame.worker and (still or lit(priority, frame.now_ns)))
        rate = heart_rate_text(frame.patient)
        link, state = text_of(frame.link.phrase), frame.link.state
        alarm = number_alarms(frame.active).get("heart_rate")
        rate_bright = is_bright(alarm, frame.now_ns, steady=not frame.worker or frame.pauses.alarms_s > 0)
        shown = (frame.bed or "", message, rate, link, state, priority, bright, frame.synthetic, alarm, rate_bright)
        if shown != self._shown:
            self.bed, self.message, self.rate, self.link, self.state = shown[:5]
            self.priority, self.bright, self.synthetic, self.rate_alarm, self.rate_bright = shown[5:]
            self.update()

    @property
    def _shown(self) -> tuple[object, ...]:
        own = (self.bed, self.message, self.rate, self.link, self.state, self.priority, self.bright, self.synthetic)
        return (*own, self.rate_alarm, self.rate_bright)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw bed and connection, the message below, and the heart rate at the right."""
        theme, large = self.theme, self._large
        row = self.height() // 2
        side = _width(self.rate, 76 if large else 46) + px(12)
        left = QRect(8, 0, self.width() - side - 12, row)
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(theme.panel))
            ink, ground = number_colours(theme, theme.ecg, self.rate_alarm, bright=self.rate_bright)
            place = QRect(self.width() - side - 6, 0, side, self.height())
            if ground:
                painter.fillRect(place.adjusted(0, 3, 2, -3), colour(ground))
            painter.setPen(colour(ink))
            painter.setFont(font(76 if large else 46, bold=True))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self.rate)
            name = font(26 if large else 18, bold=True)
            painter.setFont(name)
            painter.setPen(colour(theme.text))
            painter.drawText(left, Qt.AlignmentFlag.AlignVCenter, self.bed.upper())
            if self.message:
                left.setLeft(left.left() + QFontMetrics(name).horizontalAdvance(self.bed.upper()) + 10)
                self._draw_tags(painter, left)
                self._draw_message(painter, QRect(4, row, self.width() - side - 10, row - 3))
            else:
                self._draw_tags(painter, left.translated(0, row))

    def _draw_tags(self, painter: QPainter, place: QRect) -> None:
        """Draw SYNTHETIC and the connection state with the data age, shortened if there is no room."""
        # Without an alarm, the message already contains the state.
        link = f"● {self.link}" if self.priority is not None or not self.message else ""
        whole, short = translate("BedTile", "SYNTHETIC"), translate("BedTile", "SYN")
        for synthetic, text in ((whole, link), (whole, link and "●"), (short, link and "●")):
            selected_font = font(16 if self._large else 12, bold=True)
            metrics = QFontMetrics(selected_font)
            tags = [(synthetic, self.theme.ground, self.theme.simulation)] if self.synthetic else []
            tags += [(text, self.theme.link(self.state), self.theme.panel)] if text else []
            if sum(metrics.horizontalAdvance(tag) + 16 for tag, _, _ in tags) <= place.width():
                break
        painter.setFont(selected_font)
        at = place.left()
        for tag, ink, ground in tags:
            box = QRect(at, place.top() + 4, metrics.horizontalAdvance(tag) + 8, place.height() - 8)
            painter.fillRect(box, colour(ground))
            painter.setPen(colour(ink))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tag)
            at += box.width() + 8

    def _draw_message(self, painter: QPainter, place: QRect) -> None:
        priority = self.priority or "technical"
        ink, ground = self.theme.priority[priority], self.theme.priority_tint[priority]
        if self.priority is not None and self.bright:
            ink, ground = self.theme.signal_ink[priority], self.theme.signal[priority]
        painter.fillRect(place, colour(ground))
        painter.setPen(colour(ink))
        # If the text does not fit at a large font size, it is shortened to the name of the alarm.
        largest, smallest, available = 24 if self._large else 16, 13, place.width() - 10
        for text in (self.message, re.split(r"[:,(、]", self.message)[0].strip()):
            fitting = [p for p in range(largest, smallest - 1, -1) if _width(text, p) <= available]
            if fitting and fitting[0] > largest - 6:
                break
        painter.setFont(font(fitting[0] if fitting else smallest, bold=True))
        short = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, available)
        painter.drawText(place.adjusted(6, 0, -4, 0), Qt.AlignmentFlag.AlignVCenter, short)


def _width(text: str, pixels: int) -> int:
    return QFontMetrics(font(pixels, bold=True)).horizontalAdvance(text)


class BedTile(QWidget):
    """Tile of one bed.

    Attributes
    ----------
    clicked : Signal(str)
        The bed's name.
    bed : str
    header : TileHeader
    sweep : SweepView
    """

    clicked = Signal(str)

    def __init__(self, theme: Theme, bed: str) -> None:
        super().__init__()
        self.theme, self.bed = theme, bed
        self.header, self.sweep = TileHeader(theme), SweepView(theme, small=True)
        self._selected = False
        self._edge = theme.edge
        column = QVBoxLayout(self)
        column.setContentsMargins(_BORDER_PX, _BORDER_PX, _BORDER_PX, _BORDER_PX)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.sweep, 1)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self._update_border()

    def show_frame(self, frame: Frame, *, draw: bool) -> None:
        """Show a frame; without ``draw`` only the header is updated, because other traces are drawn in this frame."""
        self.header.show_frame(frame)
        if draw:
            paused = frame.link.state is LinkState.PAUSED
            message = text_of(state_phrase(frame.link.state))
            self.sweep.show_trace(frame.trace, stale=frame.link.stale, message=message, paused=paused)
        self._update_border()

    def set_selected(self, selected: bool) -> None:
        """Mark the border if keys act on this bed."""
        if selected != self._selected:
            self._selected = selected
            self._update_border()

    def _update_border(self) -> None:
        priority = self.header.priority
        edge = self.theme.edge
        if self._selected:
            edge = self.theme.text
        elif priority is not None and priority != "technical":
            edge = self.theme.priority[priority]
        if edge != self._edge:
            self._edge = edge
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the border."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self._edge))

    def resizeEvent(self, event: object) -> None:  # noqa: N802, ARG002
        """Choose the layout of the header."""
        self.header.set_large(self.height() >= px(_LARGE_MIN_HEIGHT_PX) and self.width() >= px(_LARGE_MIN_WIDTH_PX))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, ARG002
        """Emit `clicked`."""
        self.clicked.emit(self.bed)
