"""Header of a tile: name, rhythm, heart rate with its limits, SpO2 and pressure; the most urgent alarm below."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from monitor.gui.station.tile_content import TileContent, tile_content
from monitor.gui.style.alarm_message import paint_background
from monitor.gui.style.fitted_text import draw_fitted, text_width
from monitor.gui.style.language import translate
from monitor.gui.style.number_colours import number_colours
from monitor.gui.style.theme import Theme, colour, font, font_scale, px
from monitor.view.alarm_order import Rotation
from monitor.view.view_model import AlarmLine, Frame

_WIDEST_RATE = "888"


class _Sizes(NamedTuple):
    """Smallest tile for a layout, and its lengths, px at normal font size.

    In a stacked layout, name, heart rate and message are below each other; else, the heart rate is at the right.
    """

    min_width: int
    min_height: int
    header: int
    rate: int
    name: int
    text: int
    message: int
    stacked: bool = False


_LAYOUTS = (
    _Sizes(340, 250, 84, 72, 26, 16, 24),
    _Sizes(250, 130, 56, 46, 18, 13, 16),
    _Sizes(0, 0, 62, 30, 13, 11, 13, stacked=True),
)
"""From the largest to the smallest."""

_STACK = (0.27, 0.74)
"""Where the heart rate of a stacked layout begins and ends, as parts of its height."""

_MIN_TRACE = 30
"""Height that a trace needs; without it the tile has only a header. Px at normal font size."""


class TileHeader(QWidget):
    """Header of a tile.

    Attributes
    ----------
    content : TileContent
        Texts and states as shown.
    line : AlarmLine or None
        The alarm shown.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.content = TileContent()
        self.line: AlarmLine | None = None
        self._rotation = Rotation()
        self._sizes = _LAYOUTS[-1]
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.update()

    def choose_layout(self, width: int, height: int) -> int:
        """Choose the layout for the inner size of a tile in px; return the height of the header.

        It is the whole height if there is no room for a trace below.
        """
        fitting = (s for s in _LAYOUTS if width >= px(s.min_width) and height >= px(s.min_height))
        self._sizes = next(fitting, _LAYOUTS[-1])  # a tile that was never shown has no size yet
        header = px(self._sizes.header)
        self.update()
        return header if height - header >= px(_MIN_TRACE) else height

    def show_frame(self, frame: Frame) -> None:
        """Show a frame; the header is repainted only if something has changed."""
        self.line = self._rotation.line(frame.active, frame.now_ns)
        content = tile_content(frame, self.line)
        if content != self.content:
            self.content = content
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw name, rhythm and further numbers, the message, and the heart rate with its limits."""
        sizes, width, height = self._sizes, self.width(), self.height()
        side = text_width(_WIDEST_RATE, sizes.rate) + px(10)
        scale = text_width(_WIDEST_RATE, sizes.text) + px(8)
        if sizes.stacked:
            top, bottom = (round(height * part) for part in _STACK)
            room = width
        else:
            top, bottom, room = 0, height, width - side - scale
        row = top if sizes.stacked else height // 2
        message = bottom if sizes.stacked else row
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self.theme.panel))
            self._draw_rate(painter, QRect(width - side - 2, top, side, bottom - top))
            self._draw_limits(painter, QRect(width - side - scale - 2, top, scale - px(4), bottom - top))
            name = QRect(px(6), 0, room - px(12), row)
            if sizes.stacked:
                self._draw_numbers(painter, QRect(px(6), top, width - side - scale - px(12), bottom - top))
            else:
                name.setRight(self._draw_numbers(painter, name.adjusted(self._names_width(), 0, 0, 0)))
            self._draw_name(painter, name)
            if self.content.message:
                self._draw_message(painter, QRect(4, message, room - px(10), height - message - 2))

    def _draw_rate(self, painter: QPainter, place: QRect) -> None:
        content = self.content
        ink, ground = number_colours(self.theme, self.theme.ecg, content.rate_alarm, bright=content.rate_bright)
        if ground:
            painter.fillRect(place.adjusted(0, 2, 0, -2), colour(ground))
        painter.setPen(colour(ink))
        painter.setFont(font(min(self._sizes.rate, round(place.height() / font_scale())), bold=True))
        painter.drawText(
            place.adjusted(0, 0, -px(4), 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, content.rate
        )

    def _draw_limits(self, painter: QPainter, place: QRect) -> None:
        alarm = self.content.rate_alarm
        height = px(self._sizes.text + 4)
        top = place.center().y() - height
        for number, (text, side) in enumerate(zip(self.content.limits, ("high", "low"), strict=False)):
            violated = alarm is not None and alarm.violated == side
            ink = self.theme.priority[alarm.priority] if alarm is not None and violated else self.theme.faint
            painter.setPen(colour(ink))
            painter.setFont(font(self._sizes.text, bold=violated))
            line = QRect(place.left(), top + number * height, place.width(), height)
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)

    def _names_width(self) -> int:
        """Return the width of what precedes further numbers in their row: name, connection and short rhythm, px."""
        content, text = self.content, self._sizes.text
        rhythm = max((text_width(name, text) for name in content.rhythms[-1:]), default=0)
        tag = text_width(translate("BedTile", "SYN"), text) + px(12) if content.synthetic else 0
        return text_width(content.bed.upper(), self._sizes.name) + px(40) + tag + rhythm

    def _draw_numbers(self, painter: QPainter, place: QRect) -> int:
        """Draw SpO2 and pressure at the right of a place; return the pixel where they begin.

        Without their names if there is no room for them, and as many as fit.
        """
        numbers, text, left, right = self.content.numbers, self._sizes.text, place.left(), place.right()
        named = sum(text_width(number.text, text) + px(10) for number in numbers) <= place.width()
        for number in reversed(numbers):
            shown = number.text if named else number.value
            width = text_width(shown, text) + px(10)
            if right - width < left:
                continue
            ink = self.theme.wave[number.wave]
            if number.alarm is not None:
                ink = self.theme.priority[number.alarm.priority]
            elif number.dim:
                ink = self.theme.faint
            painter.setFont(font(text, bold=True))
            painter.setPen(colour(ink))
            field = QRect(right - width, place.top(), width, place.height())
            painter.drawText(field, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, shown)
            right -= width
        return right

    def _draw_name(self, painter: QPainter, place: QRect) -> None:
        """Draw the bed, its connection as a dot, SYNTHETIC, and the rhythm as far as there is room."""
        content, theme, text = self.content, self.theme, self._sizes.text
        name = content.bed.upper()
        painter.setPen(colour(theme.text))
        width = min(text_width(name, self._sizes.name) + px(2), place.width())
        room = QRect(place.left(), place.top(), width, place.height())
        draw_fitted(painter, room, name, self._sizes.name, smallest=text)
        left = room.right() + px(8)
        painter.setFont(font(text, bold=True))
        painter.setPen(colour(theme.link(content.state)))
        painter.drawText(QRect(left, place.top(), px(16), place.height()), Qt.AlignmentFlag.AlignVCenter, "●")
        left += painter.fontMetrics().horizontalAdvance("●") + px(6)
        whole, short = translate("BedTile", "SYNTHETIC"), translate("BedTile", "SYN")
        if content.synthetic:
            names = max((text_width(rhythm, text) for rhythm in content.rhythms[-1:]), default=0)
            tag = whole if left + text_width(whole, text) + names + px(16) <= place.right() else short
            box = QRect(left, 0, text_width(tag, text) + px(6), px(text + 5))
            box.moveTop(place.center().y() - box.height() // 2)
            painter.fillRect(box, colour(theme.simulation))
            painter.setPen(colour(theme.ground))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tag)
            left = box.right() + px(6)
        priority = content.rhythm_priority
        painter.setPen(colour(theme.ecg if priority is None else theme.priority[priority]))
        rest = QRect(left, place.top(), place.right() - left, place.height())
        fitting = (rhythm for rhythm in content.rhythms if text_width(rhythm, text) <= rest.width())
        painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, next(fitting, ""))

    def _draw_message(self, painter: QPainter, place: QRect) -> None:
        theme, content = self.theme, self.content
        priority = content.priority or "technical"
        bright = content.bright and content.priority is not None
        ink = paint_background(painter, place, theme, priority, bright=bright, over=content.latched)
        painter.setPen(colour(ink))
        field = place.adjusted(px(5), 0, -px(4), 0)
        if content.others:
            painter.setFont(font(self._sizes.message, bold=True))
            painter.drawText(field, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, content.others)
            field.setRight(field.right() - text_width(content.others, self._sizes.message) - px(4))
        # If the text does not fit at a large font size, it is shortened to the name of the alarm.
        largest, smallest = self._sizes.message, self._sizes.text
        texts = (content.message, *content.names)
        fitting = (text for text in texts if text_width(text, max(largest - 4, smallest)) <= field.width())
        draw_fitted(painter, field, next(fitting, texts[-1]), largest, smallest=smallest)
