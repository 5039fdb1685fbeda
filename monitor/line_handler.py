"""Log lines on standard error, for programs that must not wait for the reader of them."""

from __future__ import annotations

import io
import logging
import select
from typing import TextIO


class LineHandler(logging.StreamHandler[TextIO]):
    """Drops a line instead of waiting for a reader that has stalled, and reports later how many were dropped."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        if not _is_writable(self.stream):
            self._dropped += 1
            return
        if self._dropped:
            note = f"{self._dropped} lines were dropped, because standard error was not being read"
            self._dropped = 0
            super().emit(logging.LogRecord("bedside", logging.WARNING, "", 0, note, None, None))
        super().emit(record)


def _is_writable(stream: TextIO) -> bool:
    """Return whether a short line can be written at once. A pipe that is writable takes 4,096 bytes."""
    try:
        return bool(select.select([], [stream.fileno()], [], 0)[1])
    except (OSError, ValueError, AttributeError, io.UnsupportedOperation):
        return True  # no file of the operating system, or not one that select understands
