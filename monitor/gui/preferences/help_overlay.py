"""Help over the window, never over its alarms: which key does what; at the first start, what is shown."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from monitor.gui.preferences.shortcuts import GROUPS
from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.theme import Theme, px

WELCOME = (
    QT_TRANSLATE_NOOP("Help", "The trace is a recorded ECG, replayed at its own pace: nobody lies in this bed."),
    QT_TRANSLATE_NOOP("Help", "Ahead of it, a network forecasts the next quarter of a second, with its 90 % band."),
    QT_TRANSLATE_NOOP(
        "Help",
        "Behind it, what had been forecast stays as a faint line. Where the two part, the strip beneath rises; "
        "past its dashed line, an alarm begins.",
    ),
    QT_TRANSLATE_NOOP("Help", "Click an alarm in the list to see ten seconds before and after it, and why."),
)


class HelpOverlay(QFrame):
    """Words over a window, gone with the next key or click.

    Parameters
    ----------
    theme : Theme
    window : QWidget
        It covers that, as far as `above` and `below` let it.
    above, below : QWidget
        What stays in sight: alarms at the top, the warning at the bottom.
    welcome : bool
        Whether to say what the window shows, in place of the keys.

    Attributes
    ----------
    closed : Signal
        Somebody has read it.
    """

    closed = Signal()

    def __init__(self, theme: Theme, window: QWidget, above: QWidget, below: QWidget, welcome: bool) -> None:
        super().__init__(window)
        self._window, self._above, self._below = window, above, below
        whole = QVBoxLayout(self)
        if welcome:
            whole.addWidget(_words(theme, translate("Help", "What you see"), 18, bold=True))
            for text in WELCOME:
                whole.addWidget(_words(theme, translate("Help", text), 14))
        else:
            columns = QHBoxLayout()
            for groups in ((GROUPS[0], GROUPS[2]), (GROUPS[1],), (GROUPS[3],)):
                column = QVBoxLayout()
                for name, keys in groups:
                    column.addLayout(_group(theme, name, keys))
                column.addStretch(1)
                columns.addLayout(column)
            whole.addLayout(columns)
        whole.addStretch(1)
        close = Label(theme, "faint", 13)
        close.setText(
            translate("Help", "any key or click: close")
            if not welcome
            else translate("Help", "any key or click: close   ·   ?: all keys")
        )
        whole.addWidget(close)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.apply_theme(theme)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        window.installEventFilter(self)
        self._cover()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.setStyleSheet(f"HelpOverlay {{ background: {theme.panel}; border: 1px solid {theme.faint} }}")
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(px(18), px(8), px(18), px(6))
        layout.setSpacing(px(5))

    def _cover(self) -> None:
        top, bottom = self._above.geometry().bottom() + 1, self._below.geometry().top()
        room = QRect(0, top, self._window.width(), max(bottom - top, 0))
        width = min(px(1000), room.width())
        place = QRect(0, 0, width, min(self.heightForWidth(width), room.height()))
        place.moveCenter(room.center())
        self.setGeometry(place)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Stay in the middle of the window."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest) and watched is self._window:
            self._cover()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, ARG002
        """Go."""
        self.closed.emit()


def _words(theme: Theme, text: str, pixels: int, bold: bool = False) -> Label:
    made = Label(theme, "text", pixels, bold)
    made.setText(text)
    made.setWordWrap(True)
    return made


def _group(theme: Theme, name: str, keys: tuple[tuple[str, str], ...]) -> QGridLayout:
    grid = QGridLayout()
    grid.setColumnStretch(1, 1)
    grid.setHorizontalSpacing(px(10))
    grid.setVerticalSpacing(px(2))
    title = Label(theme, "calipers", 15, bold=True)
    title.setText(translate("Keys", name))
    grid.addWidget(title, 0, 0, 1, 2)
    for row, (key, what) in enumerate(keys, start=1):
        cap, words = Label(theme, "text", 13, bold=True), Label(theme, "text", 13)
        cap.setText(translate("Keys", key))
        words.setText(translate("Keys", what))
        words.setWordWrap(True)
        grid.addWidget(cap, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(words, row, 1, Qt.AlignmentFlag.AlignTop)
    return grid
