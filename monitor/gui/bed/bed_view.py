"""The page of one bed: its trace large, its numbers and alarms beside it."""

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
from monitor.gui.preferences.preferences import Preferences
from monitor.gui.replay.replay_panel import ReplayPanel
from monitor.gui.style.language import translate
from monitor.gui.style.phrases import text_of
from monitor.gui.style.theme import Theme, lit, px
from monitor.gui.trace.anomaly_strip import AnomalyStrip
from monitor.gui.trace.freeze_controller import FreezeController
from monitor.gui.trace.sweep import SweepView
from monitor.gui.trace.sweep_background import Grid
from monitor.gui.trace.trend_strip import TrendStrip
from monitor.view.bed_alarms import ABOVE, BELOW
from monitor.view.link import LinkState
from monitor.view.presenter import Presenter
from monitor.view.trace import GAINS, SPEEDS, View
from monitor.view.view_model import Frame

_SIDE = 300
_ROOMY = 600


class BedView(QWidget):
    """One bed large, the others in a bar.

    Parameters
    ----------
    theme : Theme
    presenter : Presenter
        Requested for what a frame does not hold: the trend, and samples further back.

    Attributes
    ----------
    changed : Signal(dict)
        Names and values of `Preferences` that somebody has just set here.
    settings : Preferences
        As they hold now.
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
        whole.addWidget(self.banner)
        whole.addWidget(self.header)
        whole.addLayout(main, 1)
        whole.addWidget(self.beds)

    def apply_theme(self, theme: Theme) -> None:  # noqa: ARG002
        """Give the column beside the trace as much room as its letters need."""
        for widget in (self.heart_rate, self.alarms, self.controls, self.engineer):
            widget.setFixedWidth(px(_SIDE))
        self._share_room()

    def apply_preferences(self, preferences: Preferences, px_per_mm: float) -> None:
        """Bring to the traces the user preferences."""
        self.preferences = preferences
        self.sweep.grid, self.sweep.px_per_mm = Grid[preferences.grid.upper()], px_per_mm
        if self.trend.isHidden() == preferences.trend:
            self.trend.setVisible(preferences.trend)
            self._trend_second = None
            self._share_room()

    # --- frames -------------------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """How much of the signal fits at the paper speed and amplitude chosen."""
        return self.sweep.view(self.preferences.speed, self.preferences.gain or None)

    def show_frame(self, frame: Frame, rejected: int) -> None:
        """Bring the page up to a frame, and to the number of messages that could not be read."""
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
        broken = next((line.alarm.priority for line in frame.active if line.alarm.kind in ABOVE | BELOW), "high")
        self.heart_rate.show_patient(frame.patient, lit=lit(broken, frame.now_ns))
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
        self.trend.show_picture(None if bed is None else bed.trend.picture(frame.now_ns))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Share the room anew."""
        super().resizeEvent(event)
        self._share_room()

    # --- people -------------------------------------------------------------------------------------------------

    def toggle_trend(self) -> None:
        """Show the last hours, or the trace larger."""
        self.changed.emit({"trend": self.trend.isHidden()})

    def toggle_replay(self) -> None:
        """Show what controls the replay, or the trace larger."""
        self.replay.setVisible(self.replay.isHidden())
        self._share_room()

    def _share_room(self) -> None:
        """Where height is scarce, alarms need it more than engineers, and trend or replay take the strip's place."""
        roomy = self.height() >= px(_ROOMY)
        self.engineer.setVisible(roomy)
        self.heart_rate.set_compact(not roomy)
        self.strip.set_compact(not roomy)
        self.strip.setVisible(roomy or (self.trend.isHidden() and self.replay.isHidden()))

    def next_speed(self) -> None:
        """Take the next paper speed."""
        self.changed.emit({"speed": SPEEDS[(SPEEDS.index(self.preferences.speed) + 1) % len(SPEEDS)]})

    def change_gain(self, by: int) -> None:
        """Take a larger or smaller amplitude; from a fitted one, the middle one."""
        gain = self.preferences.gain
        at = min(max(GAINS.index(gain) + by, 0), len(GAINS) - 1) if gain else GAINS.index(10.0)
        self.changed.emit({"gain": GAINS[at]})

    def fit_gain(self) -> None:
        """Fit the amplitude to the signal."""
        self.changed.emit({"gain": 0.0})

    def next_grid(self) -> None:
        """Take the next grid of ECG paper."""
        self.changed.emit({"grid": Grid((self.sweep.grid + 1) % len(Grid)).name.lower()})
