"""One bed on the central station: its name, heart rate, most urgent alarm and connection over a small trace."""

from __future__ import annotations

import re

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from monitor.gui.bed.alarm_banner import banner_text, pause_text
from monitor.gui.bed.numerics import NO_VALUE, heart_rate_text
from monitor.gui.style.language import translate
from monitor.gui.style.phrases import text_of
from monitor.gui.style.theme import Theme, colour, font, lit, px
from monitor.gui.trace.sweep import SweepView
from monitor.view.link import LinkState, state_phrase
from monitor.view.view_model import Frame

_HEAD, _LARGE_HEAD = 56, 84
_LARGE_PX = 240
_LARGE_WIDTH_PX = 340
_EDGE = 4


class TileHeader(QWidget):
    """The lines above a card's trace.

    Attributes
    ----------
    bed, message, rate : str
        As shown; the message is the most urgent alarm, else what does not work.
    link : str
    state : LinkState
    priority : str or None
        Of the alarm shown.
    bright : bool
        False in the dark half of a flash.
    synthetic, broken : bool
        Whether no patient stands behind this bed; whether a limit of the heart rate is broken.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.bed, self.message, self.rate, self.link = "", "", NO_VALUE, ""
        self.state = LinkState.WAITING
        self.priority: str | None = None
        self.bright, self.synthetic, self.broken = True, False, False
        self.set_large(False)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.set_large(self._large)
        self.update()

    def set_large(self, large: bool) -> None:
        """Use more height, where there is some."""
        self._large = large
        self.setFixedHeight(px(_LARGE_HEAD if large else _HEAD))

    def show_frame(self, frame: Frame) -> None:
        """Show what a frame holds; what has not changed is not painted again."""
        line = next((line for line in frame.active if line.calls), frame.active[0] if frame.active else None)
        priority = None if line is None else line.alarm.priority
        message = pause_text(frame.pauses) or (text_of(frame.notices[0]) if frame.notices else "")
        if line is not None:
            message = banner_text(line)
        still = line is None or not line.calls or frame.pauses.alarms_s > 0
        bright = priority is None or (frame.worker and (still or lit(priority, frame.now_ns)))
        rate = heart_rate_text(frame.patient)
        broken = frame.patient.broken is not None
        link, state = text_of(frame.link.phrase), frame.link.state
        shown = (frame.bed or "", message, rate, link, state, priority, bright, frame.synthetic, broken)
        if shown != self._shown:
            self.bed, self.message, self.rate, self.link, self.state = shown[:5]
            self.priority, self.bright, self.synthetic, self.broken = shown[5:]
            self.update()

    @property
    def _shown(self) -> tuple[str, str, str, str, LinkState, str | None, bool, bool, bool]:
        return (
            self.bed,
            self.message,
            self.rate,
            self.link,
            self.state,
            self.priority,
            self.bright,
            self.synthetic,
            self.broken,
        )

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw bed and connection, beneath them the message, and the heart rate at the right."""
        theme, large = self.theme, self._large
        row = self.height() // 2
        side = _width(self.rate, 76 if large else 46) + px(12)
        left = QRect(8, 0, self.width() - side - 12, row)
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(theme.panel))
            painter.setPen(colour(theme.priority["high"] if self.broken else theme.ecg))
            painter.setFont(font(76 if large else 46, bold=True))
            place = QRect(self.width() - side - 6, 0, side, self.height())
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
        """Say what kind of data these are, and their age; in few letters where there is no room."""
        # In place of an alarm, the message says it already.
        link = f"● {self.link}" if self.priority is not None or not self.message else ""
        whole, short = translate("BedTile", "SYNTHETIC"), translate("BedTile", "SYN")
        for synthetic, text in ((whole, link), (whole, link and "●"), (short, link and "●")):
            chosen = font(16 if self._large else 12, bold=True)
            metrics = QFontMetrics(chosen)
            tags = [(synthetic, self.theme.ground, self.theme.simulation)] if self.synthetic else []
            tags += [(text, self.theme.link(self.state), self.theme.panel)] if text else []
            if sum(metrics.horizontalAdvance(tag) + 16 for tag, _, _ in tags) <= place.width():
                break
        painter.setFont(chosen)
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
        # What happened is worth larger letters than its figures are.
        most, least, room = 24 if self._large else 16, 13, place.width() - 10
        for text in (self.message, re.split(r"[:,(、]", self.message)[0].strip()):
            fits = [p for p in range(most, least - 1, -1) if _width(text, p) <= room]
            if fits and fits[0] > most - 6:
                break
        painter.setFont(font(fits[0] if fits else least, bold=True))
        short = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(place.adjusted(6, 0, -4, 0), Qt.AlignmentFlag.AlignVCenter, short)


def _width(text: str, pixels: int) -> int:
    return QFontMetrics(font(pixels, bold=True)).horizontalAdvance(text)


class BedTile(QWidget):
    """One bed.

    Attributes
    ----------
    clicked : Signal(str)
        The bed's name.
    bed : str
    head : TileHeader
    sweep : SweepView
    """

    clicked = Signal(str)

    def __init__(self, theme: Theme, bed: str) -> None:
        super().__init__()
        self.theme, self.bed = theme, bed
        self.head, self.sweep = TileHeader(theme), SweepView(theme, small=True)
        self._chosen = False
        self._edge = theme.edge
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE, _EDGE, _EDGE, _EDGE)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.sweep, 1)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self._show_edge()

    def show_frame(self, frame: Frame, *, draw: bool) -> None:
        """Bring the card up to a frame; without ``draw`` the trace stays as it is, as another card has its turn."""
        self.head.show_frame(frame)
        if draw:
            paused = frame.link.state is LinkState.PAUSED
            message = text_of(state_phrase(frame.link.state))
            self.sweep.show_trace(frame.trace, stale=frame.link.stale, message=message, paused=paused)
        self._show_edge()

    def set_chosen(self, chosen: bool) -> None:
        """Let the edge say whether keys act on this bed."""
        if chosen != self._chosen:
            self._chosen = chosen
            self._show_edge()

    def _show_edge(self) -> None:
        priority = self.head.priority
        edge = self.theme.edge
        if self._chosen:
            edge = self.theme.text
        elif priority is not None and priority != "technical":
            edge = self.theme.priority[priority]
        if edge != self._edge:
            self._edge = edge
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the edge."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self._edge))

    def resizeEvent(self, event: object) -> None:  # noqa: N802, ARG002
        """Give the words more height where there is some."""
        self.head.set_large(self.height() >= px(_LARGE_PX) and self.width() >= px(_LARGE_WIDTH_PX))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, ARG002
        """Ask for the full view."""
        self.clicked.emit(self.bed)
