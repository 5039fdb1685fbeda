"""The checkpoints of all beds in a folder, so that a worker that is killed loses no more than the last chunks.

Each bed has two files that are written alternately: the older one stays whole until the newer one is complete, so the
worker may be killed at any moment. They are removed when the bed loses its place, so that invented names fill no disk.
The positions of all beds since their last checkpoints are in two further files of the process
(`model.serving.progress`). Nothing is renamed and nothing is forced to the disk: a killed process loses nothing that it
wrote, and after a power failure the check sums tell.
"""

from __future__ import annotations

import logging
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import msgspec

from model.pipeline.analysis import Models
from model.serving import checkpoint as layout
from model.serving import progress
from model.serving.checkpoint import BedCheckpoint, Entry
from model.serving.file_writing import OpenFiles, write_at
from model.serving.progress import MAX_AGE_NS, BedProgress, ProgressFiles
from stream.errors import StorageError
from stream.mqtt.address import BrokerAddress
from stream.wire.shard import ALL_BEDS, Shard

log = logging.getLogger("bedside.worker")

FILES = ("{}.bed0", "{}.bed1")
CHART_FILES = ("{}.chart0", "{}.chart1")
"""Names of the files of a bed, with ECG and without."""


@contextmanager
def checkpoints(folder: Path | None, models: Models) -> Iterator[CheckpointStore | None]:
    """Open the store of a folder; without one, nothing is saved.

    Raises
    ------
    StorageError
        The folder cannot be created or written.
    """
    if folder is None:
        yield None
        return
    with CheckpointStore(folder, layout.fingerprint(models)) as store:
        yield store


def broker_folder(folder: Path | None, broker: BrokerAddress) -> Path:
    """Return the folder for the beds of a broker, below ``folder`` or by default in the user's state folder."""
    if folder is None:
        import platformdirs

        folder = Path(platformdirs.user_state_dir("bedside")) / "checkpoints"
    return folder / f"{re.sub('[^A-Za-z0-9.-]', '_', broker.host)}-{broker.port}"


