"""What is measured from the waves against the recording device and marked breaths: ``bedside evaluate --vitals``.

- *Pulse rate* from the plethysmogram and from the arterial pressure, against the pulse rate that the device stored, at
  each of its values.
- *Respiration rate* against breaths that a person marked (``.breath`` annotations), as the mean interval of those in
  the same last seconds; and against the rate that the device stored.

A rate that is not measured counts in the coverage, not in the error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from model.console.progress import progress, skip
from model.datasets.pieces import pieces
from model.evaluation.database import Database
from model.evaluation.tables import NARROW, number, or_none, percent, ratio
from model.physiology.derived_values import BREATHING_S, DerivedValues
from model.pipeline.analysis import Models
from model.pipeline.signals import Signal, analyze_signals
from model.signal.arrays import FloatArray
from stream.errors import RecordError
from stream.records.record import Record
from stream.records.wfdb_reader import read_breaths
from stream.timebase import FS
from stream.wire.numerics_message import NumericName
from stream.wire.wave_message import Signal as WaveName

PIECE: Final = 10 * FS
"""Samples of ECG that are analysed at once."""

CLOSE: Final = 5.0
"""Greatest difference of a rate that is close, 1/min."""

FIRST_S: Final = 10
"""Seconds of a record before the first value that is compared."""

MEASURES: Final[Mapping[str, tuple[NumericName, WaveName]]] = {
    "pulse_pleth": ("pulse_rate", "pleth"),
    "pulse_abp": ("pulse_rate_abp", "abp"),
    "respiration": ("respiration_rate", "resp"),
    "respiration_device": ("respiration_rate", "resp"),
}
"""The value that each measure compares, and the wave without which a record has none."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of a measured rate with a reference, once per second of the reference.

    Attributes
    ----------
    n, compared : int
        Values of the reference, and those for which a rate is measured.
    error, close : float
        Sum of absolute differences, 1/min, and number of those up to `CLOSE`.
    """

    n: int = 0
    compared: int = 0
    error: float = 0.0
    close: int = 0

    def __add__(self, other: Agreement) -> Agreement:
        """Return the agreement over both."""
        return Agreement(
            self.n + other.n, self.compared + other.compared, self.error + other.error, self.close + other.close
        )

    def to_dict(self) -> dict[str, Any]:
        """Return mean absolute error, 1/min, and shares 0 to 1; None if undefined."""
        return {
            "mae": or_none(ratio(self.error, self.compared)),
            "within_5": or_none(ratio(self.close, self.compared)),
            "coverage": or_none(ratio(self.compared, self.n)),
            "seconds": self.n,
        }


@dataclass(frozen=True)
class VitalsReport:
    """Agreement over the records of a database.

    Attributes
    ----------
    name : str
    records : dict of str to dict of str to Agreement
        For each record the measures that it has.
    skipped : dict of str to str
        Records that could not be analysed, with the reason.
    """

    name: str
    records: Mapping[str, Mapping[str, Agreement]]
    skipped: Mapping[str, str]

    def total(self, measure: str) -> Agreement:
        """Return the agreement over all records."""
        return sum((own[measure] for own in self.records.values() if measure in own), Agreement())

    def to_dict(self) -> dict[str, Any]:
        """Return the agreement for JSON, of all records and of each."""
        return {
            "database": self.name,
            **{measure: self.total(measure).to_dict() for measure in MEASURES},
            "skipped": {"n": len(self.skipped), "reasons": dict(self.skipped)},
            "records": {
                name: {measure: one.to_dict() for measure, one in own.items()} for name, own in self.records.items()
            },
        }


def agreement(measured: FloatArray, reference: FloatArray) -> Agreement:
    """Return the agreement of rates with a reference, each shape (n,), 1/min, NaN where there is none."""
    known = np.isfinite(reference)
    difference = np.abs(measured - reference)[known & np.isfinite(measured)]
    return Agreement(int(known.sum()), len(difference), float(difference.sum()), int((difference <= CLOSE).sum()))


def breath_rates(breaths: FloatArray, ends: FloatArray) -> FloatArray:
    """Return the rate of marked breaths in the last `BREATHING_S` at some times, s; NaN with fewer than three."""
    rates = np.full(len(ends), np.nan)
    for i, end in enumerate(ends.tolist()):
        own = breaths[(breaths > end - BREATHING_S) & (breaths <= end)]
        if len(own) > 2:
            rates[i] = 60 * (len(own) - 1) / (own[-1] - own[0])
    return rates


def score_record(record: Record, derived: Sequence[DerivedValues], breaths: FloatArray) -> dict[str, Agreement]:
    """Return the agreement of a record's values with what its device stored, and with marked breaths, times in s."""
    ends = np.array([(second.index + 1) / FS for second in derived])
    compared = ends >= FIRST_S
    stored = {one.name: (one.values, one.fs) for one in record.numerics}
    waves = {wave.signal for wave in record.waves}
    found = {}
    for measure, (name, wave) in MEASURES.items():
        device: NumericName = "respiration_rate" if name == "respiration_rate" else "pulse_rate"
        if measure == "respiration":
            reference = breath_rates(breaths, ends)
        elif device in stored:
            reference = _at(ends, *stored[device])
        else:
            continue
        if wave in waves and np.isfinite(reference).any():
            found[measure] = agreement(_measured(derived, name)[compared], reference[compared])
    return found


