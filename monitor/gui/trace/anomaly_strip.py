"""Anomaly strip: the place of the plot of anomaly scores, which is made when it is first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from monitor.gui.style.theme import Theme, px
from monitor.view.trace import Trace

if TYPE_CHECKING:
    from monitor.gui.trace.anomaly_plot import AnomalyPlot

_HEIGHT, _COMPACT_HEIGHT = 150, 100


class AnomalyStrip(QWidget):
    """Holds the plot of anomaly scores.

    Parameters
    ----------
    theme : Theme

    Attributes
    ----------
    plot : AnomalyPlot or None
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.plot: AnomalyPlot | None = None
        self._compact = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._place = QVBoxLayout(self)
        self._place.setContentsMargins(0, 0, 0, 0)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.set_compact(self._compact)

    def set_compact(self, compact: bool) -> None:
        """Reduce the height for small windows."""
        self._compact = compact
        self.setFixedHeight(px(_COMPACT_HEIGHT if compact else _HEIGHT))

    def show_trace(self, trace: Trace | None, *, stale: bool) -> None:
        """Show the score of a trace; None without one."""
        if self.plot is None:
            # The import of pyqtgraph takes a third of the processor time until the window's first sample.
            from monitor.gui.trace.anomaly_plot import AnomalyPlot

            self.plot = AnomalyPlot(self.theme)
            self._place.addWidget(self.plot)
        self.plot.show_trace(trace, stale=stale)
