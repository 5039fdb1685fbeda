"""The bar at the top: on the left what does not work, on the right the most urgent alarm, flashing by its priority."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.language import translate
from monitor.gui.style.phrases import text_of
from monitor.gui.style.theme import STARS, Theme, colour, font, lit, px
from monitor.view.link import LinkState
from monitor.view.view_model import AlarmLine, Frame, Pauses
from stream.wire.phrases import alarm_phrase

ROTATE_S = 2
"""Messages of one priority take turns this long."""

_HEIGHT = 56


class AlarmBanner(QWidget):
    """Shows technical notices and active alarms.

    Attributes
    ----------
    notice, alarm : str
        The texts shown now.
    priority : str or None
        Of the alarm shown.
    bright : bool
        False in the dark half of a flash.
    calm : bool
        True when alarms would come, and none lasts.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.notice = ""
        self.alarm = ""
        self.priority: str | None = None
        self.bright = True
        self.calm = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setFixedHeight(px(_HEIGHT))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size that the window gives it by default."""
        return QSize(900, px(_HEIGHT))

    def show_frame(self, frame: Frame) -> None:
        """Show the messages whose turn it is."""
        turn = frame.now_ns // (ROTATE_S * 1_000_000_000)
        notice = text_of(frame.notices[turn % len(frame.notices)]) if frame.notices else ""
        calling = [line for line in frame.active if line.calls] or list(frame.active)
        urgent = [line for line in calling if line.alarm.priority == calling[0].alarm.priority]
        line = urgent[turn % len(urgent)] if urgent else None
        priority = line.alarm.priority if line else None
        alarm = banner_text(line) if line else ""
        # Without a worker nobody can clear it: it stays, dark and still, as the last known. One that somebody has
        # acknowledged, and all while alarms are paused, need not flash.
        still = line is None or not line.calls or frame.pauses.alarms_s > 0
        bright = priority is None or (frame.worker and (still or lit(priority, frame.now_ns)))
        paused = pause_text(frame.pauses)
        if paused:
            notice = f"{paused} · {notice}" if notice else paused
        shown = (notice, alarm, priority, bright, line is None and frame.link.state is LinkState.LIVE)
        if shown != (self.notice, self.alarm, self.priority, self.bright, self.calm):
            self.notice, self.alarm, self.priority, self.bright, self.calm = shown
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw both fields."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self.theme.ground))
            left = QRect(0, 4, self.width() * 2 // 5 - 4, self.height() - 8)
            right = QRect(self.width() * 2 // 5, 4, self.width() * 3 // 5, self.height() - 8)
            if self.notice:
                technical = self.theme.priority["technical"]
                painter.fillRect(left, colour(self.theme.priority_tint["technical"]))
                painter.fillRect(QRect(left.x(), left.y(), 6, left.height()), colour(technical))
                self._write(painter, left.adjusted(18, 0, -8, 0), self.notice, technical, 20)
            if self.calm:
                painter.setFont(font(16))
                painter.setPen(colour(self.theme.faint))
                painter.drawText(
                    right.adjusted(16, 0, 0, 0),
                    Qt.AlignmentFlag.AlignVCenter,
                    translate("AlarmBanner", "no active alarm"),
                )
            if self.priority is not None:
                ink, ground = self.theme.signal_ink[self.priority], self.theme.signal[self.priority]
                if not self.bright:
                    ink, ground = self.theme.priority[self.priority], self.theme.priority_tint[self.priority]
                painter.fillRect(right, colour(ground))
                # What happened must be legible from three metres; the figures are for who stands nearer.
                headline, _, detail = self.alarm.partition(": ")
                place = right.adjusted(16, 0, -12, 0)
                if detail:
                    self._write(painter, place.adjusted(0, px(30), 0, -3), detail, ink, 13)
                    place = place.adjusted(0, 2, 0, -px(18))
                self._write(painter, place, headline, ink, 24)

    def _write(self, painter: QPainter, place: QRect, text: str, ink: str, pixels: int) -> None:
        # A long text gets smaller letters before it loses its end.
        chosen = font(pixels, bold=True)
        while pixels > 13 and QFontMetrics(chosen).horizontalAdvance(text) > place.width():
            pixels -= 1
            chosen = font(pixels, bold=True)
        painter.setFont(chosen)
        painter.setPen(colour(ink))
        short = QFontMetrics(chosen).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, short)


def banner_text(line: AlarmLine) -> str:
    """Return an alarm for the banner: stars, what happened, and what became of it."""
    text = f"{STARS[line.alarm.priority]} {text_of(alarm_phrase(line.alarm))}".strip()
    if line.alarm.repeats:
        text += f" ({line.alarm.repeats + 1}×)"
    if line.latched:
        return translate("AlarmBanner", "{alarm}: over, not acknowledged yet").format(alarm=text)
    who = line.alarm.acknowledged_by
    if who is not None:
        return translate("AlarmBanner", "{alarm}: acknowledged by {who}").format(alarm=text, who=who)
    return text


def pause_text(pauses: Pauses) -> str:
    """Return what is paused, with the time left; empty where nothing is."""
    if pauses.alarms_s:
        return translate("AlarmBanner", "ALARMS PAUSED {left}").format(left=_clock(pauses.alarms_s))
    if pauses.audio_s:
        return translate("AlarmBanner", "AUDIO PAUSED {left}").format(left=_clock(pauses.audio_s))
    return ""


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"
