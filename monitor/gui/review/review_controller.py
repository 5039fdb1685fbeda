"""Opens the review of an event and keeps it up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from monitor.alarm_log.reader import StoreReader
from monitor.common.strip import Strip
from monitor.common.strip_forecast import StripForecast
from monitor.gui.review.review_dialog import ReviewDialog
from monitor.gui.style.theme import Theme
from monitor.view.event_review import Review, build_review, newer_review, with_note, with_strip
from monitor.view.link import LinkState
from monitor.view.presenter import Presenter
from monitor.view.view_model import Frame
from stream.errors import StorageError
from stream.wire.alarm_texts import Phrase, phrase

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter

UPDATE_INTERVAL_NS = 250_000_000
"""Interval between updates of an open review, ns."""

STORE_INTERVAL_NS = 2_000_000_000
"""Interval between looks into the alarm store for a strip that is not complete, ns."""


class ReviewController:
    """Manages at most one review dialog.

    Parameters
    ----------
    theme : Theme
    window : QWidget
    presenter : Presenter
    write_record : callable or None
        Writes WFDB records; None disables that export.
    store : StoreReader or None
        The alarm store, for samples that the window does not have; None without one.

    Attributes
    ----------
    dialog : ReviewDialog or None
    theme : Theme
        Theme of the next dialog; an open one is updated like every widget.
    px_per_mm : float
        Resolution of the screen.
    """

    def __init__(
        self,
        theme: Theme,
        window: QWidget,
        presenter: Presenter,
        write_record: RecordWriter | None,
        store: StoreReader | None = None,
    ) -> None:
        self.dialog: ReviewDialog | None = None
        self.theme, self.px_per_mm = theme, window.physicalDpiX() / 25.4
        self._window, self._presenter, self._write = window, presenter, write_record
        self._store = store
        self._found: _Found | None = None
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
        review = None if bed is None else build_review(bed, alarm_id, link)
        return self._completed(review, frame.now_ns) if review is not None and review.has_gaps else review

    def _completed(self, review: Review, now_ns: int) -> Review:
        """Return a review with the samples of the alarm store, or with a note why there are none."""
        if self._store is None:
            return review if review.leads else with_note(review, phrase("store.not_given"))
        alarm_id, found = review.alarm.alarm_id, self._found
        if (
            found is None
            or found.alarm_id != alarm_id
            or (not found.is_complete and not 0 <= now_ns - found.looked_ns < STORE_INTERVAL_NS)
        ):
            found = self._found = _look(self._store, alarm_id, now_ns)
        if found.problem is None:
            return with_strip(review, found.strip, found.forecast)
        return review if review.leads else with_note(review, found.problem)

    def _discard_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What the alarm store had of an alarm at a time."""

    alarm_id: str
    strip: Strip | None
    forecast: StripForecast | None
    problem: Phrase | None
    looked_ns: int

    @property
    def is_complete(self) -> bool:
        return self.strip is not None and self.strip.complete


def _look(store: StoreReader, alarm_id: str, now_ns: int) -> _Found:
    try:
        return _Found(alarm_id, store.strip(alarm_id), store.forecast(alarm_id), None, now_ns)
    except StorageError as error:
        return _Found(alarm_id, None, None, phrase("verbatim", text=f"{error}."), now_ns)
