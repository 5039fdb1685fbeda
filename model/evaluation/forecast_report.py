"""Forecast metrics by record and over records, with bootstrap intervals over patients, and their JSON report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from model.datasets.mitdb import without
from model.evaluation.ec57_beats import SCORED_FROM
from model.evaluation.patient_bootstrap import draw_records, interval95
from model.signal.arrays import Float32Array, FloatArray
from stream.timebase import FS

HORIZONS = (1, 4, 18, 36, 72, 90)
"""Horizons of the tables, in samples."""

CURVE = (1, 2, 3, 4, 6, 9, 13, 18, 24, 30, 36, 45, 54, 63, 72, 81, 90)
"""Horizons at which forecasts are scored, in samples; includes `HORIZONS`."""

IN_TABLE = [CURVE.index(h) for h in HORIZONS]

MS = tuple(str(round(1000 * h / FS)) for h in HORIZONS)
"""Horizons of the tables in ms: 3, 11, 50, 100, 200, 250."""

METHODS = ("lstm", "ar180", "persistence", "last_beat")
BASELINES = METHODS[1:]
LABELS = {"lstm": "LSTM", "ar180": "AR(180)", "persistence": "persistence", "last_beat": "last beat"}

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Nominal coverage of the central intervals of the predicted Gaussian."""

