"""Where the beds of a process stand between their checkpoints: one entry for all beds that have just been processed.

Each process has two files and appends to one of them. When that is full, the other one is emptied and begins with the
positions of all beds, so at any moment one of the two has everything since the last checkpoint of each bed.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from model.serving.checkpoint import BedCheckpoint, moved, part, parts
from model.serving.file_writing import write_at
from model.signal.state_codec import unpack
from stream.errors import StorageError
from stream.wire.continuity import Continuity

log = logging.getLogger("bedside.worker")

FILE_BYTES = 2**20
"""Size in bytes at which the files of a process change, or four times what the positions of all beds need."""

MAX_AGE_NS = 24 * 3600 * 1_000_000_000
"""Age in ns beyond which files are deleted, as checkpoints are."""


class BedProgress(msgspec.Struct, frozen=True, array_like=True):
    """The position of a bed after a chunk.

    Attributes
    ----------
    bed : str
    alive_ns : int
        Unix time in ns at which the chunk was processed.
    after : int
        Number of the checkpoint that it follows.
    session : str
    epoch, seq, end : int
    leads : tuple of str
        As in `stream.wire.continuity.Continuity`.
    counters : dict of str to int
    """

    bed: str
    alive_ns: int
    after: int
    session: str
    epoch: int
    seq: int
    end: int
    leads: tuple[str, ...]
    counters: dict[str, int]


class ProgressEntry(msgspec.Struct, frozen=True, array_like=True):
    """An entry of a file.

    Attributes
    ----------
    by : str
        The process that wrote it. A worker that was stopped and replaced may still write some; they are ignored.
    beds : tuple of BedProgress
    """

    by: str
    beds: tuple[BedProgress, ...]


Found = dict[tuple[str, int, str], BedProgress]
"""The last position of each bed, by bed, number of the checkpoint and process."""


class ProgressFiles:
    """The two files of a process.

    Parameters
    ----------
    folder : Path
    by : str
        The process.
    """

    def __init__(self, folder: Path, by: str) -> None:
        self._by = by
        self._files = [os.open(folder / f"{by}.progress{i}", os.O_RDWR | os.O_CREAT, 0o600) for i in (0, 1)]
        self._beds: dict[str, BedProgress] = {}
        self._current, self._size, self._limit = 0, 0, FILE_BYTES

    def append(self, beds: Sequence[BedProgress]) -> None:
        """Write the positions of some beds.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        for bed in beds:
            self._beds[bed.bed] = bed
        if self._size >= self._limit:
            self._current, self._size, beds = 1 - self._current, 0, tuple(self._beds.values())
        entry = part(msgspec.msgpack.encode(ProgressEntry(self._by, tuple(beds))))
        if not self._size:
            self._limit = max(FILE_BYTES, 4 * len(entry))
        self._size = write_at(self._files[self._current], entry, self._size)

    def forget(self, bed: str) -> None:
        """Note that a checkpoint of a bed has been written, after which its entries say nothing."""
        self._beds.pop(bed, None)

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            os.close(file)


def read(folder: Path) -> Found:
    """Return the last positions in the files of a folder."""
    found: Found = {}
    for path in sorted(folder.glob("*.progress[01]")):
        try:
            stat = path.stat()
            if time.time_ns() - stat.st_mtime_ns > MAX_AGE_NS:
                path.unlink()
                continue
            entries = [unpack(data, ProgressEntry) for data in parts(path.read_bytes())]
        except (OSError, StorageError) as error:
            log.warning("positions of beds in %s are ignored: %s", path.name, error)
            continue
        for entry in entries:
            for bed in entry.beds:
                key = bed.bed, bed.after, entry.by
                if key not in found or found[key].alive_ns <= bed.alive_ns:
                    found[key] = bed
    return found


def apply(checkpoint: BedCheckpoint, found: Found) -> BedCheckpoint:
    """Return a checkpoint with the position of the last entry that follows it."""
    key = checkpoint.chunk.bed, checkpoint.number, checkpoint.served_by[-1]
    if key not in found:
        return checkpoint
    bed = found[key]
    if bed.session != checkpoint.chunk.session or bed.end < checkpoint.place.end:
        return checkpoint  # of an earlier time: numbers begin anew with a bed that is served anew
    place = Continuity(bed.session, bed.epoch, bed.seq, bed.end, bed.leads)
    return moved(checkpoint, place, bed.counters, bed.alive_ns)