def evaluate_vitals(database: Database, names: Sequence[str], models: Models) -> VitalsReport:
    """Analyse records of a database and compare what is measured from their waves, with progress on standard error.

    Parameters
    ----------
    database : Database
    names : sequence of str
        As `Database.chosen` returns them.
    models : Models
    """
    records: dict[str, Mapping[str, Agreement]] = {}
    skipped: dict[str, str] = {}
    with progress("records", len(names)) as update:
        for done, name in enumerate(names, 1):
            try:
                record = database.example(name).record
                breaths = read_breaths(database.folder / name)
            except RecordError as error:
                skip(skipped, name, error)
                continue
            finally:
                update(done)
            found = score_record(record, list(_derived(record, models)), breaths)
            if found:
                records[name] = found
            else:
                skipped[name] = "has no wave with a stored rate or marked breaths"
    return VitalsReport(database.name, records, skipped)


def print_vitals(report: VitalsReport, console: Console | None = None) -> None:
    """Print the agreement as a table."""
    console = console or Console()
    table = Table("measured", "records", "error 1/min", "within 5 %", "coverage %", **NARROW)
    for measure in MEASURES:
        total = report.total(measure)
        records = sum(measure in own for own in report.records.values())
        shares = ratio(total.close, total.compared), ratio(total.compared, total.n)
        error = number(ratio(total.error, total.compared), 2)
        table.add_row(measure, str(records), error, *(percent(share, 1) for share in shares))
    console.print(f"{report.name}: rates measured from the waves")
    for name, reason in report.skipped.items():
        console.print(f"  skipped {name}: {reason}", markup=False, soft_wrap=True)
    console.print(table)


def _derived(record: Record, models: Models) -> Iterator[DerivedValues]:
    for _, found in analyze_signals(models, [Signal(record.leads, pieces(record, PIECE))], forecast=False):
        yield from found.derived


def _measured(derived: Sequence[DerivedValues], name: NumericName) -> FloatArray:
    values = ({one.name: one.value for one in second.values}.get(name) for second in derived)
    return np.array([math.nan if value is None else value for value in values])


def _at(ends: FloatArray, values: FloatArray, fs: float) -> FloatArray:
    """Return stored values at some times, s; NaN after the last."""
    places = np.rint(ends * fs).astype(np.int64)
    return np.where(places < len(values), values[np.minimum(places, len(values) - 1)], np.nan)
