"""Replay control: shows how the publisher replays, and asks it for something else.

It shows what the publisher reports. Requests stand apart, in another colour, until the publisher reports them done.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from monitor.gui.replay.record_list import RecordList
from monitor.gui.replay.seek_bar import SeekBar
from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.phrases import text_of
from monitor.gui.style.theme import Theme, font, px
from monitor.view.link import LinkState
from monitor.view.replay_status import clock
from monitor.view.view_model import Frame, Replay
from stream.timebase import FS
from stream.wire.replay_actions import ChooseRecord, Seek, SetLoop, SetPlaying, SetSpeed

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
STEP_S = 10

NO_PUBLISHER = QT_TRANSLATE_NOOP(
    "Replay", "No publisher sends this bed: there is nothing to control. Start one with: bedside replay"
)
NO_BROKER = QT_TRANSLATE_NOOP("Replay", "The broker is away: nothing can be asked for.")


class ReplayPanel(QWidget):
    """Two rows of buttons beneath the trace.

    Attributes
    ----------
    requested : Signal(object)
        A `stream.wire.replay_actions.ReplayAction`.
    play, back, ahead, loop, record : QPushButton
    speeds : dict of float to QPushButton
    bar : SeekBar
    time, nothing : Label
        Place and length; why nothing can be controlled.
    records_dialog : RecordList or None
        Open while somebody chooses.
    """

    requested = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.records_dialog: RecordList | None = None
        self._replay: Replay | None = None
        self._shown: tuple[object, ...] | None = None
        self.play, self.back, self.ahead = _button(""), _button(""), _button("")
        self.loop, self.record = _button(""), _button("")
        self.speeds = {speed: _button(f"×{speed:g}") for speed in SPEEDS}
        self.bar, self.time = SeekBar(theme), Label(theme, "text", 16, bold=True)
        self.nothing = Label(theme, "simulation", 15, bold=True)
        self.nothing.setWordWrap(True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._build()
        self.apply_theme(theme)

    def _build(self) -> None:
        self.play.clicked.connect(self._toggle)
        self.back.clicked.connect(lambda: self._step(-STEP_S))
        self.ahead.clicked.connect(lambda: self._step(+STEP_S))
        self.bar.chosen.connect(self._seek)
        self.loop.clicked.connect(self._loop)
        self.record.clicked.connect(self._open_records)
        for speed, button in self.speeds.items():
            button.clicked.connect(lambda _checked=False, speed=speed: self.requested.emit(SetSpeed(speed=speed)))
        self._rows = QWidget()
        both = QVBoxLayout(self._rows)
        upper, lower = QHBoxLayout(), QHBoxLayout()
        for layout in (both, upper, lower):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(4)
        for widget in (self.play, self.back, self.bar, self.ahead, self.time):
            upper.addWidget(widget, 1 if widget is self.bar else 0)
        for widget in (*self.speeds.values(), self.loop):
            lower.addWidget(widget)
        lower.addWidget(self.record, 1)
        both.addLayout(upper)
        both.addLayout(lower)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 2, 8, 4)
        whole.addWidget(self._rows)
        whole.addWidget(self.nothing)
        self.nothing.hide()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme, self._shown = theme, None
        self.play.setFixedWidth(px(84))
        self.back.setText(translate("Replay", "−{seconds} s").format(seconds=STEP_S))
        self.ahead.setText(translate("Replay", "+{seconds} s").format(seconds=STEP_S))
        self.loop.setText(translate("Replay", "Loop"))
        for button in self._buttons:
            button.setFont(font(14, bold=True))
            button.setMinimumHeight(px(32))
            button.setStyleSheet("")  # painted with the next frame

    @property
    def _buttons(self) -> tuple[QPushButton, ...]:
        return (self.play, self.back, self.ahead, self.loop, self.record, *self.speeds.values())

    # --- what is --------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        """Take what the publisher reports now."""
        replay = self._replay = frame.replay
        nothing = "" if replay is not None else NO_BROKER if frame.link.state is LinkState.NO_BROKER else NO_PUBLISHER
        shown = (replay, nothing)
        if shown == self._shown:
            return
        self._shown = shown
        self.nothing.setText(translate("Replay", nothing) if nothing else "")
        self.nothing.setVisible(replay is None)
        self._rows.setVisible(replay is not None)
        if replay is None:
            return
        requested = replay.requested
        words = {"playing": translate("Replay", "Pause"), "paused": translate("Replay", "Play")}
        self.play.setText(words.get(replay.status.state, translate("Replay", "Again")))
        self.time.setText(f"{clock(replay.position_s)} / {clock(replay.duration_s)}")
        self.bar.show_place(replay.position_s, replay.duration_s, requested.position_s, text_of(replay.note))
        self.record.setText(f"{replay.status.record}  ▾")
        self._paint(self.play, replay.status.state == "paused", requested.playing is not None)
        for button in (self.back, self.ahead):
            self._paint(button, False, False)
        self._paint(self.loop, replay.status.loop, requested.loop is not None)
        self._paint(self.record, False, requested.record is not None)
        for speed, button in self.speeds.items():
            self._paint(button, speed == replay.status.speed, speed == requested.speed)

    def _paint(self, button: QPushButton, on: bool, requested: bool) -> None:
        """Fill a button that is on; draw the edge of a requested one in another colour."""
        theme = self.theme
        ink, ground = (theme.ground, theme.text) if on else (theme.text, theme.panel)
        edge = f"2px dashed {theme.simulation}" if requested else f"1px solid {theme.faint}"
        style = (
            f"QPushButton {{ color: {ink}; background: {ground}; border: {edge}; padding: 0 6px }}"
            f"QPushButton:pressed {{ color: {theme.text}; background: {theme.edge} }}"
        )
        if button.styleSheet() != style:
            button.setStyleSheet(style)

    # --- requests ------------------------------------------------------------------------------------------------

    def _toggle(self) -> None:
        if self._replay is None:
            return
        if self._replay.status.state == "ended":
            self._seek(0)
        else:
            self.requested.emit(SetPlaying(playing=self._replay.status.state == "paused"))

    def _step(self, by_s: int) -> None:
        """Start from the requested place, where there is one: three presses are three steps."""
        if self._replay is not None:
            requested_s = self._replay.requested.position_s
            self._seek((self._replay.position_s if requested_s is None else requested_s) + by_s)

    def _seek(self, second: int) -> None:
        if self._replay is not None:
            last_s = max(self._replay.duration_s - 1, 0)
            self.requested.emit(Seek(position=min(max(second, 0), last_s) * FS))

    def _loop(self) -> None:
        if self._replay is not None:
            self.requested.emit(SetLoop(loop=not self._replay.status.loop))

    def _open_records(self) -> None:
        if self._replay is None or self.records_dialog is not None:
            return
        status = self._replay.status
        dialog = self.records_dialog = RecordList(self.theme, status.records, status.record, self)
        dialog.chosen.connect(lambda name: self.requested.emit(ChooseRecord(record=name)))
        dialog.finished.connect(self._forget_records)
        dialog.open()

    def _forget_records(self) -> None:
        if self.records_dialog is not None:
            self.records_dialog.deleteLater()
            self.records_dialog = None


def _button(text: str) -> QPushButton:
    made = QPushButton(text)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return made
