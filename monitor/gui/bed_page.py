"""The page of one bed: its trace large, its numbers and alarms beside it."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from monitor.bed import ABOVE, BELOW
from monitor.frame import GAINS, SPEEDS, Frame, LinkState, View
from monitor.gui.alarm_banner import AlarmBanner
from monitor.gui.alarm_list import AlarmList
from monitor.gui.bed_bar import BedBar
from monitor.gui.bed_header import BedHeader
from monitor.gui.controls import Controls
from monitor.gui.freezing import Freezer
from monitor.gui.numbers import EngineerPanel, HeartRate
from monitor.gui.replay_panel import ReplayPanel
from monitor.gui.residual_strip import ResidualStrip
from monitor.gui.sweep import SweepView
from monitor.gui.sweep_paper import Grid
from monitor.gui.theme import Theme, lit
from monitor.gui.trend_strip import TrendStrip
from monitor.presenter import Presenter

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
    speed : int
        Index into `monitor.frame.SPEEDS`.
    gain : int or None
        Index into `monitor.frame.GAINS`; None fits the amplitude to the signal.
    freezer : Freezer
    """

    def __init__(self, theme: Theme, presenter: Presenter) -> None:
        super().__init__()
        self.theme = theme
        self.speed = SPEEDS.index(25.0)
        self.gain: int | None = GAINS.index(10.0)
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
        for widget in (self.heart_rate, self.alarms, self.controls, self.engineer):
            widget.setFixedWidth(_SIDE)
        main.addLayout(traces, 1)
        main.addLayout(side)
        whole.addWidget(self.banner)
        whole.addWidget(self.header)
        whole.addLayout(main, 1)
        whole.addWidget(self.beds)

    # --- frames -------------------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """How much of the signal fits at the paper speed and amplitude chosen."""
        return self.sweep.view(SPEEDS[self.speed], None if self.gain is None else GAINS[self.gain])

    def show_frame(self, frame: Frame, rejected: int) -> None:
        """Bring the page up to a frame, and to the number of messages that could not be read."""
        self.banner.show_frame(frame)
        gain = "amplitude fitted" if self.gain is None else f"{GAINS[self.gain]:g} mm/mV"
        self.header.show_frame(frame, f"{SPEEDS[self.speed]:g} mm/s · {gain}")
        trace, stale = self.freezer.trace(frame, self.view)
        self.header.show_frozen(self.freezer.text)
        paused = stale and frame.link.state is LinkState.PAUSED
        self.sweep.show_trace(trace, stale=stale, message=frame.link.text, paused=paused)
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
        """Where height is scarce, the list of alarms needs it more than the engineer's numbers do."""
        roomy = event.size().height() >= _ROOMY
        self.engineer.setVisible(roomy)
        self._share_room()
        self.heart_rate.set_compact(not roomy)
        super().resizeEvent(event)

    # --- people -------------------------------------------------------------------------------------------------

    def toggle_trend(self) -> None:
        """Show the last hours, or the trace larger."""
        self.trend.setVisible(self.trend.isHidden())
        self._trend_second = None
        self._share_room()

    def toggle_replay(self) -> None:
        """Show what controls the replay, or the trace larger."""
        self.replay.setVisible(self.replay.isHidden())
        self._share_room()

    def _share_room(self) -> None:
        """Where height is scarce, trend and replay take the residual strip's place: the trace needs the rest."""
        self.strip.setVisible(self.height() >= _ROOMY or (self.trend.isHidden() and self.replay.isHidden()))

    def next_speed(self) -> None:
        """Take the next paper speed."""
        self.speed = (self.speed + 1) % len(SPEEDS)

    def change_gain(self, by: int) -> None:
        """Take a larger or smaller amplitude; from a fitted one, the middle one."""
        self.gain = GAINS.index(10.0) if self.gain is None else min(max(self.gain + by, 0), len(GAINS) - 1)

    def fit_gain(self) -> None:
        """Fit the amplitude to the signal."""
        self.gain = None

    def next_grid(self) -> None:
        """Take the next grid of ECG paper."""
        self.sweep.grid = Grid((self.sweep.grid + 1) % len(Grid))
