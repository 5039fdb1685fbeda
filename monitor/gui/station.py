"""The central station: every bed in a small card with its trace, its heart rate and its most urgent alarm."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from monitor.frame import Frame, View
from monitor.gui.alarm_banner import banner_text
from monitor.gui.sweep import SweepView
from monitor.gui.theme import Theme, colour, font, lit

MOST_BEDS = 16
_HEAD = 56


class CardHead(QWidget):
    """The line above a card's trace: bed, alarm or state, heart rate.

    Attributes
    ----------
    bed, message, rate : str
    priority : str or None
        Of the alarm shown.
    bright : bool
        False in the dark half of a flash.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.bed, self.message, self.rate = "", "", ""
        self.priority: str | None = None
        self.bright = True
        self.setFixedHeight(_HEAD)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_frame(self, frame: Frame) -> None:
        """Take what a frame says."""
        calling = [line for line in frame.active if line.calls] or list(frame.active)
        line = calling[0] if calling else None
        message = frame.notices[0] if frame.notices else ""
        if line is not None:
            message = banner_text(line).partition(": ")[0]
        rate = "--" if frame.patient.heart_rate is None else str(frame.patient.heart_rate)
        priority = None if line is None else line.priority
        still = line is None or not line.calls or frame.pauses.alarms_s > 0
        bright = priority is None or (frame.worker and (still or lit(priority, frame.now_ns)))
        shown = ((frame.bed or "").upper(), message, rate, priority, bright)
        if shown != (self.bed, self.message, self.rate, self.priority, self.bright):
            self.bed, self.message, self.rate, self.priority, self.bright = shown
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the three texts."""
        theme = self.theme
        with QPainter(self) as painter:
            ground, ink = theme.panel, theme.priority["technical"]
            if self.priority is not None:
                ink, ground = theme.priority[self.priority], theme.priority_tint[self.priority]
                if self.bright:
                    ink, ground = theme.ground, theme.priority[self.priority]
            painter.fillRect(self.rect(), colour(theme.panel))
            painter.setPen(colour(theme.text))
            painter.setFont(font(18, bold=True))
            painter.drawText(QRect(10, 4, self.width() - 110, 24), Qt.AlignmentFlag.AlignLeft, self.bed)
            painter.setPen(colour(theme.ecg))
            painter.setFont(font(40, bold=True))
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRect(self.width() - 110, 0, 100, _HEAD), right, self.rate)
            if self.message:
                place = QRect(6, 28, self.width() - 120, 24)
                painter.fillRect(place, colour(ground))
                painter.setPen(colour(ink))
                painter.setFont(font(14, bold=True))
                short = QFontMetrics(painter.font()).elidedText(
                    self.message, Qt.TextElideMode.ElideRight, place.width() - 8
                )
                painter.drawText(place.adjusted(4, 0, -4, 0), Qt.AlignmentFlag.AlignVCenter, short)


class BedCard(QWidget):
    """One bed.

    Attributes
    ----------
    clicked : Signal(str)
        The bed's name.
    bed : str
    head : CardHead
    sweep : SweepView
    """

    clicked = Signal(str)

    def __init__(self, theme: Theme, bed: str) -> None:
        super().__init__()
        self.theme, self.bed = theme, bed
        self.head, self.sweep = CardHead(theme), SweepView(theme)
        self._edge = ""
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setContentsMargins(3, 3, 3, 3)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.sweep, 1)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_frame(self, frame: Frame) -> None:
        """Bring the card up to a frame; one in alarm has an edge in its colour."""
        self.head.show_frame(frame)
        self.sweep.show_trace(frame.trace, stale=frame.link.stale, message=frame.link.state.value)
        priority = self.head.priority
        edge = self.theme.edge if priority in (None, "technical") else self.theme.priority[str(priority)]
        if edge != self._edge:
            self._edge = edge
            self.setStyleSheet(f"BedCard {{ background: {edge} }}")

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, ARG002
        """Ask for the full view."""
        self.clicked.emit(self.bed)


class StationView(QWidget):
    """Cards in a grid; beds come and go.

    Attributes
    ----------
    chosen : Signal(str)
        The bed whose card was clicked.
    cards : dict of str to BedCard
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.cards: dict[str, BedCard] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(4, 0, 4, 4)
        self._grid.setSpacing(4)

    def view(self, mm_per_s: float, mm_per_mv: float | None) -> View:
        """Return how much of a signal fits on a card; all cards are of one size."""
        card = next(iter(self.cards.values()), None)
        return View() if card is None else card.sweep.view(mm_per_s, mm_per_mv)

    def show_frames(self, frames: Sequence[Frame]) -> None:
        """Bring the cards up to the frames of the first 16 beds."""
        shown = {frame.bed: frame for frame in frames[:MOST_BEDS] if frame.bed is not None}
        if list(shown) != list(self.cards):
            self._lay_out(list(shown))
        for name, frame in shown.items():
            self.cards[name].show_frame(frame)

    def _lay_out(self, names: list[str]) -> None:
        for name in set(self.cards) - set(names):
            card = self.cards.pop(name)
            self._grid.removeWidget(card)
            card.deleteLater()
        cards = {}
        for name in names:
            card = self.cards.get(name) or BedCard(self.theme, name)
            if name not in self.cards:
                card.clicked.connect(self.chosen)
            cards[name] = card
        self.cards = cards
        for card in cards.values():
            self._grid.removeWidget(card)
        columns = math.ceil(math.sqrt(len(names))) if names else 1
        for place, card in enumerate(cards.values()):
            self._grid.addWidget(card, place // columns, place % columns)
            card.show()
