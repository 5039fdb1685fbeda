"""Replay controls: they show the publisher's status and send requests to it.

Pending requests are shown in another colour until the publisher reports their effect.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from monitor.gui.replay.record_list import RecordList
from monitor.gui.replay.seek_bar import SeekBar
from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.text_lookup import plain_text_of, text_of
from monitor.gui.style.theme import Theme, font, px
from monitor.view.display_texts import reference_rhythm_phrase
from monitor.view.link import LinkState
from monitor.view.replay_status import clock
from monitor.view.view_model import Frame, Replay
from stream.timebase import FS
from stream.wire.replay_actions import ChooseRecord, Seek, SetLoop, SetPlaying, SetSpeed, ShowEpisode
from stream.wire.status_messages import RhythmOffer

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
STEP_S = 10

CHART_SPEEDS = (60.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0)
CHART_STEP_S = 3600
"""The same of a bed without ECG, whose values may come once an hour."""

NO_PUBLISHER = QT_TRANSLATE_NOOP("Replay", "No publisher sends this bed. Start one with: bedside replay")
NO_BROKER = QT_TRANSLATE_NOOP("Replay", "The broker is not connected: the replay cannot be controlled.")


class ReplayPanel(QWidget):
    """Two rows of buttons below the trace.

    Attributes
    ----------
    requested : Signal(object)
        A `stream.wire.replay_actions.ReplayAction`.
    play, back, ahead, loop, record, show_rhythm : QPushButton
    speeds, chart_speeds : dict of float to QPushButton
        Of a bed with ECG, and of one without.
    bar : SeekBar
    time, reason : Label
        Position and length; why the replay cannot be controlled.
    records_dialog : RecordList or None
        The open dialog.
    """

    requested = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.records_dialog: RecordList | None = None
        self._replay: Replay | None = None
        self._shown: tuple[object, ...] | None = None
        self.play, self.back, self.ahead = _button(""), _button(""), _button("")
        self.loop, self.record, self.show_rhythm = _button(""), _button(""), _button("")
        self.rhythms = QMenu(self)
        self.speeds = {speed: _button(f"×{speed:g}") for speed in SPEEDS}
        self.chart_speeds = {speed: _button(f"×{speed:g}") for speed in CHART_SPEEDS}
        self._charted = False
        self.bar, self.time = SeekBar(theme), Label(theme, "text", 16, bold=True)
        self.reason = Label(theme, "simulation", 15, bold=True)
        self.reason.setWordWrap(True)
        self.reason.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._build()
        self.apply_theme(theme)

    def _build(self) -> None:
        self.play.clicked.connect(self._toggle)
        self.back.clicked.connect(lambda: self._step(-self._step_s))
        self.ahead.clicked.connect(lambda: self._step(+self._step_s))
        self.bar.chosen.connect(self._seek)
        self.loop.clicked.connect(self._loop)
        self.record.clicked.connect(self._open_records)
        self.show_rhythm.setMenu(self.rhythms)
        for speed, button in (*self.speeds.items(), *self.chart_speeds.items()):
            button.clicked.connect(lambda _checked=False, speed=speed: self.requested.emit(SetSpeed(speed=speed)))
        self._rows = QWidget()
        both = QVBoxLayout(self._rows)
        upper, lower = QHBoxLayout(), QHBoxLayout()
        for layout in (both, upper, lower):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(4)
        for widget in (self.play, self.back, self.bar, self.ahead, self.time):
            upper.addWidget(widget, 1 if widget is self.bar else 0)
        for widget in (*self.speeds.values(), *self.chart_speeds.values(), self.loop):
            lower.addWidget(widget)
        self._show_kind()
        lower.addWidget(self.show_rhythm)
        lower.addWidget(self.record, 1)
        both.addLayout(upper)
        both.addLayout(lower)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 2, 8, 4)
        whole.addWidget(self._rows)
        whole.addWidget(self.reason)
        self.reason.hide()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme, self._shown = theme, None
        self.play.setFixedWidth(px(84))
        self._show_kind()
        self.loop.setText(translate("Replay", "Loop"))
        self.show_rhythm.setText(translate("Replay", "Show…"))
        self.rhythms.setFont(font(15))
        self.rhythms.setStyleSheet(
            f"QMenu {{ background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.faint} }}"
            f"QMenu::item:selected {{ background: {theme.edge} }}"
        )
        for button in self._buttons:
            button.setFont(font(14, bold=True))
            button.setMinimumHeight(px(32))
            button.setStyleSheet("")  # set with the next frame

    @property
    def _step_s(self) -> int:
        return CHART_STEP_S if self._charted else STEP_S

    def _show_kind(self) -> None:
        """Show steps and speeds of a bed with or without ECG."""
        if self._charted:
            back, ahead = translate("Replay", "−1 h"), translate("Replay", "+1 h")
        else:
            back = translate("Replay", "−{seconds} s").format(seconds=STEP_S)
            ahead = translate("Replay", "+{seconds} s").format(seconds=STEP_S)
        self.back.setText(back)
        self.ahead.setText(ahead)
        for buttons, shown in ((self.speeds, not self._charted), (self.chart_speeds, self._charted)):
            for button in buttons.values():
                button.setVisible(shown)

    @property
    def _buttons(self) -> tuple[QPushButton, ...]:
        speeds = (*self.speeds.values(), *self.chart_speeds.values())
        return (self.play, self.back, self.ahead, self.loop, self.record, self.show_rhythm, *speeds)

    # --- status ---------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        """Show the replay of a frame."""
        replay = self._replay = frame.replay
        reason = "" if replay is not None else NO_BROKER if frame.link.state is LinkState.NO_BROKER else NO_PUBLISHER
        shown = (replay, reason, frame.chart is not None)
        if shown == self._shown:
            return
        self._shown = shown
        if self._charted != (frame.chart is not None):
            self._charted = frame.chart is not None
            self._show_kind()
        self.reason.setText(translate("Replay", reason) if reason else "")
        self.reason.setVisible(replay is None)
        self._rows.setVisible(replay is not None)
        if replay is None:
            return
        requested = replay.requested
        labels = {"playing": translate("Replay", "Pause"), "paused": translate("Replay", "Play")}
        self.play.setText(labels.get(replay.status.state, translate("Replay", "Again")))
        if self._charted:
            hours = {"position": replay.position_s // 3600, "duration": replay.duration_s // 3600}
            self.time.setText(translate("Replay", "{position} of {duration} h").format(**hours))
        else:
            length = clock(replay.duration_s) if replay.duration_s else "∞"
            self.time.setText(f"{clock(replay.position_s)} / {length}")
        self.bar.show_position(replay.position_s, replay.duration_s, requested.position_s, text_of(replay.note))
        self.record.setText(f"{replay.status.record}  ▾")
        self._style_button(self.play, replay.status.state == "paused", requested.playing is not None)
        for button in (self.back, self.ahead):
            self._style_button(button, False, False)
        self._style_button(self.loop, replay.status.loop, requested.loop is not None)
        self._style_button(self.record, False, requested.record is not None)
        self._show_rhythms(replay.status.rhythms)
        self._style_button(self.show_rhythm, False, requested.episode)  # a student is not told what is shown
        for speed, button in (*self.speeds.items(), *self.chart_speeds.items()):
            self._style_button(button, speed == replay.status.speed, speed == requested.speed)

    def _show_rhythms(self, offers: tuple[RhythmOffer, ...]) -> None:
        """Offer the rhythms of which the publisher has episodes; without any, the button is hidden."""
        self.show_rhythm.setVisible(bool(offers))
        labels = {offer.rhythm: f"{_name(offer.rhythm)}  ({offer.episodes})" for offer in offers}
        if [action.text() for action in self.rhythms.actions()] == list(labels.values()):
            return
        self.rhythms.clear()
        for rhythm, label in labels.items():
            self.rhythms.addAction(label).triggered.connect(
                lambda _checked=False, rhythm=rhythm: self.requested.emit(ShowEpisode(rhythm=rhythm))
            )

    def _style_button(self, button: QPushButton, on: bool, requested: bool) -> None:
        """Set the style of a button: filled if on, with a dashed border if a request is pending."""
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
        """Seek relative to the requested position, if one is pending, so that several steps add up."""
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
        dialog.finished.connect(self._discard_records_dialog)
        dialog.open()

    def _discard_records_dialog(self) -> None:
        if self.records_dialog is not None:
            self.records_dialog.deleteLater()
            self.records_dialog = None


def _name(rhythm: str) -> str:
    return plain_text_of(reference_rhythm_phrase(rhythm))


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button
