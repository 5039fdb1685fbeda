"""The folder of a recording: who writes it, the names of its records, and those that a killed process left unfinished.

DIR/bed-1/20260131T120000_0001.hea …      one folder per bed; numbers go on, nothing is overwritten
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from stream.clock import rfc3339
from stream.errors import StorageError
from stream.records.appended_annotations import sort
from stream.records.appended_record import ENDED, mark_ended, storing
from stream.timebase import FS
from stream.wire.topics import is_bed

ALONE = "numerics alone; "
"""Begin of a comment in the header of a record of numerics without ECG."""

_KILLED = "the recording process ended unexpectedly; what came after the last"

_FIRST_LINE = re.compile(r"\S+ \d+ (\S+) (\d+) ")
"""Frames per second, and frames."""

_NAME = re.compile(r"\d{8}T\d{6}_(\d{4,})")
"""A record; what follows this begin is a companion of it: numerics, a wave."""


class RecordingFolder:
    """A folder that this process alone records into; a context.

    Parameters
    ----------
    path : Path
        Created if missing.

    Raises
    ------
    StorageError
        On entering: it cannot be written, or another process records into it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> RecordingFolder:
        with self._undo:
            with storing(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
            self._undo.enter_context(_alone(self.path))
            self._undo = self._undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def beds(self) -> set[str]:
        """Return the beds that have a folder."""
        with storing(self.path):
            return {path.name for path in self.path.iterdir() if path.is_dir() and is_bed(path.name)}

    def check_room(self, least: int) -> None:
        """Check that so many bytes are free, so that a recorder leaves room to others.

        Raises
        ------
        StorageError
            There are fewer.
        """
        with storing(self.path):
            free = shutil.disk_usage(self.path).free
        if free < least:
            raise StorageError(
                f"{self.path} has {free / 1e9:.2f} GB free, less than the {least / 1e9:g} GB of --min-free: make room, "
                "or choose another --out; what was written is readable"
            )

    def next_stem(self, bed: str) -> Path:
        """Return the path of a new record of a bed, without suffix."""
        folder = self.path / bed
        with storing(folder):
            folder.mkdir(exist_ok=True)
            numbers = [int(found[1]) for path in folder.iterdir() if (found := _NAME.match(path.name))]
        moment = re.sub("[-:]", "", rfc3339(time.time_ns()).partition(".")[0])
        return folder / f"{moment}_{max(numbers, default=0) + 1:04}"

    def finish_interrupted(self) -> dict[Path, str]:
        """Complete the records that an earlier process left. Empty ones are removed.

        Returns
        -------
        dict of Path to str
            By their paths without suffix: what may be lost of each, as the last line of its header says.

        Raises
        ------
        StorageError
            They cannot be written.
        """
        found = {}
        for header in sorted(self.path.glob("*/*.hea")):
            text = _text(header)
            if not _NAME.match(header.stem) or f"\n{ENDED}" in text:
                continue
            if not _length(text):  # ended before its first frame
                with storing(header.with_suffix("")):
                    for suffix in (".dat", ".atr", ".ref", ".hea"):
                        header.with_suffix(suffix).unlink(missing_ok=True)
                continue
            for suffix in (".atr", ".ref"):
                sort(header.with_suffix(suffix))
            reason = _killed(text)
            mark_ended(header, reason)
            if _NAME.fullmatch(header.stem):
                found[header.with_suffix("")] = reason
        return found

    def recorded(self) -> dict[str, dict[str, int]]:
        """Return, of each bed and session, the index after the last sample that is recorded."""
        ends: dict[str, dict[str, int]] = {}
        for header in self.path.glob("*/*.hea"):
            text = _text(header)
            session = re.search(r"^# session: (\w+)$", text, re.MULTILINE)
            first = re.search(r"^# first sample: (-?\d+)$", text, re.MULTILINE)
            line = _FIRST_LINE.match(text)
            if session and first and line and _NAME.fullmatch(header.stem):
                end = int(first[1]) + round(int(line[2]) * FS / float(line[1]))
                of_bed = ends.setdefault(header.parent.name, {})
                of_bed[session[1]] = max(end, of_bed.get(session[1], 0))
        return ends


def not_recorded(first: int, stop: int) -> str:
    """Return the note on samples of a session that no record contains."""
    return f"gap: samples {first} to {stop - 1} of the session ({(stop - first) / FS:.2f} s) were not recorded"


def _killed(text: str) -> str:
    """Return what a killed process may have lost of a record: of numerics alone, each row is written as it comes."""
    line = _FIRST_LINE.match(text)
    if line and f"\n# {ALONE}" in text:
        return f"{_KILLED} row is lost, at most one row of {1 / float(line[1]):g} s"
    return f"{_KILLED} sample is lost, at most 10 s"


def _length(text: str) -> int:
    """Return the number of frames that a header gives."""
    line = _FIRST_LINE.match(text)
    return int(line[2]) if line else 0


def _text(header: Path) -> str:
    with storing(header):
        return header.read_text("ascii", "replace")


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Lock out other recorders, by a transaction on an empty database, which ends with the process on every system."""
    lock = sqlite3.connect(path / ".recorder", timeout=0, isolation_level=None)
    with contextlib.closing(lock):
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            raise StorageError(
                f"another 'bedside record' writes to {path}: end that, or choose another --out"
                if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                else f"{path} cannot be used ({error}): choose another --out"
            ) from None
        yield
        with contextlib.suppress(OSError):
            (path / ".recorder").unlink()
