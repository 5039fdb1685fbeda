"""Analyses records as the live worker does, as fast as possible, and writes the results to files.

A record is one epoch of one session, so sample indices are those of the record at 360 Hz. No result depends on later
samples. Samples after the last whole stride of 36 are not analysed.
"""

from __future__ import annotations

import csv
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from model.beats.beat import Beat
from model.forecast.personal_forecast import OFFSETS
from model.physiology.derived_values import DerivedValues
from model.pipeline.analysis import Models
from model.rhythm.vitals import VitalSigns
from model.serving.analyzer import SESSION, Output, outputs_of
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
        Duration of the analysis; of several records together, the share of this one.
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
    record: Record, models: Models, out: Path, *, session: str = SESSION, console: Console | None = None
) -> Summary:
    """Analyse a whole record as the live worker does, and write the results into a folder; see `analyze_all`."""
    [summary] = analyze_all({out: record}, models, session=session, console=console)
    return summary


def analyze_all(
    records: Mapping[Path, Record], models: Models, *, session: str = SESSION, console: Console | None = None
) -> list[Summary]:
    """Analyse whole records as the live worker does, all together, and write the results of each.

    Files:

    - ``forecast.npz``: origin, int64, shape (k,); mean and scale, float32, shape (k, horizon, leads), mV, at every
      stride of 36 samples; personal_mean and personal_scale, shape (k, offsets, leads); offsets; leads, fs, record;
    - ``alarms.jsonl``: one `stream.wire.alarm_messages.Alarm` per line, encoded as on the wire;
    - ``beats.atr``: WFDB annotations, N, S, V or Q at each R peak;
    - ``vitals.csv``: one row per second; unknown values are empty;
    - ``derived.csv``, what is measured from the waves, and the ST levels: one row per second and value; unknown ones
      are empty.

    If the analysis fails, existing files are kept.

    Parameters
    ----------
    records : mapping of Path to Record
        Each with its folder, which is created if missing.
    models : Models
    session : str
        128 bits in hex, part of the alarms' ids.
    console : Console, optional
        Where the progress bar is drawn; by default on stderr.

    Raises
    ------
    StorageError
        A folder cannot be created or written to.
    """
    began = time.monotonic()
    with ExitStack() as folders:
        results = [
            folders.enter_context(_Results(record.analysed(), out, models.forecaster.config.horizon))
            for out, record in records.items()
        ]
        with _bar(list(records.values()), console or Console(stderr=True)) as advance:
            for number, output in outputs_of(list(records.values()), models, session):
                results[number].add(output)
                advance(len(output.forecasts) * STRIDE / FS)
        per_sample = (time.monotonic() - began) / max(sum(record.n for record in records.values()), 1)
        return [own.write(per_sample * record.n) for own, record in zip(results, records.values(), strict=True)]


class _Results(AbstractContextManager["_Results"]):
    """Results of one record, in a temporary folder until they are complete; arrays are written as they come."""

    def __init__(self, record: Record, out: Path, horizon: int) -> None:
        self._record = record
        self._out = out
        with self._storage_errors():
            out.mkdir(parents=True, exist_ok=True)
            self._folder = tempfile.TemporaryDirectory(prefix=".analyze-", dir=out)
            self._part = Path(self._folder.name)
            k, leads = record.n // STRIDE, len(record.leads)
            self._origin = np.zeros(k, np.int64)
            sizes = {"mean": horizon, "scale": horizon, "personal_mean": len(OFFSETS), "personal_scale": len(OFFSETS)}
            self._forecasts = {
                name: np.lib.format.open_memmap(self._part / f"{name}.npy", "w+", np.float32, (k, size, leads))
                for name, size in sizes.items()
            }
        self._rows = 0
        self._beats: list[Beat] = []
        self._vitals: list[VitalSigns] = []
        self._alarms: list[Alarm] = []
        self._derived: list[DerivedValues] = []

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"cannot write to {self._out}: {error.strerror or error}; choose another folder"
            ) from error

    def add(self, output: Output) -> None:
        """Add the results of the next chunk."""
        rows = slice(self._rows, self._rows + len(output.forecasts))
        if len(output.forecasts):
            self._origin[rows] = output.forecasts.origin
            for name, values in self._forecasts.items():
                values[rows] = getattr(output.forecasts, name)
        self._rows = rows.stop
        self._beats += output.beats
        self._vitals += output.vitals
        self._alarms += output.alarms
        self._derived += output.derived

    def write(self, elapsed_s: float) -> Summary:
        """Write all files, and move them to their places."""
        record, part, beats = self._record, self._part, self._beats
        names = ["forecast.npz", "alarms.jsonl", "beats.atr", "vitals.csv"]
        if record.waves or self._derived:
            names.append("derived.csv")
        files = tuple(self._out / name for name in names)
        with self._storage_errors():
            for values in self._forecasts.values():
                values.flush()
            np.save(part / "offsets.npy", np.array(OFFSETS))
            np.save(part / "origin.npy", self._origin)
            np.save(part / "leads.npy", np.array(record.leads))
            np.save(part / "fs.npy", np.array(FS))
            np.save(part / "record.npy", np.array(record.name))
            _zip(part, files[0].name)
            (part / files[1].name).write_bytes(b"".join(codec.encode(alarm) + b"\n" for alarm in self._alarms))
            write_beats(part, files[2].stem, [beat.index for beat in beats], [beat.type for beat in beats])
            _write_vitals(part / files[3].name, self._vitals)
            if len(files) > 4:
                _write_derived(part / files[4].name, self._derived)
            for file in files:
                (part / file.name).replace(file)
        raised = [alarm for alarm in self._alarms if alarm.phase == "raised"]
        return Summary(
            record=record.name,
            samples=record.n,
            forecasts=self._rows,
            beats=len(beats),
            alarms=sum(alarm.kind not in ADVISORIES for alarm in raised),
            advisories=sum(alarm.kind in ADVISORIES for alarm in raised),
            seconds=record.n / FS,
            elapsed_s=elapsed_s,
            files=files,
        )


@contextmanager
def _bar(records: Sequence[Record], console: Console) -> Iterator[Callable[[float], None]]:
    """Show the progress of records, in s of signal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} s of signal"),
        TimeRemainingColumn(),
    )
    name = records[0].name if len(records) == 1 else f"{len(records)} records"
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=sum(record.n for record in records) / FS)
        yield lambda seconds: progress.advance(task, seconds)


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


def _write_derived(path: Path, derived: Iterable[DerivedValues]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["time_s", "name", "value", "unit", "quality", "age_s", "lead"])
        for second in derived:
            for one in second.values:
                known = ("" if cell is None else cell for cell in (one.value, one.unit, one.quality))
                rows.writerow([f"{(second.index + 1) / FS:g}", one.name, *known, f"{one.age_s:g}", one.lead or ""])
