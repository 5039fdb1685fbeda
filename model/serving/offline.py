"""Analyses a record as the live worker does, as fast as possible, and writes the results to files.

The record is one epoch of one session, so sample indices are those of the record at 360 Hz. No result depends on later
samples. Samples after the last whole stride of 36 are not analysed.
"""

from __future__ import annotations

import csv
import tempfile
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from model.beats.beat import Beat
from model.datasets.pulse_waves import waves_within
from model.pipeline.analysis import Models
from model.rhythm.vitals import VitalSigns
from model.serving.analyzer import CHUNK, SESSION, Analyzer
from stream.errors import StorageError
from stream.records.record import Record
from stream.records.wfdb_writer import write_beats
from stream.timebase import FS, STRIDE
from stream.wire import codec
from stream.wire.alarm_messages import ADVISORIES, Alarm


@dataclass(frozen=True, slots=True)
class Summary:
    """Summary of one analysis.

    Attributes
    ----------
    record : str
    samples : int
        Samples per lead.
    forecasts : int
        Rows of ``forecast.npz``.
    beats : int
    alarms, advisories : int
        Alarms raised, and advisories.
    seconds : float
        Duration of the signal.
    elapsed_s : float
        Duration of the analysis.
    files : tuple of Path
    """

    record: str
    samples: int
    forecasts: int
    beats: int
    alarms: int
    advisories: int
    seconds: float
    elapsed_s: float
    files: tuple[Path, ...]

    def __str__(self) -> str:
        """Return the summary as one line of text."""
        return (
            f"{self.record}: {self.seconds:.0f} s of signal in {self.elapsed_s:.1f} s; {self.forecasts} forecasts, "
            f"{self.beats} beats, {self.alarms} alarms and {self.advisories} advisories "
            f"in {' and '.join(str(file) for file in self.files)}"
        )


def analyze(
    record: Record,
    models: Models,
    out: Path,
    *,
    session: str = SESSION,
    console: Console | None = None,
) -> Summary:
    """Analyse a whole record as the live worker does, and write the results.

    Files:

    - ``forecast.npz``: origin, int64, shape (k,); mean and scale, float32, shape (k, horizon, leads), mV, at every
      stride of 36 samples; leads, fs, record;
    - ``alarms.jsonl``: one `stream.wire.alarm_messages.Alarm` per line, encoded as on the wire;
    - ``beats.atr``: WFDB annotations, N, S, V or Q at each R peak;
    - ``vitals.csv``: one row per second; unknown values are empty.

    If the analysis fails, existing files are kept.

    Parameters
    ----------
    record : Record
    models : Models
    out : Path
        Folder; created if missing.
    session : str
        128 bits in hex, part of the alarms' ids.
    console : Console, optional
        Where the progress bar is drawn; by default on stderr.

    Raises
    ------
    StorageError
        The folder cannot be created or written to.
    """
    began = time.monotonic()
    files = tuple(out / name for name in ("forecast.npz", "alarms.jsonl", "beats.atr", "vitals.csv"))
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".analyze-", dir=out) as folder:
            part = Path(folder)
            outputs = _analyze(record, models, part, session, console or Console(stderr=True))
            _zip(part, files[0].name)
            alarms = outputs.alarms
            raised = [alarm for alarm in alarms if alarm.phase == "raised"]
            (part / files[1].name).write_bytes(b"".join(codec.encode(alarm) + b"\n" for alarm in alarms))
            beats = outputs.beats
            write_beats(part, files[2].stem, [beat.index for beat in beats], [beat.type for beat in beats])
            _write_vitals(part / files[3].name, outputs.vitals)
            for file in files:
                (part / file.name).replace(file)
    except OSError as error:
        raise StorageError(f"cannot write to {out}: {error.strerror or error}; choose another folder") from error
    return Summary(
        record=record.name,
        samples=record.n,
        forecasts=record.n // STRIDE,
        beats=len(beats),
        alarms=sum(alarm.kind not in ADVISORIES for alarm in raised),
        advisories=sum(alarm.kind in ADVISORIES for alarm in raised),
        seconds=record.n / FS,
        elapsed_s=time.monotonic() - began,
        files=files,
    )


@dataclass(frozen=True, slots=True)
class _Outputs:
    beats: list[Beat]
    vitals: list[VitalSigns]
    alarms: list[Alarm]


def _analyze(record: Record, models: Models, part: Path, session: str, console: Console) -> _Outputs:
    """Analyse chunk by chunk; write each array of ``forecast.npz`` to a .npy file in ``part``."""
    leads, horizon = len(record.leads), models.forecaster.config.horizon
    k = record.n // STRIDE
    shape = (k, horizon, leads)
    np.save(part / "leads.npy", np.array(record.leads))
    np.save(part / "fs.npy", np.array(FS))
    np.save(part / "record.npy", np.array(record.name))
    origin = np.zeros(k, np.int64)
    mean = np.lib.format.open_memmap(part / "mean.npy", "w+", np.float32, shape)
    scale = np.lib.format.open_memmap(part / "scale.npy", "w+", np.float32, shape)
    analyzer = Analyzer(record.leads, models, record=record.name, session=session)
    outputs = _Outputs([], [], [])
    row = 0
    for first, chunk in _chunks(record, console):
        output = analyzer.push(chunk.mv(), waves_within(record, first, first + chunk.n))
        outputs.beats.extend(output.beats)
        outputs.vitals.extend(output.vitals)
        outputs.alarms.extend(output.alarms)
        for forecast in output.forecasts:
            origin[row], mean[row], scale[row] = forecast.origin, forecast.mean, forecast.scale
            row += 1
    last = analyzer.finish()
    outputs.beats.extend(last.beats)
    outputs.alarms.extend(last.alarms)
    mean.flush()
    scale.flush()
    np.save(part / "origin.npy", origin)
    return outputs


def _chunks(record: Record, console: Console) -> Iterable[tuple[int, Record]]:
    """Yield the ECG of a record in chunks, each with its first sample, and show the progress."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} s of signal"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(record.name, total=record.n / FS)
        for start in range(0, record.n, CHUNK):
            chunk = replace(record, adu=record.adu[start : start + CHUNK])
            yield start, chunk
            progress.advance(task, chunk.n / FS)


def _zip(part: Path, name: str) -> None:
    """Combine the .npy files into an .npz file as numpy does, without loading them into memory."""
    with zipfile.ZipFile(part / name, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(part.glob("*.npy")):
            archive.write(file, file.name)


def _write_vitals(path: Path, vitals: Iterable[VitalSigns]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["time_s", *(field.name for field in fields(VitalSigns))])
        for vital in vitals:
            values = [getattr(vital, field.name) for field in fields(VitalSigns)]
            cells = ["" if v is None else " ".join(v) if isinstance(v, tuple) else v for v in values]
            rows.writerow([f"{(vital.index + 1) / FS:g}", *cells])
