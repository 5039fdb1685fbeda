"""Page of one bed: large trace, numerics and alarms."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from monitor.gui.bed.alarm_banner import AlarmBanner
from monitor.gui.bed.alarm_list import AlarmList
from monitor.gui.bed.bed_tabs import BedTabs
from monitor.gui.bed.controls import Controls
from monitor.gui.bed.header import BedHeader
from monitor.gui.bed.number_column import TILE_PX, NumberColumn, tile_of
from monitor.gui.bed.numerics import EngineerPanel, HeartRate
from monitor.gui.bed.other_beds import OtherBeds
from monitor.gui.bed.quiz_panel import QuizPanel
from monitor.gui.bed.score_panel import ScorePanel
from monitor.gui.outlook.outlook_page import OutlookPage
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
from monitor.gui.trace.wave_view import MIN_LANE_PX, WaveView
from monitor.view.link import LinkState
from monitor.view.number_groups import BY_WAVE, without_lane
from monitor.view.presenter import Presenter
from monitor.view.trace import GAINS, SPEEDS, Trace, View
from monitor.view.trend import SPANS_S
from monitor.view.view_model import Frame
from stream.wire.wave_message import Signal as WaveName

_SIDE_WIDTH_PX = 300
_FULL_LAYOUT_PX = 600
"""Height from which all widgets are shown, px at normal font size."""

_LEAD_SHARE = 1.6
"""Height of an ECG lead, as a share of that of another wave; one lead alone is half as high again."""

_SMALL_TILES_PX, _LOW_TILES_PX, _FOOT_PX = 58, 32, 92
_TREND_SHARE = 0.25
"""Largest height of a trend with many rows, as a share of the height of the page."""

_TREND_STEPS = 600
"""The trend moves on by this part of its span, at most once per second."""

_ANY_WIDTH = (1 << 24) - 1
"""Qt's largest size of a widget, px."""


_NUMBERS_NS = 100_000_000
"""Interval at which numbers other than heart rate are renewed, ns."""

_HOURS_STRETCH = 3
"""Share of the height of the hours of a bed with ECG, that of the traces being 1 or what they need."""


