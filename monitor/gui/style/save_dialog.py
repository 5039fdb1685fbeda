"""Saving of a file: asks for its name, writes it, and reports the result in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from monitor.gui.style.language import translate
from stream.errors import BedsideError


class SaveDialog:
    """Asks for a file and saves it.

    Parameters
    ----------
    parent : QWidget
        The dialog belongs to its window.
    notify : callable
        Shows one line: what was saved, or why not.

    Attributes
    ----------
    dialog : QFileDialog or None
        The open file dialog.
    """

    def __init__(self, parent: QWidget, notify: Callable[[str], None]) -> None:
        self.dialog: QFileDialog | None = None
        self._parent, self._notify = parent, notify

    def open(self, form: str, name: str, save: Callable[[Path], None], *, confirm: bool = True) -> None:
        """Open the dialog; while one is open, do nothing.

        Parameters
        ----------
        form : str
            Name of the format.
        name : str
            Suggested file name; its suffix is that of the format.
        save : callable
            Called with the path that the user chooses.
        confirm : bool
            Ask before a file is overwritten.
        """
        if self.dialog is not None:
            return
        suffix = Path(name).suffix
        dialog = self.dialog = QFileDialog(self._parent.window(), translate("Review", "Save {form}").format(form=form))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setNameFilter(f"{form} (*{suffix})")
        dialog.setDefaultSuffix(suffix)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite, not confirm)
        dialog.selectFile(name)
        dialog.fileSelected.connect(lambda chosen: save(Path(chosen)))
        dialog.finished.connect(self._discard)
        dialog.open()

    def _discard(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def write(self, path: Path, writer: Callable[[Path], None]) -> None:
        """Call a function that writes a file, and report the result."""
        try:
            writer(path)
        except BedsideError as error:
            self._notify(translate("Review", "not saved: {why}").format(why=error))
        except OSError as error:
            text = translate("Review", "not saved: {path} cannot be written ({why}): choose another folder")
            self._notify(text.format(path=path, why=error.strerror))
        else:
            self._notify(translate("Review", "saved {path}").format(path=path))
