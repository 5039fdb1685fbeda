"""User preferences in the window; help, about and introduction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from monitor.gui.preferences.about import AboutDialog
from monitor.gui.preferences.preferences import Preferences, PreferencesStore
from monitor.gui.preferences.preferences_controller import FULL_FONT_SIZE, MIN_WINDOW_SIZE
from monitor.gui.preferences.preferences_dialog import PreferencesDialog
from monitor.gui.preferences.shortcuts import GROUPS
from monitor.gui.style import theme
from monitor.gui.style.footer import SIMULATION
from monitor.gui.style.palettes import DAY, NIGHT, SAFE, THEMES
from monitor.gui.window import MonitorWindow
from monitor.view.trace import GAINS
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import alarm

Open = Callable[[], MonitorWindow]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "monitor.ini"


@pytest.fixture
def start(qtbot: QtBot, script: Script, path: Path) -> Iterator[Open]:
    """Provide a function that opens a window with a preferences file."""
    made = []

    def start() -> MonitorWindow:
        window = MonitorWindow(script, clock=script.clock, store=PreferencesStore(path))
        window._timer.stop()
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        made.append(window)
        return window

    yield start
    for window in made:
        window.close()


def ink(widget: QWidget, at: QPoint) -> QColor:
    return widget.grab().toImage().pixelColor(at)


# --- themes ---------------------------------------------------------------------------------------------------------


def test_a_key_changes_the_theme_of_all_widgets(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.worker()
    script.stream(window, 20)
    for expected in (DAY, SAFE, NIGHT):
        qtbot.keyClick(window, Qt.Key.Key_D)
        script.stream(window, 2)
        image = window.grab().toImage()
        inks = {image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 2)}
        others = {other.ecg for other in (DAY, SAFE, NIGHT)} - {expected.ecg}
        assert expected.ecg in inks
        assert expected.ground in inks
        assert expected.panel in inks
        assert not inks & others
        assert not inks & ({NIGHT.panel, DAY.panel} - {expected.panel})


def test_the_central_station_follows_theme_and_font_size(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.worker()
    script.stream(window, 20)
    window.switch_page()
    script.stream(window, 2)
    height = window.station.tiles["bed-1"].header.height()
    window.preferences.change(theme="day", letters=150)
    script.stream(window, 2)
    assert window.station.tiles["bed-1"].header.height() == round(height * 1.5)
    image = window.station.grab().toImage()
    inks = {image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 2)}
    assert {DAY.ecg, DAY.ground, DAY.panel} <= inks
    assert not inks & {NIGHT.ecg, NIGHT.panel}


def test_a_drawn_trace_follows_the_theme(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.stream(window, 20)
    qtbot.keyClick(window, Qt.Key.Key_D)
    window.tick()
    image = window.bed_view.sweep.grab().toImage()
    green = QColor(NIGHT.ecg)
    assert not any(image.pixelColor(x, y) == green for x in range(image.width()) for y in range(0, image.height(), 2))


def test_open_dialogs_follow_the_theme(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.worker()
    script.stream(window, 20)
    script.receive(alarm(400, kind="heart_rate_high", priority="high", value=131.0, limit=120.0))
    window.tick()
    window.review_shown()
    window.preferences.open_about()
    window.preferences.change(theme="day")
    QApplication.processEvents()
    for dialog in (window.review.dialog, window.preferences.dialog):
        assert dialog is not None
        assert ink(dialog, QPoint(2, 2)) == QColor(DAY.panel)


# --- font size ------------------------------------------------------------------------------------------------------


def test_the_font_size_is_limited_by_the_window(start: Open, qtbot: QtBot) -> None:
    window = start()
    before = window.bed_view.header.bed.font().pixelSize()
    window.preferences.change(letters=130)
    assert window.bed_view.header.bed.font().pixelSize() == round(before * 1.3)
    window.resize(*FULL_FONT_SIZE)
    assert window.bed_view.header.bed.font().pixelSize() == before, "100 % is the limit at 800 × 480"
    window.preferences.change(letters=80)
    assert window.bed_view.header.bed.font().pixelSize() == round(before * 0.8)
    window.preferences.change(letters=100)
    window.resize(3840, 2160)
    assert window.bed_view.header.bed.font().pixelSize() == round(before * 2.7), "a wall display is read from afar"


def clipped_texts(window: MonitorWindow) -> list[str]:
    """Return texts of labels and buttons that do not fit, and widgets outside of the window."""
    found = []
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or widget.window() is not window:
            continue
        if isinstance(widget, QLabel) and widget.text() and not widget.wordWrap():
            wanted = widget.sizeHint()
            if wanted.width() > widget.width() or wanted.height() > widget.height() + 2:
                found.append(widget.text())
        room = widget.width() - 6
        if isinstance(widget, QPushButton) and widget.fontMetrics().horizontalAdvance(widget.text()) > room:
            found.append(widget.text())
        corner = widget.mapTo(window, widget.rect().bottomRight())
        if type(widget).__module__.startswith("monitor") and not window.rect().contains(corner):
            found.append(type(widget).__name__)
    return found


@pytest.mark.parametrize("letters", [80, 200])
@pytest.mark.parametrize("size", [MIN_WINDOW_SIZE, FULL_FONT_SIZE, (1366, 728), (3840, 2160)])
@pytest.mark.parametrize("frozen", [False, True])
def test_no_text_is_clipped(start: Open, script: Script, letters: int, size: tuple[int, int], frozen: bool) -> None:
    window = start()
    script.worker()
    script.stream(window, 20)
    window.resize(*size)
    window.preferences.change(letters=letters)
    if frozen:
        window.toggle_freeze()
    script.stream(window, 2)
    QApplication.processEvents()
    assert clipped_texts(window) == []
    assert window.bed_view.sweep.height() >= 0.4 * window.height()
    assert window.bed_view.sweep.width() >= 0.5 * window.width()


def test_the_trace_is_drawn_at_the_device_pixel_ratio(
    start: Open, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.gui.trace.sweep.SweepView.devicePixelRatio", lambda _self: 2.0)
    window = start()
    script.stream(window, 20)
    assert window.bed_view.sweep._cache.size() == window.bed_view.sweep.size() * 2
    assert window.bed_view.sweep._cache.devicePixelRatio() == 2.0


# --- saving ---------------------------------------------------------------------------------------------------------


def test_preferences_are_restored_at_the_next_start(start: Open, script: Script, qtbot: QtBot) -> None:
    first = start()
    script.stream(first, 5)
    for key in (Qt.Key.Key_D, Qt.Key.Key_S, Qt.Key.Key_Plus, Qt.Key.Key_Plus, Qt.Key.Key_G, Qt.Key.Key_T):
        qtbot.keyClick(first, key)
    first.resize(780, 620)
    QApplication.processEvents()
    span = first.bed_view.view.span
    first.close()
    second = start()
    QApplication.processEvents()
    assert second.preferences.theme is DAY
    assert second.size() == first.size()
    assert second.bed_view.view.span == span
    assert second.bed_view.sweep.grid == first.bed_view.sweep.grid
    assert second.bed_view.trend.isVisible()
    assert second.preferences.store.current.gain == GAINS[-1]


def test_a_fitted_gain_is_restored(start: Open, script: Script, qtbot: QtBot) -> None:
    first = start()
    qtbot.keyClick(first, Qt.Key.Key_Plus)
    qtbot.keyClick(first, Qt.Key.Key_0)
    first.close()
    second = start()
    script.stream(second, 5)
    assert second.bed_view.view.gain is None
    assert "amplitude fitted" in second.bed_view.header.record.text()


# --- the dialog -----------------------------------------------------------------------------------------------------


def settings(window: MonitorWindow, qtbot: QtBot) -> PreferencesDialog:
    qtbot.keyClick(window, Qt.Key.Key_F2)
    dialog = window.preferences.dialog
    assert isinstance(dialog, PreferencesDialog)
    return dialog


def test_changes_in_the_dialog_take_effect_at_once(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.stream(window, 5)
    dialog = settings(window, qtbot)
    dialog.colours.setCurrentIndex(1)
    dialog.speed.setCurrentIndex(2)
    dialog.gain.setCurrentIndex(0)
    dialog.grid.setCurrentIndex(0)
    dialog.letters.setValue(120)
    window.tick()
    assert window.bed_view.header.record.text().endswith("50 mm/s · 5 mm/mV")
    assert window.preferences.store.current == Preferences(theme="day", speed=50.0, gain=5.0, grid="off", letters=120)
    dialog.close()
    assert window.preferences.dialog is None


def test_a_measured_bar_sets_the_screen_resolution(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.stream(window, 5)
    dialog = settings(window, qtbot)
    before = window.bed_view.view.span
    dialog.bar_mm.setValue(dialog.bar_mm.value() / 2)
    # A millimetre has twice as many pixels as reported by Qt: half as much signal fits.
    assert window.bed_view.view.span == pytest.approx(before / 2, abs=1)
    per_s = (window.bed_view.sweep.width() - theme.px(60)) / window.bed_view.view.span * 360
    assert per_s / window.bed_view.sweep.px_per_mm == pytest.approx(25.0, abs=0.1)
    assert window.bed_view.sweep.px_per_mm == pytest.approx(dialog.bar.pixels / dialog.bar_mm.value())
    assert window.review.px_per_mm == window.bed_view.sweep.px_per_mm
    dialog.close()
    window.close()
    assert start().bed_view.sweep.px_per_mm == pytest.approx(window.bed_view.sweep.px_per_mm)


def test_alarms_can_be_acknowledged_while_the_dialog_is_open(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.worker()
    script.stream(window, 20)
    script.receive(alarm(400))
    window.tick()
    settings(window, qtbot)
    qtbot.mouseClick(window.bed_view.controls.acknowledge, Qt.MouseButton.LeftButton)
    assert len(script.sent) == 1


def test_the_dialog_fits_the_smallest_window(start: Open, qtbot: QtBot) -> None:
    dialog = settings(start(), qtbot)
    least, window = dialog.minimumSizeHint(), MIN_WINDOW_SIZE
    assert least.width() <= window[0]
    assert least.height() <= window[1]
    dialog.resize(*window)
    qtbot.waitExposed(dialog)
    assert dialog._buttons.geometry().bottom() < window[1]
    assert dialog.bar_mm.visibleRegion().isEmpty(), "it is reached by scrolling"
    assert dialog.leads.maximum() == 12


def test_the_leads_that_are_named_are_shown_and_kept(start: Open, qtbot: QtBot) -> None:
    window = start()
    dialog = settings(window, qtbot)
    qtbot.keyClicks(dialog.lead_names, " V5, avf,")
    assert window.bed_view.view.leads == (), "not while it is typed"
    qtbot.keyClick(dialog.lead_names, Qt.Key.Key_Return)
    assert window.bed_view.view.leads == ("V5", "avf")
    window.close()
    assert start().bed_view.view.leads == ("V5", "avf")


# --- help -----------------------------------------------------------------------------------------------------------


def label_texts(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel))


def test_the_introduction_is_shown_once(start: Open, qtbot: QtBot) -> None:
    window = start()
    window.preferences.welcome()
    assert window.preferences.help is not None
    assert "there is no patient in this bed" in label_texts(window.preferences.help)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert window.preferences.help is None
    window.close()
    again = start()
    again.preferences.welcome()
    assert again.preferences.help is None


def test_an_introduction_that_was_not_closed_is_shown_again(start: Open) -> None:
    window = start()
    window.preferences.welcome()
    window.close()
    again = start()
    again.preferences.welcome()
    assert again.preferences.help is not None


@pytest.mark.parametrize("welcome", [False, True])
@pytest.mark.parametrize("size", [MIN_WINDOW_SIZE, (1280, 800)])
def test_the_help_covers_neither_alarms_nor_the_warning(
    start: Open, qtbot: QtBot, size: tuple[int, int], welcome: bool
) -> None:
    window = start()
    window.resize(*size)
    window.preferences.welcome() if welcome else window.preferences.show_help()
    QApplication.processEvents()
    covered = window.preferences.help.geometry()
    for widget in (window.bed_view.banner, window.bed_view.header, window.footer):
        assert not covered.intersects(widget.geometry())
    for label in window.preferences.help.findChildren(QLabel):
        assert label.height() >= label.heightForWidth(label.width()) or label.height() >= label.sizeHint().height()


def test_the_introduction_leaves_the_trace_and_the_numbers_in_sight(start: Open, qtbot: QtBot) -> None:
    window = start()
    window.resize(1280, 800)
    window.preferences.welcome()
    QApplication.processEvents()
    covered = window.preferences.help.geometry()
    assert covered.top() > window.height() // 2
    assert covered.right() < window.width() * 3 // 4


def test_the_help_lists_all_keys(start: Open, qtbot: QtBot) -> None:
    window = start()
    qtbot.keyClick(window, Qt.Key.Key_Question)
    shown = label_texts(window.preferences.help)
    for _, keys in GROUPS:
        for _, action in keys:
            assert action in shown
    listed_keys = " ".join(key for _, keys in GROUPS for key, _ in keys).split()
    names = {Qt.Key.Key_Plus: "+", Qt.Key.Key_Minus: "−", Qt.Key.Key_Question: "?"}
    for key in (*window._keys, *window.preferences._keys):
        if key is not Qt.Key.Key_Equal:  # + without Shift
            assert names.get(key, key.name.removeprefix("Key_")) in listed_keys
    qtbot.mouseClick(window.preferences.help, Qt.MouseButton.LeftButton)
    assert window.preferences.help is None


def test_the_key_that_closes_the_help_has_no_other_effect(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.stream(window, 5)
    qtbot.keyClick(window, Qt.Key.Key_Question)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert window.bed_view.freeze.frozen is None
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert window.bed_view.freeze.frozen is not None


def test_about_shows_warning_licences_and_citations(start: Open, qtbot: QtBot) -> None:
    window = start()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    dialog = window.preferences.dialog
    assert isinstance(dialog, AboutDialog)
    shown = label_texts(dialog)
    for text in (
        SIMULATION,
        "MIT licence",
        "Qt for Python",
        "LGPL",
        "Moody GB, Mark RG",
        "Goldberger AL",
        "bedside 0.",
    ):
        assert text in shown


def test_help_and_preferences_open_with_the_mouse(start: Open, qtbot: QtBot) -> None:
    window = start()
    window.preferences.hide_help()
    qtbot.mouseClick(window.footer.settings, Qt.MouseButton.LeftButton)
    assert isinstance(window.preferences.dialog, PreferencesDialog)
    window.preferences.dialog.close()
    qtbot.mouseClick(window.footer.help, Qt.MouseButton.LeftButton)
    assert window.preferences.help is not None


def test_settings_open_while_about_is_open(start: Open, qtbot: QtBot) -> None:
    window = start()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    about = window.preferences.dialog
    assert isinstance(about, AboutDialog)
    qtbot.keyClick(about, Qt.Key.Key_F2)
    dialog = window.preferences.dialog
    assert isinstance(dialog, PreferencesDialog)
    assert dialog.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_F2)
    assert window.preferences.dialog is dialog


@pytest.mark.parametrize("name", THEMES)
def test_the_icon_of_close_is_seen_in_every_theme(start: Open, name: str) -> None:
    window = start()
    window.preferences.change(theme=name)
    window.preferences.open_about()
    button = window.preferences.dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Close)
    icon = button.icon().pixmap(16, 16).toImage()
    inks = {icon.pixelColor(x, y).name() for x in range(16) for y in range(16) if icon.pixelColor(x, y).alpha() == 255}
    assert inks == {THEMES[name].text}
