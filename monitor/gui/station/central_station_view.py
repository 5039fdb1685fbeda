"""Central station: one tile per bed, in a grid that stands still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from monitor.gui.bed.other_beds import OtherBeds
from monitor.gui.outlook.ward_list import WardList
from monitor.gui.station.bed_tile import BedTile
from monitor.gui.style.label import ElidedLabel, Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.theme import Theme
from monitor.gui.trace.sweep import MIN_LANE_MV, TWO_LEADS_MIN_PX
from monitor.gui.trace.sweep_layout import LANE_PADDING
from monitor.view.central_station import MAX_BEDS, beds_in_alarm, grid_columns
from monitor.view.chart import WardRow
from monitor.view.trace import Drawn, View
from monitor.view.view_model import AlarmLine, Frame

HINT = QT_TRANSLATE_NOOP("Station", "click or Enter: full view  ·  arrows: choose  ·  C: one bed")

FAST_MM_PER_S, SLOW_MM_PER_S = 25.0, 12.5
"""Paper speeds of tiles, mm/s."""

LARGE_MM_PER_MV, SMALL_MM_PER_MV = 10.0, 5.0
"""Gains of tiles, mm/mV."""

_MIN_SPAN_S = 3.5
"""Smallest time span of a tile at the fast paper speed, s."""

_TILES_PER_FRAME = 6
_WHOLE_TRACES_PER_FRAME = 1
_NOTE_MS = 4000
_SEPARATOR = "  ·  "
_MARGINS_PX = 70
_MOST = 9
"""Stretch of what has text, in the row of the title; of an empty note: 1."""

_TITLE_SHARE = 0.65
"""Part of the width for the title while a red alarm of another bed is beside it."""


class CentralStationView(QWidget):
    """Grid of tiles of one size, in the order of the bed names; alarms change neither place nor size.

    With more than six tiles, they are drawn in groups: each tile is updated in every second frame, or in every sixth of
    32 tiles.

    Attributes
    ----------
    chosen : Signal(str)
        The bed whose tile was clicked.
    tiles : dict of str to BedTile
    frames : dict of str to Frame
        The latest frame of each bed that has a tile.
    others : OtherBeds
        Red alarms of beds without a tile.
    ward : WardList
        The beds without ECG, by risk; hidden if there is none.
    charted : dict of str to Frame
        The latest frame of each of these.
    title, note, hint : Label
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.tiles: dict[str, BedTile] = {}
        self.frames: dict[str, Frame] = {}
        self._frame_count = 0
        self._title_key: tuple[object, ...] | None = None
        self._speed: float | None = None
        self._px_per_mm: float | None = None
        self.title, self.note = Label(theme, "text", 18, bold=True), ElidedLabel(theme, "simulation", 15, bold=True)
        self.others = OtherBeds(theme, low=True)
        self.others.chosen.connect(self.chosen)
        self.hint = Label(theme, "faint", 13, text_source=lambda: translate("Station", HINT))
        row = QHBoxLayout()
        row.setContentsMargins(10, 4, 14, 0)
        row.setSpacing(16)
        row.addWidget(self.title)
        row.addWidget(self.others, _MOST)
        row.addWidget(self.note, 1)
        row.addWidget(self.hint)
        self.ward = WardList(theme)
        self.ward.hide()
        self.ward.chosen.connect(self.chosen)
        self.charted: dict[str, Frame] = {}
        self._grid = QGridLayout()
        self._grid.setContentsMargins(4, 0, 4, 0)
        self._grid.setSpacing(4)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addLayout(row)
        whole.addLayout(self._grid, 1)
        whole.addWidget(self.ward, 1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(lambda: self._set_note(""))
        self._row = row

    def apply_theme(self, theme: Theme) -> None:
        """Set the theme of new tiles; existing ones are updated separately."""
        self.theme = theme
        self._title_key = None

    def set_scale(self, px_per_mm: float) -> None:
        """Set the resolution of the screen."""
        self._px_per_mm = px_per_mm
        for tile in self.tiles.values():
            tile.sweep.px_per_mm = px_per_mm

    # --- tiles --------------------------------------------------------------------------------------------------

    def set_beds(self, names: Sequence[str]) -> None:
        """Create a tile for each of the first 32 beds, and remove those of other beds."""
        names = names[:MAX_BEDS]
        if list(names) == list(self.tiles):
            return
        for name in set(self.tiles) - set(names):
            tile = self.tiles.pop(name)
            self._grid.removeWidget(tile)
            tile.hide()
            tile.deleteLater()
        tiles = {}
        for name in names:
            tile = self.tiles.get(name) or BedTile(self.theme, name)
            if name not in self.tiles:
                tile.clicked.connect(self.chosen)
                if self._px_per_mm is not None:
                    tile.sweep.px_per_mm = self._px_per_mm
            self._grid.removeWidget(tile)
            tiles[name] = tile
        self.tiles = tiles
        for place, tile in enumerate(tiles.values()):
            self._grid.addWidget(tile, place // self.columns, place % self.columns)
            tile.show()
        self._update_stretch()

    @property
    def columns(self) -> int:
        """Number of columns of the grid."""
        return grid_columns(len(self.tiles))

    def _update_stretch(self) -> None:
        rows = -(-len(self.tiles) // self.columns)
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 1 if row < rows else 0)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 1 if column < self.columns else 0)

    # --- frames -------------------------------------------------------------------------------------------------

    @property
    def speed(self) -> float:
        """Paper speed of all tiles, mm/s: as selected, or slow if a tile would show too few beats."""
        tile = next(iter(self.tiles.values()), None)
        if self._speed is not None or tile is None:
            return self._speed or FAST_MM_PER_S
        width = self.width() / self.columns - tile.sweep.gutter
        return FAST_MM_PER_S if width / tile.sweep.px_per_mm / FAST_MM_PER_S >= _MIN_SPAN_S else SLOW_MM_PER_S

    @property
    def gain(self) -> float:
        """Gain of all tiles, mm/mV: halved if a lane would show too few mV."""
        tile = next(iter(self.tiles.values()), None)
        if tile is None:
            return LARGE_MM_PER_MV
        rows = -(-len(self.tiles) // self.columns)
        height = (self.height() - self.title.height()) / rows - tile.height() + tile.sweep.height()
        lane = height / (1 if height < TWO_LEADS_MIN_PX else 2) - 2 * LANE_PADDING
        return LARGE_MM_PER_MV if lane / tile.sweep.px_per_mm / LARGE_MM_PER_MV >= MIN_LANE_MV else SMALL_MM_PER_MV

    def next_speed(self) -> None:
        """Select the other paper speed."""
        self._speed = SLOW_MM_PER_S if self.speed == FAST_MM_PER_S else FAST_MM_PER_S

    @property
    def groups(self) -> int:
        """Number of groups of tiles; one group is drawn per frame."""
        return -(-len(self.tiles) // _TILES_PER_FRAME)

    def wanted(self) -> Mapping[str, tuple[View, Drawn | None]]:
        """Return, for each tile of the next group, the amount of signal that fits and what it has drawn."""
        speed, gain = self.speed, self.gain
        return {
            name: (tile.sweep.view(speed, gain), tile.sweep.drawn)
            for index, (name, tile) in enumerate(self.tiles.items())
            if index % self.groups == self._frame_count % self.groups
        }

    def show_frames(self, frames: Sequence[Frame], selected: str | None, beds: int) -> None:
        """Show the frames of a group of tiles.

        Parameters
        ----------
        frames : sequence of Frame
            Frames of the beds of the group.
        selected : str or None
            The bed on which keys act.
        beds : int
            Number of beds, with and without tiles.
        """
        self._frame_count += 1
        self.frames.update({frame.bed: frame for frame in frames if frame.bed is not None})
        for bed in set(self.frames) - set(self.tiles):
            del self.frames[bed]
        # Drawing a whole trace takes as long as several frames: only one tile per frame.
        whole_left = _WHOLE_TRACES_PER_FRAME
        for frame in frames:
            draw = frame.trace is None or not frame.trace.whole or whole_left > 0
            if draw and frame.trace is not None and frame.trace.whole:
                whole_left -= 1
            if frame.bed in self.tiles:
                self.tiles[frame.bed].show_frame(frame, draw=draw)
        for bed, tile in self.tiles.items():
            tile.set_selected(bed == selected)
        self._show_title(beds)

    def show_ward(self, rows: Sequence[WardRow], frames: Sequence[Frame], selected: str | None) -> None:
        """Show the beds without ECG, in the order of their risk."""
        self.charted = {frame.bed: frame for frame in frames if frame.bed is not None}
        self.ward.show_rows(rows, selected)
        if self.ward.isHidden() == bool(rows):
            self.ward.setVisible(bool(rows))

    def _show_title(self, beds: int) -> None:
        alarms = beds_in_alarm((*self.frames.values(), *self.charted.values()))
        key = (
            beds,
            alarms,
            len(self.tiles),
            len(self.ward.rows),
            self.speed,
            self.gain,
            self.size(),
            self.others.isHidden(),
        )
        if key == self._title_key:
            return
        self._title_key = key
        count = translate("Station", "1 bed") if beds == 1 else translate("Station", "{count} beds")
        if beds > len(self.tiles) + len(self.ward.rows):
            count = translate("Station", "the first {shown} of {count} beds")
        parts = [
            translate("Station", "CENTRAL STATION"),
            count.format(count=beds, shown=len(self.tiles) + len(self.ward.rows)),
            translate("Station", "{count} in alarm").format(count=alarms.active),
        ]
        if alarms.ended:
            parts.append(translate("Station", "{count} ended, not acknowledged").format(count=alarms.ended))
        scale = [f"{self.speed:g} mm/s, {self.gain:g} mm/mV"] if self.tiles else []
        # What does not fit is left out: first the hint, then the scale, then the name of the page.
        room = (self.width() - _MARGINS_PX) * (1.0 if self.others.isHidden() else _TITLE_SHARE)
        width = self.title.fontMetrics().horizontalAdvance
        texts = [_SEPARATOR.join(some) for some in ([*parts, *scale], parts, parts[1:])]
        text = next((text for text in texts if width(text) <= room), texts[-1])
        if text != self.title.text():
            self.title.setText(text)
        hidden = width(text) + self.hint.sizeHint().width() > room
        if self.hint.isHidden() != hidden:
            self.hint.setHidden(hidden)

    def show_note(self, text: str) -> None:
        """Show a message for some seconds."""
        self._set_note(text)
        self._timer.start(_NOTE_MS)

    def _set_note(self, text: str) -> None:
        """Share the room beside the title between a red alarm and a note; without a note it is the alarm's."""
        self.note.setText(text)
        self._row.setStretchFactor(self.note, _MOST if text else 1)

    def line(self, bed: str | None) -> AlarmLine | None:
        """Return the alarm that the tile of a bed shows; None if there is none."""
        tile = self.tiles.get(bed or "")
        return None if tile is None else tile.header.line

    def neighbour(self, bed: str | None, key: int) -> str | None:
        """Return the bed next to another in the direction of an arrow key; None if there is none."""
        names = list(self.tiles)
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
