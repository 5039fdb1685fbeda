"""Dialog for the limits of one bed: heart rate limits, and enabled kinds of alarm."""

from __future__ import annotations

from msgspec.structs import replace
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFormLayout, QSpinBox, QVBoxLayout, QWidget

from monitor.gui.style.label import dialog_style
from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, font
from stream.wire.alarm_messages import ALWAYS_ENABLED, KINDS, AlarmKind, Limits
from stream.wire.alarm_texts import kind_phrase


class LimitsDialog(QDialog):
    """Edits the limits; the low limit stays below the high one.

    Attributes
    ----------
    low, high : QSpinBox
        1/min.
    enabled : dict of str to QCheckBox
        Enabled kinds of alarm.
    """

    def __init__(self, theme: Theme, bed: str, limits: Limits, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._limits = limits
        self.setWindowTitle(translate("Limits", "Limits of {bed}").format(bed=bed.upper()))
        self.low, self.high = QSpinBox(), QSpinBox()
        for rate, value in ((self.low, limits.heart_rate_low), (self.high, limits.heart_rate_high)):
            rate.setRange(20, 300)
            rate.setSingleStep(5)
            rate.setSuffix(translate("Limits", " /min"))
            rate.setValue(value)
        self.low.valueChanged.connect(lambda value: self.high.setMinimum(value + 1))
        self.high.valueChanged.connect(lambda value: self.low.setMaximum(value - 1))
        self.high.setMinimum(limits.heart_rate_low + 1)
        self.low.setMaximum(limits.heart_rate_high - 1)
        self.enabled: dict[AlarmKind, QCheckBox] = {}
        form = QFormLayout()
        form.addRow(translate("Limits", "Heart rate, high"), self.high)
        form.addRow(translate("Limits", "Heart rate, low"), self.low)
        for kind in KINDS:
            box = self.enabled[kind] = QCheckBox(text_of(kind_phrase(kind)))
            box.setChecked(kind not in limits.off)
            box.setEnabled(kind not in ALWAYS_ENABLED)
            form.addRow(translate("Limits", "Alarms on") if kind == KINDS[0] else "", box)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addLayout(form)
        whole.addWidget(buttons)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.setFont(font(15))
        self.setStyleSheet(dialog_style(theme))

    @property
    def limits(self) -> Limits:
        """The limits as set in the dialog."""
        off = tuple(kind for kind, box in self.enabled.items() if not box.isChecked())
        return replace(self._limits, heart_rate_low=self.low.value(), heart_rate_high=self.high.value(), off=off)
