"""Steps of the mouse wheel."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QWheelEvent

_STEP: Final = 120
"""Eighths of a degree of a step, in Qt's unit."""


class WheelSteps:
    """Collects the turns of a wheel, of which touch pads send small ones, into steps."""

    def __init__(self) -> None:
        self._turned = 0

    def take(self, event: QWheelEvent) -> int:
        """Return 1 for a step up, −1 for one down, 0 if none is complete; the event is accepted."""
        event.accept()
        self._turned += event.angleDelta().y()
        if abs(self._turned) < _STEP:
            return 0
        step = 1 if self._turned > 0 else -1
        self._turned = 0
        return step
