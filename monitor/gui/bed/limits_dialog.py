"""Dialog for the limits of one bed, in words, and for the kinds of alarm that are on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from monitor.gui.bed.stepper import Stepper
from monitor.gui.style.dialog_buttons import BUTTON_HEIGHT, style_buttons
from monitor.gui.style.label import Label, dialog_style
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.text_lookup import plain_text_of
from monitor.gui.style.theme import Theme, font, px
from stream.wire.alarm_messages import ALWAYS_ENABLED, KINDS, AlarmKind, Limits
from stream.wire.alarm_texts import kind_phrase
from stream.wire.limit_ranges import BELOW, LIMIT_RANGES, LimitName

BELOW_WORD = QT_TRANSLATE_NOOP("Limits", "below")
ABOVE_WORD = QT_TRANSLATE_NOOP("Limits", "above")
PER_MINUTE = QT_TRANSLATE_NOOP("Limits", "1/min")
AFTER_WORD = QT_TRANSLATE_NOOP("Limits", "after")

ROWS: tuple[tuple[str, tuple[tuple[str, LimitName], ...]], ...] = (
    (
        QT_TRANSLATE_NOOP("Limits", "Heart rate"),
        ((BELOW_WORD, "heart_rate_low"), (ABOVE_WORD, "heart_rate_high")),
    ),
    (QT_TRANSLATE_NOOP("Limits", "SpO₂ low, desaturation"), ((BELOW_WORD, "spo2_low"), (BELOW_WORD, "desaturation"))),
    (
        QT_TRANSLATE_NOOP("Limits", "Pressure, systolic"),
        ((BELOW_WORD, "abp_systolic_low"), (ABOVE_WORD, "abp_systolic_high")),
    ),
    (QT_TRANSLATE_NOOP("Limits", "Pressure, mean"), ((BELOW_WORD, "abp_mean_low"), (ABOVE_WORD, "abp_mean_high"))),
    (
        QT_TRANSLATE_NOOP("Limits", "Pressure, diastolic"),
        ((BELOW_WORD, "abp_diastolic_low"), (ABOVE_WORD, "abp_diastolic_high")),
    ),
    (
        QT_TRANSLATE_NOOP("Limits", "Respiration"),
        ((BELOW_WORD, "respiration_low"), (ABOVE_WORD, "respiration_high")),
    ),
    (QT_TRANSLATE_NOOP("Limits", "Apnoea"), ((AFTER_WORD, "apnoea"),)),
)
"""Each row in words: a quantity, and its limits."""

_SIZE = (760, 640)


class LimitsDialog(QDialog):
    """Edits the limits; each low limit stays below the high one.

    Attributes
    ----------
    steppers : dict of str to Stepper
        By name of the limit.
    enabled : dict of str to QCheckBox
        Kinds of alarm that can be switched off.
    always : list of Label
        Kinds that cannot.
    """

    def __init__(self, theme: Theme, bed: str, limits: Limits, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("Limits", "Limits of {bed}").format(bed=bed.upper()))
        self._labels: list[Label] = []
        self.steppers: dict[LimitName, Stepper] = {}
        self.enabled: dict[AlarmKind, QCheckBox] = {}
        self.always: list[Label] = []
        page, area = QWidget(), QScrollArea()
        column, whole = QVBoxLayout(page), QVBoxLayout(self)
        column.addWidget(self._label(theme, translate("Limits", "Alarm when the value is"), 15, bold=True))
        column.addLayout(self._limit_rows(theme, limits))
        column.addWidget(self._label(theme, translate("Limits", "Alarms that are on"), 15, bold=True))
        column.addLayout(self._kinds(theme, limits))
        column.addStretch(1)
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        buttons = self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        whole.addWidget(area, 1)
        whole.addWidget(buttons)
        self.apply_theme(theme)
        room = self.screen().availableSize() if parent is None else parent.size()
        self.resize(min(px(_SIZE[0]), room.width() - 20), min(px(_SIZE[1]), room.height() - 20))

    def _label(self, theme: Theme, text: str, pixels: int, bold: bool = False) -> Label:
        label = Label(theme, "text", pixels, bold)
        label.setText(text)
        self._labels.append(label)
        return label

    def _limit_rows(self, theme: Theme, limits: Limits) -> QGridLayout:
        grid = QGridLayout()
        for row, (name, entries) in enumerate(ROWS):
            grid.addWidget(self._label(theme, translate("Limits", name), 15), row, 0)
            for place, (word, limit) in enumerate(entries):
                of = LIMIT_RANGES[limit]
                unit = translate("Limits", PER_MINUTE) if of.unit == PER_MINUTE else of.unit
                stepper = self.steppers[limit] = Stepper(
                    of.minimum, of.maximum, of.step, getattr(limits, limit), f" {unit}"
                )
                grid.addWidget(
                    self._label(theme, translate("Limits", word), 15), row, 1 + 2 * place, Qt.AlignmentFlag.AlignRight
                )
                grid.addWidget(stepper, row, 2 + 2 * place)
        grid.setColumnStretch(0, 1)
        for lower, upper in BELOW:
            self._keep_below(self.steppers[lower], self.steppers[upper])
        return grid

    def _keep_below(self, lower: Stepper, upper: Stepper) -> None:
        lower.number.valueChanged.connect(lambda value: upper.number.setMinimum(value + 1))
        upper.number.valueChanged.connect(lambda value: lower.number.setMaximum(value - 1))
        upper.number.setMinimum(lower.number.value() + 1)
        lower.number.setMaximum(upper.number.value() - 1)

    def _kinds(self, theme: Theme, limits: Limits) -> QGridLayout:
        grid = QGridLayout()
        for place, kind in enumerate(sorted(KINDS, key=lambda kind: kind not in ALWAYS_ENABLED)):
            name = plain_text_of(kind_phrase(kind))
            if kind in ALWAYS_ENABLED:
                fixed = self._label(theme, translate("Limits", "{alarm}: always on").format(alarm=name), 15)
                self.always.append(fixed)
                grid.addWidget(fixed, place // 2, place % 2)
                continue
            box = self.enabled[kind] = QCheckBox(name)
            box.setChecked(kind not in limits.off)
            grid.addWidget(box, place // 2, place % 2)
        return grid

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.setFont(font(15))
        side = px(24)
        self.setStyleSheet(
            dialog_style(theme) + f"QCheckBox {{ spacing: {px(10)}px }}"
            f"QCheckBox::indicator {{ width: {side}px; height: {side}px; border: 2px solid {theme.faint} }}"
            f"QCheckBox::indicator:checked {{ background: {theme.live}; border-color: {theme.text} }}"
        )
        for label in self._labels:
            label.apply_theme(theme)
        for stepper in self.steppers.values():
            stepper.apply_theme(theme)
        for widget in (*self.enabled.values(), *self.always):
            widget.setMinimumHeight(px(BUTTON_HEIGHT))
            widget.setFont(font(15))
        style_buttons(self._buttons, theme)

    @property
    def limits(self) -> Limits:
        """The limits as set in the dialog."""
        off = tuple(kind for kind, box in self.enabled.items() if not box.isChecked())
        return Limits(**{name: stepper.number.value() for name, stepper in self.steppers.items()}, off=off)
