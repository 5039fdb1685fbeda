"""A record as the live worker would see it, but as fast as it goes: forecasts and alarms into files.

The record is one epoch of one session, so sample indices are those of the record at 360 Hz. Nothing looks ahead.
"""

from __future__ import annotations

import tempfile
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from model import pipeline
from model.checkpoint import Checkpoint
from model.episodes import Event, Raised, to_alarm
from stream import codec
from stream.errors import StorageError
from stream.messages import FS, STRIDE, Alarm
from stream.record import Record

BED = "offline"
SESSION = "0" * 32

PIECE = 100 * STRIDE
"""Samples per step, 10 s: little memory, whatever the record's length."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What was done.

    Attributes
    ----------
    record : str
    samples : int
        Samples per lead that went through the forecaster.
    forecasts : int
        Rows of ``forecast.npz``.
    alarms : int
        Alarms raised.
    seconds : float
        Of signal.
    elapsed_s : float
        Of work.
    files : tuple of Path
    """

    record: str
    samples: int
    forecasts: int
    alarms: int
    seconds: float
    elapsed_s: float
    files: tuple[Path, ...]

    def __str__(self) -> str:
        """Return one line for people."""
        return (
            f"{self.record}: {self.seconds:.0f} s of signal in {self.elapsed_s:.1f} s; {self.forecasts} forecasts and "
            f"{self.alarms} residual alarms in {' and '.join(str(file) for file in self.files)}"
        )


def analyze(
    record: Record, forecaster: Checkpoint, out: Path, *, session: str = SESSION, console: Console | None = None
) -> Summary:
    """Forecast a whole record and raise its alarms, as the live worker would.

    Writes ``forecast.npz`` (origin, int64, shape (k,); mean and scale, float32, shape (k, horizon, leads), mV, at
    every stride of 36 samples; leads, fs, record) and ``alarms.jsonl`` (one `stream.messages.Alarm` a line, as it
    travels). Either both files are new and whole, or the old ones stay.

    Parameters
    ----------
    record : Record
    forecaster : Checkpoint
    out : Path
        Folder; made if it is missing.
    session : str
        128 bits in hex, part of the alarms' ids.
    console : Console, optional
        Where the progress bar is drawn; by default on stderr.

    Raises
    ------
    StorageError
        The folder cannot be made or written.
    """
    began = time.monotonic()
    files = (out / "forecast.npz", out / "alarms.jsonl")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".analyze-", dir=out) as folder:
            part = Path(folder)
            forecasts, events = _forecast(record, forecaster, part, console or Console(stderr=True))
            _zip(part, files[0].name)
            alarms = [_alarm(event, record, session) for event in events]
            (part / files[1].name).write_bytes(b"".join(codec.encode(alarm) + b"\n" for alarm in alarms))
            for file in files:
                (part / file.name).replace(file)
    except OSError as error:
        raise StorageError(f"cannot write to {out}: {error.strerror or error}; choose another folder") from error
    return Summary(
        record=record.name,
        samples=record.n,
        forecasts=forecasts,
        alarms=sum(isinstance(event, Raised) for event in events),
        seconds=record.n / FS,
        elapsed_s=time.monotonic() - began,
        files=files,
    )


def _forecast(record: Record, forecaster: Checkpoint, part: Path, console: Console) -> tuple[int, list[Event]]:
    """Run the pipeline; leave each array of forecast.npz as one .npy file in ``part``."""
    leads, horizon = len(record.leads), forecaster.network.config.horizon
    k = record.n // STRIDE
    shape = (k, horizon, leads)
    np.save(part / "leads.npy", np.array(record.leads))
    np.save(part / "fs.npy", np.array(FS))
    np.save(part / "record.npy", np.array(record.name))
    origin = np.zeros(k, np.int64)
    mean = np.lib.format.open_memmap(part / "mean.npy", "w+", np.float32, shape)
    scale = np.lib.format.open_memmap(part / "scale.npy", "w+", np.float32, shape)
    state = pipeline.begin(forecaster, leads, 0, 0)
    events: list[Event] = []
    row = 0
    for piece in _pieces(record, console):
        [(output, state)] = pipeline.step(forecaster, [state], [piece.mv()])
        events += output.events
        for forecast in output.published:
            origin[row], mean[row], scale[row] = forecast.origin, forecast.mean, forecast.scale
            row += 1
    events += pipeline.finish(state)
    mean.flush()
    scale.flush()
    np.save(part / "origin.npy", origin)
    return k, events


def _pieces(record: Record, console: Console) -> Iterable[Record]:
    """Cut a record into pieces, and show how far they have come."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} s of signal"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(record.name, total=record.n / FS)
        for start in range(0, record.n, PIECE):
            piece = replace(record, adu=record.adu[start : start + PIECE])
            yield piece
            progress.advance(task, piece.n / FS)


def _zip(part: Path, name: str) -> None:
    """Put the .npy files into the .npz file that numpy would make of them; never all in memory."""
    with zipfile.ZipFile(part / name, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(part.glob("*.npy")):
            archive.write(file, file.name)


def _alarm(event: Event, record: Record, session: str) -> Alarm:
    """Return the message; its wall time is that of the signal, counted from 1970, because nobody was there."""
    when_ns = event.at * 1_000_000_000 // FS
    return to_alarm(event, bed=BED, session=session, record=record.name, leads=record.leads, when_ns=when_ns)
