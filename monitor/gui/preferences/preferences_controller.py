"""Theme, letters and scale of the window, and its dialogs: help, preferences, about."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QDialog, QWidget

from monitor.gui.preferences.about import AboutDialog
from monitor.gui.preferences.help_overlay import HelpOverlay
from monitor.gui.preferences.preferences import LETTERS, PreferencesStore
from monitor.gui.preferences.preferences_dialog import PreferencesDialog
from monitor.gui.style.language import choose
from monitor.gui.style.palettes import THEMES, Theme, next_theme
from monitor.gui.style.theme import apply_theme, set_letter_scale

SMALLEST = (800, 480)
"""Pixels of a window in which letters of 100 % have just enough room."""

_STEP = 0.05


class PreferencesController(QObject):
    """Theme and letters of a window, and the dialogs about them.

    Parameters
    ----------
    window : QWidget
    store : PreferencesStore
    apply : callable
        Brings what has changed in `store` to the traces: speed, gain, grid, pixels per mm.
    above, below : QWidget
        What the help must not cover.

    Attributes
    ----------
    store : PreferencesStore
    problem : str
        Why the language is not the one that was chosen; empty where it is.
    help : HelpOverlay or None
    dialog : QDialog or None
        Settings or about, while one of them is open.
    """

    def __init__(
        self, window: QWidget, store: PreferencesStore, apply: Callable[[], None], above: QWidget, below: QWidget
    ) -> None:
        super().__init__(window)
        self.store = store
        self.problem = choose(store.now.language)
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
        """The theme chosen."""
        return THEMES[self.store.now.theme]

    def px_per_mm(self) -> float:
        """Return what somebody has measured, or what Qt says of the screen."""
        return self.store.now.px_per_mm or self._screen_px_per_mm()

    def _screen_px_per_mm(self) -> float:
        return self._window.screen().physicalDotsPerInchX() / 25.4

    # --- what is set --------------------------------------------------------------------------------------------

    def change(self, **changes: Any) -> None:
        """Set, remember, and show at once."""
        self.store.change(**changes)
        if "language" in changes:
            self.problem = choose(self.store.now.language)
            self._shown = None
        self.apply_theme()
        self._apply()
        if "language" in changes and isinstance(self.dialog, PreferencesDialog):
            # The dialog itself is made anew: most of its words belong to Qt's own widgets.
            self.dialog.close()
            self.open_preferences()

    def apply_theme(self) -> None:
        """Apply the theme to all widgets, with letters as large as were chosen and as the window has room for."""
        room = min(self._window.width() / SMALLEST[0], self._window.height() / SMALLEST[1])
        chosen = min(self.store.now.letters / 100, math.floor(room / _STEP + 1e-6) * _STEP)
        scale = max(chosen, LETTERS[0] / 100)
        if (self.theme, scale) != self._shown:
            self._shown = (self.theme, scale)
            set_letter_scale(scale)
            apply_theme(self._window, self.theme)

    def next_theme(self) -> None:
        """Apply the next theme."""
        self.change(theme=next_theme(self.theme).name)
        if isinstance(self.dialog, PreferencesDialog):
            self.dialog.show_theme(self.theme)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802, ARG002
        """Fit the letters to a window that has changed its size."""
        if event.type() == QEvent.Type.Resize:
            self.apply_theme()
        return False

    # --- people -------------------------------------------------------------------------------------------------

    def press(self, key: int) -> bool:
        """Do what a key asks for; False where it asks nothing of this. Any key takes the help away."""
        if self.help is not None:
            self.close_help()
            return True
        if key not in self._keys:
            return False
        self._keys[Qt.Key(key)]()
        return True

    def welcome(self) -> None:
        """Say what the window shows, to who has not read it yet."""
        if not self.store.now.welcomed:
            self._help(welcome=True)

    def show_help(self) -> None:
        """Say which key does what."""
        self._help(welcome=False)

    def _help(self, *, welcome: bool) -> None:
        if self.help is None:
            self.help = HelpOverlay(self.theme, self._window, self._above, self._below, welcome)
            self.help.closed.connect(self.close_help)
            self.help.show()

    def close_help(self) -> None:
        """Take the help away; it was read."""
        self.hide_help()
        self.store.change(welcomed=True)

    def hide_help(self) -> None:
        """Take the help away, for a picture of what lies beneath."""
        if self.help is not None:
            self.help.hide()
            self.help.deleteLater()
            self.help = None

    def open_preferences(self) -> None:
        """Let people change settings."""
        dialog = PreferencesDialog(self.theme, self.store.now, self._screen_px_per_mm(), self.problem, self._window)
        dialog.changed.connect(lambda changes: self.change(**changes))
        self._open(dialog)

    def open_about(self) -> None:
        """Say what this is, and what it is made of."""
        self._open(AboutDialog(self.theme, self._window))

    def _open(self, dialog: QDialog) -> None:
        if self.dialog is not None:
            dialog.deleteLater()
            return
        self.dialog = dialog
        dialog.finished.connect(self._forget)
        dialog.show()  # not modal: alarms must be in reach

    def _forget(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def close(self) -> None:
        """Remember where the window stands, and close what is open."""
        self.store.change(geometry=bytes(self._window.saveGeometry().data()))
        if self.dialog is not None:
            self.dialog.close()
