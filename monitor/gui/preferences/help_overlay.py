"""Help overlay: keyboard shortcuts, or an introduction at the first start. It never covers alarms."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from monitor.gui.preferences.shortcuts import GROUPS
from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.theme import Theme, px

WELCOME = (
    QT_TRANSLATE_NOOP("Help", "The trace is a recorded ECG, replayed in real time: there is no patient in this bed."),
    QT_TRANSLATE_NOOP(
        "Help",
        "Ahead of it is a forecast of the next second, from a neural network and this patient's own past, with a 90 % "
        "band.",
    ),
    QT_TRANSLATE_NOOP(
        "Help",
        "Where signal and forecast differ, the anomaly score rises (key E shows it); above its threshold, an alarm is "
        "raised.",
    ),
    QT_TRANSLATE_NOOP("Help", "Click an alarm in the list to review the ten seconds before and after its onset."),
)


class HelpOverlay(QFrame):
    """Overlay on a window, closed by any key or click.

    Parameters
    ----------
    theme : Theme
    window : QWidget
        The window that it covers between `above` and `below`; the introduction lies at the bottom of the traces.
    above, below : QWidget
        Widgets that stay visible: alarms at the top, the warning at the bottom.
    welcome : bool
        Show the introduction instead of the shortcuts.

    Attributes
    ----------
    closed : Signal
        A click on the overlay.
    """

    closed = Signal()

    def __init__(self, theme: Theme, window: QWidget, above: QWidget, below: QWidget, welcome: bool) -> None:
        super().__init__(window)
        self._window, self._above, self._below, self._welcome = window, above, below, welcome
        whole = QVBoxLayout(self)
        if welcome:
            whole.addWidget(_text_label(theme, translate("Help", "What you see"), 18, bold=True))
            for text in WELCOME:
                whole.addWidget(_text_label(theme, translate("Help", text), 14))
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
        self._place()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.setStyleSheet(f"HelpOverlay {{ background: {theme.panel}; border: 1px solid {theme.faint} }}")
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(px(18), px(8), px(18), px(6))
        layout.setSpacing(px(5))

    def _place(self) -> None:
        top, bottom = self._above.geometry().bottom() + 1, self._below.geometry().top()
        available = QRect(0, top, self._window.width(), max(bottom - top, 0))
        if self._welcome:  # what it explains stays visible: traces above it, numbers and buttons beside it
            available.setWidth(available.width() * 3 // 4)
        width = min(px(1000), available.width())
        rect = QRect(0, 0, width, min(self.heightForWidth(width), available.height()))
        rect.moveCenter(available.center())
        if self._welcome:
            rect.moveBottom(available.bottom())
        self.setGeometry(rect)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Keep the overlay at its place in the window."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest) and watched is self._window:
            self._place()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, ARG002
        """Emit `closed`."""
        self.closed.emit()


def _text_label(theme: Theme, text: str, pixels: int, bold: bool = False) -> Label:
    label = Label(theme, "text", pixels, bold)
    label.setText(text)
    label.setWordWrap(True)
    return label


def _group(theme: Theme, name: str, keys: tuple[tuple[str, str], ...]) -> QGridLayout:
    grid = QGridLayout()
    grid.setColumnStretch(1, 1)
    grid.setHorizontalSpacing(px(10))
    grid.setVerticalSpacing(px(2))
    title = Label(theme, "calipers", 15, bold=True)
    title.setText(translate("Keys", name))
    grid.addWidget(title, 0, 0, 1, 2)
    for row, (key, action) in enumerate(keys, start=1):
        key_label, action_label = Label(theme, "text", 13, bold=True), Label(theme, "text", 13)
        key_label.setText(translate("Keys", key))
        action_label.setText(translate("Keys", action))
        action_label.setWordWrap(True)
        grid.addWidget(key_label, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(action_label, row, 1, Qt.AlignmentFlag.AlignTop)
    return grid
