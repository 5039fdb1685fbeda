"""Preferences dialog; changes take effect at once and are saved."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from monitor.gui.preferences.measured_bar import MeasuredBar
from monitor.gui.preferences.preferences import FONT_SIZE_RANGE, LEADS_RANGE, PX_PER_MM_RANGE, Preferences
from monitor.gui.preferences.wave_order import WaveOrder
from monitor.gui.style.dialog_buttons import style_buttons
from monitor.gui.style.label import Label, dialog_style
from monitor.gui.style.language import LANGUAGES, QT_TRANSLATE_NOOP, translate
from monitor.gui.style.palettes import THEMES, Theme
from monitor.gui.style.theme import font, px
from monitor.gui.style.wheel_boxes import ChoiceBox, NumberBox, WholeNumberBox
from monitor.view.trace import GAINS, SPEEDS

THEME_NAMES = {
    "night": QT_TRANSLATE_NOOP("Settings", "Night"),
    "day": QT_TRANSLATE_NOOP("Settings", "Day"),
    "safe": QT_TRANSLATE_NOOP("Settings", "Colour-blind safe"),
}
GRID_NAMES = {
    "off": QT_TRANSLATE_NOOP("Settings", "none"),
    "large": "5 mm",
    "fine": QT_TRANSLATE_NOOP("Settings", "1 mm and 5 mm"),
}
FORECAST_NAMES = {
    "ahead": QT_TRANSLATE_NOOP("Settings", "ahead of the cursor"),
    "both": QT_TRANSLATE_NOOP("Settings", "ahead, and the earlier one under the trace"),
    "off": QT_TRANSLATE_NOOP("Settings", "none"),
}
_BAR_MM = 100.0
_MAX_BAR_PX = 600


class PreferencesDialog(QDialog):
    """Edits the user preferences.

    Parameters
    ----------
    theme : Theme
    preferences : Preferences
    screen_px_per_mm : float
        Screen resolution reported by Qt.
    problem : str
        Reason why the selected language is not used; else empty.
    parent : QWidget

    Attributes
    ----------
    changed : Signal(dict)
        Names and values of `Preferences` changed by the user.
    language, colours, speed, gain, forecast, grid : ChoiceBox
    letters, leads : WholeNumberBox
        Per cent; ECG leads.
    lead_names : QLineEdit
    waves : WaveOrder
    bar : MeasuredBar
    bar_mm : NumberBox
        Measured length of the bar on this screen.
    """

    changed = Signal(dict)

    def __init__(
        self, theme: Theme, preferences: Preferences, screen_px_per_mm: float, problem: str, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("Settings", "Settings"))
        self._make_fields(theme, preferences, problem)
        self._make_bar(theme, preferences, screen_px_per_mm)
        self._report_changes()
        self._arrange(parent, theme)

    def _make_fields(self, theme: Theme, preferences: Preferences, problem: str) -> None:
        languages = {"": translate("Settings", "system language"), **LANGUAGES}
        self.language = _combo_box(languages, preferences.language)
        self._no_font = Label(theme, "simulation", 13)
        self._no_font.setText(problem)
        self._no_font.setWordWrap(True)
        self._no_font.setVisible(bool(problem))
        self.colours = _combo_box(_translated(THEME_NAMES), preferences.theme)
        self.letters = WholeNumberBox()
        self.letters.setRange(*FONT_SIZE_RANGE)
        self.letters.setSingleStep(10)
        self.letters.setSuffix(" %")
        self.letters.setValue(preferences.letters)
        self.letters.setKeyboardTracking(False)  # a partly typed number is not a value yet
        self.speed = _combo_box({speed: f"{speed:g} mm/s" for speed in SPEEDS}, preferences.speed)
        gains = {gain: f"{gain:g} mm/mV" for gain in GAINS} | {0.0: translate("Settings", "fitted to the signal")}
        self.gain = _combo_box(gains, preferences.gain)
        self.forecast = _combo_box(_translated(FORECAST_NAMES), preferences.forecast)
        self.leads = WholeNumberBox()
        self.leads.setRange(*LEADS_RANGE)
        self.leads.setValue(preferences.leads)
        self.leads.setKeyboardTracking(False)
        self.lead_names = QLineEdit(preferences.lead_names)
        self.lead_names.setPlaceholderText(translate("Settings", "as sent; or names, such as II, V5, aVF"))
        self.waves = WaveOrder(preferences.shown_waves)
        self.grid = _combo_box(_translated(GRID_NAMES), preferences.grid)

    def _make_bar(self, theme: Theme, preferences: Preferences, screen_px_per_mm: float) -> None:
        self.bar = MeasuredBar(theme, min(round(_BAR_MM * screen_px_per_mm), _MAX_BAR_PX))
        self.bar_mm = NumberBox()
        self.bar_mm.setDecimals(1)
        self.bar_mm.setSuffix(" mm")
        self.bar_mm.setRange(self.bar.pixels / PX_PER_MM_RANGE[1], self.bar.pixels / PX_PER_MM_RANGE[0])
        self.bar_mm.setValue(self.bar.pixels / (preferences.px_per_mm or screen_px_per_mm))
        self.bar_mm.setKeyboardTracking(False)
        self._screen = Label(theme, "faint", 13)
        self._screen.setText(
            translate(
                "Settings", "Measure this bar with a ruler and enter its length: the trace is then true to scale."
            )
        )
        self._screen.setWordWrap(True)

    def _report_changes(self) -> None:
        """Emit `changed` for each change of a field."""
        for name, box in {
            "language": self.language,
            "theme": self.colours,
            "speed": self.speed,
            "gain": self.gain,
            "forecast": self.forecast,
            "grid": self.grid,
        }.items():
            box.currentIndexChanged.connect(
                lambda _at, name=name, box=box: self.changed.emit({name: box.currentData()})
            )
        self.letters.valueChanged.connect(lambda value: self.changed.emit({"letters": value}))
        self.leads.valueChanged.connect(lambda value: self.changed.emit({"leads": value}))
        self.lead_names.editingFinished.connect(lambda: self.changed.emit({"lead_names": self.lead_names.text()}))
        self.waves.changed.connect(lambda waves: self.changed.emit({"waves": waves}))
        self.bar_mm.valueChanged.connect(lambda mm: self.changed.emit({"px_per_mm": self.bar.pixels / mm}))

    def _arrange(self, parent: QWidget, theme: Theme) -> None:
        """Put all fields into one form, which scrolls if it is higher than the screen."""
        page, area = QWidget(), QScrollArea()
        self._form = QFormLayout(page)
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        self._form.addRow(translate("Settings", "Language"), self.language)
        self._form.addRow(self._no_font)
        self._form.addRow(translate("Settings", "Colours"), self.colours)
        self._form.addRow(translate("Settings", "Font size"), self.letters)
        self._form.addRow(translate("Settings", "Paper speed"), self.speed)
        self._form.addRow(translate("Settings", "Amplitude"), self.gain)
        self._form.addRow(translate("Settings", "Forecast"), self.forecast)
        self._form.addRow(translate("Settings", "ECG leads, at most"), self.leads)
        self._form.addRow(translate("Settings", "ECG leads shown"), self.lead_names)
        self._form.addRow(translate("Settings", "Other waves (drag to reorder)"), self.waves)
        self._form.addRow(translate("Settings", "Grid"), self.grid)
        self._form.addRow(self._screen)
        self._form.addRow(self.bar)
        self._form.addRow(translate("Settings", "Length of the bar"), self.bar_mm)
        buttons = self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addWidget(area)
        whole.addWidget(buttons)
        self.apply_theme(theme)
        self.ensurePolished()
        self._form.activate()
        wanted, screen = page.sizeHint(), parent.screen().availableSize()
        width = wanted.width() + area.verticalScrollBar().sizeHint().width() + px(24)
        height = page.heightForWidth(wanted.width()) + buttons.sizeHint().height() + px(36)
        self.resize(min(width, screen.width() - 20), min(height, screen.height() - 40))

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.setFont(font(15))
        self.setStyleSheet(dialog_style(theme))
        style_buttons(self._buttons, theme)
        self._form.setVerticalSpacing(px(8))
        self._form.setHorizontalSpacing(px(16))

    def show_theme(self, theme: Theme) -> None:
        """Show a theme that was selected by key."""
        self.colours.setCurrentIndex(list(THEMES).index(theme.name))


def _translated(names: dict[str, str]) -> dict[str, str]:
    return {value: translate("Settings", name) for value, name in names.items()}


def _combo_box(names: dict[str, str] | dict[float, str], selected: str | float) -> ChoiceBox:
    box = ChoiceBox()
    for value, name in names.items():
        box.addItem(name, value)
    box.setCurrentIndex(list(names).index(selected))
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return box
