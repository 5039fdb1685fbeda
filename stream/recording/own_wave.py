"""A wave whose rate has no frame with the ECG of its segment, in a record of its own beside it: ``NAME_pleth``.

Its sample 0 is the first of the wave in the segment, at the segment's first sample or less than one sample of the wave
after it: WFDB has no place for a part of a sample.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stream.recording.lane import Lane
from stream.recording.layout import WaveColumn
from stream.records.appended_record import AppendedRecord, Column, own_record
from stream.timebase import FS
from stream.wire.wave_message import Wave

_ROUNDING = 1e-3
"""Share of a sample by which its time may be rounded."""


class OwnWave:
    """The record of one wave that is being written.

    Parameters
    ----------
    stem : Path
        Path of the segment, without suffix.
    column : WaveColumn
    origin : int
        Index of the segment's sample 0 in the session.
    begin_ns : int
        Unix time in ns of that sample.
    comments : sequence of str

    Raises
    ------
    StorageError
        The files cannot be written; so do all methods.
    """

    def __init__(self, stem: Path, column: WaveColumn, origin: int, begin_ns: int, comments: Sequence[str]) -> None:
        self._origin, self._per_sample = origin, float(column.fs) / FS
        self._phase: float | None = None
        self._lane = Lane(1)
        self._file = AppendedRecord(
            stem.with_name(own_record(stem.name, column.signal)),
            [Column(column.signal.upper(), column.unit, column.gain, column.zero)],
            column.fs,
            begin_ns,
            comments,
        )

    def put(self, wave: Wave) -> None:
        """Put a chunk; of one that began before the segment, the samples within."""
        exact = (wave.start - self._origin) * self._per_sample
        if self._phase is None:
            self._phase = exact - math.floor(exact + _ROUNDING)
        self._lane.put(round(exact - self._phase), np.frombuffer(wave.samples, "<i2").reshape(-1, 1))

    def write(self, stop: int) -> None:
        """Write the samples before an index of the session."""
        exact = (stop - self._origin) * self._per_sample
        n = math.ceil(exact - (self._phase or 0.0) - _ROUNDING) - self._lane.first
        if n > 0:
            self._file.append(self._lane.take(n))

    def finish(self, reason: str) -> None:
        """Note that the record is complete."""
        self._file.finish(reason)
