"""List of waves in the preferences: which are shown, and in which order."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QSizePolicy

from monitor.gui.preferences.preferences import WAVES
from monitor.gui.trace.wave_view import NAMES
from stream.wire import wave_message


class WaveOrder(QListWidget):
    """Waves in the order of their lanes, each with a check box; those that are not shown stand last.

    Parameters
    ----------
    shown : tuple of str
        The waves shown, in order.

    Attributes
    ----------
    changed : Signal(str)
        The waves shown, separated by spaces.
    """

    changed = Signal(str)

    def __init__(self, shown: tuple[wave_message.Signal, ...]) -> None:
        super().__init__()
        for wave in (*shown, *(wave for wave in WAVES if wave not in shown)):
            item = QListWidgetItem(NAMES[wave])
            item.setData(Qt.ItemDataRole.UserRole, wave)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if wave in shown else Qt.CheckState.Unchecked)
            self.addItem(item)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._emitted = self.text
        self.itemChanged.connect(self._emit)
        self.model().rowsMoved.connect(self._emit)

    @property
    def text(self) -> str:
        """The waves shown, separated by spaces."""
        items = (self.item(row) for row in range(self.count()))
        return " ".join(
            item.data(Qt.ItemDataRole.UserRole) for item in items if item.checkState() is Qt.CheckState.Checked
        )

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of all rows."""
        rows = self.count() * (self.sizeHintForRow(0) + 1)
        return QSize(160, rows + 2 * self.frameWidth())

    def _emit(self) -> None:
        if self.text != self._emitted:
            self._emitted = self.text
            self.changed.emit(self.text)
