"""The central station: every bed in a card of its own; one in alarm comes forward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from monitor.gui.station.bed_tile import BedTile
from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.theme import Theme
from monitor.gui.trace.sweep import LEAST_MV, TWO_LEADS_PX
from monitor.gui.trace.sweep_layout import PAD
from monitor.view.central_station import MOST_BEDS, Forward, columns, come_forward
from monitor.view.trace import Drawn, View
from monitor.view.view_model import Frame

HINT = QT_TRANSLATE_NOOP("Station", "click or Enter: full view  ·  arrows: choose  ·  C: one bed")

FAST, SLOW = 25.0, 12.5
"""Paper speeds of cards, mm/s."""

LARGE, SMALL = 10.0, 5.0
"""Amplitudes of cards, mm/mV."""

_FORWARD = 16
_OTHERS = 10
_LEAST_S = 3.5
_AT_ONCE = 6
_WHOLE = 1
_NOTE_MS = 4000


class CentralStationView(QWidget):
    """Cards in a grid; beds come and go, and keep their places.

    The row and the column of the bed that is forward are half again as large as the others. Where there are many, the
    cards take turns: each is drawn with every second or third frame, in steps of a few pixels.

    Attributes
    ----------
    chosen : Signal(str)
        The bed whose card was clicked.
    cards : dict of str to BedTile
    frames : dict of str to Frame
        The latest of each bed that has a card.
    forward : Forward or None
    title, note, hint : Label
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.cards: dict[str, BedTile] = {}
        self.forward: Forward | None = None
        self.frames: dict[str, Frame] = {}
        self._turn = 0
        self._speed: float | None = None
        self._px_per_mm: float | None = None
        self.title, self.note = Label(theme, "text", 18, bold=True), Label(theme, "simulation", 15, bold=True)
        self.hint = Label(theme, "faint", 13, says=lambda: translate("Station", HINT))
        row = QHBoxLayout()
        row.setContentsMargins(10, 4, 14, 0)
        row.setSpacing(16)
        row.addWidget(self.title)
        row.addWidget(self.note)
        row.addStretch(1)
        row.addWidget(self.hint)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(4, 0, 4, 0)
        self._grid.setSpacing(4)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addLayout(row)
        whole.addLayout(self._grid, 1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.note.clear)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme to the tiles to come; existing ones get it by themselves."""
        self.theme = theme

    def set_scale(self, px_per_mm: float) -> None:
        """Take what a millimetre is on this screen."""
        self._px_per_mm = px_per_mm
        for card in self.cards.values():
            card.sweep.px_per_mm = px_per_mm

    # --- beds and places ----------------------------------------------------------------------------------------

    def set_beds(self, names: Sequence[str]) -> None:
        """Give each of the first 16 beds a card."""
        names = names[:MOST_BEDS]
        if list(names) == list(self.cards):
            return
        for name in set(self.cards) - set(names):
            card = self.cards.pop(name)
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        cards = {}
        for name in names:
            card = self.cards.get(name) or BedTile(self.theme, name)
            if name not in self.cards:
                card.clicked.connect(self.chosen)
                if self._px_per_mm is not None:
                    card.sweep.px_per_mm = self._px_per_mm
            self._grid.removeWidget(card)
            cards[name] = card
        self.cards = cards
        for place, card in enumerate(cards.values()):
            self._grid.addWidget(card, place // self.columns, place % self.columns)
            card.show()
        self._share_room()

    @property
    def columns(self) -> int:
        """How many cards stand beside each other."""
        return columns(len(self.cards))

    def _share_room(self) -> None:
        names = list(self.cards)
        at = names.index(self.forward.bed) if self.forward is not None and self.forward.bed in names else None
        rows = -(-len(names) // self.columns)
        for row in range(self._grid.rowCount()):
            forward = at is not None and row == at // self.columns
            self._grid.setRowStretch(row, (_FORWARD if forward else _OTHERS) if row < rows else 0)
        for column in range(self._grid.columnCount()):
            forward = at is not None and column == at % self.columns
            self._grid.setColumnStretch(column, (_FORWARD if forward else _OTHERS) if column < self.columns else 0)

    # --- frames -------------------------------------------------------------------------------------------------

    @property
    def speed(self) -> float:
        """The paper speed of all cards, mm/s: slow where a card would hold too few beats, or as people chose."""
        card = next(iter(self.cards.values()), None)
        if self._speed is not None or card is None:
            return self._speed or FAST
        # Of an even share: one that comes forward must not change the others' speed.
        width = self.width() / self.columns - card.sweep.gutter
        return FAST if width / card.sweep.px_per_mm / FAST >= _LEAST_S else SLOW

    @property
    def gain(self) -> float:
        """The amplitude of all cards, mm/mV: half the usual one where a lane would hold too few mV."""
        card = next(iter(self.cards.values()), None)
        if card is None:
            return LARGE
        rows = -(-len(self.cards) // self.columns)
        height = (self.height() - self.title.height()) / rows - card.height() + card.sweep.height()
        lane = height / (1 if height < TWO_LEADS_PX else 2) - 2 * PAD
        return LARGE if lane / card.sweep.px_per_mm / LARGE >= LEAST_MV else SMALL

    def next_speed(self) -> None:
        """Take the other paper speed."""
        self._speed = SLOW if self.speed == FAST else FAST

    @property
    def turns(self) -> int:
        """With how many frames each card is drawn once."""
        return -(-len(self.cards) // _AT_ONCE)

    def wanted(self) -> Mapping[str, tuple[View, Drawn | None]]:
        """Return for each card whose turn it is how much of the signal fits on it, and what it shows already."""
        speed, gain = self.speed, self.gain
        return {
            name: (card.sweep.view(speed, gain), card.sweep.drawn)
            for place, (name, card) in enumerate(self.cards.items())
            if place % self.turns == self._turn % self.turns
        }

    def show_frames(self, frames: Sequence[Frame], chosen: str | None, beds: int) -> None:
        """Bring cards up to a moment.

        Parameters
        ----------
        frames : sequence of Frame
            Of the beds whose turn it is.
        chosen : str or None
            The bed on which keys act.
        beds : int
            How many there are, with and without cards.
        """
        self._turn += 1
        self.frames.update({frame.bed: frame for frame in frames if frame.bed is not None})
        for bed in set(self.frames) - set(self.cards):
            del self.frames[bed]
        if frames:
            self._come_forward(frames[0].now_ns)
        # To draw a whole trace costs as much as some frames do: one card at a time.
        left = _WHOLE
        for frame in frames:
            draw = frame.trace is None or not frame.trace.whole or left > 0
            if draw and frame.trace is not None and frame.trace.whole:
                left -= 1
            if frame.bed in self.cards:
                self.cards[frame.bed].show_frame(frame, draw=draw)
        for bed, card in self.cards.items():
            card.set_chosen(bed == chosen)
        self._show_title(beds)

    def _come_forward(self, now_ns: int) -> None:
        forward = come_forward(self.forward, self.frames.values(), now_ns)
        moved = (forward and forward.bed) != (self.forward and self.forward.bed)
        self.forward = forward
        if moved:
            self._share_room()

    def _show_title(self, beds: int) -> None:
        alarms = sum(any(line.calls for line in frame.active) for frame in self.frames.values())
        count = translate("Station", "1 bed") if beds == 1 else translate("Station", "{count} beds")
        if beds > len(self.cards):
            count = translate("Station", "the first {shown} of {count} beds")
        parts = [
            translate("Station", "CENTRAL STATION"),
            count.format(count=beds, shown=len(self.cards)),
            translate("Station", "{count} in alarm").format(count=alarms),
        ]
        if self.cards:
            parts.append(f"{self.speed:g} mm/s, {self.gain:g} mm/mV")
        text = "  ·  ".join(parts)
        if text != self.title.text():
            self.title.setText(text)

    def say(self, text: str) -> None:
        """Show for some seconds what could not be done."""
        self.note.setText(text)
        self._timer.start(_NOTE_MS)

    def neighbour(self, bed: str | None, key: int) -> str | None:
        """Return the bed that an arrow key leads to from another; None where it leads nowhere."""
        names = list(self.cards)
        steps = {
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Down: self.columns,
            Qt.Key.Key_Up: -self.columns,
        }
        if not names or key not in steps:
            return None
        at = names.index(bed) + steps[Qt.Key(key)] if bed in names else 0
        return names[at] if 0 <= at < len(names) else None
