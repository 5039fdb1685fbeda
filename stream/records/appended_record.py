"""A WFDB record that grows: format 16, appended in whole frames, with a header that is right after each of them.

The libraries for WFDB write a record at once, from memory. A recording must survive its process: frames are appended
to the signal file, and only then is the length in the header overwritten, in place and with as many digits. So a
process that is killed at any moment leaves a record that every reader of WFDB reads, up to the last whole frame whose
length was written. A line ``# ended: …`` is added once a record is complete; a record without it was interrupted.

A frame contains one or more samples of each signal, so signals of several rates share a record
(https://wfdb.io/spec/header-files.html). Nothing is forced to the disk: what is written survives the process, not a
power failure.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stream.clock import rfc3339
from stream.errors import StorageError
from stream.records.wfdb_text import ascii_text, signal_names

ENDED = "# ended: "
"""Begin of the last line of the header of a complete record."""

BESIDE = "beside it: "
"""Begin of a comment that names the record of a wave that has a rate of its own."""

_DIGITS = 12
"""Digits of the length in a header, so that it can be overwritten in place."""


@dataclass(frozen=True, slots=True)
class Column:
    """A signal of a record: name, unit, adu per unit, the adu of 0, and samples in each frame."""

    name: str
    unit: str
    gain: float
    zero: int
    per_frame: int = 1


class AppendedRecord:
    """A record that is being written.

    Parameters
    ----------
    stem : Path
        Path without suffix; the header is ``stem`` + ``.hea``. The name has letters, digits, ``-`` and ``_``.
    columns : sequence of Column
    fs : Fraction
        Frames per second.
    begin_ns : int
        Unix time in ns of the first frame.
    comments : sequence of str
    frames : ndarray of int16, shape (n, samples of a frame), optional
        What the record begins with.
    data : str, optional
        Name of the signal file; by default ``stem`` + ``.dat``. An existing header is replaced, so a record is laid out
        anew by writing another signal file.

    Raises
    ------
    StorageError
        The files cannot be written.
    """

    def __init__(
        self,
        stem: Path,
        columns: Sequence[Column],
        fs: Fraction,
        begin_ns: int,
        comments: Sequence[str] = (),
        *,
        frames: npt.NDArray[np.int16] | None = None,
        data: str | None = None,
    ) -> None:
        self.stem = stem
        self.columns = tuple(columns)
        self.width = sum(column.per_frame for column in columns)
        self.length = 0
        self._data = stem.with_name(data or f"{stem.name}.dat")
        self._header = stem.with_name(f"{stem.name}.hea")
        first = frames if frames is not None else np.empty((0, self.width), np.int16)
        text, self._length_at = _header(stem.name, self._data.name, columns, fs, begin_ns, comments, len(first))
        with storing(stem):
            self._data.write_bytes(first.astype("<i2", copy=False).tobytes())
            replace_file(self._header, text)
        self.length = len(first)

    def append(self, frames: npt.NDArray[np.int16]) -> None:
        """Append whole frames, int16 of shape (n, samples of a frame).

        Raises
        ------
        StorageError
            They cannot be written, as when the disk is full; what was there before stays, and is readable.
        """
        if not len(frames):
            return
        with storing(self.stem):
            before = self.length * self.width * 2
            try:
                with self._data.open("r+b", buffering=0) as file:
                    file.seek(before)
                    write_all(file.fileno(), frames.astype("<i2", copy=False).tobytes())
            except OSError:
                with contextlib.suppress(OSError):
                    os.truncate(self._data, before)
                raise
            with self._header.open("r+b", buffering=0) as file:
                file.seek(self._length_at)
                file.write(_digits(self.length + len(frames)))
        self.length += len(frames)

    def discard_data(self) -> None:
        """Remove the signal file: the record has another one."""
        self._data.unlink(missing_ok=True)

    def finish(self, reason: str) -> None:
        """Note in the header that the record is complete."""
        mark_ended(self._header, reason)


def own_record(name: str, signal: str) -> str:
    """Return the name of the record that holds a wave of the record ``name``, at a rate of its own."""
    return f"{name}_{signal}"


def mark_ended(header: Path, reason: str) -> None:
    """Add the last line of a header: that the record is complete, and why it ended.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    with storing(header.with_suffix("")), header.open("ab", buffering=0) as file:
        file.write(f"{ENDED}{ascii_text(reason)}\n".encode())


@contextlib.contextmanager
def storing(stem: Path) -> Iterator[None]:
    """Raise what prevents the writing of a record as a StorageError of one line."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{stem} cannot be written ({error.strerror}): make room, or choose another --out; what was written before "
            "stays readable"
        ) from None


def write_all(descriptor: int, data: bytes) -> None:
    """Write bytes to an open file, in as many calls as it takes.

    Raises
    ------
    OSError
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def replace_file(path: Path, data: bytes) -> None:
    """Write a file beside ``path``, and move it there.

    Raises
    ------
    OSError
        The file cannot be written; an existing one is unchanged.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _header(
    name: str, data: str, columns: Sequence[Column], fs: Fraction, begin_ns: int, comments: Sequence[str], length: int
) -> tuple[bytes, int]:
    """Return a header, and the place of its length."""
    day, _, clock = rfc3339(begin_ns).rstrip("Z").partition("T")
    date = "/".join(reversed(day.split("-")))
    rate = np.format_float_positional(float(fs), trim="-")  # as many digits as it takes
    before = f"{name} {len(columns)} {rate} "
    lines = [f"{before}{_digits(length).decode()} {clock} {date}"]
    for column, title in zip(columns, signal_names([column.name for column in columns]), strict=True):
        frame = f"x{column.per_frame}" if column.per_frame > 1 else ""
        lines.append(f"{data} 16{frame} {column.gain:.17g}({column.zero})/{column.unit} 16 0 0 0 0 {title}")
    lines += [f"# {ascii_text(comment)}" for comment in comments]
    return "".join(f"{line}\n" for line in lines).encode("ascii"), len(before)


def _digits(length: int) -> bytes:
    return f"{length:0{_DIGITS}}".encode()
