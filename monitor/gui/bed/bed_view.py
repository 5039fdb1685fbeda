"""Page of one bed: large trace, numerics and alarms."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from monitor.gui.bed.alarm_banner import AlarmBanner
from monitor.gui.bed.alarm_list import AlarmList
from monitor.gui.bed.bed_tabs import BedTabs
from monitor.gui.bed.controls import Controls
from monitor.gui.bed.header import BedHeader
from monitor.gui.bed.numerics import EngineerPanel, HeartRate
from monitor.gui.bed.other_beds import OtherBeds
from monitor.gui.preferences.preferences import Preferences
from monitor.gui.replay.replay_panel import ReplayPanel
from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, px
from monitor.gui.trace.anomaly_strip import AnomalyStrip
from monitor.gui.trace.freeze_controller import FreezeController
from monitor.gui.trace.sweep import SweepView
from monitor.gui.trace.sweep_background import Grid
from monitor.gui.trace.trend_strip import TrendStrip
from monitor.view.link import LinkState
from monitor.view.presenter import Presenter
from monitor.view.trace import GAINS, SPEEDS, View
from monitor.view.view_model import Frame

_SIDE_WIDTH_PX = 300
_FULL_LAYOUT_PX = 600
"""Height from which all widgets are shown, px at normal font size."""


class BedView(QWidget):
    """Shows one bed, and the others in a bar.

    Parameters
    ----------
    theme : Theme
    presenter : Presenter
        Provides what a frame does not contain: the trend, and earlier samples.

    Attributes
    ----------
    changed : Signal(dict)
        Names and values of `Preferences` changed by the user.
    preferences : Preferences
        The current ones.
    freeze : FreezeController
    """

    changed = Signal(dict)

    def __init__(self, theme: Theme, presenter: Presenter) -> None:
        super().__init__()
        self.preferences = Preferences()
        self._presenter = presenter
        self._trend_second: tuple[str | None, int] | None = None
        self._build(theme)
        self.freeze = FreezeController(theme, self.sweep, self.strip, presenter)

    def _build(self, theme: Theme) -> None:
        self.banner, self.header, self.beds = AlarmBanner(theme), BedHeader(theme), BedTabs(theme)
        self.others = OtherBeds(theme)
        self.sweep, self.strip, self.trend = SweepView(theme), AnomalyStrip(theme), TrendStrip(theme)
        self.trend.hide()
        self.heart_rate, self.engineer, self.alarms = HeartRate(theme), EngineerPanel(theme), AlarmList(theme)
        self.controls, self.replay = Controls(theme), ReplayPanel(theme)
        self.replay.hide()
        self.header.replay.clicked.connect(self.toggle_replay)

        traces, side, main, whole = QVBoxLayout(), QVBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        for layout in (traces, side, main, whole):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(2)
        traces.addWidget(self.sweep, 1)
        traces.addWidget(self.strip)
        traces.addWidget(self.trend)
        traces.addWidget(self.replay)
        side.addWidget(self.heart_rate)
        side.addWidget(self.alarms, 1)
        side.addWidget(self.controls)
        side.addWidget(self.engineer)
        main.addLayout(traces, 1)
        main.addLayout(side)
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(0)
        top.addWidget(self.others, 1)
        top.addWidget(self.banner, 3)
        whole.addLayout(top)
        whole.addWidget(self.header)
        whole.addLayout(main, 1)
        whole.addWidget(self.beds)

    def apply_theme(self, theme: Theme) -> None:  # noqa: ARG002
        """Adapt the width of the column beside the trace to the font size."""
        for widget in (self.heart_rate, self.alarms, self.controls, self.engineer):
            widget.setFixedWidth(px(_SIDE_WIDTH_PX))
        self._update_layout()

    def apply_preferences(self, preferences: Preferences, px_per_mm: float) -> None:
        """Apply the user preferences to traces and trend."""
        self.preferences = preferences
        self.sweep.grid, self.sweep.px_per_mm = Grid[preferences.grid.upper()], px_per_mm
        self.sweep.forecast_shown = preferences.forecast != "off"
        self.sweep.earlier_forecast_shown = preferences.forecast == "both"
        self.header.show_legend(preferences.forecast)
        if self.trend.isHidden() == preferences.trend:
            self.trend.setVisible(preferences.trend)
            self._trend_second = None
            self._update_layout()

    # --- frames -------------------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """Amount of signal that fits at the selected paper speed and gain."""
        return self.sweep.view(self.preferences.speed, self.preferences.gain or None)

    def show_frame(self, frame: Frame, rejected: int) -> None:
        """Show a frame, and the number of rejected messages."""
        self.banner.show_frame(frame)
        gain = f"{self.preferences.gain:g} mm/mV" if self.preferences.gain else translate("BedView", "amplitude fitted")
        self.header.show_frame(frame, f"{self.preferences.speed:g} mm/s · {gain}")
        trace, stale = self.freeze.trace(frame, self.view)
        self.header.show_frozen(self.freeze.text)
        paused = stale and frame.link.state is LinkState.PAUSED
        self.sweep.show_trace(trace, stale=stale, message=text_of(frame.link.phrase), paused=paused)
        self.strip.show_trace(trace, stale=stale)
        self._show_trend(frame)
        if not self.replay.isHidden():
            self.replay.show_frame(frame)
        self.heart_rate.show_frame(frame)
        self.controls.show_frame(frame)
        self.engineer.show_frame(frame, rejected)
        self.alarms.show_lines(frame.history)
        self.beds.show_beds(frame.beds, frame.bed)

    def _show_trend(self, frame: Frame) -> None:
        second = (frame.bed, frame.now_ns // 1_000_000_000)
        if self.trend.isHidden() or second == self._trend_second:
            return
        self._trend_second = second
        bed = self._presenter.bed(frame.bed)
        self.trend.show_trend(None if bed is None else bed.trend.snapshot(frame.now_ns))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Update the layout."""
        super().resizeEvent(event)
        self._update_layout()

    # --- user actions -------------------------------------------------------------------------------------------

    def toggle_trend(self) -> None:
        """Show or hide the trend."""
        self.changed.emit({"trend": self.trend.isHidden()})

    def toggle_replay(self) -> None:
        """Show or hide the replay controls."""
        self.replay.setVisible(self.replay.isHidden())
        self._update_layout()

    def _update_layout(self) -> None:
        """Choose the widgets that fit the height.

        In a low window the engineer panel is hidden, and trend or replay controls replace the anomaly strip.
        """
        full = self.height() >= px(_FULL_LAYOUT_PX)
        self.engineer.setVisible(full)
        self.heart_rate.set_compact(not full)
        self.strip.set_compact(not full)
        self.strip.setVisible(full or (self.trend.isHidden() and self.replay.isHidden()))

    def next_speed(self) -> None:
        """Select the next paper speed."""
        self.changed.emit({"speed": SPEEDS[(SPEEDS.index(self.preferences.speed) + 1) % len(SPEEDS)]})

    def change_gain(self, by: int) -> None:
        """Select a larger or smaller gain; after a fitted one, 10 mm/mV."""
        gain = self.preferences.gain
        at = min(max(GAINS.index(gain) + by, 0), len(GAINS) - 1) if gain else GAINS.index(10.0)
        self.changed.emit({"gain": GAINS[at]})

    def fit_gain(self) -> None:
        """Fit the gain to the signal."""
        self.changed.emit({"gain": 0.0})

    def next_grid(self) -> None:
        """Select the next grid."""
        self.changed.emit({"grid": Grid((self.sweep.grid + 1) % len(Grid)).name.lower()})
