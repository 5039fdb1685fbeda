"""Opens the review of an event and keeps it up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from monitor.gui.review.review_dialog import ReviewDialog
from monitor.gui.style.theme import Theme
from monitor.view.event_review import Review, build_review, newer_review
from monitor.view.link import LinkState
from monitor.view.presenter import Presenter
from monitor.view.view_model import Frame

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter

UPDATE_INTERVAL_NS = 250_000_000
"""Interval between updates of an open review, ns."""


class ReviewController:
    """Manages at most one review dialog.

    Attributes
    ----------
    dialog : ReviewDialog or None
    theme : Theme
        Theme of the next dialog; an open one is updated like every widget.
    px_per_mm : float
        Resolution of the screen.
    """

    def __init__(self, theme: Theme, window: QWidget, presenter: Presenter, write_record: RecordWriter | None) -> None:
        self.dialog: ReviewDialog | None = None
        self.theme, self.px_per_mm = theme, window.physicalDpiX() / 25.4
        self._window, self._presenter, self._write = window, presenter, write_record
        self._updated_ns = 0

    def open(self, alarm_id: str, frame: Frame) -> None:
        """Show an alarm of the bed shown."""
        found = self._find(frame.bed, alarm_id, frame)
        if found is None:
            return
        if self.dialog is None:
            self.dialog = ReviewDialog(self.theme, found, self._write, self._window, self.px_per_mm)
            self.dialog.finished.connect(self._discard_dialog)
        else:
            self.dialog.show_review(found)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def tick(self, frame: Frame) -> None:
        """Update an open review."""
        if self.dialog is None or 0 <= frame.now_ns - self._updated_ns < UPDATE_INTERVAL_NS:
            return
        self._updated_ns = frame.now_ns
        before = self.dialog.review
        now = self._find(before.alarm.bed, before.alarm.alarm_id, frame)
        if now is not None and (after := newer_review(before, now)).key != before.key:
            self.dialog.show_review(after)

    def close(self) -> None:
        """Close an open review."""
        if self.dialog is not None:
            self.dialog.close()

    def _find(self, name: str | None, alarm_id: str, frame: Frame) -> Review | None:
        bed = self._presenter.bed(name)
        link = next((tab.state for tab in frame.beds if tab.name == name), LinkState.WAITING)
        return None if bed is None else build_review(bed, alarm_id, link)

    def _discard_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None
