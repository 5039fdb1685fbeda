"""WFDB annotations that are appended one by one, to a file that is complete after each.

The format is that of MIT (https://wfdb.io/spec/annot-files.html). Each annotation here has a ``SKIP`` with the distance
from the one before, which may be negative: alarms are reported after their onset, and beats as the worker finds them.
Readers accept this order; `sort` puts a complete file into that of time. Times are samples at 360 Hz, which the first
annotation says: a reader would otherwise count frames, of which a record of several rates has fewer.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stream.records.appended_record import replace_file, storing, write_all
from stream.records.wfdb_text import ascii_text
from stream.timebase import FS

_SYMBOLS = 'N L R a V F J A S E j / Q ~ . | . s T * D " = p B ^ t + u ? ! [ ] e n @ x f ( ) r'
CODES = {symbol: code for code, symbol in enumerate(_SYMBOLS.split(), start=1) if symbol != "."}
"""Codes of the annotation symbols (``ecgcodes.h`` of the WFDB library)."""

NOTE = '"'
"""Symbol of a comment."""

_SKIP, _AUX = 59, 63
_MAX_AUX = 255


@dataclass(frozen=True, slots=True)
class Mark:
    """An annotation: its sample at 360 Hz from the first of the record, its symbol and its text."""

    sample: int
    symbol: str
    text: str = ""


class AppendedAnnotations:
    """A file of annotations that is being written; created with the first of them.

    Parameters
    ----------
    path : Path
        The suffix is the annotator's name, such as ``.atr``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last = 0

    def append(self, marks: Iterable[Mark]) -> None:
        """Append annotations.

        Raises
        ------
        StorageError
            They cannot be written; what was there before stays, and is readable.
        """
        data, last = _encode(marks, self._last)
        if not data:
            return
        with storing(self.path.with_suffix("")):
            if not self.path.exists():
                replace_file(self.path, _BEGIN + _END)
            size = self.path.stat().st_size
            with self.path.open("r+b", buffering=0) as file:
                file.seek(size - len(_END))
                try:
                    write_all(file.fileno(), data + _END)
                except OSError:
                    os.truncate(self.path, size)
                    file.seek(size - len(_END))
                    file.write(_END)
                    raise
        self._last = last


def sort(path: Path) -> None:
    """Put the annotations of a complete file into the order of time.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    if not path.exists():
        return
    with storing(path.with_suffix("")):
        marks = sorted(read(path.read_bytes()), key=lambda mark: mark.sample)
        replace_file(path, _BEGIN + _encode(marks, 0)[0] + _END)


def read(data: bytes) -> Iterator[Mark]:
    """Yield the annotations of a file that was written here, in its order; one that is cut short is left out."""
    symbols = {code: symbol for symbol, code in CODES.items()}
    at, sample = len(_BEGIN), 0
    while at + 8 <= len(data):
        _, high, low, word = struct.unpack_from("<HhHH", data, at)
        sample += (high << 16) + low
        at += 8
        text = ""
        if at + 2 <= len(data) and data[at + 1] >> 2 == _AUX:
            length = data[at]
            text = data[at + 2 : at + 2 + length].decode("ascii", "replace")
            at += 2 + length + length % 2
        yield Mark(sample, symbols[word >> 10], text)


def _encode(marks: Iterable[Mark], last: int) -> tuple[bytes, int]:
    """Return the bytes of annotations after one at sample ``last``, and the sample of the last one."""
    data = bytearray()
    for mark in marks:
        known = mark.symbol in CODES
        text = (mark.text if known else f"{mark.symbol} {mark.text}").strip()
        aux = ascii_text(text).encode()[:_MAX_AUX]
        code = CODES[mark.symbol if known else NOTE]
        data += struct.pack("<HhHH", _SKIP << 10, (mark.sample - last) >> 16, (mark.sample - last) & 0xFFFF, code << 10)
        if aux:
            data += struct.pack("<H", _AUX << 10 | len(aux)) + aux + bytes(len(aux) % 2)
        last = mark.sample
    return bytes(data), last


_BEGIN = _encode([Mark(0, NOTE, f"## time resolution: {FS}")], 0)[0]
_END = bytes(2)
