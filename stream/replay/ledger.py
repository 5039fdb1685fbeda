"""A ledger: one line of CSV for each chunk that a process handled, to compare what was sent with what arrived."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from stream.errors import StorageError


class Write(Protocol):
    """Write one line."""

    def __call__(self, *values: object) -> None: ...


def _nothing(*values: object) -> None:
    pass


@contextmanager
def ledger(path: Path | None, *columns: str) -> Iterator[Write]:
    """Open a ledger; with None, writing does nothing.

    Each line is on disk (in the system's hands) once it is written, so that a killed process leaves its ledger behind.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    if path is None:
        yield _nothing
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
