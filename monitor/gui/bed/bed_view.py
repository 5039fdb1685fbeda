"""The page of one bed: its trace large, its numbers and alarms beside it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from monitor.gui.bed.alarm_banner import AlarmBanner
from monitor.gui.bed.alarm_list import AlarmList
from monitor.gui.bed.bed_tabs import BedBar
from monitor.gui.bed.controls import Controls
from monitor.gui.bed.header import BedHeader
from monitor.gui.bed.numerics import EngineerPanel, HeartRate
from monitor.gui.preferences.preferences import Settings
from monitor.gui.replay.replay_panel import ReplayPanel
from monitor.gui.style.language import translate
from monitor.gui.style.phrases import text_of
from monitor.gui.style.theme import Theme, lit, px
from monitor.gui.trace.anomaly_strip import ResidualStrip
from monitor.gui.trace.freeze_controller import Freezer
from monitor.gui.trace.sweep import SweepView
from monitor.gui.trace.sweep_background import Grid
from monitor.gui.trace.trend_strip import TrendStrip
from monitor.view.bed import ABOVE, BELOW
from monitor.view.link import LinkState
from monitor.view.presenter import Presenter
from monitor.view.view_model import GAINS, SPEEDS, Frame, View

_SIDE = 300
_ROOMY = 600


class BedPage(QWidget):
    """One bed large, the others in a bar.

    Parameters
    ----------
    theme : Theme
    presenter : Presenter
        Asked for what a frame does not hold: the trend, and samples further back.

    Attributes
    ----------
    changed : Signal(dict)
        Names and values of `Settings` that somebody has just set here.
    settings : Settings
        As they hold now.
    freezer : Freezer
    """

    changed = Signal(dict)

    def __init__(self, theme: Theme, presenter: Presenter) -> None:
        super().__init__()
        self.settings = Settings()
        self._presenter = presenter
        self._trend_second: tuple[str | None, int] | None = None
        self._build(theme)
        self.freezer = Freezer(theme, self.sweep, self.strip, presenter)

    def _build(self, theme: Theme) -> None:
        self.banner, self.header, self.beds = AlarmBanner(theme), BedHeader(theme), BedBar(theme)
        self.sweep, self.strip, self.trend = SweepView(theme), ResidualStrip(theme), TrendStrip(theme)
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

    def set_theme(self, theme: Theme) -> None:  # noqa: ARG002
        """Give the column beside the trace as much room as its letters need."""
        for widget in (self.heart_rate, self.alarms, self.controls, self.engineer):
            widget.setFixedWidth(px(_SIDE))
        self._share_room()

    def take_settings(self, settings: Settings, px_per_mm: float) -> None:
        """Bring to the traces what the person has set."""
        self.settings = settings
        self.sweep.grid, self.sweep.px_per_mm = Grid[settings.grid.upper()], px_per_mm
        if self.trend.isHidden() == settings.trend:
            self.trend.setVisible(settings.trend)
            self._trend_second = None
            self._share_room()

    # --- frames -------------------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """How much of the signal fits at the paper speed and amplitude chosen."""
        return self.sweep.view(self.settings.speed, self.settings.gain or None)

    def show_frame(self, frame: Frame, rejected: int) -> None:
        """Bring the page up to a frame, and to the number of messages that could not be read."""
        self.banner.show_frame(frame)
        gain = f"{self.settings.gain:g} mm/mV" if self.settings.gain else translate("BedPage", "amplitude fitted")
        self.header.show_frame(frame, f"{self.settings.speed:g} mm/s · {gain}")
        trace, stale = self.freezer.trace(frame, self.view)
        self.header.show_frozen(self.freezer.text)
        paused = stale and frame.link.state is LinkState.PAUSED
        self.sweep.show_trace(trace, stale=stale, message=text_of(frame.link.phrase), paused=paused)
        self.strip.show_trace(trace, stale=stale)
        self._show_trend(frame)
        if not self.replay.isHidden():
            self.replay.show_frame(frame)
        broken = next((line.priority for line in frame.active if line.kind in ABOVE | BELOW), "high")
        self.heart_rate.show_patient(frame.patient, lit=lit(broken, frame.now_ns))
        self.controls.show_frame(frame)
        self.engineer.show_numbers(frame.numbers, rejected)
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
        self.changed.emit({"speed": SPEEDS[(SPEEDS.index(self.settings.speed) + 1) % len(SPEEDS)]})

    def change_gain(self, by: int) -> None:
        """Take a larger or smaller amplitude; from a fitted one, the middle one."""
        gain = self.settings.gain
        at = min(max(GAINS.index(gain) + by, 0), len(GAINS) - 1) if gain else GAINS.index(10.0)
        self.changed.emit({"gain": GAINS[at]})

    def fit_gain(self) -> None:
        """Fit the amplitude to the signal."""
        self.changed.emit({"gain": 0.0})

    def next_grid(self) -> None:
        """Take the next grid of ECG paper."""
        self.changed.emit({"grid": Grid((self.sweep.grid + 1) % len(Grid)).name.lower()})
