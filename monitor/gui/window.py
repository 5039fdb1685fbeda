"""The window of the monitor: takes what has come, asks the presenter for a frame, hands it to the widgets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from monitor.frame import Frame
from monitor.gui.alarm_banner import AlarmBanner
from monitor.gui.alarm_list import AlarmList
from monitor.gui.bed_bar import BedBar
from monitor.gui.bed_header import BedHeader
from monitor.gui.footer import Footer
from monitor.gui.numbers import EngineerPanel, HeartRate
from monitor.gui.residual_strip import ResidualStrip
from monitor.gui.sweep import GUTTER, SweepView
from monitor.gui.theme import NIGHT, Theme
from monitor.presenter import Broker, Presenter
from stream.client import Received
from stream.messages import FS

FRAME_MS = 16
_SIDE = 300
_ROOMY = 640


class Source(Protocol):
    """What the window needs of `monitor.feed.Feed`."""

    def drain(self) -> list[Received]:
        """Return what has come since the last call, without waiting."""
        ...

    @property
    def connected(self) -> bool:
        """True while the broker is there."""
        ...

    @property
    def text(self) -> str:
        """The state of the connection, in words."""
        ...

    @property
    def counters(self) -> dict[str, int]:
        """What the connection has counted."""
        ...


class MonitorWindow(QWidget):
    """One bed large, the others in a bar.

    Parameters
    ----------
    source : Source
        Where messages come from; the window never waits for it.
    bed : str or None
        The bed to show; None takes the first that streams.
    theme : Theme
    clock : callable
        Returns Unix time in ns.

    Attributes
    ----------
    presenter : Presenter
    frame_shown : Frame or None
        The last frame.
    first_drawn_ns : int or None
        When the first sample was drawn.
    before_close, after_frame : callable or None
        Called before the window goes, and after each frame.
    """

    def __init__(
        self,
        source: Source,
        bed: str | None = None,
        theme: Theme = NIGHT,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__()
        self.presenter = Presenter()
        self.frame_shown: Frame | None = None
        self.first_drawn_ns: int | None = None
        self.before_close: Callable[[], None] | None = None
        self.after_frame: Callable[[Frame], None] | None = None
        self._source, self._bed, self._clock = source, bed, clock
        self._build(theme)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._timer.start(FRAME_MS)

    def _build(self, theme: Theme) -> None:
        self.setWindowTitle("bedside monitor — simulation")
        self.resize(1280, 800)
        self.setMinimumSize(640, 480)
        self.setStyleSheet(
            f"MonitorWindow {{ background: {theme.ground} }}"
            f"QListWidget {{ background: {theme.panel}; border: none; padding: 6px }}"
            f"QListWidget::item {{ padding: 4px 2px; border-bottom: 1px solid {theme.edge} }}"
            f"QScrollBar {{ background: {theme.panel}; width: 8px }}"
            f"QScrollBar::handle {{ background: {theme.edge}; min-height: 24px; border-radius: 4px }}"
            "QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page "
            "{ background: none; height: 0 }"
        )
        self.banner, self.header, self.beds = AlarmBanner(theme), BedHeader(theme), BedBar(theme)
        self.sweep, self.strip = SweepView(theme), ResidualStrip(theme)
        self.heart_rate, self.engineer, self.alarms = HeartRate(theme), EngineerPanel(theme), AlarmList(theme)
        self.footer = Footer(theme)
        self.beds.chosen.connect(self.choose)

        traces, side, main, whole = QVBoxLayout(), QVBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        for layout in (traces, side, main, whole):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(2)
        traces.addWidget(self.sweep, 1)
        traces.addWidget(self.strip)
        side.addWidget(self.heart_rate)
        side.addWidget(self.alarms, 1)
        side.addWidget(self.engineer)
        for widget in (self.heart_rate, self.alarms, self.engineer):
            widget.setFixedWidth(_SIDE)
        main.addLayout(traces, 1)
        main.addLayout(side)
        whole.addWidget(self.banner)
        whole.addWidget(self.header)
        whole.addLayout(main, 1)
        whole.addWidget(self.beds)
        whole.addWidget(self.footer)

    # --- frames -------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Take what has come and draw one frame."""
        for received in self._source.drain():
            self.presenter.take(received)
        broker = Broker(self._source.connected, self._source.text)
        frame = self.presenter.frame(self._clock(), self._bed, broker)
        # The first bed that streams stays chosen when others come.
        self._bed = frame.bed
        self._show(frame)
        self.frame_shown = frame
        if self.first_drawn_ns is None and frame.trace is not None and frame.trace.cursor > frame.trace.first:
            self.first_drawn_ns = frame.now_ns
        if self.after_frame is not None:
            self.after_frame(frame)

    def _show(self, frame: Frame) -> None:
        self.banner.show_frame(frame)
        px_per_s = (self.sweep.width() - GUTTER) * FS / frame.trace.span if frame.trace else 1.0
        self.header.show_frame(frame, px_per_s, self.physicalDpiX() / 25.4)
        self.sweep.show_trace(frame.trace, stale=frame.link.stale, message=frame.link.text)
        self.strip.show_trace(frame.trace, stale=frame.link.stale)
        self.engineer.show_numbers(frame.numbers, self._source.counters.get("rejected", 0))
        self.alarms.show_lines(frame.history)
        self.beds.show_beds(frame.beds, frame.bed)
        self.footer.show_broker(frame.broker)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Where height is scarce, the list of alarms needs it more than the engineer's numbers do."""
        self.engineer.setVisible(event.size().height() >= _ROOMY)
        super().resizeEvent(event)

    # --- people -------------------------------------------------------------------------------------------------

    def choose(self, bed: str) -> None:
        """Show another bed."""
        self._bed = bed

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Arrows and digits choose a bed, F is full screen, Escape leaves it, Q closes."""
        names = self.presenter.beds
        key = event.key()
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        if key in steps and names:
            at = names.index(self._bed) if self._bed in names else 0
            self.choose(names[(at + steps[Qt.Key(key)]) % len(names)])
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_9 and key - Qt.Key.Key_1 < len(names):
            self.choose(names[key - Qt.Key.Key_1])
        elif key == Qt.Key.Key_F:
            self.showNormal() if self.isFullScreen() else self.showFullScreen()
        elif key == Qt.Key.Key_Escape and self.isFullScreen():
            self.showNormal()
        elif key == Qt.Key.Key_Q:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Stop drawing; what must be saved is saved before."""
        if self._timer.isActive():
            self._timer.stop()
            if self.before_close is not None:
                self.before_close()
        super().closeEvent(event)
