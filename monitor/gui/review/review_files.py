"""Save an event: asks where, writes, and says in one line what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtWidgets import QFileDialog, QWidget

from monitor.common.atomic_write import write_atomically
from monitor.gui.review.review_pdf import pdf
from monitor.gui.style.language import translate
from monitor.view.event_export import file_stem, table, write_wfdb
from monitor.view.event_review import Review
from stream.errors import BedsideError

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter

FORMS = {"PNG": ".png", "PDF": ".pdf", "CSV": ".csv", "WFDB": ".hea"}
"""What an event can be saved as, and how the file's name ends."""


class ReviewFiles:
    """Saves what a review shows.

    Parameters
    ----------
    page : QWidget
        What a picture shows.
    review : callable
        Returns the event as it is known now.
    measured : callable
        Returns what the calipers say.
    say : callable
        Takes one line for people: what was saved, or why not.
    write_record : callable or None
        Writes WFDB; without it that is not offered.

    Attributes
    ----------
    dialog : QFileDialog or None
        The question that is open now.
    """

    def __init__(
        self,
        page: QWidget,
        review: Callable[[], Review],
        measured: Callable[[], str],
        say: Callable[[str], None],
        write_record: RecordWriter | None,
    ) -> None:
        self.dialog: QFileDialog | None = None
        self._page, self._review, self._measured, self._say, self._write = page, review, measured, say, write_record

    @property
    def forms(self) -> list[str]:
        """What can be saved."""
        return [form for form in FORMS if form != "WFDB" or self._write is not None]

    def ask(self, form: str) -> None:
        """Ask where to save."""
        if self.dialog is not None:
            return
        suffix = FORMS[form]
        dialog = self.dialog = QFileDialog(self._page.window(), translate("Review", "Save {form}").format(form=form))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setNameFilter(f"{form} (*{suffix})")
        dialog.setDefaultSuffix(suffix)
        # A WFDB record is three files, of which none is overwritten: the writer refuses.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite, form == "WFDB")
        dialog.selectFile(file_stem(self._review()) + suffix)
        dialog.fileSelected.connect(lambda name: self.save(form, Path(name)))
        dialog.finished.connect(self._forget)
        dialog.open()

    def _forget(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def save(self, form: str, path: Path) -> None:
        """Write the file, whole or not at all, and say so."""
        try:
            if form == "WFDB" and self._write is not None:
                write_wfdb(self._review(), path, self._write)
            else:
                write_atomically(path, self._bytes(form))
        except BedsideError as error:
            self._say(translate("Review", "not saved: {why}").format(why=error))
        except OSError as error:
            said = translate("Review", "not saved: {path} cannot be written ({why}): choose another folder")
            self._say(said.format(path=path, why=error.strerror))
        else:
            self._say(translate("Review", "saved {path}").format(path=path))

    def _bytes(self, form: str) -> bytes:
        review = self._review()
        if form == "CSV":
            return table(review).encode()
        if form == "PDF":
            return pdf(review, self._measured())
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self._page.grab().save(buffer, "PNG")
        return bytes(buffer.data().data())
