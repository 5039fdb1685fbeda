"""Numbers beside their waves, each in the colour of its wave, and those without a wave in a row of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.fitted_text import text_width
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.number_colours import is_bright, number_colours
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.bed_numerics import INTERMITTENT, Reading
from monitor.view.missing_values import number_reason
from monitor.view.number_alarms import NumberAlarm, limit_texts, number_alarms
from monitor.view.number_groups import NO_VALUE, Group, beside_text, main_reading, main_texts
from monitor.view.view_model import Frame
from stream.wire.wave_message import Signal

SOURCES = {
    "recorded": QT_TRANSLATE_NOOP("Numbers", "recorded"),
    "simulated": QT_TRANSLATE_NOOP("Numbers", "simulated"),
    "measured": QT_TRANSLATE_NOOP("Numbers", "measured"),
}

_OLD_S = 60
"""Age from which that of a number measured now and then is shown, s."""

_IN_ROW_PX = 30
"""Largest number of a tile without a lane: less urgent than those beside their waves."""

_LARGEST_PX, _READABLE_PX, _SMALLEST_PX = 64, 18, 12
"""A number that would be smaller than readable goes below its name, and loses limits and mean first."""

_NAME_PX, _SMALL_PX, _LIMIT_PX = 17, 12, 14
_LIMIT_SPACE = 16
_MARGIN = 14
_NAME_WIDTH = 78
TILE_PX = 150
"""Least width of a tile beside others."""

_TALL_PX = 76
"""Height from which the note has a line of its own, below the number."""

_ROUNDING_PX = 2
"""By how much rounding may narrow two tiles."""

_MEAN_SIZE = 0.62
"""Size of the mean pressure, as a share of the size of the number."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One group of numbers as shown.

    Attributes
    ----------
    name, unit, main, mean, beside, note : str
        Texts; ``note`` is the source, or the reason why a value is missing or old.
    wave : str or None
        The wave whose colour the numbers have; None for the colour of text.
    dim : bool
        The value is old.
    limits : tuple of str
        High and low limit; empty where there is none.
    alarm : NumberAlarm or None
    bright : bool
        Phase of the flash cycle.
    """

    name: str
    unit: str
    main: str
    mean: str
    beside: str
    note: str
    wave: Signal | None
    dim: bool
    limits: tuple[str, str] = ("", "")
    alarm: NumberAlarm | None = None
    bright: bool = False


def tile_of(group: Group, frame: Frame, *, off: bool) -> Tile:
    """Return a group as shown; ``off`` is True when its sensor has delivered no valid sample for seconds."""
    readings = frame.readings
    reading = main_reading(group, readings)
    main, mean = main_texts(group, readings)
    reason = number_reason(group, reading, frame, off=off) if main == NO_VALUE else None
    note = _note(group, reading) if reason is None else text_of(reason)
    dim = reading is not None and reading.state == "stale"
    beside = beside_text(group, readings)
    tile = Tile(group.name, translate("Numbers", group.unit), main, mean, beside, note, group.wave, dim)
    if group.number is None:
        return tile
    alarm = number_alarms(frame.active).get(group.number)
    limits = limit_texts(group.number, frame.patient.limits, alarm)
    bright = is_bright(alarm, frame.now_ns, steady=not frame.worker or frame.pauses.alarms_s > 0)
    return replace(tile, limits=limits, alarm=alarm, bright=bright)


def _note(group: Group, reading: Reading | None) -> str:
    """Return the source of a value, with its age if it matters, or since when there is none."""
    if reading is None:
        return ""
    if reading.state == "missing":
        return translate("Numbers", "no value for {age}").format(age=age_text(reading.age_s))
    source = translate("Numbers", SOURCES[reading.source])
    if reading.state == "stale" or (group.main[0] in INTERMITTENT and reading.age_s >= _OLD_S):
        return translate("Numbers", "{source}, {age} ago").format(source=source, age=age_text(reading.age_s))
    return source


def age_text(seconds: int) -> str:
    """Return an age such as ``40 s``, ``12 min``, ``3 h``."""
    if seconds < 120:
        return translate("Numbers", "{count} s").format(count=seconds)
    if seconds < 7200:
        return translate("Numbers", "{count} min").format(count=seconds // 60)
    return translate("Numbers", "{count} h").format(count=seconds // 3600)


class NumberColumn(QWidget):
    """Draws tiles below each other with equal heights, as the lanes of waves beside them, or in rows.

    Parameters
    ----------
    theme : Theme
    in_row : bool
        Beside each other, as many as fit.

    Attributes
    ----------
    tiles : tuple of Tile
        As shown.
    """

    def __init__(self, theme: Theme, *, in_row: bool = False) -> None:
        super().__init__()
        self.theme = theme
        self.tiles: tuple[Tile, ...] = ()
        self._in_row = in_row
        vertical = QSizePolicy.Policy.Fixed if in_row else QSizePolicy.Policy.Expanding
        self.setSizePolicy(QSizePolicy.Policy.Preferred, vertical)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.update()

    def show_tiles(self, tiles: Sequence[Tile]) -> None:
        """Show tiles."""
        before, self.tiles = self.tiles, tuple(tiles)
        if len(before) != len(self.tiles):
            self.update()
            return
        for number, (one, other) in enumerate(zip(before, self.tiles, strict=True)):
            if one != other:
                self.update(self._place(number))

    def rows(self, width: int) -> int:
        """Return the number of rows of the tiles, at least 1, if the column is ``width`` px wide."""
        return max(-(-len(self.tiles) // self._columns(width)), 1) if self._in_row else max(len(self.tiles), 1)

    def _columns(self, width: int) -> int:
        return min(max(len(self.tiles), 1), max((width + _ROUNDING_PX) // px(TILE_PX), 1))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw the tiles that are exposed."""
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), colour(self.theme.panel))
            for number, tile in enumerate(self.tiles):
                place = self._place(number)
                if not event.region().intersects(place):
                    continue
                if place.top():
                    painter.fillRect(QRect(place.left(), place.top(), place.width(), 1), colour(self.theme.edge))
                if place.left():
                    painter.fillRect(QRect(place.left(), place.top(), 1, place.height()), colour(self.theme.edge))
                _draw_tile(painter, tile, place, self.theme, _IN_ROW_PX if self._in_row else _LARGEST_PX)

    def _place(self, number: int) -> QRect:
        columns, rows = self._columns(self.width()) if self._in_row else 1, self.rows(self.width())
        row, column = divmod(number, columns)
        left, right = (self.width() * at // columns for at in (column, column + 1))
        top, bottom = (round(self.height() * at / rows) for at in (row, row + 1))
        return QRect(left, top, right - left, bottom - top)


def _draw_tile(painter: QPainter, tile: Tile, place: QRect, theme: Theme, largest: int) -> None:
    """Draw name and number, of at most a size in px, and what else has room: unit, note, further numbers."""
    own = theme.text if tile.wave is None else theme.wave[tile.wave]
    low = place.height() < px(44)
    left, top = place.left() + px(_MARGIN), place.top() + px(1 if low else 4)
    names, small = font(_SMALL_PX + 2 if low else _NAME_PX, bold=True), font(_SMALL_PX)
    height, line = QFontMetrics(names).height(), QFontMetrics(small).height()
    name_right = left + QFontMetrics(names).horizontalAdvance(tile.name) + px(6)
    left_of_number = max(name_right, place.left() + px(_NAME_WIDTH))
    end = place.right() - px(_MARGIN)
    below = place.height() >= px(2) + height + line
    needed = _number_width(tile, _READABLE_PX)
    if place.height() < 2 * QFontMetrics(font(_LIMIT_PX)).height():
        tile = replace(tile, limits=_violated_alone(tile))
    if end - left_of_number - _limits_width(tile) < needed:
        tile = replace(tile, limits=("", ""))
    if end - left_of_number - _limits_width(tile) >= needed:
        number_left = _draw_number(painter, tile, place, left_of_number + _limits_width(tile), theme, largest)
        number_left = _draw_limits(painter, tile, QRect(0, place.top(), number_left, place.height()), theme)
    elif place.height() >= height + line + px(20):
        tile = _without_mean(tile, end - left)
        middle = place.adjusted(0, top + height - place.top() - px(4), 0, px(4) - line)
        _draw_number(painter, tile, middle, left, theme, largest)
        number_left = end
    else:
        tile = _without_mean(tile, end - name_right)
        number_left = _draw_number(painter, tile, place, name_right, theme, largest)
    painter.setFont(names)
    painter.setPen(colour(own))
    painter.drawText(QRect(left, top, place.width(), height), Qt.AlignmentFlag.AlignLeft, tile.name)
    painter.setFont(small)
    painter.setPen(colour(theme.faint))
    beside_name = QRect(name_right, top, max(number_left - name_right, 0), height)
    align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    text = tile.unit if below or tile.main != NO_VALUE else tile.note
    if QFontMetrics(small).horizontalAdvance(text) <= beside_name.width():
        painter.drawText(beside_name, align, text)
    note = QRect(left, place.bottom() - line - px(1 if low else 3), place.width() - 2 * px(_MARGIN), line)
    if below:
        room = (end if place.height() >= px(_TALL_PX) else number_left) - left
        shown = QFontMetrics(small).elidedText(tile.note, Qt.TextElideMode.ElideRight, room)
        painter.drawText(note, Qt.AlignmentFlag.AlignLeft, shown)
    if tile.beside and number_left < end and place.height() >= height + 2 * line + px(8):
        painter.setPen(colour(own))
        painter.drawText(note.translated(0, -line), Qt.AlignmentFlag.AlignLeft, tile.beside)


def _without_mean(tile: Tile, room: int) -> Tile:
    """Return a tile without its mean pressure if that would make the number too small to read."""
    return tile if _number_width(tile, _READABLE_PX) <= room else replace(tile, mean="")


def _violated_alone(tile: Tile) -> tuple[str, str]:
    """Return the limits for a place with one line: a violated one, or none."""
    violated = None if tile.alarm is None else tile.alarm.violated
    return (tile.limits[0] if violated == "high" else "", tile.limits[1] if violated == "low" else "")


def _limits_width(tile: Tile) -> int:
    """Return the width of the limits and of the space beside them, in px."""
    width = max(text_width(text, _LIMIT_PX) for text in tile.limits)
    return width + px(_LIMIT_SPACE) if width else 0


def _draw_limits(painter: QPainter, tile: Tile, place: QRect, theme: Theme) -> int:
    """Draw high above low at the right edge of a place, a violated one in its colour; return where they begin, px."""
    width, height = _limits_width(tile), QFontMetrics(font(_LIMIT_PX)).height()
    if not width:
        return place.right()
    left, alarm = place.right() - width, tile.alarm
    for number, (text, side) in enumerate(zip(tile.limits, ("high", "low"), strict=True)):
        violated = alarm is not None and alarm.violated == side
        painter.setFont(font(_LIMIT_PX, bold=violated))
        painter.setPen(colour(theme.priority[alarm.priority] if alarm is not None and violated else theme.faint))
        above = height if all(tile.limits) else height // 2
        top = place.center().y() - above + (number * height if all(tile.limits) else 0)
        line = QRect(left, top, width - px(_LIMIT_SPACE) // 2, height)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
    return left


def _draw_number(painter: QPainter, tile: Tile, place: QRect, left: int, theme: Theme, largest: int) -> int:
    """Draw the number at the right, as large as it fits beside ``left``; return the pixel where it begins."""
    own = theme.text if tile.wave is None else theme.wave[tile.wave]
    number = QRect(place.left(), place.top(), place.width() - px(_MARGIN), place.height())
    pixels = _fitting_size(tile, number.right() - left, place.height(), largest)
    large, smaller = font(pixels, bold=True), font(round(pixels * _MEAN_SIZE), bold=True)
    ink, ground = number_colours(theme, own, tile.alarm, bright=tile.bright)
    if tile.alarm is None and (tile.dim or tile.main == NO_VALUE):
        ink = theme.faint
    if ground:
        width, height = _number_width(tile, pixels), QFontMetrics(large).capHeight() + px(8)
        box = QRect(number.right() - width - px(4), 0, width + px(8), min(height, place.height()))
        box.moveTop(place.center().y() - box.height() // 2)
        painter.fillRect(box, colour(ground))
    painter.setPen(colour(ink))
    align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    if tile.mean:
        painter.setFont(smaller)
        painter.drawText(number, align, tile.mean)
        number.setRight(number.right() - QFontMetrics(smaller).horizontalAdvance(tile.mean) - px(6))
    painter.setFont(large)
    painter.drawText(number, align, tile.main)
    return number.right() - QFontMetrics(large).horizontalAdvance(tile.main)


def _fitting_size(tile: Tile, room: int, height: int, largest: int) -> int:
    """Return the largest size of the number that fits, in px at normal scale."""
    pixels = largest
    while pixels > _SMALLEST_PX:
        metrics = QFontMetrics(font(pixels, bold=True))
        tall = metrics.height() if "(" in tile.main else metrics.capHeight() + px(8)
        if _number_width(tile, pixels) <= room and tall <= height:
            break
        pixels -= 2
    return pixels


def _number_width(tile: Tile, pixels: int) -> int:
    """Return the width of the number, with the mean after it, in px."""
    mean = text_width(tile.mean, round(pixels * _MEAN_SIZE)) + px(6) if tile.mean else 0
    return text_width(tile.main, pixels) + mean
