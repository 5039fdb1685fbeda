"""Keeps a window inside the screen that it has: title bar, frame and task bar included."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

_SETTLE_MS = (0, 300)
"""When the size is checked after the window was shown, ms: window managers add their frame some time later."""

WITHOUT_SCREEN = ("offscreen", "minimal")
"""Platforms of Qt that draw into memory."""


def fit_to_screen(window: QWidget) -> None:
    """Fit a window into its screen now and, with the frame of the window manager, after it was shown."""
    if QApplication.platformName() in WITHOUT_SCREEN:
        return
    fit_into(window, window.screen().availableGeometry())
    for after_ms in _SETTLE_MS:
        QTimer.singleShot(after_ms, window, lambda: fit_into(window, window.screen().availableGeometry()))


def fit_into(window: QWidget, available: QRect) -> None:
    """Make a window so small, and move it, that its frame lies in a rectangle.

    A maximized window or one in full screen is left to the window manager, and none becomes smaller than its minimum.
    """
    if window.windowState() & (Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen):
        return
    frame, content = window.frameGeometry(), window.geometry()
    edge_width, edge_height = frame.width() - content.width(), frame.height() - content.height()
    width = min(content.width(), available.width() - edge_width)
    height = min(content.height(), available.height() - edge_height)
    if (width, height) != (content.width(), content.height()):
        window.resize(width, height)
    left = max(min(frame.left(), available.right() + 1 - width - edge_width), available.left())
    top = max(min(frame.top(), available.bottom() + 1 - height - edge_height), available.top())
    if (left, top) != (frame.left(), frame.top()):
        window.move(left, top)