class CheckpointStore:
    """Writes and reads the checkpoints of beds.

    Parameters
    ----------
    folder : Path
        Created if missing. The files of a bed belong to one worker at a time, the one that serves it.
    models : bytes
        Fingerprint of the models.

    Attributes
    ----------
    folder : Path
    files : OpenFiles
        Those of the folder that are being written.

    Raises
    ------
    StorageError
        The folder cannot be created or written.
    """

    def __init__(self, folder: Path, models: bytes) -> None:
        self.folder = folder
        self._models = models
        self.files = OpenFiles(folder)
        self._current: dict[str, tuple[int, str]] = {}
        self._ends: dict[str, int] = {}
        self._progress: ProgressFiles | None = None
        self._failed = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):  # several workers may open the folder at once
                pass
        except OSError as error:
            raise StorageError(
                f"state folder {folder} cannot be written ({error.strerror}): choose another with --state, "
                "or start with --no-state"
            ) from None

    def read_all(self, shard: Shard = ALL_BEDS) -> list[BedCheckpoint]:
        """Return the last checkpoint of each bed of a shard; refused and outdated ones are logged or deleted."""
        found: dict[str, BedCheckpoint] = {}
        refused: dict[str, str] = {}
        for path in sorted(self.folder.glob("*.bed[01]")):
            if path.stem not in shard:
                continue
            try:
                if path.stat().st_size > layout.MAX_BYTES:
                    raise StorageError("it is damaged")
                checkpoint = layout.decode(path.read_bytes(), self._models)
                if time.time_ns() - checkpoint.alive_ns > MAX_AGE_NS:
                    path.unlink()
                    continue
                if checkpoint.chunk.bed != path.stem:
                    raise StorageError("it is of another bed")
            except StorageError as error:
                if not remove_outdated(path):
                    refused[path.stem] = str(error)
                continue
            except OSError as error:
                refused[path.stem] = error.strerror or str(error)
                continue
            if path.stem not in found or checkpoint.number > found[path.stem].number:
                found[path.stem] = checkpoint
        for bed, reason in refused.items():
            if bed not in found:
                log.warning("bed %s starts anew: its checkpoint in %s is refused: %s", bed, self.folder, reason)
        positions = progress.read(self.folder)
        return [progress.apply(checkpoint, positions) for checkpoint in found.values()]

    def write(self, checkpoint: BedCheckpoint) -> None:
        """Write a checkpoint; a failure is logged, once until it succeeds again."""
        bed = checkpoint.chunk.bed
        slot = checkpoint.number % 2
        try:
            if checkpoint.number == 1:  # the bed starts anew: what it had before, or was refused, must not prevail
                for other in (0, 1):
                    self.files.empty(_name(bed, other))
            self._ends[bed] = write_at(self.files.get(_name(bed, slot)), layout.encode(checkpoint, self._models), 0)
            self._current[bed] = (checkpoint.number, checkpoint.served_by[-1])
            if self._progress is not None:
                self._progress.forget(bed)
            if checkpoint.number == 1:  # what it had without ECG is over
                self.remove_files(bed, CHART_FILES)
        except OSError as error:
            self._report(error)
        else:
            if self._failed:
                self._failed = False
                log.info("checkpoints can be written again")

    def append(self, bed: str, entry: Entry) -> None:
        """Append an entry to the last checkpoint of a bed; no effect before the first."""
        if bed not in self._current:
            return
        number, by = self._current[bed]
        try:
            entry = msgspec.structs.replace(entry, after=number, by=by)
            file = self.files.get(_name(bed, number % 2))
            self._ends[bed] = write_at(file, layout.encode_entry(entry), self._ends[bed])
        except OSError as error:
            self._report(error)

    def append_progress(self, by: str, beds: Sequence[BedProgress]) -> None:
        """Write the positions of some beds, all of which have a checkpoint; ``by`` is the process that serves them."""
        try:
            if self._progress is None:
                self._progress = ProgressFiles(self.folder, by)
            self._progress.append(beds)
        except OSError as error:
            self._report(error)

    def leave(self, bed: str) -> None:
        """Forget a bed that is not served any more; its files stay, for the worker that serves it next."""
        self._current.pop(bed, None)
        self._ends.pop(bed, None)
        if self._progress is not None:
            self._progress.forget(bed)

    def remove(self, bed: str) -> None:
        """Remove the files of a bed that has lost its place, and forget it."""
        self.leave(bed)
        try:
            self.remove_files(bed, FILES)
        except OSError as error:
            self._report(error)

    def remove_files(self, bed: str, files: Sequence[str]) -> None:
        """Remove some of the files of a bed, of `FILES` and `CHART_FILES`; a removed one is a part of what is written.

        Raises
        ------
        OSError
        """
        for name in (file.format(bed) for file in files):
            self.files.remove(name)
            self.removed(name)

    def _report(self, error: OSError) -> None:
        if not self._failed:
            self._failed = True
            log.warning(
                "checkpoints cannot be written to %s (%s): after a restart, beds start anew",
                self.folder,
                error.strerror,
            )

    def written(self, name: str) -> None:
        """Note that another file of the folder has been written; it is a part of what the next worker needs."""

    def removed(self, name: str) -> None:
        """Note that a file of the folder is gone."""

    def close(self) -> None:
        """Close all files."""
        self.files.close()
        self._current.clear()
        if self._progress is not None:
            self._progress.close()
            self._progress = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def remove_outdated(path: Path) -> bool:
    """Remove a file that cannot be used, if it has not been written for a day; return whether that is so."""
    with suppress(OSError):
        if time.time_ns() - path.stat().st_mtime_ns > MAX_AGE_NS:
            path.unlink()
            return True
    return False


def _name(bed: str, slot: int) -> str:
    return FILES[slot].format(bed)
