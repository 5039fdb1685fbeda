"""The running scenario of a bed: timeline, its steps, what comes next, pause and jump."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from monitor.gui.instructor.step_list import StepList
from monitor.gui.instructor.step_texts import step_text
from monitor.gui.instructor.timeline import Timeline
from monitor.gui.style.label import ElidedLabel, button_style
from monitor.gui.style.language import translate
from monitor.gui.style.theme import Theme, font, px
from monitor.view.scenario_steps import next_step
from stream.wire.replay_actions import SetScenario
from stream.wire.scenario_status import ScenarioStatus


class ScenarioPanel(QWidget):
    """Title, next step, button, timeline and steps.

    Attributes
    ----------
    requested : Signal(object)
        A `SetScenario`.
    play : QPushButton
    timeline : Timeline
    steps : StepList
    title : ElidedLabel
    """

    requested = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._scenario: ScenarioStatus | None = None
        self.title, self.play, self.timeline = ElidedLabel(theme, "text", 14), QPushButton(), Timeline(theme)
        self.steps = StepList(theme)
        self.play.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.play.clicked.connect(self._toggle)
        self.timeline.chosen.connect(lambda at_s: self.requested.emit(SetScenario(position_s=at_s)))
        row = QHBoxLayout()
        row.addWidget(self.title, 1)
        row.addWidget(self.play)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(row)
        whole.addWidget(self.timeline)
        whole.addWidget(self.steps)
        self.apply_theme(theme)

    def show_scenario(self, scenario: ScenarioStatus | None, now_s: float | None, reason: str) -> None:
        """Show a scenario and where it is; without one, say so."""
        self._scenario = scenario
        self.play.setEnabled(scenario is not None and not reason)
        self.play.setToolTip(reason)
        self.play.setVisible(scenario is not None)
        self.timeline.setVisible(scenario is not None)
        self.steps.setVisible(scenario is not None)
        self.timeline.setEnabled(not reason)
        if scenario is None:
            self.title.setText(translate("Instructor", "no scenario: start one with bedside replay --scenario"))
            return
        self.timeline.show_scenario(scenario, now_s or 0.0)
        self.steps.show_scenario(scenario)
        number = next_step(scenario.steps)
        following = "" if number is None else step_text(scenario.steps[number])
        coming = translate("Instructor", "next: {step}").format(step=following) if following else ""
        self.title.setText("   ".join(part for part in (scenario.title, coming) if part))
        pause, go_on = translate("Instructor", "Pause scenario"), translate("Instructor", "Continue scenario")
        self.play.setText(pause if scenario.playing else go_on)

    def _toggle(self) -> None:
        if self._scenario is not None:
            self.requested.emit(SetScenario(playing=not self._scenario.playing))

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.play.setStyleSheet(button_style(theme))
        self.play.setFont(font(14, bold=True))
        self.play.setMinimumHeight(px(32))
