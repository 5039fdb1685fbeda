"""Window of the monitor: passes messages to the presenter and its frames to the widgets."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from monitor.alarm_log.reader import StoreReader
from monitor.common.atomic_write import write_atomically
from monitor.gui.bed.bed_view import BedView
from monitor.gui.bed.command_controller import CommandController, Sender
from monitor.gui.preferences.preferences import PreferencesStore
from monitor.gui.preferences.preferences_controller import MIN_WINDOW_SIZE, PreferencesController
from monitor.gui.review.past_alarms import PastAlarms
from monitor.gui.review.review_controller import ReviewController
from monitor.gui.station.central_station_view import CentralStationView
from monitor.gui.style.footer import Footer
from monitor.gui.style.language import translate
from monitor.gui.style.palettes import THEMES
from monitor.gui.style.save_dialog import SaveDialog
from monitor.gui.style.text_lookup import set_quiz, text_of
from monitor.gui.style.theme import Theme
from monitor.view.alarm_sounds import AlarmSounds
from monitor.view.central_station import audible_frame, other_red_alarms
from monitor.view.presenter import Broker, Presenter
from monitor.view.quiz import QuizSource
from monitor.view.source import Source
from monitor.view.tones import Sound
from monitor.view.trace import View
from monitor.view.trend import HISTORY_S
from monitor.view.trend_export import trend_csv, trend_stem
from monitor.view.view_model import Frame
from stream.wire.answer import Answer

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter

FRAME_MS = 16


class MonitorWindow(QWidget):
    """Window with pages, keys and commands.

    Parameters
    ----------
    source : Source
        Source of messages; the window never waits for it.
    bed : str or None
        The bed to show; None selects the first that streams.
    who : str
        User name in the commands that this window sends.
    store : PreferencesStore or None
        The user preferences; None keeps them only in memory.
    clock : callable
        Returns Unix time in ns.
    write_record : callable or None
        Writes WFDB records; None disables that export.
    play : callable or None
        Starts a tone; None without sound.
    station : bool
        Start with the central station.
    alarm_store : StoreReader or None
        The alarm store, for alarms from before the window was opened; None without one.
    timed : bool
        Draw 60 frames per second; with False the caller calls `tick`.
    quiz : bool
        Hide what tells the rhythm, and ask for it; see `monitor.view.quiz`.

    Attributes
    ----------
    presenter : Presenter
    bed_view : BedView
    station : CentralStationView
    pages : QStackedWidget
        Shows `bed_view` or `station`.
    commands : CommandController
    review : ReviewController
    trend_file : SaveDialog
        Saves the trend.
    preferences : PreferencesController
    alarm_sounds : AlarmSounds or None
    frame_shown : Frame or None
        The last frame.
    first_drawn_ns : int or None
        Unix time of the first frame with samples.
    before_close, after_frame : callable or None
        Called before the window closes, and after each frame.
    """

    def __init__(
        self,
        source: Source,
        bed: str | None = None,
        who: str = "monitor",
        store: PreferencesStore | None = None,
        clock: Callable[[], int] = time.time_ns,
        write_record: RecordWriter | None = None,
        play: Callable[[Sound], None] | None = None,
        station: bool = False,
        alarm_store: StoreReader | None = None,
        timed: bool = True,
        quiz: bool = False,
    ) -> None:
        super().__init__()
        self.presenter = Presenter()
        self.frame_shown: Frame | None = None
        self.first_drawn_ns: int | None = None
        self.before_close: Callable[[], None] | None = None
        self.after_frame: Callable[[Frame], None] | None = None
        self.alarm_sounds = None if play is None else AlarmSounds(play)
        store = store or PreferencesStore(None)
        theme = THEMES[store.current.theme]
        self._closed = False
        set_quiz(quiz)
        self._quiz = quiz
        self._source: Source = QuizSource(source) if quiz else source
        self._bed, self._clock = bed, clock
        self.commands = CommandController(self, self.presenter, Sender(source.send, who, clock, self._show_note))
        self._build(theme)
        if station:
            self.pages.setCurrentWidget(self.station)
        if quiz:
            self.bed_view.show_quiz()
        page = self.bed_view
        self._keys = {
            Qt.Key.Key_A: self.commands.acknowledge,
            Qt.Key.Key_P: self.commands.pause_audio,
            Qt.Key.Key_O: self.commands.pause_alarms,
            Qt.Key.Key_L: self.open_limits,
            Qt.Key.Key_R: self.review_shown,
            Qt.Key.Key_C: self.switch_page,
            Qt.Key.Key_S: self.next_speed,
            Qt.Key.Key_M: self.toggle_sound,
        }
        self._trace_keys = {
            Qt.Key.Key_Plus: lambda: page.change_gain(+1),
            Qt.Key.Key_Equal: lambda: page.change_gain(+1),
            Qt.Key.Key_Minus: lambda: page.change_gain(-1),
            Qt.Key.Key_0: page.fit_gain,
            Qt.Key.Key_G: page.next_grid,
            Qt.Key.Key_T: page.toggle_trend,
            Qt.Key.Key_Z: page.next_trend_span,
            Qt.Key.Key_W: self.save_trend,
            Qt.Key.Key_H: page.toggle_hours,
            Qt.Key.Key_V: page.toggle_replay,
            Qt.Key.Key_E: page.toggle_engineer,
            Qt.Key.Key_Space: self.toggle_freeze,
        }
        self.trend_file = SaveDialog(self, self._show_note)
        self.review = ReviewController(theme, self, self.presenter, write_record, alarm_store)
        self._past = None if alarm_store is None else PastAlarms(alarm_store, self.presenter)
        self.preferences = PreferencesController(
            self, store, self._apply_preferences, self.bed_view.header, self.footer
        )
        self.footer.help.clicked.connect(self.preferences.show_help)
        self.footer.settings.clicked.connect(self.preferences.open_preferences)
        page.changed.connect(lambda changes: self.preferences.change(**changes))
        self.restoreGeometry(store.current.geometry)
        self.preferences.apply_theme()
        self._apply_preferences()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        if timed:
            self._timer.start(FRAME_MS)

    def _build(self, theme: Theme) -> None:
        self.resize(1280, 800)
        self.setMinimumSize(*MIN_WINDOW_SIZE)
        page = self.bed_view = BedView(theme, self.presenter)
        self.station = CentralStationView(theme)
        self.station.chosen.connect(self.open_bed)
        page.beds.chosen.connect(self.select_bed)
        page.others.chosen.connect(self.select_bed)
        page.beds.station.clicked.connect(self.switch_page)
        page.alarms.chosen.connect(self.open_review)
        page.controls.acknowledge.clicked.connect(self.commands.acknowledge)
        page.controls.audio.clicked.connect(self.commands.pause_audio)
        page.controls.pause.clicked.connect(self.commands.pause_alarms)
        page.controls.limits.clicked.connect(self.open_limits)
        page.replay.requested.connect(self.commands.send)
        page.quiz.answered.connect(self.answer)
        self.pages = QStackedWidget()
        self.pages.addWidget(page)
        self.pages.addWidget(self.station)
        self.footer = Footer(theme)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(2)
        whole.addWidget(self.pages, 1)
        whole.addWidget(self.footer)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme; the widgets in the window are updated separately."""
        self.setWindowTitle(translate("Window", "bedside monitor — simulation"))
        self.setStyleSheet(f"MonitorWindow {{ background: {theme.ground} }}")
        self.review.theme = theme

    def _apply_preferences(self) -> None:
        """Apply the user preferences to the traces."""
        px_per_mm = self.preferences.px_per_mm()
        self.review.px_per_mm = px_per_mm
        self.station.set_scale(px_per_mm)
        self.bed_view.apply_preferences(self.preferences.store.current, px_per_mm)

    # --- frames -------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Process received messages and draw one frame."""
        for received in self._source.drain():
            self.presenter.process(received)
        broker = Broker(self._source.connected, self._source.phrase)
        now_ns = self._clock()
        frame = self._show_station(now_ns, broker) if self.at_station else self._show_bed(now_ns, broker)
        shown = self.station.tiles if self.at_station else filter(None, [frame.bed])
        others = self.station.others if self.at_station else self.bed_view.others
        red = self.presenter.red_alarms(now_ns) if broker.connected else ()
        others.show_alarms(other_red_alarms(red, shown), now_ns)
        # The first bed that streams remains selected when others follow.
        self._bed = frame.bed
        if self._past is not None:
            self._past.show(frame.bed, now_ns)
        self.review.tick(frame)
        if self.alarm_sounds is not None:
            self.alarm_sounds.update(audible_frame(frame, self._station_frames) if self.at_station else frame)
        self.commands.ask_for_detail(self.station.frames if self.at_station else filter(None, [frame.bed]))
        self.footer.show_broker(" · ".join(text for text in (self.sound_text, text_of(frame.broker)) if text))
        self.frame_shown = self.commands.frame = frame
        if self.first_drawn_ns is None and any(_has_samples(f) for f in (frame, *self.station.frames.values())):
            self.first_drawn_ns = frame.now_ns
        if self.after_frame is not None:
            self.after_frame(frame)

    def _show_bed(self, now_ns: int, broker: Broker) -> Frame:
        frame = self.presenter.frame(now_ns, self._bed, broker, self.bed_view.view)
        self.bed_view.show_frame(frame, self._source.counters.get("rejected", 0))
        return frame

    def _show_station(self, now_ns: int, broker: Broker) -> Frame:
        """Draw all beds, and return the frame of the selected one."""
        beds, rows = self.presenter.beds, self.presenter.ward_rows()
        charted = {row.bed: (View(), None) for row in rows}
        self.station.show_ward(rows, self.presenter.frames(now_ns, broker, charted), self._bed)
        self.station.set_beds([bed for bed in beds if bed not in charted])
        self.station.show_frames(self.presenter.frames(now_ns, broker, self.station.wanted()), self._bed, len(beds))
        shown = {**self.station.frames, **self.station.charted}
        first = next(iter(shown.values()), None)
        return shown.get(self._bed or "") or first or self.presenter.frame(now_ns, None, broker)

    @property
    def _station_frames(self) -> tuple[Frame, ...]:
        return (*self.station.frames.values(), *self.station.charted.values())

    @property
    def at_station(self) -> bool:
        """True while the central station is shown."""
        return self.pages.currentWidget() is self.station

    # --- user actions -------------------------------------------------------------------------------------------

    def _show_note(self, text: str) -> None:
        if self.at_station:
            self.station.show_note(text)
        else:
            self.bed_view.controls.show_note(text)

    def open_limits(self) -> None:
        """Open the limits of the bed shown."""
        self.commands.open_limits(self.preferences.theme)

    def open_review(self, alarm_id: str) -> None:
        """Open the review of an alarm; not in a quiz, of which it would be the answer."""
        if self._quiz:
            self._show_note(translate("Window", "a quiz has no review of alarms"))
        elif self.frame_shown is not None:
            self.review.open(alarm_id, self.frame_shown)

    def answer(self, rhythm: str) -> None:
        """Send the answer of a quiz for the bed shown, with the last sample that is drawn."""
        trace = None if self.frame_shown is None else self.frame_shown.trace
        if trace is None:
            self._show_note(translate("Window", "not sent: no signal is shown"))
            return
        shown = Answer(rhythm=rhythm, session=trace.session, index=max(trace.cursor - 1, 0))
        if self.commands.send(shown):
            self.bed_view.quiz.show_sent(rhythm)

    def review_shown(self) -> None:
        """Open the review of the alarm that is shown; without one, of the latest alarm, or else advisory."""
        lines = self.frame_shown.history if self.frame_shown is not None else ()
        latest = next((line for line in lines if line.advisories is None), lines[0] if lines else None)
        line = (self.station.line(self._bed) if self.at_station else self.bed_view.banner.line) or latest
        if line is not None:
            self.open_review(line.alarm.alarm_id)

    @property
    def sound_text(self) -> str:
        """State of the sound; empty without sound."""
        if self.alarm_sounds is None:
            return ""
        muted = self.alarm_sounds.muted
        return translate("Window", "MUTED HERE (M)") if muted else translate("Window", "sound on (M)")

    def toggle_sound(self) -> None:
        """Mute or unmute this monitor."""
        if self.alarm_sounds is None:
            self._show_note(translate("Window", "no sound: start with bedside monitor --sound"))
        else:
            self.alarm_sounds.muted = not self.alarm_sounds.muted

    def save_trend(self) -> None:
        """Ask for a file, and write the whole trend of the bed shown as CSV."""
        bed, frame = self.presenter.bed(self._bed), self.frame_shown
        if bed is None or frame is None:
            return
        trend = bed.trend.snapshot(frame.now_ns, HISTORY_S)

        def write(path: Path) -> None:
            write_atomically(path, trend_csv(trend).encode())

        name = f"{trend_stem(bed.name, trend)}.csv"
        self.trend_file.open("CSV", name, lambda path: self.trend_file.write(path, write))

    def toggle_freeze(self) -> None:
        """Freeze the trace, or return to the live trace."""
        self.bed_view.freeze.toggle(self.frame_shown, self.bed_view.view)

    def select_bed(self, bed: str) -> None:
        """Select the bed that is shown, and on which keys act."""
        self._bed = bed

    def open_bed(self, bed: str) -> None:
        """Show a bed on the page of one bed."""
        self.select_bed(bed)
        self.pages.setCurrentWidget(self.bed_view)

    def switch_page(self) -> None:
        """Switch between the central station and the page of the selected bed."""
        self.bed_view.freeze.unfreeze()
        self.pages.setCurrentWidget(self.bed_view if self.at_station else self.station)

    def next_speed(self) -> None:
        """Select the next paper speed of the page shown."""
        if self.at_station:
            self.station.next_speed()
        else:
            self.bed_view.next_speed()

    def _select_by_arrow(self, key: int) -> bool:
        """Select the bed in the direction of an arrow key; False for other keys."""
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        names = self.presenter.beds
        if key not in steps or not names:
            return False
        if self.at_station:
            self.select_bed(self.station.neighbour(self._bed, key) or self._bed or names[0])
        else:
            at = names.index(self._bed) if self._bed in names else 0
            self.select_bed(names[(at + steps[Qt.Key(key)]) % len(names)])
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handle the keys listed in `monitor.gui.preferences.shortcuts`."""
        names = self.presenter.beds
        key = event.key()
        if (
            self.preferences.handle_key(key)
            or (not self.at_station and self.bed_view.freeze.handle_key(key))
            or self._select_by_arrow(key)
        ):
            return
        if self.at_station and self._bed is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_bed(self._bed)
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_9 and key - Qt.Key.Key_1 < len(names):
            self.select_bed(names[key - Qt.Key.Key_1])
        elif key in self._keys:
            self._keys[Qt.Key(key)]()
        elif key in self._trace_keys and not self.at_station:
            self._trace_keys[Qt.Key(key)]()
        elif key == Qt.Key.Key_F:
            self.showNormal() if self.isFullScreen() else self.showFullScreen()
        elif key == Qt.Key.Key_Escape and self.isFullScreen():
            self.showNormal()
        elif key == Qt.Key.Key_Q:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Stop drawing, close dialogs and save preferences."""
        if not self._closed:
            self._closed = True
            self._timer.stop()
            set_quiz(False)
            self.review.close()
            self.preferences.close()
            if self.before_close is not None:
                self.before_close()
        super().closeEvent(event)


def _has_samples(frame: Frame) -> bool:
    return frame.trace is not None and frame.trace.cursor > frame.trace.first