class BedView(QWidget):
    """Shows one bed, and the others in a bar.

    The numbers of a wave stand at its right. A bed with ECG alone has the list of alarms below its heart rate; with
    other waves, list and controls move to the foot of the page. The drawer below is for engineers.

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
        self._trend_step: tuple[str | None, int] | None = None
        self._trend_span: int | None = None
        self._charted = self._hours_wanted = False
        self._numbers_key: tuple[object, ...] | None = None
        self._build(theme)
        self.freeze = FreezeController(theme, self.sweep, presenter)

    def _build(self, theme: Theme) -> None:
        self.banner, self.header, self.beds = AlarmBanner(theme), BedHeader(theme), BedTabs(theme)
        self.others = OtherBeds(theme)
        self.sweep, self.strip, self.trend = SweepView(theme), AnomalyStrip(theme), TrendStrip(theme)
        self.trend.hide()
        self.trend.zoomed.connect(self.zoom_trend)
        self.heart_rate, self.engineer, self.alarms = HeartRate(theme), EngineerPanel(theme), AlarmList(theme)
        self.score = ScorePanel(theme)
        self.score.hide()
        self.controls, self.replay, self.quiz = Controls(theme), ReplayPanel(theme), QuizPanel(theme)
        self.replay.hide()
        self.quiz.hide()
        self.waves, self.numbers = WaveView(theme), NumberColumn(theme)
        self.outlook = OutlookPage(theme)
        self.outlook.hide()
        self.small_numbers, self.drawer, self.foot = NumberColumn(theme, in_row=True), QWidget(), QWidget()
        self._lanes = (0, 0)
        self._with_waves: bool | None = None
        self.header.replay.clicked.connect(self.toggle_replay)
        self.header.hours.clicked.connect(self.toggle_hours)

        whole, below = self._whole, _ = QVBoxLayout(self), QHBoxLayout(self.drawer)
        self._rows, self._side, self._foot_row = QGridLayout(), QVBoxLayout(), QHBoxLayout(self.foot)
        for layout in (whole, below, self._rows, self._side, self._foot_row):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(2)
        self._rows.addWidget(self.sweep, 0, 0)
        self._rows.addLayout(self._side, 0, 1)
        self._rows.addWidget(self.waves, 1, 0)
        self._rows.addWidget(self.numbers, 1, 1)
        self._rows.setColumnStretch(0, 1)
        self._side.addWidget(self.heart_rate)
        below.addWidget(self.strip, 1)
        below.addWidget(self.score)
        below.addWidget(self.engineer)
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(0)
        top.addWidget(self.others, 1)
        top.addWidget(self.banner, 3)
        whole.addLayout(top)
        whole.addWidget(self.header)
        whole.addLayout(self._rows, 1)
        whole.addWidget(self.outlook)
        for widget in (self.quiz, self.foot, self.trend, self.drawer, self.replay, self.beds):
            whole.addWidget(widget)
        self.drawer.hide()
        self._arrange(leads=2, waves=0)

    def apply_theme(self, theme: Theme) -> None:  # noqa: ARG002
        """Adapt the width of the column beside the trace to the font size."""
        self._update_layout()

    def _arrange(self, leads: int, waves: int) -> None:
        """Share the height between ECG and waves, and place list and controls beside or below them."""
        if (leads, waves) == self._lanes:
            return
        self._lanes = (leads, waves)
        share = _LEAD_SHARE * (leads if leads > 1 else 1.5)
        self._rows.setRowStretch(0, round(10 * share))
        self._rows.setRowStretch(1, 10 * waves)
        if self._with_waves != bool(waves):
            self._with_waves = bool(waves)
            for layout in (self._side, self._foot_row):
                for widget in (self.small_numbers, self.alarms, self.controls):
                    layout.removeWidget(widget)
            target = self._foot_row if waves else self._side
            target.addWidget(self.small_numbers)
            target.addWidget(self.alarms, 1)
            target.addWidget(self.controls)
            of_waves: tuple[QWidget, ...] = (self.waves, self.numbers, self.foot)
            for shown in of_waves:
                shown.setVisible(bool(waves))
        self._update_layout()

    def _show_kind(self, *, charted: bool) -> None:
        """Show the outlook of a bed without ECG in place of trace, numbers and trend, or these again."""
        if self._charted == charted:
            return
        self._charted = charted
        self.outlook.setVisible(charted)
        self._whole.setStretchFactor(self._rows, int(not charted))
        self._whole.setStretchFactor(self.outlook, int(charted))
        widgets: tuple[QWidget, ...] = (self.sweep, self.heart_rate)
        for widget in widgets:
            widget.setVisible(not charted)
        if charted:
            self._arrange(leads=2, waves=1)
            self.small_numbers.show_tiles([])
            for widget in (self.waves, self.numbers, self.small_numbers):
                widget.hide()
        else:
            self._lanes, self._with_waves = (0, 0), None
        self._numbers_key = None
        self.apply_preferences(self.preferences, self.sweep.px_per_mm)

    def apply_preferences(self, preferences: Preferences, px_per_mm: float) -> None:
        """Apply the user preferences to traces and trend."""
        self.preferences = preferences
        self.sweep.grid, self.sweep.px_per_mm = Grid[preferences.grid.upper()], px_per_mm
        self.sweep.forecast_shown = preferences.forecast != "off"
        self.sweep.earlier_forecast_shown = preferences.forecast == "both"
        self.header.show_legend(preferences.forecast)
        for widget, shown in ((self.trend, preferences.trend), (self.drawer, preferences.engineer)):
            shown &= not self._charted
            if widget.isHidden() == shown:
                widget.setVisible(shown)
                self._trend_step = None
                self._update_layout()

    # --- frames -------------------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """Amount of signal that fits at the selected paper speed and gain."""
        preferences = self.preferences
        view = self.sweep.view(preferences.speed, preferences.gain or None, preferences.leads)
        return _with_signals(view, preferences.shown_waves, preferences.shown_leads)

    def show_frame(self, frame: Frame, rejected: int) -> None:
        """Show a frame, and the number of rejected messages."""
        self.banner.show_frame(frame)
        self._show_kind(charted=frame.chart is not None)
        if frame.chart is not None:
            self._show_chart(frame)
            return
        self._show_hours(frame)
        gain = f"{self.preferences.gain:g} mm/mV" if self.preferences.gain else translate("BedView", "amplitude fitted")
        self.header.show_frame(frame, f"{self.preferences.speed:g} mm/s · {gain}")
        trace, stale = self.freeze.trace(frame, self.view)
        self.header.show_frozen(self.freeze.text)
        paused = stale and frame.link.state is LinkState.PAUSED
        self.sweep.show_trace(trace, stale=stale, message=text_of(frame.link.phrase), paused=paused)
        self.waves.show_trace(trace, stale=stale, paused=paused)
        if not self.drawer.isHidden():
            self._show_drawer(frame, trace, rejected, stale=stale)
        self._show_numbers(frame, trace)
        self._show_trend(frame)
        self.heart_rate.show_frame(frame)
        self._show_rest(frame)

    def _show_drawer(self, frame: Frame, trace: Trace | None, rejected: int, *, stale: bool) -> None:
        """Show what the drawer for engineers has."""
        self.strip.show_trace(trace, stale=stale)
        self.engineer.show_frame(frame, rejected)
        self.score.show_score(frame.score)
        if self.score.isHidden() == bool(self.score.rows):
            self._update_layout()

    def _show_hours(self, frame: Frame) -> None:
        """Show the hours of a bed with ECG below its traces, if they are wanted, and there are outlook and room."""
        room = self.height() >= px(_FULL_LAYOUT_PX)
        self.header.hours.setEnabled(room)
        shown = self._hours_wanted and room and frame.hours is not None
        if self.outlook.isHidden() == shown:
            self.outlook.setVisible(shown)
            self._whole.setStretchFactor(self.outlook, _HOURS_STRETCH if shown else 0)
        if shown:
            self.outlook.show_frame(frame)

    def _show_chart(self, frame: Frame) -> None:
        """Show a bed without ECG."""
        self.freeze.unfreeze()
        self.header.show_chart(frame)
        self.outlook.show_frame(frame)
        self._show_rest(frame)

    def _show_rest(self, frame: Frame) -> None:
        """Show what all beds have."""
        if not self.replay.isHidden():
            self.replay.show_frame(frame)
        self.controls.show_frame(frame)
        self.alarms.show_lines(frame.history, current=frame.worker)
        self.beds.show_beds(frame.beds, frame.bed)

    def _show_numbers(self, frame: Frame, trace: Trace | None) -> None:
        """Show the numbers beside the lanes of the trace, and those without a lane."""
        lanes = () if trace is None else trace.waves
        key = (frame.bed, frame.now_ns // _NUMBERS_NS, tuple((wave.signal, wave.off) for wave in lanes))
        if key == self._numbers_key:
            return
        self._numbers_key = key
        off = {wave.signal: wave.off for wave in frame.trace.waves} if frame.trace is not None else {}
        self._arrange(self._lanes[0] if trace is None else len(trace.leads), len(lanes))
        self.numbers.show_tiles(
            [tile_of(BY_WAVE[wave.signal], frame, off=off.get(wave.signal, False)) for wave in lanes]
        )
        others = without_lane(frame.readings, [wave.signal for wave in lanes])
        count = len(self.small_numbers.tiles)
        self.small_numbers.show_tiles([tile_of(group, frame, off=False) for group in others])
        if self.small_numbers.isHidden() == bool(others):
            self.small_numbers.setVisible(bool(others))
        if count != len(others):
            self._update_layout()

    def _show_trend(self, frame: Frame) -> None:
        """Renew the trend once per second, or less often where a second is far less than a pixel."""
        if self.trend.isHidden():
            return
        bed = self._presenter.bed(frame.bed)
        span = self._trend_span or (SPANS_S[0] if bed is None else bed.trend.fitting_span(frame.now_ns))
        step = (frame.bed, frame.now_ns // (1_000_000_000 * max(span // _TREND_STEPS, 1)))
        if step == self._trend_step:
            return
        self._trend_step = step
        self.trend.show_trend(None if bed is None else bed.trend.snapshot(frame.now_ns, span))
        self._update_trend_height()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Update the layout."""
        super().resizeEvent(event)
        self._update_layout()

    # --- user actions -------------------------------------------------------------------------------------------

    def toggle_trend(self) -> None:
        """Show or hide the trend."""
        self.changed.emit({"trend": self.trend.isHidden()})

    def zoom_trend(self, by: int) -> None:
        """Show a longer (positive) or shorter span of the trend."""
        shown = self.trend.trend
        if shown is not None:
            at = SPANS_S.index(shown.stop - shown.first) + by
            self._trend_span = SPANS_S[min(max(at, 0), len(SPANS_S) - 1)]
            self._trend_step = None

    def next_trend_span(self) -> None:
        """Show the next span of the hours if they are shown, else of the trend; after the longest, the shortest."""
        if not self.outlook.isHidden():
            self.outlook.chart.next_span()
            return
        shown = self.trend.trend
        longest = shown is not None and shown.stop - shown.first == SPANS_S[-1]
        self.zoom_trend(-len(SPANS_S) if longest else 1)

    def show_quiz(self) -> None:
        """Ask for the rhythm, in place of the replay controls, which name records and rhythms."""
        self.quiz.show()
        self.header.replay.hide()
        self._update_layout()

    def toggle_replay(self) -> None:
        """Show or hide the replay controls; a quiz has none."""
        if not self.quiz.isHidden():
            return
        self.replay.setVisible(self.replay.isHidden())
        self._update_layout()

    def toggle_hours(self) -> None:
        """Show or hide the hours of beds with ECG; a bed without has nothing else."""
        self._hours_wanted = not self._hours_wanted

    def toggle_engineer(self) -> None:
        """Open or close the drawer for engineers."""
        self.changed.emit({"engineer": self.drawer.isHidden()})

    def _update_layout(self) -> None:
        """Choose sizes, and the widgets that fit the height.

        In a low window the drawer has no panel and gives way to trend and replay controls; the list of alarms is not
        below waves.
        """
        columns: tuple[QWidget, ...] = (self.heart_rate, self.controls, self.score, self.engineer, self.numbers)
        flexible: tuple[QWidget, ...] = (self.alarms, self.small_numbers)
        full, waves, side = self.height() >= px(_FULL_LAYOUT_PX), bool(self._with_waves), px(_SIDE_WIDTH_PX)
        for widget in columns:
            widget.setFixedWidth(side)
        for widget in flexible:
            widget.setMinimumWidth(0 if waves else side)
            widget.setMaximumWidth(_ANY_WIDTH if waves else side)
        count, rows = len(self.small_numbers.tiles), 1 if waves else self.small_numbers.rows(side)
        if waves:
            room = self.width() - side - (px(TILE_PX) if full else 0)
            self.small_numbers.setMinimumWidth(min(px(TILE_PX) * count, max(room, 0)))
        row = _FOOT_PX if waves and full else _SMALL_TILES_PX if full or rows == 1 else _LOW_TILES_PX
        self.small_numbers.setFixedHeight(px(row) * rows)
        self.waves.setMinimumHeight(px(MIN_LANE_PX) * self._lanes[1])
        self.foot.setMaximumHeight(px(_FOOT_PX))
        self.alarms.setVisible(full or not waves)
        self.engineer.setVisible(full)
        self.score.setVisible(full and bool(self.score.rows))
        below = (self.trend, self.drawer, self.replay)
        crowded = waves and not (full and all(widget.isHidden() for widget in below))
        self.heart_rate.set_compact(not full, crowded=crowded)
        self.strip.set_compact(not full)
        self._update_trend_height()
        self.strip.setVisible(full or (self.trend.isHidden() and self.replay.isHidden()))

    def _update_trend_height(self) -> None:
        """Give the trend what its rows need, up to a share of the page."""
        self.trend.set_height_limit(round(self.height() * _TREND_SHARE))

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


@lru_cache(maxsize=16)
def _with_signals(view: View, waves: tuple[WaveName, ...], leads: tuple[str, ...]) -> View:
    """Return a view with the signals that are shown; it is asked for twice in each frame."""
    return replace(view, waves=waves, leads=leads)
