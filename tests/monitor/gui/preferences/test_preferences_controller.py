"""What the window remembers of its person, and how it explains itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from monitor.gui.preferences.about import AboutDialog
from monitor.gui.preferences.preferences import Preferences, PreferencesStore
from monitor.gui.preferences.preferences_controller import SMALLEST
from monitor.gui.preferences.preferences_dialog import PreferencesDialog
from monitor.gui.preferences.shortcuts import GROUPS
from monitor.gui.style import theme
from monitor.gui.style.footer import SIMULATION
from monitor.gui.style.palettes import DAY, NIGHT, SAFE
from monitor.gui.window import MonitorWindow
from monitor.view.trace import GAINS
from tests.monitor.gui.conftest import Script
from tests.monitor.stories import alarm

Open = Callable[[], MonitorWindow]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "monitor.ini"


@pytest.fixture
def start(qtbot: QtBot, script: Script, path: Path) -> Iterator[Open]:
    """Provide the start of a window that remembers."""
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


# --- looks ----------------------------------------------------------------------------------------------------------


def test_a_key_changes_the_look_of_everything_at_once(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.worker()
    script.stream(window, 20)
    for look in (DAY, SAFE, NIGHT):
        qtbot.keyClick(window, Qt.Key.Key_D)
        script.stream(window, 2)
        image = window.grab().toImage()
        inks = {image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 2)}
        others = {other.ecg for other in (DAY, SAFE, NIGHT)} - {look.ecg}
        assert look.ecg in inks
        assert look.ground in inks
        assert look.panel in inks
        assert not inks & others
        assert not inks & ({NIGHT.panel, DAY.panel} - {look.panel})


def test_the_central_station_takes_the_look_and_the_letters(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.worker()
    script.stream(window, 20)
    window.switch_page()
    script.stream(window, 2)
    height = window.station.cards["bed-1"].head.height()
    window.preferences.change(theme="day", letters=150)
    script.stream(window, 2)
    assert window.station.cards["bed-1"].head.height() == round(height * 1.5)
    image = window.station.grab().toImage()
    inks = {image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 2)}
    assert {DAY.ecg, DAY.ground, DAY.panel} <= inks
    assert not inks & {NIGHT.ecg, NIGHT.panel}


def test_a_trace_drawn_before_takes_the_look_too(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.stream(window, 20)
    qtbot.keyClick(window, Qt.Key.Key_D)
    window.tick()
    image = window.bed_view.sweep.grab().toImage()
    green = QColor(NIGHT.ecg)
    assert not any(image.pixelColor(x, y) == green for x in range(image.width()) for y in range(0, image.height(), 2))


def test_what_is_open_takes_the_look(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.worker()
    script.stream(window, 20)
    script.say(alarm(400, kind="heart_rate_high", priority="high", value=131.0, limit=120.0))
    window.tick()
    window.review_latest()
    window.preferences.open_about()
    window.preferences.change(theme="day")
    QApplication.processEvents()
    for dialog in (window.review.dialog, window.preferences.dialog):
        assert dialog is not None
        assert ink(dialog, QPoint(2, 2)) == QColor(DAY.panel)


# --- letters --------------------------------------------------------------------------------------------------------


def test_letters_grow_as_far_as_the_window_has_room(start: Open, qtbot: QtBot) -> None:
    window = start()
    before = window.bed_view.header.bed.font().pixelSize()
    window.preferences.change(letters=130)
    assert window.bed_view.header.bed.font().pixelSize() == round(before * 1.3)
    window.resize(*SMALLEST)
    assert window.bed_view.header.bed.font().pixelSize() == before, "at 800 × 480 there is no room for more"
    window.preferences.change(letters=80)
    assert window.bed_view.header.bed.font().pixelSize() == round(before * 0.8)


def cut_off(window: MonitorWindow) -> list[str]:
    """Return labels and buttons whose words do not fit, and widgets that leave the window."""
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


@pytest.mark.parametrize("letters", [80, 100, 200])
@pytest.mark.parametrize("size", [SMALLEST, (1280, 800), (1920, 1080)])
@pytest.mark.parametrize("frozen", [False, True])
def test_nothing_is_cut_off(start: Open, script: Script, letters: int, size: tuple[int, int], frozen: bool) -> None:
    window = start()
    script.worker()
    script.stream(window, 20)
    window.resize(*size)
    window.preferences.change(letters=letters)
    if frozen:
        window.toggle_freeze()
    script.stream(window, 2)
    QApplication.processEvents()
    assert cut_off(window) == []
    assert window.bed_view.sweep.height() >= 0.4 * window.height()
    assert window.bed_view.sweep.width() >= 0.5 * window.width()


def test_a_fine_screen_gets_a_fine_trace(start: Open, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.gui.trace.sweep.SweepView.devicePixelRatio", lambda _self: 2.0)
    window = start()
    script.stream(window, 20)
    assert window.bed_view.sweep._cache.size() == window.bed_view.sweep.size() * 2
    assert window.bed_view.sweep._cache.devicePixelRatio() == 2.0


# --- memory ---------------------------------------------------------------------------------------------------------


def test_the_next_start_finds_all_as_it_was(start: Open, script: Script, qtbot: QtBot) -> None:
    first = start()
    script.stream(first, 5)
    for key in (Qt.Key.Key_D, Qt.Key.Key_S, Qt.Key.Key_Plus, Qt.Key.Key_G, Qt.Key.Key_T):
        qtbot.keyClick(first, key)
    first.resize(800, 640)
    span = first.bed_view.view.span
    first.close()
    second = start()
    assert second.preferences.theme is DAY
    assert second.size() == first.size()
    assert second.bed_view.view.span == span
    assert second.bed_view.sweep.grid == first.bed_view.sweep.grid
    assert second.bed_view.trend.isVisible()
    assert second.preferences.store.now.gain == GAINS[-1]


def test_a_fitted_amplitude_is_remembered_too(start: Open, script: Script, qtbot: QtBot) -> None:
    first = start()
    qtbot.keyClick(first, Qt.Key.Key_0)
    first.close()
    second = start()
    script.stream(second, 5)
    assert second.bed_view.view.tall_mv is None
    assert "amplitude fitted" in second.bed_view.header.record.text()


# --- the dialog -----------------------------------------------------------------------------------------------------


def settings(window: MonitorWindow, qtbot: QtBot) -> PreferencesDialog:
    qtbot.keyClick(window, Qt.Key.Key_F2)
    dialog = window.preferences.dialog
    assert isinstance(dialog, PreferencesDialog)
    return dialog


def test_the_dialog_changes_things_at_once(start: Open, script: Script, qtbot: QtBot) -> None:
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
    assert window.preferences.store.now == Preferences(theme="day", speed=50.0, gain=5.0, grid="off", letters=120)
    dialog.close()
    assert window.preferences.dialog is None


def test_a_measured_bar_makes_millimetres_true(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.stream(window, 5)
    dialog = settings(window, qtbot)
    before = window.bed_view.view.span
    dialog.bar_mm.setValue(dialog.bar_mm.value() / 2)
    # The screen's millimetres are twice as many pixels as Qt thought: half as much signal fits.
    assert window.bed_view.view.span == pytest.approx(before / 2, abs=1)
    per_s = (window.bed_view.sweep.width() - theme.px(60)) / window.bed_view.view.span * 360
    assert per_s / window.bed_view.sweep.px_per_mm == pytest.approx(25.0, abs=0.1)
    assert window.bed_view.sweep.px_per_mm == pytest.approx(dialog.bar.pixels / dialog.bar_mm.value())
    assert window.review.px_per_mm == window.bed_view.sweep.px_per_mm
    dialog.close()
    window.close()
    assert start().bed_view.sweep.px_per_mm == pytest.approx(window.bed_view.sweep.px_per_mm)


def test_alarms_can_be_acknowledged_while_settings_are_open(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.worker()
    script.stream(window, 20)
    script.say(alarm(400))
    window.tick()
    settings(window, qtbot)
    qtbot.mouseClick(window.bed_view.controls.acknowledge, Qt.MouseButton.LeftButton)
    assert len(script.sent) == 1


# --- help -----------------------------------------------------------------------------------------------------------


def words(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel))


def test_the_first_start_explains_itself_once(start: Open, qtbot: QtBot) -> None:
    window = start()
    window.preferences.welcome()
    assert window.preferences.help is not None
    assert "nobody lies in this bed" in words(window.preferences.help)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert window.preferences.help is None
    window.close()
    again = start()
    again.preferences.welcome()
    assert again.preferences.help is None


def test_a_welcome_nobody_has_read_comes_again(start: Open) -> None:
    window = start()
    window.preferences.welcome()
    window.close()
    again = start()
    again.preferences.welcome()
    assert again.preferences.help is not None


@pytest.mark.parametrize("welcome", [False, True])
@pytest.mark.parametrize("size", [SMALLEST, (1280, 800)])
def test_help_covers_neither_alarms_nor_the_warning(
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


def test_help_says_what_each_key_does(start: Open, qtbot: QtBot) -> None:
    window = start()
    qtbot.keyClick(window, Qt.Key.Key_Question)
    shown = words(window.preferences.help)
    for _, keys in GROUPS:
        for _, what in keys:
            assert what in shown
    told = " ".join(key for _, keys in GROUPS for key, _ in keys).split()
    names = {Qt.Key.Key_Plus: "+", Qt.Key.Key_Minus: "−", Qt.Key.Key_Question: "?"}
    for key in (*window._keys, *window.preferences._keys):
        if key is not Qt.Key.Key_Equal:  # + without Shift
            assert names.get(key, key.name.removeprefix("Key_")) in told
    qtbot.mouseClick(window.preferences.help, Qt.MouseButton.LeftButton)
    assert window.preferences.help is None


def test_the_key_that_takes_help_away_does_nothing_else(start: Open, script: Script, qtbot: QtBot) -> None:
    window = start()
    script.stream(window, 5)
    qtbot.keyClick(window, Qt.Key.Key_Question)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert window.bed_view.freeze.frozen is None
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert window.bed_view.freeze.frozen is not None


def test_about_says_what_it_is_and_whose_the_data_are(start: Open, qtbot: QtBot) -> None:
    window = start()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    dialog = window.preferences.dialog
    assert isinstance(dialog, AboutDialog)
    said = words(dialog)
    for text in (
        SIMULATION,
        "MIT licence",
        "Qt for Python",
        "LGPL",
        "Moody GB, Mark RG",
        "Goldberger AL",
        "bedside 0.",
    ):
        assert text in said


def test_help_and_settings_are_in_reach_of_the_mouse(start: Open, qtbot: QtBot) -> None:
    window = start()
    window.preferences.hide_help()
    qtbot.mouseClick(window.footer.settings, Qt.MouseButton.LeftButton)
    assert isinstance(window.preferences.dialog, PreferencesDialog)
    window.preferences.dialog.close()
    qtbot.mouseClick(window.footer.help, Qt.MouseButton.LeftButton)
    assert window.preferences.help is not None
