"""The instructor's window: beds, what can be done to them, and what has been done. Students' monitors show none of it.

All of it is done by the documented commands, and shown once it comes back in the publisher's status or as truth.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from monitor.gui.instructor.bed_controls import BedControls
from monitor.gui.instructor.names import truth_line
from monitor.gui.instructor.truth_list import TruthList
from monitor.gui.style.footer import simulation
from monitor.gui.style.label import ElidedLabel, Label
from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, font, px
from monitor.view.commands import command
from monitor.view.instruction import Instruction
from monitor.view.replay_status import clock
from monitor.view.source import Source
from stream.timebase import FS
from stream.wire.plain_text import plain
from stream.wire.replay_actions import PublisherAction

FRAME_MS = 100
_BED = Qt.ItemDataRole.UserRole


class InstructorWindow(QWidget):
    """Window of an instructor.

    Parameters
    ----------
    source : Source
        Source of messages; the window never waits for it.
    theme : Theme
    who : str
        User name in the commands.
    timed : bool
        Draw ten times per second; with False the caller calls `tick`.

    Attributes
    ----------
    state : Instruction
    beds : QListWidget
    truths : TruthList
    controls : BedControls
    notice : ElidedLabel
        Why the last command was refused or not sent.
    after_tick : callable or None
        Called after each tick.
    """

    def __init__(self, source: Source, theme: Theme, who: str = "instructor", timed: bool = True) -> None:
        super().__init__()
        self.state = Instruction()
        self.after_tick: Callable[[], None] | None = None
        self._source, self._who, self._unsent = source, who, ""
        self._shown: tuple[object, ...] | None = None
        self.setWindowTitle(translate("Instructor", "bedside — instructor"))
        self.beds, self.truths, self.controls = QListWidget(), TruthList(theme), BedControls(theme)
        self.notice, self.broker = ElidedLabel(theme, "simulation", 15, bold=True), ElidedLabel(theme, "faint", 12)
        self.warning = Label(theme, "simulation", 16, bold=True, text_source=simulation)
        self.beds.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.beds.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.beds.currentRowChanged.connect(lambda _row: self._refresh())
        self.controls.requested.connect(self.request)
        footer, middle, whole = QHBoxLayout(), QSplitter(Qt.Orientation.Horizontal), QVBoxLayout(self)
        footer.addWidget(self.warning)
        footer.addWidget(self.broker, 1)
        area = QScrollArea()  # for screens that are lower than all controls
        area.setWidget(self.controls)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for widget, stretch in ((self.beds, 0), (area, 3), (self.truths, 1)):
            middle.addWidget(widget)
            middle.setStretchFactor(middle.count() - 1, stretch)
        self.beds.setMinimumWidth(px(150))
        self.truths.setMinimumWidth(px(220))
        middle.setSizes([px(170), px(850), px(260)])
        whole.addWidget(middle, 1)
        whole.addWidget(self.notice)
        whole.addLayout(footer)
        self.apply_theme(theme)
        self.resize(px(1280), px(800))
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.tick)
        if timed:
            self._timer.start(FRAME_MS)

    @property
    def bed(self) -> str | None:
        """The bed that is selected."""
        item = self.beds.currentItem()
        return None if item is None else str(item.data(_BED))

    def request(self, action: PublisherAction) -> None:
        """Send a command to the bed that is selected."""
        if self.bed is None:
            return
        message = command(self.bed, self._who, time.time_ns(), action)
        sent = self._source.send(message)
        self._unsent = "" if sent else translate("Instructor", "not sent: the broker is not connected")
        if sent:
            self.state.asked(self.bed, message.command_id)

    def tick(self) -> None:
        """Process what has come, and show it."""
        for received in self._source.drain():
            self.state.process(received)
        self._refresh()
        if self.after_tick is not None:
            self.after_tick()

    def _refresh(self) -> None:
        self._show_beds()
        bed = self.bed
        status = None if bed is None else self.state.status(bed)
        scenario_s = None if bed is None else self.state.scenario_s(bed, time.monotonic_ns())
        shown = (bed, self.state.revision, None if scenario_s is None else round(scenario_s, 1), self._source.connected)
        if shown != self._shown:
            self._shown = shown
            present, score = ({}, None) if bed is None else (self.state.values(bed), self.state.score(bed))
            self.controls.show_status(status, scenario_s, present, score)
            self._show_truths()
        refused = "" if bed is None else self.state.refusal(bed)
        reason = translate("Instructor", "refused: {reason}").format(reason=refused) if refused else ""
        self.notice.setText(self._unsent or reason)
        self.broker.setText(text_of(self._source.phrase))

    def _show_beds(self) -> None:
        for row, bed in enumerate(sorted(self.state.beds)):
            item = self.beds.item(row)
            if item is None or item.data(_BED) != bed:
                item = QListWidgetItem()
                item.setData(_BED, bed)
                self.beds.insertItem(row, item)
            item.setText(self._description(bed))
        if self.beds.currentItem() is None and self.beds.count():
            self.beds.setCurrentRow(0)

    def _description(self, bed: str) -> str:
        status = self.state.status(bed)
        if status is None:
            return plain(f"{bed}\n") + translate("Instructor", "no publisher")
        what = translate("Instructor", "paused") if status.state == "paused" else clock(status.position // FS)
        return f"{plain(bed)}\n{plain(status.record)}\n{what}"

    def _show_truths(self) -> None:
        truths = () if self.bed is None else self.state.beds[self.bed]
        self.truths.show_lines(tuple(plain(truth_line(one)) for one in truths))

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Stop drawing."""
        self._timer.stop()
        event.accept()

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._shown = None
        self.setStyleSheet(f"InstructorWindow, QScrollArea, BedControls {{ background: {theme.ground} }}")
        style = (
            f"QListWidget {{ background: {theme.panel}; color: {theme.text}; border: none }}"
            f"QListWidget::item {{ padding: 6px }}"
            f"QListWidget::item:selected {{ background: {theme.edge}; color: {theme.text} }}"
        )
        self.beds.setStyleSheet(style)
        self.beds.setFont(font(15))
