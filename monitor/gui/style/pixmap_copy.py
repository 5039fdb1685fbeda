"""Copying a part of a pixmap that covers a whole widget."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter, QPixmap


def copy_part(painter: QPainter, source: QPixmap, rect: QRect) -> None:
    """Draw a part of a pixmap at its own place.

    Parameters
    ----------
    painter : QPainter
    source : QPixmap
        As large as the widget painted on.
    rect : QRect
        The part, in px of the widget.
    """
    ratio = source.devicePixelRatio()
    of = QRectF(rect.x() * ratio, rect.y() * ratio, rect.width() * ratio, rect.height() * ratio)
    painter.drawPixmap(QRectF(rect), source, of)
