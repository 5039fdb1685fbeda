"""Applies the user preferences to the window, and opens help, preferences and about."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from monitor.gui.preferences.about import AboutDialog
from monitor.gui.preferences.help_overlay import HelpOverlay
from monitor.gui.preferences.preferences import FONT_SIZE_RANGE, PreferencesStore
from monitor.gui.preferences.preferences_dialog import PreferencesDialog
from monitor.gui.style.language import set_language
from monitor.gui.style.palettes import THEMES, Theme, next_theme
from monitor.gui.style.theme import apply_theme, set_font_scale

FULL_FONT_SIZE = (800, 480)
"""Size of a window, px, into which fonts of 100 % fit."""

GROWTH_SIZE = (1280, 800)
"""Size of a window, px, from which fonts grow with it: a larger screen is read from farther away."""

MIN_WINDOW_SIZE = tuple(side * FONT_SIZE_RANGE[0] // 100 for side in FULL_FONT_SIZE)
"""Smallest window, px: the smallest fonts fit into it; 800 × 480 with room for title bar and task bar."""

_SCALE_STEP = 0.05

ALARM_KEYS = {Qt.Key.Key_A, Qt.Key.Key_P, Qt.Key.Key_O, Qt.Key.Key_M}
"""Keys of the window that act on alarms, also while a dialog has the focus."""


class PreferencesController(QObject):
    """Theme, font size and language of a window, and its dialogs.

    Parameters
    ----------
    window : QWidget
    store : PreferencesStore
    apply : callable
        Applies the preferences of the traces: speed, gain, grid, screen resolution.
    above, below : QWidget
        Widgets that the help must not cover.

    Attributes
    ----------
    store : PreferencesStore
    problem : str
        Reason why the selected language is not used; else empty.
    help : HelpOverlay or None
    dialog : QDialog or None
        The open dialog: preferences or about.
    """

    def __init__(
        self, window: QWidget, store: PreferencesStore, apply: Callable[[], None], above: QWidget, below: QWidget
    ) -> None:
        super().__init__(window)
        self.store = store
        self.problem = set_language(store.current.language)
        self.help: HelpOverlay | None = None
        self.dialog: QDialog | None = None
        self._window, self._apply, self._above, self._below = window, apply, above, below
        self._shown: tuple[Theme, float] | None = None
        self._keys = {
            Qt.Key.Key_D: self.next_theme,
            Qt.Key.Key_Question: self.show_help,
            Qt.Key.Key_F1: self.open_about,
            Qt.Key.Key_F2: self.open_preferences,
        }
        window.installEventFilter(self)

    @property
    def theme(self) -> Theme:
        """The current theme."""
        return THEMES[self.store.current.theme]

    def px_per_mm(self) -> float:
        """Return the measured screen resolution, or else the one reported by Qt."""
        return self.store.current.px_per_mm or self._screen_px_per_mm()

    def _screen_px_per_mm(self) -> float:
        return self._window.screen().physicalDotsPerInchX() / 25.4

    # --- preferences --------------------------------------------------------------------------------------------

    def change(self, **changes: Any) -> None:
        """Change preferences, save them, and apply them at once."""
        self.store.change(**changes)
        if "language" in changes:
            self.problem = set_language(self.store.current.language)
            self._shown = None
        self.apply_theme()
        self._apply()
        if "language" in changes and isinstance(self.dialog, PreferencesDialog):
            # The dialog is created again: most of its texts belong to Qt's own widgets.
            self.dialog.close()
            self.open_preferences()

    def apply_theme(self) -> None:
        """Apply the theme to all widgets; fonts grow with the window, and are limited by its room."""
        width, height = self._window.width(), self._window.height()
        growth = max(min(width / GROWTH_SIZE[0], height / GROWTH_SIZE[1]), 1.0)
        room = min(width / FULL_FONT_SIZE[0], height / FULL_FONT_SIZE[1])
        limited = _step(min(self.store.current.letters / 100 * growth, room))
        scale = max(limited, FONT_SIZE_RANGE[0] / 100)
        if (self.theme, scale) != self._shown:
            self._shown = (self.theme, scale)
            set_font_scale(scale)
            apply_theme(self._window, self.theme)

    def next_theme(self) -> None:
        """Apply the next theme."""
        self.change(theme=next_theme(self.theme).name)
        if isinstance(self.dialog, PreferencesDialog):
            self.dialog.show_theme(self.theme)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Adapt the font size to a changed window size; pass keys of the window on that a dialog does not use."""
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self.apply_theme()
        pressed = watched is self.dialog and event.type() == QEvent.Type.KeyPress
        if pressed and isinstance(event, QKeyEvent) and event.key() in self._keys.keys() | ALARM_KEYS:
            QApplication.sendEvent(self._window, event)
            return True
        return False

    # --- user actions -------------------------------------------------------------------------------------------

    def handle_key(self, key: int) -> bool:
        """Execute a key; False if it has no function here. Any key closes the help."""
        if self.help is not None:
            self.close_help()
            return True
        if key not in self._keys:
            return False
        self._keys[Qt.Key(key)]()
        return True

    def welcome(self) -> None:
        """Show the introduction if it was never closed before."""
        if not self.store.current.welcomed:
            self._show_help(welcome=True)

    def show_help(self) -> None:
        """Show the keyboard shortcuts."""
        self._show_help(welcome=False)

    def _show_help(self, *, welcome: bool) -> None:
        if self.help is None:
            self.help = HelpOverlay(self.theme, self._window, self._above, self._below, welcome)
            self.help.closed.connect(self.close_help)
            self.help.show()

    def close_help(self) -> None:
        """Close the help, and save that the introduction was read."""
        self.hide_help()
        self.store.change(welcomed=True)

    def hide_help(self) -> None:
        """Remove the help, for a screenshot of the window below."""
        if self.help is not None:
            self.help.hide()
            self.help.deleteLater()
            self.help = None

    def open_preferences(self) -> None:
        """Open the preferences dialog."""
        dialog = PreferencesDialog(self.theme, self.store.current, self._screen_px_per_mm(), self.problem, self._window)
        dialog.changed.connect(lambda changes: self.change(**changes))
        self._open(dialog)

    def open_about(self) -> None:
        """Open the about dialog."""
        self._open(AboutDialog(self.theme, self._window))

    def _open(self, dialog: QDialog) -> None:
        """Show a dialog; another one that is open is closed, and one of the same kind comes to the front."""
        if type(self.dialog) is type(dialog):
            dialog.deleteLater()
            self.dialog.raise_()
            self.dialog.activateWindow()
            return
        if self.dialog is not None:
            self.dialog.close()
        self.dialog = dialog
        dialog.installEventFilter(self)
        dialog.finished.connect(self._discard_dialog)
        dialog.show()  # not modal: alarms must remain operable

    def _discard_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def close(self) -> None:
        """Save the window geometry, and close an open dialog."""
        self.store.change(geometry=bytes(self._window.saveGeometry().data()))
        if self.dialog is not None:
            self.dialog.close()


def _step(scale: float) -> float:
    """Return a scale rounded down to a step, so that fonts do not change with each pixel of the window."""
    return math.floor(scale / _SCALE_STEP + 1e-6) * _SCALE_STEP
