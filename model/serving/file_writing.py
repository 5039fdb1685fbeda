"""Writes parts of files in place: to empty a file first takes twice as long."""

from __future__ import annotations

import errno
import os
from pathlib import Path

MAX_OPEN = 128
"""Files of a folder that stay open: half of what the strictest common system permits a process, 256 (macOS)."""

END = b"\xff" * 8
"""Follows the last part: no part begins like this. What is left of an older, longer content is not read."""


def write_at(file: int, data: bytes, at: int) -> int:
    """Write data at a place of a file, and `END` behind it; return the place behind the data.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    os.lseek(file, at, os.SEEK_SET)
    for content in (data, END):
        if os.write(file, content) < len(content):  # the disk is full
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return at + len(data)


class OpenFiles:
    """The files of a folder that are being written, opened when they are needed; not thread-safe.

    Parameters
    ----------
    folder : Path
    most : int
        Files that stay open; those that have not been used for longest are closed.
    """

    def __init__(self, folder: Path, most: int = MAX_OPEN) -> None:
        self._folder, self._most = folder, most
        self._open: dict[str, int] = {}

    def get(self, name: str) -> int:
        """Return the descriptor of a file, valid until the next call; it is created if missing.

        Raises
        ------
        OSError
            It cannot be opened.
        """
        file = self._open.pop(name, None)
        if file is None:
            if len(self._open) >= self._most:
                os.close(self._open.pop(next(iter(self._open))))
            file = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        self._open[name] = file
        return file

    def empty(self, name: str) -> None:
        """Remove the content of a file, or create it.

        Raises
        ------
        OSError
        """
        os.ftruncate(self.get(name), 0)

    def remove(self, name: str) -> None:
        """Remove a file, if there is one.

        Raises
        ------
        OSError
            It cannot be removed.
        """
        if name in self._open:
            os.close(self._open.pop(name))
        (self._folder / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Close all files."""
        while self._open:
            os.close(self._open.popitem()[1])
