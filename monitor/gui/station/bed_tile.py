"""Tile of one bed on the central station: its header above a small trace, in a frame of the colour of its alarm."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.station.tile_header import TileHeader
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour
from monitor.gui.trace.sweep import SweepView
from monitor.view.link import LinkState, state_phrase
from monitor.view.view_model import Frame

_ALARM_PX, _SELECTED_PX = 4, 2
"""Widths of the outer frame, in the colour of the alarm, and of the inner one, which marks the selected bed."""


class BedTile(QWidget):
    """Tile of one bed.

    Attributes
    ----------
    clicked : Signal(str)
        The bed's name.
    bed : str
    header : TileHeader
    sweep : SweepView
        Without height where there is no room for it.
    edges : tuple of str
        Colours of the outer and of the inner frame.
    """

    clicked = Signal(str)

    def __init__(self, theme: Theme, bed: str) -> None:
        super().__init__()
        self.theme, self.bed = theme, bed
        self.header, self.sweep = TileHeader(theme), SweepView(theme, small=True)
        self.edges = (theme.edge, theme.panel)
        self._selected = False
        # Placed by hand: the height of the header depends on the size of the tile, never the other way round.
        self.header.setParent(self)
        self.sweep.setParent(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the same size for all tiles: the grid decides."""
        return QSize(1, 1)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return no minimum: the grid decides."""
        return self.sizeHint()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self._choose_layout()
        self._update_edges()

    def show_frame(self, frame: Frame, *, draw: bool) -> None:
        """Show a frame; without ``draw`` only the header is updated, because other traces are drawn in this frame."""
        self.header.show_frame(frame)
        if draw and self.sweep.height() > 0:
            paused = frame.link.state is LinkState.PAUSED
            message = text_of(state_phrase(frame.link.state))
            self.sweep.show_trace(frame.trace, stale=frame.link.stale, message=message, paused=paused)
        self._update_edges()

    def set_selected(self, selected: bool) -> None:
        """Mark the inner frame if keys act on this bed."""
        if selected != self._selected:
            self._selected = selected
            self._update_edges()

    def _update_edges(self) -> None:
        content, theme = self.header.content, self.theme
        outer = theme.edge
        if content.priority is not None and content.priority != "technical":
            # An alarm that is over is dim: what is active outranks it.
            outer = (theme.priority_tint if content.latched else theme.priority)[content.priority]
        edges = (outer, theme.text if self._selected else theme.panel)
        if edges != self.edges:
            self.edges = edges
            margin = _ALARM_PX + _SELECTED_PX
            self.update(QRegion(self.rect()) - QRegion(self.rect().adjusted(margin, margin, -margin, -margin)))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw both frames."""
        inner = self.rect().adjusted(_ALARM_PX, _ALARM_PX, -_ALARM_PX, -_ALARM_PX)
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self.edges[0]))
            painter.fillRect(inner, colour(self.edges[1]))

    def resizeEvent(self, event: object) -> None:  # noqa: N802, ARG002
        """Choose the layout of the header, and whether there is a trace."""
        self._choose_layout()

    def _choose_layout(self) -> None:
        frame = _ALARM_PX + _SELECTED_PX
        room = self.rect().adjusted(frame, frame, -frame, -frame)
        header = self.header.choose_layout(room.width(), room.height())
        self.header.setGeometry(room.left(), room.top(), room.width(), header)
        self.sweep.setGeometry(room.left(), room.top() + header, room.width(), room.height() - header)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, ARG002
        """Emit `clicked`."""
        self.clicked.emit(self.bed)
