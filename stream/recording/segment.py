"""One segment of a recording: a WFDB record with the ECG and the other waves, and its companions.

    NAME.hea, NAME.dat      waves, appended in whole frames
    NAME_SIGNAL.hea, .dat   a wave whose rate has no frame with the others
    NAMEn.hea, NAMEn.dat    numerics, one row per second
    NAME.atr                beats, alarms and gaps, as the monitor reported them
    NAME.ref                reference annotations, if the publisher sends them

Sample 0 is the first of the stream, or up to one frame earlier: frames begin where those of the replayed recording do,
so that every sample of every wave keeps its place in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from stream.recording.lane import Adu, Lane
from stream.recording.layout import WaveColumn, layout_of
from stream.recording.numerics_table import NumericsTable
from stream.recording.own_wave import OwnWave
from stream.records.appended_annotations import NOTE, AppendedAnnotations, Mark, sort
from stream.records.appended_record import BESIDE, AppendedRecord, own_record
from stream.timebase import FS
from stream.wire.messages import Annotation, Vitals, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.wave_message import Wave

GRACE = FS
"""Samples of ECG that follow before a frame is written: a wave may come a little later than its ECG."""

NUMERICS_GRACE_ROWS = 3
"""The same of numerics, in s: the worker measures them."""


class Segment:
    """A record that is being written.

    Parameters
    ----------
    stem : Path
        Path without suffix.
    first : Waveform
        First chunk of ECG; it is not put yet.
    waves : iterable of Wave
        Chunks of the other waves that have come so far, each signal at least once; they are not put yet.
    comments : sequence of str
        Further lines of the header.

    Attributes
    ----------
    session, epoch
        Of the stream.
    origin : int
        Index of the record's sample 0 in the session.
    end : int
        Index after the last sample of ECG that has been put.

    Raises
    ------
    StorageError
        The files cannot be written; so do all methods.
    """

    def __init__(self, stem: Path, first: Waveform, waves: Iterable[Wave], comments: Iterable[str] = ()) -> None:
        self.stem, self.session, self.epoch, self.bed = stem, first.session, first.epoch, first.bed
        self.record, self.layout = first.record, layout_of(first, waves)
        self.origin = first.start - first.position % self.layout.ecg_per_frame
        self.end = first.start
        self._begin_ns = first.t0_ns - round((first.start - self.origin) * 1e9 / (FS * first.speed))
        self._comments = [*_comments(first, self.origin), *comments]
        self._ecg = Lane(len(first.leads))
        self._waves = {column: Lane(1) for column in self.layout.waves}
        self._written = 0
        self._numerics = NumericsTable()
        self._marks: list[Mark] = []
        self._reference: list[Mark] = []
        self._atr = AppendedAnnotations(stem.with_name(f"{stem.name}.atr"))
        self._ref = AppendedAnnotations(stem.with_name(f"{stem.name}.ref"))
        self._own = {one: OwnWave(stem, one, self.origin, self._begin_ns, self._comments) for one in self.layout.own}
        beside = [f"{BESIDE}{own_record(stem.name, one.signal)}" for one in self.layout.own]
        columns = self.layout.columns()
        self._file = AppendedRecord(stem, columns, self.layout.fs, self._begin_ns, [*self._comments, *beside])

    @property
    def samples(self) -> int:
        """Samples of ECG from the record's first to the latest."""
        return self.end - self.origin

    def has(self, index: int) -> bool:
        """Return whether a sample of the session belongs here, or may: the latest have not been put yet."""
        return self.origin <= index < self.end + FS

    def put(self, chunk: Waveform) -> None:
        """Put a chunk of ECG; samples missing before it are invalid, and noted."""
        if chunk.start > self.end and self.end > self.origin:
            lost = chunk.start - self.end
            self.note(self.end, f"gap: {lost} samples ({lost / FS:.2f} s) were not received")
        self._ecg.put(chunk.start - self.origin, chunk.adu())
        self.end = max(self.end, chunk.end)

    def put_wave(self, wave: Wave) -> None:
        """Put a chunk of another wave."""
        if wave.start >= self.end + 60 * FS:  # invented, or of another time
            return
        column = WaveColumn.of(wave)
        if column in self._waves:
            place = round((wave.start - self.origin) * wave.fs / FS)
            self._waves[column].put(place, np.frombuffer(wave.samples, "<i2").reshape(-1, 1))
        elif column in self._own:
            self._own[column].put(wave)

    def put_numerics(self, message: Numerics | Vitals) -> None:
        """Put numerics."""
        if message.index < self.end + 10 * FS:
            self._numerics.put(message.index - self.origin, message)

    def note(self, index: int, text: str, symbol: str = NOTE) -> None:
        """Annotate a sample of the session; one outside the record is annotated at its start or end.

        Not at sample 0, where wfdb takes comments for definitions of the file.
        """
        self._marks.append(Mark(max(min(index, self.end + FS) - self.origin, 1), symbol, text))

    def put_reference(self, annotation: Annotation) -> None:
        """Put a reference annotation."""
        self._reference.append(Mark(max(annotation.index - self.origin, 0), annotation.symbol, annotation.aux))

    def write(self, *, idle: bool = False) -> None:
        """Write the frames that are complete, a second at a time; if the stream is idle, also the rest of them."""
        frames = (self.samples - (0 if idle else GRACE)) // self.layout.ecg_per_frame - self._written
        if frames < (1 if idle else self.layout.fs):
            return
        self._write(frames)
        self._write_rows(self.samples // FS - NUMERICS_GRACE_ROWS)

    def write_marks(self) -> None:
        """Write the annotations that have come."""
        self._atr.append(self._marks)
        self._ref.append(self._reference)
        self._marks, self._reference = [], []

    def end_waves(self) -> None:
        """Write the rest of the waves, the last frame filled with invalid samples: no more come."""
        frames = -(-self.samples // self.layout.ecg_per_frame) - self._written
        if frames > 0:
            self._write(frames)
        for own in self._own.values():
            own.write(self.end)

    def finish(self, reason: str) -> None:
        """Write all that is left, and note that the record is complete; call `end_waves` first."""
        self._write_rows(-(-self.samples // FS))
        self.write_marks()
        for file in (self._atr, self._ref):
            sort(file.path)
        self._numerics.finish(reason)
        for own in self._own.values():
            own.finish(reason)
        self._file.finish(f"{reason}; last sample {self.end - 1} of the session")

    def _write(self, frames: int) -> None:
        parts = [_frames(self._ecg.take(frames * self.layout.ecg_per_frame), frames)]
        for column, lane in self._waves.items():
            parts.append(_frames(lane.take(frames * int(column.fs / self.layout.fs)), frames))
        self._file.append(np.concatenate(parts, axis=1))
        self._written += frames
        for own in self._own.values():
            own.write(min(self.origin + self._written * self.layout.ecg_per_frame, self.end))

    def _write_rows(self, rows: int) -> None:
        if rows > 0:
            self._numerics.write(self.stem, rows, self._begin_ns, self._comments)


def _frames(samples: Adu, frames: int) -> Adu:
    """Return samples of one rate, (n, signals), as they stand in frames: all of a signal, then those of the next."""
    width = samples.shape[1]
    return samples.reshape(frames, -1, width).transpose(0, 2, 1).reshape(frames, -1)


def _comments(first: Waveform, origin: int) -> list[str]:
    return [
        "SIMULATION: recorded by bedside from a simulator, not a medical device",
        f"bed: {first.bed}",
        f"session: {first.session}",
        f"epoch: {first.epoch}",
        f"first sample: {origin}",
        f"replayed: {first.record} from sample {first.position - (first.start - origin)}"
        + (", synthetic" if first.synthetic else ""),
        f"speed: {first.speed:g}",
        ".atr: beats and alarms of the monitor, and gaps; .ref: reference annotations, if they were sent",
    ]
