"""The hours of a bed: the last ones, the forecast of the next ones, risks, score and advisory."""

from __future__ import annotations

from PySide6.QtWidgets import QGraphicsOpacityEffect, QHBoxLayout, QWidget

from monitor.gui.outlook.outlook_chart import OutlookChart
from monitor.gui.outlook.outlook_panel import OutlookPanel
from monitor.gui.style.theme import Theme, px
from monitor.view.view_model import Frame

_PANEL_PX = 320


class OutlookPage(QWidget):
    """Chart and panel side by side.

    Attributes
    ----------
    chart : OutlookChart
    panel : OutlookPanel
    dimmed : QGraphicsOpacityEffect
        Of the panel; enabled while the data are old.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.chart, self.panel = OutlookChart(theme), OutlookPanel(theme)
        self.dimmed = QGraphicsOpacityEffect(self.panel)
        self.dimmed.setEnabled(False)
        self.panel.setGraphicsEffect(self.dimmed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.chart, 1)
        row.addWidget(self.panel)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Adapt the width of the panel to the font size."""
        self.panel.setFixedWidth(px(_PANEL_PX))
        self.dimmed.setOpacity(theme.stale_opacity)

    def show_frame(self, frame: Frame) -> None:
        """Show the outlook of a frame."""
        stale = frame.link.stale or not frame.worker
        self.chart.show_hours(frame.hours, stale=stale)
        self.panel.show_hours(frame.hours)
        self.dimmed.setEnabled(stale)  # as the chart: risks of old data must not look current
