"""The checkpoints of beds without ECG in a folder: after each message, before anything of it is sent.

Each bed has two files that are written alternately, as those of `model.serving.checkpoint_store`, whose parts, folder
and rules they share: the older one stays whole until the newer one is complete.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from model.alarms.alarm_manager import SavedAlarms
from model.serving.charted_bed import ChartState
from model.serving.checkpoint import FINGERPRINT_BYTES, MAX_BYTES, part, parts
from model.serving.checkpoint_store import CHART_FILES, FILES, CheckpointStore, remove_outdated
from model.serving.file_writing import write_at
from model.serving.progress import MAX_AGE_NS
from model.signal.state_codec import pack, unpack
from model.trends.forecaster import TrendForecaster
from model.trends.network import ARRAYS
from stream.errors import StorageError
from stream.wire.numerics_message import Numerics
from stream.wire.shard import ALL_BEDS, Shard

log = logging.getLogger("bedside.worker")

FORMAT = b"bedside-chart-2\n"
"""First bytes of a file; changes with the layout or the meaning of the state."""


@dataclass(frozen=True, slots=True)
class ChartCheckpoint:
    """Everything that continues a bed without ECG.

    Attributes
    ----------
    number : int
        Incremented with each checkpoint of the bed.
    served_by : tuple of str
        As in `model.serving.checkpoint.BedCheckpoint`, as are ``alive_ns``, ``counters``, ``ended`` and ``lease``.
    alive_ns : int
    numerics : Numerics
        The last message.
    counters : dict of str to int
    ended : bool
    lease : int
    chart : ChartState
    alarms : SavedAlarms
    """

    number: int
    served_by: tuple[str, ...]
    alive_ns: int
    numerics: Numerics
    counters: dict[str, int]
    ended: bool
    lease: int
    chart: ChartState
    alarms: SavedAlarms


class ChartedCheckpoints:
    """Writes and reads the checkpoints of beds without ECG.

    Parameters
    ----------
    store : CheckpointStore or None
        Of the beds with ECG, whose folder they share; None: nothing is written, and there is nothing to read.
    models : callable
        Returns the `fingerprint` of the model: a state is valid only with the one that made it. It is called once there
        is a bed.
    """

    def __init__(self, store: CheckpointStore | None, models: Callable[[], bytes]) -> None:
        self._store = store
        self._models = models
        self._failed = False

    def write(self, checkpoint: ChartCheckpoint) -> None:
        """Write a checkpoint; a failure is logged, once until it succeeds again."""
        if self._store is None:
            return
        bed = checkpoint.numerics.bed
        try:
            if checkpoint.number == 1:  # the bed starts anew: what it had before, or was refused, must not prevail
                for slot in (0, 1):
                    self._store.files.empty(_name(bed, slot))
                    self._store.written(_name(bed, slot))
            name = _name(bed, checkpoint.number % 2)
            write_at(self._store.files.get(name), FORMAT + self._models() + part(pack(checkpoint)), 0)
            self._store.written(name)
            if checkpoint.number == 1:  # its ECG is over
                self._store.remove_files(bed, FILES)
        except OSError as error:
            self._report(error)
        else:
            self._failed = False

    def remove(self, bed: str) -> None:
        """Remove the files of a bed that has lost its place."""
        if self._store is None:
            return
        try:
            self._store.remove_files(bed, CHART_FILES)
        except OSError as error:
            self._report(error)

    def _report(self, error: OSError) -> None:
        if not self._failed:
            log.warning("checkpoints of beds without ECG cannot be written (%s)", error.strerror)
        self._failed = True

    def read_all(self, shard: Shard = ALL_BEDS) -> list[ChartCheckpoint]:
        """Return the last checkpoint of each bed of a shard; refused and outdated ones are logged or deleted."""
        found: dict[str, ChartCheckpoint] = {}
        for path in sorted(self._store.folder.glob("*.chart[01]")) if self._store is not None else ():
            if path.stem not in shard:
                continue
            try:
                if not path.stat().st_size:
                    continue  # of the two files, one has not been written yet
                checkpoint = self._decode(path)
                if time.time_ns() - checkpoint.alive_ns > MAX_AGE_NS:
                    path.unlink()
                    continue
            except StorageError as error:
                if not remove_outdated(path):
                    log.warning("bed %s: checkpoint %s is refused: %s", path.stem, path.name, error)
                continue
            except OSError as error:
                log.warning("bed %s: checkpoint %s is refused: %s", path.stem, path.name, error)
                continue
            if path.stem not in found or checkpoint.number > found[path.stem].number:
                found[path.stem] = checkpoint
        return list(found.values())

    def _decode(self, path: Path) -> ChartCheckpoint:
        if path.stat().st_size > MAX_BYTES:
            raise StorageError("it is damaged")
        data = path.read_bytes()
        if not data.startswith(FORMAT):
            raise StorageError("it is of another version")
        head = len(FORMAT) + FINGERPRINT_BYTES
        if data[len(FORMAT) : head] != self._models():
            raise StorageError("it was made with other models")
        first = next(parts(data[head:]), None)
        if first is None:
            raise StorageError("it is damaged")
        checkpoint = unpack(first, ChartCheckpoint)
        if checkpoint.numerics.bed != path.stem:
            raise StorageError("it is of another bed")
        return checkpoint


def fingerprint(forecaster: TrendForecaster) -> bytes:
    """Return a hash of the model."""
    weights = forecaster.weights
    digest = hashlib.blake2b(repr(sorted(weights.settings.items())).encode(), digest_size=FINGERPRINT_BYTES)
    for name in ARRAYS:
        digest.update(getattr(weights, name).tobytes())
    return digest.digest()


def _name(bed: str, slot: int) -> str:
    return CHART_FILES[slot].format(bed)
