"""Checkpoints in a folder of this machine, each of which is also sent away, so that a lost machine loses little.

A copy is sent with each checkpoint, about once per second and bed, and before each alarm event: the event is sent only
once the copy has arrived. What was processed in between is not copied; a worker on another machine takes it for lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from model.pipeline.analysis import Models
from model.serving import checkpoint as layout
from model.serving.checkpoint import BedCheckpoint, Entry
from model.serving.checkpoint_store import CheckpointStore, checkpoints

Copy = Callable[[str, bytes, bool], None]
"""Called with the name of a file, its content, and whether to return only once the copy has arrived. What is empty is
not kept."""


@contextmanager
def copied_checkpoints(folder: Path | None, models: Models, copy: Copy | None) -> Iterator[CheckpointStore | None]:
    """Open the store of a folder, as `checkpoints` does, and send copies if ``copy`` is given."""
    if folder is None or copy is None:
        with checkpoints(folder, models) as store:
            yield store
        return
    with CopiedStore(folder, layout.fingerprint(models), copy) as copied:
        yield copied


class CopiedStore(CheckpointStore):
    """A store that sends copies.

    Parameters
    ----------
    folder, models
        See `CheckpointStore`.
    copy : callable
        See `Copy`.
    """

    def __init__(self, folder: Path, models: bytes, copy: Copy) -> None:
        super().__init__(folder, models)
        self._copy = copy

    def write(self, checkpoint: BedCheckpoint) -> None:
        """Write a checkpoint, and send a copy."""
        super().write(checkpoint)
        bed = checkpoint.chunk.bed
        if checkpoint.number == 1:  # the bed starts anew: what was refused must not prevail in the copy either
            self._send(bed, 0)
        self._send(bed, checkpoint.number % 2)

    def append(self, bed: str, entry: Entry) -> None:
        """Append an entry to the last checkpoint of a bed; return once its copy has arrived."""
        super().append(bed, entry)
        if bed in self._current:
            self._send(bed, self._current[bed][0] % 2, wait=True)

    def written(self, name: str) -> None:
        """Send a copy of a file, and return once it has arrived."""
        self._copy(name, (self.folder / name).read_bytes(), True)

    def removed(self, name: str) -> None:
        """Have the copy of a file removed: it becomes empty, which the receiver does not keep."""
        self._copy(name, b"", True)

    def _send(self, bed: str, slot: int, *, wait: bool = False) -> None:
        path = self.folder / f"{bed}.bed{slot}"
        if path.exists():  # unless the disk is full, which the store has reported
            self._copy(path.name, path.read_bytes(), wait)
