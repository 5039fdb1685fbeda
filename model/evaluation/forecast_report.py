"""The figures of the forecast and of what it must beat, over records and by record, with intervals over patients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from model.datasets.mitdb import without
from model.evaluation import patient_bootstrap
from model.signal.arrays import Float32Array, FloatArray
from stream.timebase import FS

HORIZONS = (1, 4, 18, 36, 72, 90)
"""Samples ahead for which the tables give errors."""

CURVE = (1, 2, 3, 4, 6, 9, 13, 18, 24, 30, 36, 45, 54, 63, 72, 81, 90)
"""Samples ahead at which forecasts are scored; those of the tables are among them."""

IN_TABLE = [CURVE.index(h) for h in HORIZONS]

MS = tuple(str(round(1000 * h / FS)) for h in HORIZONS)
"""Those of the tables in ms: 3, 11, 50, 100, 200, 250."""

METHODS = ("lstm", "ar180", "persistence", "last_beat")
RIVALS = METHODS[1:]
LABELS = {"lstm": "LSTM", "ar180": "AR(180)", "persistence": "persistence", "last_beat": "last beat"}

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Shares that the central intervals of the predicted Gaussian should hold."""

NARROW: dict[str, Any] = {"box": box.SIMPLE_HEAD, "collapse_padding": True, "pad_edge": False}
"""How wide tables fit into 80 columns."""

AT_90 = LEVELS.index(0.9)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Ten seconds of a record, and what was said of each sample 100 to 108 ms before.

    Attributes
    ----------
    start : int
        Index of its first sample.
    rmse : float
        mV.
    truth : ndarray of float64, shape (n,)
        mV.
    mean, scale : ndarray of float32, shape (n,)
        mV.
    """

    start: int
    rmse: float
    truth: FloatArray
    mean: Float32Array
    scale: Float32Array


@dataclass(frozen=True)
class RecordScore:
    """Scores of one record, first lead, from 5:00, one origin per patch.

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
        Of all stretches of 10 s the one with the median error (the lower of two), and the one with the largest.
    """

    rmse: FloatArray
    mae: FloatArray
    spread: float
    coverage: FloatArray
    origins: int
    typical: Excerpt
    worst: Excerpt

    @property
    def curve(self) -> FloatArray:
        """RMSE over the standard deviation of the first 100 s, shape (methods, curve)."""
        return self.rmse / self.spread

    @property
    def nrmse(self) -> FloatArray:
        """The same at the horizons of the tables, shape (methods, horizons)."""
        return self.curve[:, IN_TABLE]

    @property
    def coverage90(self) -> float:
        """Share of samples in the central 90 %."""
        return float(self.coverage[AT_90])


@dataclass(frozen=True)
class Report:
    """Scores by record.

    Attributes
    ----------
    records : dict of str to RecordScore
    """

    records: dict[str, RecordScore]

    def without(self, names: Iterable[str]) -> Report:
        """Return the report on the other records.

        Raises
        ------
        UsageError
            No record is left.
        """
        return Report({name: self.records[name] for name in without(list(self.records), list(names))})

    @property
    def curve(self) -> FloatArray:
        """NRMSE, mean over records, shape (methods, curve)."""
        return np.asarray(np.mean([score.curve for score in self.records.values()], axis=0))

    @property
    def nrmse(self) -> FloatArray:
        """The same at the horizons of the tables, shape (methods, horizons)."""
        return self.curve[:, IN_TABLE]

    @property
    def mae(self) -> FloatArray:
        """Mean over records in mV, shape (methods, horizons)."""
        return np.asarray(np.mean([score.mae[:, IN_TABLE] for score in self.records.values()], axis=0))

    @property
    def skill(self) -> FloatArray:
        """By how much the NRMSE of the network is below that of each rival, as a share of it: (rivals, horizons)."""
        return skill_of(self.nrmse)

    @property
    def coverage90(self) -> dict[str, float]:
        """Smallest, mean and largest over records."""
        shares = [score.coverage90 for score in self.records.values()]
        return {"min": min(shares), "mean": sum(shares) / len(shares), "max": max(shares)}

    @cached_property
    def drawn_curves(self) -> FloatArray:
        """The curves of patients drawn again and again, shape (draws, methods, curve)."""
        times = patient_bootstrap.drawn(self.records).astype(np.float64)
        each = np.stack([score.curve for score in self.records.values()])
        return np.tensordot(times / times.sum(axis=1, keepdims=True), each, axes=1)

    @property
    def curve_interval(self) -> FloatArray:
        """95 % interval of the curve, bootstrap over patients: shape (2, methods, curve)."""
        return percentiles(self.drawn_curves)

    @property
    def nrmse_interval(self) -> FloatArray:
        """The same at the horizons of the tables, shape (2, methods, horizons)."""
        return self.curve_interval[:, :, IN_TABLE]

    @property
    def skill_interval(self) -> FloatArray:
        """95 % interval of the skill, network and rival on the same draws: shape (2, rivals, horizons)."""
        return percentiles(np.stack([skill_of(curve[:, IN_TABLE]) for curve in self.drawn_curves]))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON, all under the key ``forecast``."""
        intervals, skill_intervals = self.nrmse_interval, self.skill_interval
        return {
            "forecast": {
                "nrmse": _named(self.nrmse),
                "mae_mv": _named(self.mae),
                "skill": {over: _by_ms(self.skill[i]) for i, over in enumerate(RIVALS)},
                "intervals": {
                    "nrmse": {method: _ends(intervals[:, i]) for i, method in enumerate(METHODS)},
                    "skill": {over: _ends(skill_intervals[:, i]) for i, over in enumerate(RIVALS)},
                },
                "curve": {
                    "ms": [1000 * h / FS for h in CURVE],
                    "nrmse": dict(zip(METHODS, self.curve.tolist(), strict=True)),
                },
                "coverage90": self.coverage90,
                "coverage": {
                    "nominal": list(LEVELS),
                    "observed": np.mean([score.coverage for score in self.records.values()], axis=0).tolist(),
                },
                "origins": sum(score.origins for score in self.records.values()),
                "records": {
                    name: {
                        "nrmse": _named(score.nrmse),
                        "mae_mv": _named(score.mae[:, IN_TABLE]),
                        "coverage90": score.coverage90,
                        "origins": score.origins,
                    }
                    for name, score in self.records.items()
                },
            }
        }


