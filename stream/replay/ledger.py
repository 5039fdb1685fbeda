"""A ledger: one CSV row per chunk that a process handled, to compare sent chunks with received ones."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from stream.errors import StorageError


class Write(Protocol):
    """Writes one row."""

    def __call__(self, *values: object) -> None: ...


def _discard(*values: object) -> None:
    pass


@contextmanager
def ledger(path: Path | None, *columns: str) -> Iterator[Write]:
    """Open a ledger; without a path, rows are discarded.

    Each row is passed to the operating system when it is written, so that the ledger of a killed process is complete.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    if path is None:
        yield _discard
        return
    try:
        file = path.open("w", newline="", buffering=1)
    except OSError as error:
        raise StorageError(
            f"ledger {path.name} cannot be written ({error.strerror}): choose another --ledger"
        ) from None
    with file:
        writer = csv.writer(file)
        writer.writerow(columns)
        yield lambda *values: writer.writerow(values)
