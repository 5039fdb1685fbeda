"""Sliders for the vital signs of a patient that can be steered, and the time within which they change.

A slider follows its value until it is moved; then it stays at the target until the value has come there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QSlider, QWidget

from monitor.gui.instructor.names import name_of
from monitor.gui.style.label import Label
from monitor.gui.style.language import translate
from monitor.gui.style.theme import Theme, font, px
from monitor.view.instruction import VITALS

RAMPS_S = (0, 10, 30, 90, 300)


class VitalsPanel(QWidget):
    """One slider for each value, with the value beside it; a target is sent when its slider is released.

    Attributes
    ----------
    chosen : Signal(str, float, float)
        Name, target and seconds.
    sliders : dict of str to QSlider
    ramp : QComboBox
    """

    chosen = Signal(str, float, float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.sliders: dict[str, QSlider] = {}
        self._names: dict[str, Label] = {}
        self._values: dict[str, Label] = {}
        self._targets: dict[str, int] = {}
        self._present: Mapping[str, float] = {}
        self._bed = ""
        self.ramp = QComboBox()
        self._within = Label(theme, "text", 13, text_source=lambda: translate("Instructor", "change within"))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for row, (name, (low, high, _)) in enumerate(VITALS.items()):
            slider = self.sliders[name] = QSlider(Qt.Orientation.Horizontal)
            slider.setRange(low, high)
            slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            slider.sliderMoved.connect(lambda target, name=name: self._aim(name, target))
            slider.sliderReleased.connect(lambda name=name: self._send(name))
            self._names[name] = Label(theme, "text", 13, text_source=partial(name_of, name))
            self._values[name] = Label(theme, "text", 13)
            for column, widget in enumerate((self._names[name], slider, self._values[name])):
                grid.addWidget(widget, row, column)
        grid.addWidget(self._within, len(VITALS), 0)
        grid.addWidget(self.ramp, len(VITALS), 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(2, px(110))
        self.apply_theme(theme)

    def _aim(self, name: str, target: int) -> None:
        self._targets[name] = target
        self._show_value(name)

    def _send(self, name: str) -> None:
        self._aim(name, self.sliders[name].value())
        self.chosen.emit(name, float(self.sliders[name].value()), float(RAMPS_S[self.ramp.currentIndex()]))

    def show_bed(self, bed: str, reason: str, present: Mapping[str, float]) -> None:
        """Show the present values of a bed, and enable its sliders, or disable them and say why."""
        if bed != self._bed:
            self._bed = bed
            self._targets.clear()
        self._present = present
        for name, slider in self.sliders.items():
            value = present.get(name)
            if not slider.isSliderDown() and value is not None and round(value) == self._targets.get(name):
                del self._targets[name]
            if not slider.isSliderDown() and name not in self._targets:
                slider.setValue(slider.minimum() if value is None else round(value))
            self._show_value(name)
        for widget in (*self.sliders.values(), self.ramp):
            widget.setEnabled(not reason)
            widget.setToolTip(reason)

    def _show_value(self, name: str) -> None:
        value, target, unit = self._present.get(name), self._targets.get(name), VITALS[name][2]
        parts = ["" if value is None else f"{value:.0f}", "" if target is None else f"→ {target}"]
        shown = " ".join(part for part in parts if part)
        self._values[name].setText(f"{shown} {unit}" if shown else "")

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        chosen = max(self.ramp.currentIndex(), 0)
        self.ramp.clear()
        self.ramp.addItems([translate("Instructor", "{seconds} s").format(seconds=seconds) for seconds in RAMPS_S])
        self.ramp.setCurrentIndex(chosen)
        for slider in self.sliders.values():
            slider.setStyleSheet(
                f"QSlider::groove:horizontal {{ background: {theme.edge}; height: {px(4)}px }}"
                f"QSlider::handle:horizontal {{ background: {theme.text}; width: {px(14)}px; margin: -{px(6)}px 0 }}"
                f"QSlider::handle:horizontal:disabled {{ background: {theme.faint} }}"
            )
        self.ramp.setFont(font(13))
        self.ramp.setStyleSheet(f"color: {theme.text}; background: {theme.panel}")
