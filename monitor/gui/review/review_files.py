"""Saving of an event in each of its formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtWidgets import QFileDialog, QWidget

from monitor.common.atomic_write import write_atomically
from monitor.gui.review.review_pdf import pdf
from monitor.gui.style.save_dialog import SaveDialog
from monitor.view.event_export import file_stem, to_csv, write_wfdb
from monitor.view.event_review import Review

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter

FORMATS = {"PNG": ".png", "PDF": ".pdf", "CSV": ".csv", "WFDB": ".hea"}
"""File formats and their suffixes."""


class ReviewFiles:
    """Saves a review as files.

    Parameters
    ----------
    page : QWidget
        The widget that is saved as PNG.
    review : callable
        Returns the current review.
    measured : callable
        Returns the measurement of the calipers.
    notify : callable
        Shows one line: what was saved, or why not.
    write_record : callable or None
        Writes WFDB records; None disables that format.
    """

    def __init__(
        self,
        page: QWidget,
        review: Callable[[], Review],
        measured: Callable[[], str],
        notify: Callable[[str], None],
        write_record: RecordWriter | None,
    ) -> None:
        self._dialog = SaveDialog(page, notify)
        self._page, self._review, self._measured, self._write = page, review, measured, write_record

    @property
    def dialog(self) -> QFileDialog | None:
        """The open file dialog."""
        return self._dialog.dialog

    @property
    def formats(self) -> list[str]:
        """The available formats."""
        return [form for form in FORMATS if form != "WFDB" or self._write is not None]

    def open_dialog(self, form: str) -> None:
        """Open the file dialog for a format."""
        name = file_stem(self._review()) + FORMATS[form]
        # A WFDB record is three files; the writer refuses to overwrite any of them.
        self._dialog.open(form, name, lambda path: self.save(form, path), confirm=form != "WFDB")

    def save(self, form: str, path: Path) -> None:
        """Write the file and report the result."""
        self._dialog.write(path, lambda chosen: self._write_file(form, chosen))

    def _write_file(self, form: str, path: Path) -> None:
        if form == "WFDB" and self._write is not None:
            write_wfdb(self._review(), path, self._write)
        else:
            write_atomically(path, self._bytes(form))

    def _bytes(self, form: str) -> bytes:
        review = self._review()
        if form == "CSV":
            return to_csv(review).encode()
        if form == "PDF":
            return pdf(review, self._measured())
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self._page.grab().save(buffer, "PNG")
        return bytes(buffer.data().data())
