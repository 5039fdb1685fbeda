"""Metrics of the personal forecast, beside the LSTM and the baselines at the same origins: the ends of strides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from model.datasets.mitdb import without
from model.evaluation.tables import NARROW, counted
from model.forecast.personal_forecast import OFFSETS
from model.signal.arrays import FloatArray
from stream.timebase import FS

HORIZONS = (1, 4, 18, 36, 72, 180, 360)
"""Horizons of the tables, in samples."""

MS = tuple(str(round(1000 * h / FS)) for h in HORIZONS)
"""The same in ms: 3, 11, 50, 100, 200, 500, 1000."""

LABELS = {
    "personal": "personal",
    "lstm": "LSTM",
    "ar180": "AR(180)",
    "persistence": "persistence",
    "last_beat": "last beat",
}
METHODS = tuple(LABELS)


@dataclass(frozen=True)
class PersonalRecord:
    """Scores of one record: first lead, one origin per stride.

    Attributes
    ----------
    nrmse : ndarray of float64, shape (methods, horizons)
        RMSE / standard deviation of the first 100 s; NaN of the LSTM beyond its horizon, and of a missing AR.
    coverage : ndarray of float64, shape (offsets,)
        Share of samples within the 90 % interval, at each offset of the forecast.
    origins : int
    """

    nrmse: FloatArray
    coverage: FloatArray
    origins: int


@dataclass(frozen=True)
class PersonalReport:
    """Scores of several records."""

    records: Mapping[str, PersonalRecord]

    def without(self, names: Iterable[str]) -> PersonalReport:
        """Return the report without some records.

        Raises
        ------
        UsageError
            No record remains.
        """
        return PersonalReport({name: self.records[name] for name in without(list(self.records), list(names))})

    @property
    def nrmse(self) -> FloatArray:
        """NRMSE, mean over records, shape (methods, horizons)."""
        return np.asarray(np.mean([record.nrmse for record in self.records.values()], axis=0))

    @property
    def coverage(self) -> FloatArray:
        """Smallest, mean and largest coverage of the 90 % interval over records, shape (3, offsets)."""
        each = np.stack([record.coverage for record in self.records.values()])
        return np.stack([each.min(axis=0), each.mean(axis=0), each.max(axis=0)])

    def to_dict(self) -> dict[str, Any]:
        """Return the metrics over all records for JSON."""
        return {
            "nrmse": by_method(self.nrmse),
            "coverage90": {
                str(offset): dict(zip(("min", "mean", "max"), shares, strict=True))
                for offset, shares in zip(OFFSETS, self.coverage.T.tolist(), strict=True)
            },
        }


def by_method(nrmse: FloatArray) -> dict[str, dict[str, float | None]]:
    """Return NRMSE, shape (methods, horizons), for JSON; None where there is no forecast."""
    return {
        method: {ms: None if np.isnan(value) else value for ms, value in zip(MS, row, strict=True)}
        for method, row in zip(METHODS, nrmse.tolist(), strict=True)
    }


def print_personal(report: PersonalReport, console: Console) -> None:
    """Print the metrics over all records."""
    table = Table(
        title=f"Personal forecast, {counted(len(report.records))}: first lead, NRMSE, one origin every 100 ms", **NARROW
    )
    table.add_column("")
    for ms in MS:
        table.add_column(f"{ms} ms", justify="right")
    for label, row in zip(LABELS.values(), report.nrmse, strict=True):
        table.add_row(label, *("" if np.isnan(value) else f"{value:.3f}" for value in row))
    console.print(table)
    low, mean, high = 100 * report.coverage
    console.print(
        f"Coverage of the 90 % interval at each of {len(OFFSETS)} horizons: mean {mean.mean():.1f} %, "
        f"range over records and horizons {low.min():.1f} to {high.max():.1f} %\n"
    )
