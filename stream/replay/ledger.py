"""A ledger: one CSV row per chunk that a process handled, to compare sent chunks with received ones."""

from __future__ import annotations

import csv
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from stream.errors import StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Write(Protocol):
    """Writes one row."""

    def __call__(self, *values: object) -> None: ...


def discard(*values: object) -> None:
    """Write nothing."""


@contextmanager
def ledger(path: Path | None, *columns: str) -> Iterator[Write]:
    """Open a ledger; without a path, rows are discarded.

    Each row is passed to the operating system when it is written, so that the ledger of a killed process is complete.

    Raises
    ------
    StorageError
        The file cannot be written; also from each row, and on leaving the context.
    """
    if path is None:
        yield discard
        return
    try:
        file = path.open("w", newline="", buffering=1)
    except OSError as error:
        raise _failure(path, error) from None
    writer = csv.writer(file)

    def write(*values: object) -> None:
        try:
            writer.writerow(values)
        except OSError as error:
            raise _failure(path, error) from None

    try:
        write(*columns)
        yield write
    finally:
        try:
            file.close()
        except OSError as error:
            raise _failure(path, error) from None


def _failure(path: Path, error: OSError) -> StorageError:
    remedy = "make room on its disk, or choose another --ledger" if error.errno in _FULL else "choose another --ledger"
    return StorageError(f"ledger {path.name} cannot be written ({error.strerror}): {remedy}")
