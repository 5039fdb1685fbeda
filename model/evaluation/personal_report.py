"""Metrics of the personal forecast, beside the LSTM and the baselines at the same origins: the ends of strides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.datasets.mitdb import without
from model.evaluation.beat_surroundings import PLACES
from model.evaluation.ec57_beats import SCORED_FROM
from model.evaluation.personal_conditions import MINUTES
from model.evaluation.second_ahead import SecondAhead
from model.evaluation.tables import or_none
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
    "without_lstm": "personal without LSTM",
    "ar180": "AR(180)",
    "persistence": "persistence",
    "last_beat": "last beat",
}
METHODS = tuple(LABELS)

OWN = METHODS[:2]
"""Methods that are scored by minute and by beat."""

IN_DETAIL = (18, 72)
"""Horizons at which they are: 50 and 200 ms."""

IN_DETAIL_MS = tuple(MS[HORIZONS.index(h)] for h in IN_DETAIL)

PHASES = ("qrs", "rest")

ERROR_OVER = 36
"""Samples over which the error of a forecast is taken as a score of ectopic beats: 100 ms."""

DETECTORS = (*OWN, "sum")
"""Errors that are such scores; the last is the sum of the others."""


@dataclass(frozen=True)
class PersonalRecord:
    """Scores of one record: first lead, one origin per stride.

    NRMSE is RMSE / standard deviation of the first 100 s. What cannot be known of a record is NaN.

    Attributes
    ----------
    nrmse : ndarray of float64, shape (methods, horizons)
        NaN of the LSTM beyond its horizon, and of a missing AR. "personal without LSTM" is the same stage with the
        stream's running mean in place of the network's forecast.
    coverage : ndarray of float64, shape (offsets,)
        Share of samples within the 90 % interval, at each offset of the forecast.
    origins : int
    by_minute : ndarray of float64, shape (2, 2, minutes)
        NRMSE of the methods `OWN` at the horizons `IN_DETAIL`, from the start of the record.
    by_phase : ndarray of float64, shape (2, offsets)
        Coverage in `PHASES`.
    by_place : ndarray of float64, shape (2, 2, places)
        NRMSE of samples in undisturbed, ectopic and following beats, `model.evaluation.beat_surroundings.PLACES`.
    veb_auroc : ndarray of float64, shape (3,)
        Of `DETECTORS`.
    excerpts : tuple of SecondAhead
        A typical and a hard one.
    scored_from : int
        First origin of all but `by_minute`.
    """

    nrmse: FloatArray
    coverage: FloatArray
    origins: int
    by_minute: FloatArray
    by_phase: FloatArray
    by_place: FloatArray
    veb_auroc: FloatArray
    excerpts: tuple[SecondAhead, ...]
    scored_from: int = SCORED_FROM


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
        return _range([record.coverage for record in self.records.values()])

    @property
    def by_minute(self) -> FloatArray:
        """NRMSE by minute, mean over the records that reach it, shape (methods, horizons, minutes)."""
        each = np.stack([record.by_minute for record in self.records.values()])
        number = (~np.isnan(each)).sum(axis=0)
        return np.asarray(np.nansum(each, axis=0) / np.where(number, number, np.nan))

    @property
    def with_beats(self) -> list[str]:
        """Records whose beats are known."""
        return [name for name, record in self.records.items() if not np.isnan(record.by_phase).any()]

    @property
    def with_veb(self) -> list[str]:
        """Records with enough beats in each place for errors after ectopic beats."""
        return [name for name, record in self.records.items() if not np.isnan(record.by_place).any()]

    @property
    def by_phase(self) -> FloatArray | None:
        """Smallest, mean and largest coverage over `with_beats`, shape (3, phases, offsets); None without any."""
        each = [self.records[name].by_phase for name in self.with_beats]
        return _range(each) if each else None

    @property
    def by_place(self) -> FloatArray | None:
        """NRMSE by place, mean over `with_veb`, shape (methods, horizons, places); None without any."""
        each = [self.records[name].by_place for name in self.with_veb]
        return np.asarray(np.mean(each, axis=0)) if each else None

    @property
    def veb_auroc(self) -> dict[str, FloatArray]:
        """AUROC of `DETECTORS` by record, of those with enough ectopic beats."""
        return {name: own.veb_auroc for name, own in self.records.items() if not np.isnan(own.veb_auroc).any()}

    def add_to(self, metrics: dict[str, Any]) -> None:
        """Add the metrics, for JSON, to those of `model.evaluation.forecast_report.ForecastReport.to_dict`."""
        own, nrmse = metrics["forecast"], by_method(self.nrmse)
        own["nrmse"]["personal"] = nrmse["personal"]
        own["personal"] = {
            "nrmse": nrmse,
            "coverage90": {
                str(offset): dict(zip(("min", "mean", "max"), shares, strict=True))
                for offset, shares in zip(OFFSETS, self.coverage.T.tolist(), strict=True)
            },
            "nrmse_by_minute": _in_detail(self.by_minute, [f"{first}-{stop}" for first, stop in MINUTES]),
            "coverage90_by_phase": self._by_phase(),
            "nrmse_after_veb": None if self.by_place is None else _in_detail(self.by_place, PLACES),
            "veb_auroc": {
                name: dict(zip(DETECTORS, aurocs.tolist(), strict=True)) for name, aurocs in self.veb_auroc.items()
            },
            "records": {"with_beats": self.with_beats, "after_veb": self.with_veb},
        }
        for name, record in self.records.items():
            if name in own.get("records", {}):
                own["records"][name]["nrmse"]["personal"] = by_method(record.nrmse)["personal"]

    def _by_phase(self) -> dict[str, Any] | None:
        if self.by_phase is None:
            return None
        return {
            phase: {
                str(offset): dict(zip(("min", "mean", "max"), shares, strict=True))
                for offset, shares in zip(OFFSETS, own.T.tolist(), strict=True)
            }
            for phase, own in zip(PHASES, self.by_phase.transpose(1, 0, 2), strict=True)
        }


def by_method(nrmse: FloatArray) -> dict[str, dict[str, float | None]]:
    """Return NRMSE, shape (methods, horizons), for JSON; None where there is no forecast."""
    return {
        method: {ms: or_none(value) for ms, value in zip(MS, row, strict=True)}
        for method, row in zip(METHODS, nrmse.tolist(), strict=True)
    }


def _in_detail(nrmse: FloatArray, names: Iterable[str]) -> dict[str, Any]:
    """Return NRMSE of shape (methods, horizons, names) for JSON."""
    names = list(names)
    return {
        method: {
            ms: {name: or_none(value) for name, value in zip(names, values, strict=True)}
            for ms, values in zip(IN_DETAIL_MS, own, strict=True)
        }
        for method, own in zip(OWN, nrmse.tolist(), strict=True)
    }


def _range(each: list[FloatArray]) -> FloatArray:
    """Return the smallest, mean and largest of each value."""
    stacked = np.stack(each)
    return np.stack([stacked.min(axis=0), stacked.mean(axis=0), stacked.max(axis=0)])
