"""Opens the review of an event, and brings it what comes later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from monitor.gui.review.review_dialog import ReviewDialog
from monitor.gui.style.theme import Theme
from monitor.view.event_review import Review, later, review
from monitor.view.link import LinkState
from monitor.view.presenter import Presenter
from monitor.view.view_model import Frame

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter

EVERY_NS = 250_000_000
"""A review that is open is looked after four times per second."""


class ReviewController:
    """One review at a time.

    Attributes
    ----------
    dialog : ReviewDialog or None
    theme : Theme
        Of the next dialog; one that is open gets it as every widget does.
    px_per_mm : float
        Of this screen.
    """

    def __init__(self, theme: Theme, window: QWidget, presenter: Presenter, write_record: RecordWriter | None) -> None:
        self.dialog: ReviewDialog | None = None
        self.theme, self.px_per_mm = theme, window.physicalDpiX() / 25.4
        self._window, self._presenter, self._write = window, presenter, write_record
        self._looked_ns = 0

    def open(self, alarm_id: str, frame: Frame) -> None:
        """Show an event of the bed shown."""
        found = self._find(frame.bed, alarm_id, frame)
        if found is None:
            return
        if self.dialog is None:
            self.dialog = ReviewDialog(self.theme, found, self._write, self._window, self.px_per_mm)
            self.dialog.finished.connect(self._forget)
        else:
            self.dialog.show_review(found)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def tick(self, frame: Frame) -> None:
        """Bring an open review up to date."""
        if self.dialog is None or 0 <= frame.now_ns - self._looked_ns < EVERY_NS:
            return
        self._looked_ns = frame.now_ns
        before = self.dialog.review
        now = self._find(before.alarm.bed, before.alarm.alarm_id, frame)
        if now is not None and (after := later(before, now)).key != before.key:
            self.dialog.show_review(after)

    def close(self) -> None:
        """Close what is open."""
        if self.dialog is not None:
            self.dialog.close()

    def _find(self, name: str | None, alarm_id: str, frame: Frame) -> Review | None:
        bed = self._presenter.bed(name)
        link = next((tab.state for tab in frame.beds if tab.name == name), LinkState.WAITING)
        return None if bed is None else review(bed, alarm_id, link)

    def _forget(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None
