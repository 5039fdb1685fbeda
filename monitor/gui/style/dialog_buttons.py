"""Buttons of a dialog, with icons drawn in the text colour: those of the desktop may be dark on a dark theme."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QIcon, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QDialogButtonBox

from monitor.gui.style.theme import Theme, colour, font, px

_ICON_PX = 16
_CROSS = (((0.2, 0.2), (0.8, 0.8)), ((0.8, 0.2), (0.2, 0.8)))
_TICK = (((0.15, 0.55), (0.4, 0.8), (0.85, 0.2)),)

_STROKES = {
    QDialogButtonBox.StandardButton.Close: _CROSS,
    QDialogButtonBox.StandardButton.Cancel: _CROSS,
    QDialogButtonBox.StandardButton.Ok: _TICK,
}
BUTTON_HEIGHT = 44
"""Height of a button that a finger can hit, px at normal font size."""


def style_buttons(box: QDialogButtonBox, theme: Theme) -> None:
    """Draw the icons of the buttons in the text colour of a theme, and make the buttons as high as a finger needs."""
    for which, strokes in _STROKES.items():
        button = box.button(which)
        if button is not None:
            button.setIcon(QIcon(_drawing(strokes, theme)))
            button.setMinimumHeight(px(BUTTON_HEIGHT))
            button.setFont(font(15))


def _drawing(strokes: tuple[tuple[tuple[float, float], ...], ...], theme: Theme) -> QPixmap:
    side = px(_ICON_PX)
    drawing = QPixmap(side, side)
    drawing.fill(Qt.GlobalColor.transparent)
    with QPainter(drawing) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour(theme.text), max(side / 8, 1.5)))
        for stroke in strokes:
            painter.drawPolyline(QPolygonF([QPointF(x * side, y * side) for x, y in stroke]))
    return drawing
