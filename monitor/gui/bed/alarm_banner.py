"""Banner: technical messages on the left, the most urgent alarm on the right, flashing by its priority."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.alarm_message import paint_background
from monitor.gui.style.fitted_text import draw_fitted
from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import STARS, Theme, colour, font, lit, px
from monitor.view.alarm_order import ROTATE_S, Rotation
from monitor.view.display_texts import short_kind_phrase
from monitor.view.link import LinkState
from monitor.view.view_model import AlarmLine, Frame, Pauses
from stream.wire.alarm_texts import alarm_phrase, kind_phrase

_HEIGHT = 56


class AlarmBanner(QWidget):
    """Shows technical messages, and active and latched alarms in turn.

    Attributes
    ----------
    notice, alarm, others : str
        Texts as shown; the last is the number of other active or latched alarms, like ``+2``.
    line : AlarmLine or None
        The alarm shown.
    priority : str or None
        Priority of the alarm shown.
    bright : bool
        False in the dark half of the flash cycle.
    all_clear : bool
        True when alarms are monitored and none is active.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.notice = ""
        self.alarm = ""
        self.others = ""
        self.line: AlarmLine | None = None
        self._rotation = Rotation()
        self.priority: str | None = None
        self.bright = True
        self.all_clear = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setFixedHeight(px(_HEIGHT))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the default size."""
        return QSize(900, px(_HEIGHT))

    def show_frame(self, frame: Frame) -> None:
        """Show the current technical message and alarm of a frame."""
        turn = frame.now_ns // (ROTATE_S * 1_000_000_000)
        notice = text_of(frame.notices[turn % len(frame.notices)]) if frame.notices else ""
        line = self.line = self._rotation.line(frame.active, frame.now_ns)
        priority = line.alarm.priority if line else None
        others = f"+{len(frame.active) - 1}" if len(frame.active) > 1 else ""
        alarm = banner_text(line) if line else ""
        # Without a worker an alarm cannot be cleared: it stays, dark and steady, as the last known. Acknowledged alarms
        # do not flash, nor does any while alarms are paused.
        steady = line is None or not line.unacknowledged or frame.pauses.alarms_s > 0
        bright = priority is None or (frame.worker and (steady or lit(priority, frame.now_ns)))
        paused = pause_text(frame.pauses)
        if paused:
            notice = f"{paused} · {notice}" if notice else paused
        all_clear = line is None and frame.listed and frame.link.state is LinkState.LIVE
        shown = (notice, alarm, others, priority, bright, all_clear)
        if shown != (self.notice, self.alarm, self.others, self.priority, self.bright, self.all_clear):
            self.notice, self.alarm, self.others, self.priority, self.bright, self.all_clear = shown
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
                self._draw_text(painter, left.adjusted(18, 0, -8, 0), self.notice, technical, 20)
            if self.all_clear:
                painter.setFont(font(16))
                painter.setPen(colour(self.theme.faint))
                painter.drawText(
                    right.adjusted(16, 0, 0, 0),
                    Qt.AlignmentFlag.AlignVCenter,
                    translate("AlarmBanner", "no active alarm"),
                )
            if self.priority is not None:
                over = self.line is not None and self.line.latched
                ink = paint_background(painter, right, self.theme, self.priority, bright=self.bright, over=over)
                # The name of the alarm must be readable from 3 m; the values are smaller.
                headline, _, detail = self.alarm.partition(": ")
                place = right.adjusted(16, 0, -12, 0)
                if self.others:
                    painter.setFont(font(24, bold=True))
                    painter.setPen(colour(ink))
                    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self.others)
                    place.setRight(place.right() - painter.fontMetrics().horizontalAdvance(self.others) - px(12))
                if detail:
                    self._draw_text(painter, place.adjusted(0, px(30), 0, -3), detail, ink, 13)
                    place = place.adjusted(0, 2, 0, -px(18))
                self._draw_text(painter, place, headline, ink, 24)

    def _draw_text(self, painter: QPainter, place: QRect, text: str, ink: str, pixels: int) -> None:
        painter.setPen(colour(ink))
        draw_fitted(painter, place, text, pixels)


def banner_text(line: AlarmLine) -> str:
    """Return the text of an alarm for the banner: priority, text, repeats, state."""
    text = f"{STARS[line.alarm.priority]} {text_of(alarm_phrase(line.alarm))}".strip()
    if line.alarm.repeats:
        text += f" ({line.alarm.repeats + 1}×)"
    if line.latched:
        return translate("AlarmBanner", "{alarm}: ended, not acknowledged").format(alarm=text)
    who = line.alarm.acknowledged_by
    if who is not None:
        return translate("AlarmBanner", "{alarm}: acknowledged by {who}").format(alarm=text, who=who)
    return text


def alarm_name(line: AlarmLine) -> str:
    """Return priority and name of an alarm, without values."""
    name = text_of(kind_phrase(line.alarm.kind))
    return f"{STARS[line.alarm.priority]} {name[:1].upper()}{name[1:]}".strip()


def alarm_short_name(line: AlarmLine) -> str:
    """Return priority and short name of an alarm."""
    return f"{STARS[line.alarm.priority]} {text_of(short_kind_phrase(line.alarm.kind))}".strip()


def pause_text(pauses: Pauses) -> str:
    """Return what is paused, with the remaining time; empty without a pause."""
    if pauses.alarms_s:
        return translate("AlarmBanner", "ALARMS PAUSED {left}").format(left=_clock(pauses.alarms_s))
    if pauses.audio_s:
        return translate("AlarmBanner", "AUDIO PAUSED {left}").format(left=_clock(pauses.audio_s))
    return ""


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"
