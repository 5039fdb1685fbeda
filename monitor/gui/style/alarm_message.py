"""Background and colour of an alarm's message: filled while the alarm is active, an outline once it is over."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from monitor.gui.style.theme import Theme, colour


def paint_background(painter: QPainter, place: QRect, theme: Theme, priority: str, *, bright: bool, over: bool) -> str:
    """Paint the background of an alarm's message, and return the colour of its text.

    Parameters
    ----------
    painter : QPainter
    place : QRect
    theme : Theme
    priority : str
    bright : bool
        The phase of the flash cycle.
    over : bool
        The alarm is over and not acknowledged: what is active must outrank it at a glance.
    """
    if bright and not over:
        painter.fillRect(place, colour(theme.signal[priority]))
        return theme.signal_ink[priority]
    painter.fillRect(place, colour(theme.priority_tint[priority]))
    if bright:
        painter.setPen(colour(theme.priority[priority]))
        painter.drawRect(place.adjusted(0, 0, -1, -1))
    return theme.priority[priority]