def skill_of(nrmse: FloatArray) -> FloatArray:
    """Return the skill of the first method over the others, shape (methods - 1, horizons)."""
    return np.asarray(1 - nrmse[0] / nrmse[1:])


def percentiles(draws: FloatArray) -> FloatArray:
    """Return the 2.5th and the 97.5th percentile over the first axis, stacked."""
    return np.asarray(np.quantile(draws, (0.025, 0.975), axis=0))


def counted(records: int) -> str:
    """Return ``1 record`` or ``2 records``."""
    return f"{records} record{'s' if records != 1 else ''}"


def print_forecast(report: Report, console: Console) -> None:
    """Print the figures over all records."""
    nrmse, mae, interval = report.nrmse, report.mae, report.nrmse_interval
    table = Table(
        title=f"Forecast of {counted(len(report.records))}, first lead, from 5:00, one origin each 4 samples",
        caption="NRMSE: RMSE over the standard deviation of the first 100 s, mean over records; "
        "below it its 95 % interval, bootstrap over patients",
        **NARROW,
    )
    table.add_column("")
    for ms in MS:
        table.add_column(f"{ms} ms", justify="right")
    table.add_row("NRMSE", style="bold")
    for i, method in enumerate(METHODS):
        table.add_row(LABELS[method], *(f"{value:.3f}" for value in nrmse[i]))
        table.add_row("", *(f"{low:.2f}–{high:.2f}" for low, high in interval[:, i].T), style="dim")
    table.add_section()
    table.add_row("MAE, mV", style="bold")
    for i, method in enumerate(METHODS):
        table.add_row(LABELS[method], *(f"{value:.4f}" for value in mae[i]))
    table.add_section()
    table.add_row("skill over", style="bold")
    for over, skill in zip(RIVALS, report.skill, strict=True):
        table.add_row(LABELS[over], *(f"{value:.2f}" for value in skill))
    console.print(table)
    share = report.coverage90
    console.print(
        f"90 % interval: {100 * share['mean']:.1f} % of samples on average, "
        f"{100 * share['min']:.1f} to {100 * share['max']:.1f} % by record\n"
    )


def print_forecast_by_record(report: Report, console: Console) -> None:
    """Print what the network reaches on each record."""
    each = Table(title="LSTM by record: NRMSE; % in the 90 % interval", **NARROW)
    each.add_column("record")
    for ms in MS:
        each.add_column(f"{ms} ms", justify="right")
    each.add_column("90 %", justify="right")
    for name, score in report.records.items():
        each.add_row(name, *(f"{value:.3f}" for value in score.nrmse[0]), f"{100 * score.coverage90:.1f}")
    console.print(each)


def _by_ms(values: FloatArray) -> dict[str, float]:
    return dict(zip(MS, map(float, values), strict=True))


def _ends(values: FloatArray) -> dict[str, list[float]]:
    return dict(zip(MS, values.T.tolist(), strict=True))


def _named(values: FloatArray) -> dict[str, dict[str, float]]:
    return {method: _by_ms(values[i]) for i, method in enumerate(METHODS)}
