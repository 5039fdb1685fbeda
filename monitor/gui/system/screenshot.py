"""Screenshot of a widget, written atomically."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtWidgets import QWidget

from monitor.common.atomic_write import write_atomically
from stream.errors import StorageError


def save(widget: QWidget, path: Path) -> None:
    """Save a PNG of the widget.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not widget.grab().save(buffer, "PNG"):
        raise StorageError(f"screenshot {path.name}: Qt cannot write PNG files; check its image plugins")
    write(path, bytes(buffer.data().data()))


def write(path: Path, data: bytes) -> None:
    """Write a file atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    try:
        write_atomically(path, data)
    except OSError as error:
        raise _not_writable(path, error) from None


def check_writable(path: Path) -> None:
    """Check before drawing that the screenshot can be saved.

    Raises
    ------
    StorageError
        The folder does not exist or cannot be written, or the path is a folder.
    """
    if path.is_dir():
        raise StorageError(f"screenshot {path} is a folder: name a file in it, such as {path / 'monitor.png'}")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            return
    except OSError as error:
        raise _not_writable(path, error) from None


def _not_writable(path: Path, error: OSError) -> StorageError:
    return StorageError(f"screenshot {path} cannot be written ({error.strerror}): choose another --screenshot")
