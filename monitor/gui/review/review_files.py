"""Saving of an event: asks for the file, writes it, and reports the result in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtWidgets import QFileDialog, QWidget

from monitor.common.atomic_write import write_atomically
from monitor.gui.review.review_pdf import pdf
from monitor.gui.style.language import translate
from monitor.view.event_export import file_stem, to_csv, write_wfdb
from monitor.view.event_review import Review
from stream.errors import BedsideError

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

    Attributes
    ----------
    dialog : QFileDialog or None
        The open file dialog.
    """

    def __init__(
        self,
        page: QWidget,
        review: Callable[[], Review],
        measured: Callable[[], str],
        notify: Callable[[str], None],
        write_record: RecordWriter | None,
    ) -> None:
        self.dialog: QFileDialog | None = None
        self._page, self._review, self._measured, self._notify, self._write = (
            page,
            review,
            measured,
            notify,
            write_record,
        )

    @property
    def formats(self) -> list[str]:
        """The available formats."""
        return [form for form in FORMATS if form != "WFDB" or self._write is not None]

    def open_dialog(self, form: str) -> None:
        """Open the file dialog for a format."""
        if self.dialog is not None:
            return
        suffix = FORMATS[form]
        dialog = self.dialog = QFileDialog(self._page.window(), translate("Review", "Save {form}").format(form=form))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setNameFilter(f"{form} (*{suffix})")
        dialog.setDefaultSuffix(suffix)
        # A WFDB record is three files; the writer refuses to overwrite any of them.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite, form == "WFDB")
        dialog.selectFile(file_stem(self._review()) + suffix)
        dialog.fileSelected.connect(lambda name: self.save(form, Path(name)))
        dialog.finished.connect(self._discard_dialog)
        dialog.open()

    def _discard_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def save(self, form: str, path: Path) -> None:
        """Write the file atomically and report the result."""
        try:
            if form == "WFDB" and self._write is not None:
                write_wfdb(self._review(), path, self._write)
            else:
                write_atomically(path, self._bytes(form))
        except BedsideError as error:
            self._notify(translate("Review", "not saved: {why}").format(why=error))
        except OSError as error:
            text = translate("Review", "not saved: {path} cannot be written ({why}): choose another folder")
            self._notify(text.format(path=path, why=error.strerror))
        else:
            self._notify(translate("Review", "saved {path}").format(path=path))

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