AT_90 = LEVELS.index(0.9)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Ten seconds of a record with the forecast of each sample, 100 to 108 ms ahead.

    Attributes
    ----------
    start : int
        Index of its first sample.
    rmse : float
        mV.
    truth : ndarray of float64, shape (n,)
        mV.
    mean, scale : ndarray of float32, shape (n,)
        Predicted mean and standard deviation, mV.
    """

    start: int
    rmse: float
    truth: FloatArray
    mean: Float32Array
    scale: Float32Array


@dataclass(frozen=True)
class RecordForecast:
    """Scores of one record: first lead, one origin per patch.

    Attributes
    ----------
    rmse, mae : ndarray of float64, shape (methods, curve)
        mV, at the horizons of `CURVE`.
    spread : float
        Standard deviation of the first 100 s, mV.
    coverage : ndarray of float64, shape (levels,)
        Share of samples within the central intervals of the predicted Gaussian, over all horizons.
    origins : int
        Number of forecasts scored.
    typical, worst : Excerpt
        The 10-s segments with the median error (the lower of two) and with the largest error.
    scored_from : int
        First origin.
    """

    rmse: FloatArray
    mae: FloatArray
    spread: float
    coverage: FloatArray
    origins: int
    typical: Excerpt
    worst: Excerpt
    scored_from: int = SCORED_FROM

    @property
    def curve(self) -> FloatArray:
        """NRMSE: RMSE / standard deviation of the first 100 s, shape (methods, curve)."""
        return self.rmse / self.spread

    @property
    def nrmse(self) -> FloatArray:
        """NRMSE at the horizons of the tables, shape (methods, horizons)."""
        return self.curve[:, IN_TABLE]

    @property
    def coverage90(self) -> float:
        """Share of samples within the central 90 % interval."""
        return float(self.coverage[AT_90])


@dataclass(frozen=True)
class ForecastReport:
    """Forecast scores of several records.

    Attributes
    ----------
    records : dict of str to RecordForecast
    methods : tuple of str
        The first is the network, the others are baselines.
    """

    records: dict[str, RecordForecast]
    methods: tuple[str, ...] = METHODS

    def without(self, names: Iterable[str]) -> ForecastReport:
        """Return the report without some records.

        Raises
        ------
        UsageError
            No record remains.
        """
        kept = without(list(self.records), list(names))
        return ForecastReport({name: self.records[name] for name in kept}, self.methods)

    @property
    def curve(self) -> FloatArray:
        """NRMSE, mean over records, shape (methods, curve)."""
        return np.asarray(np.mean([record.curve for record in self.records.values()], axis=0))

    @property
    def nrmse(self) -> FloatArray:
        """NRMSE at the horizons of the tables, shape (methods, horizons)."""
        return self.curve[:, IN_TABLE]

    @property
    def mae(self) -> FloatArray:
        """Mean absolute error, mean over records in mV, shape (methods, horizons)."""
        return np.asarray(np.mean([record.mae[:, IN_TABLE] for record in self.records.values()], axis=0))

    @property
    def skill(self) -> FloatArray:
        """Skill of the network over each baseline, shape (baselines, horizons)."""
        return skill_of(self.nrmse)

    @property
    def coverage90(self) -> dict[str, float]:
        """Smallest, mean and largest coverage of the 90 % interval over records."""
        shares = [record.coverage90 for record in self.records.values()]
        return {"min": min(shares), "mean": sum(shares) / len(shares), "max": max(shares)}

    @property
    def coverage(self) -> FloatArray:
        """Coverage at each level of `LEVELS`, mean over records."""
        return np.asarray(np.mean([record.coverage for record in self.records.values()], axis=0))

    @cached_property
    def drawn_curves(self) -> FloatArray:
        """NRMSE curves of resampled patients, shape (draws, methods, curve)."""
        times = draw_records(self.records).astype(np.float64)
        each = np.stack([record.curve for record in self.records.values()])
        return np.tensordot(times / times.sum(axis=1, keepdims=True), each, axes=1)

    @property
    def curve_interval(self) -> FloatArray:
        """95 % interval of the curve, bootstrap over patients, shape (2, methods, curve)."""
        return interval95(self.drawn_curves)

    @property
    def nrmse_interval(self) -> FloatArray:
        """95 % interval at the horizons of the tables, shape (2, methods, horizons)."""
        return self.curve_interval[:, :, IN_TABLE]

    @property
    def skill_interval(self) -> FloatArray:
        """95 % interval of the skill, network and baseline on the same draws, shape (2, baselines, horizons)."""
        return interval95(np.stack([skill_of(curve[:, IN_TABLE]) for curve in self.drawn_curves]))

    def to_dict(self) -> dict[str, Any]:
        """Return the metrics for JSON, all under the key ``forecast``."""
        intervals, skill_intervals = self.nrmse_interval, self.skill_interval
        return {
            "forecast": {
                "nrmse": self._by_method(self.nrmse),
                "mae_mv": self._by_method(self.mae),
                "skill": {over: _by_ms(self.skill[i]) for i, over in enumerate(self.methods[1:])},
                "intervals": {
                    "nrmse": {method: _by_ms(intervals[:, i].T) for i, method in enumerate(self.methods)},
                    "skill": {over: _by_ms(skill_intervals[:, i].T) for i, over in enumerate(self.methods[1:])},
                },
                "curve": {
                    "ms": [1000 * h / FS for h in CURVE],
                    "nrmse": dict(zip(self.methods, self.curve.tolist(), strict=True)),
                },
                "coverage90": self.coverage90,
                "coverage": {"nominal": list(LEVELS), "observed": self.coverage.tolist()},
                "origins": sum(record.origins for record in self.records.values()),
                "records": {
                    name: {
                        "nrmse": self._by_method(record.nrmse),
                        "mae_mv": self._by_method(record.mae[:, IN_TABLE]),
                        "coverage90": record.coverage90,
                        "origins": record.origins,
                    }
                    for name, record in self.records.items()
                },
            }
        }

    def _by_method(self, values: FloatArray) -> dict[str, dict[str, Any]]:
        return {method: _by_ms(values[i]) for i, method in enumerate(self.methods)}


def skill_of(nrmse: FloatArray) -> FloatArray:
    """Return the skill of the first method, 1 − NRMSE / NRMSE of the baseline, shape (methods − 1, horizons)."""
    return np.asarray(1 - nrmse[0] / nrmse[1:])


def _by_ms(values: FloatArray) -> dict[str, Any]:
    return dict(zip(MS, values.tolist(), strict=True))
