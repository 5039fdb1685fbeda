"""What an instructor can do to one bed: rhythms, vital signs, injections, scenario and notes; and its live score.

A control is enabled if the status of the bed's publisher says that it is possible; else its tool tip says why not.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from monitor.gui.bed.score_panel import ScoreTable
from monitor.gui.instructor.action_grid import ActionGrid
from monitor.gui.instructor.names import name_of, rhythm_name
from monitor.gui.instructor.scenario_panel import ScenarioPanel
from monitor.gui.instructor.vitals_panel import VitalsPanel
from monitor.gui.style.label import ElidedLabel, Label
from monitor.gui.style.language import translate
from monitor.gui.style.theme import Theme, font
from monitor.view.instruction import impossible, rhythms_of, signal_for
from stream.wire.injection_kinds import INJECTION_KINDS, InjectionKind
from stream.wire.replay_actions import MAX_NOTE, Inject, Note, SetRhythm, SetVitals, ShowEpisode, StopInjection
from stream.wire.score_message import Score
from stream.wire.status_messages import BedStatus


class BedControls(QWidget):
    """Controls of the bed that is selected.

    Attributes
    ----------
    requested : Signal(object)
        A `stream.wire.replay_actions.PublisherAction`.
    rhythms, injections : ActionGrid
    vitals : VitalsPanel
    scenario : ScenarioPanel
    score : ScoreTable
    unable : ElidedLabel
        Why nothing can be injected.
    back : QCheckBox
        Whether an episode returns to where the replay was.
    note : QLineEdit
    """

    requested = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._status: BedStatus | None = None
        self.rhythms, self.injections = ActionGrid(theme, 3), ActionGrid(theme, 3)
        self.vitals, self.scenario = VitalsPanel(theme), ScenarioPanel(theme)
        self.score = ScoreTable(theme)
        self.unable = ElidedLabel(theme, "text", 13)
        self.back, self.note = QCheckBox(), QLineEdit()
        self.back.setChecked(True)
        self.back.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.note.setMaxLength(MAX_NOTE)
        self.rhythms.pressed.connect(self._choose_rhythm)
        self.injections.pressed.connect(self._toggle_injection)
        self.vitals.chosen.connect(
            lambda name, target, seconds: self.requested.emit(SetVitals(values={name: target}, seconds=seconds))
        )
        self.scenario.requested.connect(self.requested)
        self.note.returnPressed.connect(self._send_note)
        titles = {
            self.rhythms: Label(theme, "faint", 13, text_source=lambda: translate("Instructor", "Rhythm")),
            self.injections: Label(theme, "faint", 13, text_source=lambda: translate("Instructor", "Disturbances")),
            self.vitals: Label(theme, "faint", 13, text_source=lambda: translate("Instructor", "Vital signs")),
            self.score: Label(theme, "faint", 13, text_source=lambda: translate("Instructor", "Score")),
            self.scenario: Label(theme, "faint", 13, text_source=lambda: translate("Instructor", "Scenario")),
        }
        left, right, columns, whole = QVBoxLayout(), QVBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        for column, widgets in (
            (left, (self.rhythms, self.back, self.vitals)),
            (right, (self.injections, self.unable, self.score)),
        ):
            for widget in widgets:
                if widget in titles:
                    column.addWidget(titles[widget])
                column.addWidget(widget)
            column.addStretch(1)
            columns.addLayout(column, 1)
        columns.setSpacing(16)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(columns)
        whole.addWidget(titles[self.scenario])
        whole.addWidget(self.scenario)
        whole.addWidget(self.note)
        self.apply_theme(theme)

    def show_status(
        self, status: BedStatus | None, scenario_s: float | None, present: Mapping[str, float], score: Score | None
    ) -> None:
        """Show what is possible, what is in progress, the present values of the patient, and the score."""
        self._status = status
        gone = "" if status is not None else translate("Instructor", "No publisher sends this bed.")
        rhythms = {} if status is None else rhythms_of(status)
        counted = translate("Instructor", "{count} episodes in records on disk")
        tips = {code: counted.format(count=episodes) for code, episodes in rhythms.items() if episodes is not None}
        shown = status.episode.rhythm if status is not None and status.episode is not None else ""
        self.rhythms.show_actions({code: rhythm_name(code) for code in rhythms}, frozenset({shown}), gone, tips)
        steerable = status is not None and status.steerable
        self.back.setVisible(not steerable)
        self.back.setEnabled(bool(rhythms))
        self.back.setToolTip(
            gone or ("" if rhythms else translate("Instructor", "No episodes on disk: bedside data fetch mitdb"))
        )
        recorded = translate("Instructor", "This patient is recorded; only synthetic/live can be steered.")
        self.vitals.show_bed("" if status is None else status.bed, gone or ("" if steerable else recorded), present)
        running = status.injections if status is not None else None
        unable = ""
        if status is not None and running is None:
            unable = translate("Instructor", "This publisher cannot inject.")
        elif status is not None and status.disturbable == () and not running:
            unable = translate("Instructor", "Nothing can be injected: this bed sends numerics alone.")
        self.unable.setText(unable)
        self.unable.setVisible(bool(unable))
        self.injections.show_actions(
            {kind: name_of(kind) for kind in INJECTION_KINDS},
            frozenset(one.kind for one in running or ()),
            gone or unable,
            reasons={} if status is None else reasons_against(status),
        )
        self.score.show_score(score)
        self.scenario.show_scenario(None if status is None else status.scenario, scenario_s, gone)
        self.note.setEnabled(not gone)
        self.note.setToolTip(gone)

    def _choose_rhythm(self, code: str) -> None:
        if self._status is None:
            return
        if self._status.steerable:
            self.requested.emit(SetRhythm(rhythm=code))  # type: ignore[arg-type]  # one of `STEERABLE`
        else:
            self.requested.emit(ShowEpisode(rhythm=code, after="return" if self.back.isChecked() else "go_on"))

    def _toggle_injection(self, code: str) -> None:
        running = () if self._status is None else self._status.injections or ()
        ids = [one.injection_id for one in running if one.kind == code]
        kind: InjectionKind = next(kind for kind in INJECTION_KINDS if kind == code)
        if not ids and self._status is not None:
            signal = signal_for(self._status, kind)
            self.requested.emit(Inject(injection_id=f"{kind}-{secrets.token_hex(4)}", kind=kind, signal=signal))
        for injection_id in ids:
            self.requested.emit(StopInjection(injection_id=injection_id))

    def _send_note(self) -> None:
        text = self.note.text().strip()
        if text:
            self.requested.emit(Note(text=text))
            self.note.clear()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.back.setText(translate("Instructor", "return afterwards to where the record was"))
        self.note.setPlaceholderText(translate("Instructor", "note for the debriefing, then Enter"))
        for widget in (self.back, self.note):
            widget.setFont(font(14))
            widget.setStyleSheet(f"color: {theme.text}; background: {theme.panel}; padding: 4px")


def reasons_against(status: BedStatus) -> dict[str, str]:
    """Return why injections are not possible at a bed, by their kinds."""
    unsent = translate("Instructor", "This bed sends none of {signals}.")
    shared = translate("Instructor", "The beds of a large ward share their messages: replay with --detail all.")
    return {
        kind: shared if needs == ("wire",) else unsent.format(signals=", ".join(needs).upper())
        for kind, needs in impossible(status).items()
    }
