"""Scores of the forecast against what came, and against the baselines.

Everything runs as it would live: record by record from the first sample, state carried, nothing looked at ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from model.baselines import fit_ar, persistence
from model.calibration import Z90
from model.checkpoint import Checkpoint
from model.dataset import DS1, load_signals, without
from model.forecaster import begin, step
from stream.catalog import Catalog
from stream.errors import UsageError
from stream.messages import FS

HORIZONS = (1, 4, 18, 36, 72, 90)
"""Samples ahead at which forecasts are scored."""

MS = tuple(str(round(1000 * h / FS)) for h in HORIZONS)
"""The same in ms: 3, 11, 50, 100, 200, 250."""

METHODS = ("lstm", "ar180", "persistence")
AR_ORDER = 180
AR_RECORDS = tuple(name for name in DS1 if name != "201")
"""What AR(180) is fitted to: DS1 without the patient that is also in DS2."""

SCORED_FROM = 300 * FS
"""Scores begin at 5:00, after the learning period of EC57."""

SPREAD_OVER = 100 * FS
"""The standard deviation that NRMSE divides by is that of the first 100 s."""

CHUNK = 10 * FS

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RecordScore:
    """Scores of one record, first lead, from 5:00, one origin per patch.

    Attributes
    ----------
    rmse, mae : ndarray of float64, shape (methods, horizons)
        mV.
    spread : float
        Standard deviation of the first 100 s, mV.
    coverage90 : float
        Share of samples within the central 90 % of the predicted Gaussian, over all horizons.
    origins : int
        Number of forecasts scored.
    """

    rmse: Array
    mae: Array
    spread: float
    coverage90: float
    origins: int

    @property
    def nrmse(self) -> Array:
        """RMSE over the standard deviation of the first 100 s, shape (methods, horizons)."""
        return self.rmse / self.spread


@dataclass(frozen=True)
class Report:
    """Scores by record.

    Attributes
    ----------
    records : dict of str to RecordScore
    """

    records: dict[str, RecordScore]

    @property
    def nrmse(self) -> Array:
        """Mean over records, shape (methods, horizons)."""
        return np.asarray(np.mean([score.nrmse for score in self.records.values()], axis=0))

    @property
    def mae(self) -> Array:
        """Mean over records in mV, shape (methods, horizons)."""
        return np.asarray(np.mean([score.mae for score in self.records.values()], axis=0))

    @property
    def coverage90(self) -> dict[str, float]:
        """Smallest, mean and largest over records."""
        shares = [score.coverage90 for score in self.records.values()]
        return {"min": min(shares), "mean": sum(shares) / len(shares), "max": max(shares)}

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON, all under the key ``forecast``."""
        nrmse = self.nrmse
        skill = 1 - nrmse[0] / nrmse[1:]
        return {
            "forecast": {
                "nrmse": _named(nrmse),
                "mae_mv": _named(self.mae),
                "skill": {over: _by_ms(skill[i]) for i, over in enumerate(METHODS[1:])},
                "coverage90": self.coverage90,
                "origins": sum(score.origins for score in self.records.values()),
                "records": {
                    name: {
                        "nrmse": _named(score.nrmse),
                        "mae_mv": _named(score.mae),
                        "coverage90": score.coverage90,
                        "origins": score.origins,
                    }
                    for name, score in self.records.items()
                },
            }
        }


def evaluate(
    records: Sequence[str], *, forecaster: Checkpoint, exclude: Sequence[str] = (), catalog: Catalog | None = None
) -> Report:
    """Score the network, AR(180) and persistence on MIT-BIH records, with a progress bar.

    Parameters
    ----------
    records : sequence of str
        As `parse_records` returns them.
    forecaster : Checkpoint
    exclude : sequence of str
        Records left out: ``("202",)`` because its patient is also in DS1.
    catalog : Catalog, optional

    Raises
    ------
    UsageError
        No record is left, or one is too short to score.
    RecordError
        A record, or one of those that AR is fitted to, is nowhere.
    """
    names = without(records, exclude)
    signals = {name: mv[:, 0] for name, mv in load_signals(names, catalog).items()}
    ar = fit_ar((mv[:, 0] for mv in load_signals(AR_RECORDS, catalog).values()), AR_ORDER, HORIZONS)
    scores = score_lstm(signals, forecaster)
    rivals = {}
    for name, x in signals.items():
        origins = _origins(len(x), forecaster)
        truth = _truth(x, origins)
        rivals[name] = [
            _errors(ar.forecast(x, origins) - truth),
            _errors(persistence(x, origins, HORIZONS) - truth),
        ]
    return Report({name: _joined(scores[name], rivals[name], signals[name]) for name in names})


@dataclass
class _Sums:
    """Running sums over the origins of one record; shapes (horizons,)."""

    square: Array
    absolute: Array
    inside: float = 0.0
    n: int = 0


def score_lstm(signals: dict[str, Array], forecaster: Checkpoint) -> dict[str, _Sums]:
    """Run single leads through the forecaster side by side, in chunks of 10 s, and sum the errors."""
    horizon = forecaster.network.config.horizon
    for name, x in signals.items():
        if len(x) < SCORED_FROM + 2 * horizon:
            raise UsageError(f"record {name} is too short to score: it must last longer than 5 minutes")
    states = {name: begin(forecaster, 1, 0, 0) for name in signals}
    sums = {name: _Sums(np.zeros(len(HORIZONS)), np.zeros(len(HORIZONS))) for name in signals}
    at = np.array(HORIZONS) - 1
    chunks = range(0, max(map(len, signals.values())), CHUNK)
    for i in track(chunks, description="forecasting", console=Console(stderr=True), transient=True):
        live = [name for name, x in signals.items() if i < len(x)]
        stepped = step(forecaster, [states[n] for n in live], [signals[n][i : i + CHUNK, None] for n in live])
        for name, (forecasts, state) in zip(live, stepped, strict=True):
            states[name] = state
            x, total = signals[name], sums[name]
            scored = (forecasts.origin >= SCORED_FROM) & (forecasts.origin + horizon < len(x))
            if not scored.any():
                continue
            origins = forecasts.origin[scored]
            ahead = x[origins[:, None] + 1 + np.arange(horizon)]
            error = np.abs(forecasts.mean[scored, :, 0] - ahead)
            total.square += (error[:, at] ** 2).sum(axis=0)
            total.absolute += error[:, at].sum(axis=0)
            total.inside += float((error <= Z90 * forecasts.scale[scored, :, 0]).mean(axis=1).sum())
            total.n += len(origins)
    return sums


def print_report(report: Report, console: Console | None = None) -> None:
    """Print the figures as tables."""
    console = console or Console()
    nrmse, mae = report.nrmse, report.mae
    table = Table(title=f"Forecast of {len(report.records)} records, first lead, from 5:00, one origin each 4 samples")
    table.add_column("")
    for ms in MS:
        table.add_column(f"{ms} ms", justify="right")
    for i, method in enumerate(METHODS):
        table.add_row(f"NRMSE {method}", *(f"{value:.3f}" for value in nrmse[i]))
    for i, method in enumerate(METHODS):
        table.add_row(f"MAE mV {method}", *(f"{value:.4f}" for value in mae[i]))
    table.add_row("skill over persistence", *(f"{1 - a / b:.2f}" for a, b in zip(nrmse[0], nrmse[2], strict=True)))
    console.print(table)
    each = Table(title="LSTM by record: NRMSE, and samples in the predicted 90 % interval")
    each.add_column("record")
    for ms in MS:
        each.add_column(f"{ms} ms", justify="right")
    each.add_column("90 %", justify="right")
    for name, score in report.records.items():
        each.add_row(name, *(f"{value:.3f}" for value in score.nrmse[0]), f"{100 * score.coverage90:.1f}")
    console.print(each)
    share = report.coverage90
    console.print(
        f"90 % interval: {100 * share['mean']:.1f} % of samples on average, "
        f"{100 * share['min']:.1f} to {100 * share['max']:.1f} % by record"
    )


def _origins(n: int, forecaster: Checkpoint) -> npt.NDArray[np.int64]:
    """Return the scored origins of a record with n samples: the ends of patches, from 5:00 on."""
    patch, horizon = forecaster.network.config.patch, forecaster.network.config.horizon
    ends = np.arange(patch - 1, n - horizon, patch)
    return ends[ends >= SCORED_FROM]


def _truth(x: Array, origins: npt.NDArray[np.int64]) -> Array:
    return np.asarray(x[origins[:, None] + np.array(HORIZONS)])


def _errors(error: Array) -> tuple[Array, Array]:
    """Return RMSE and MAE by horizon."""
    return np.sqrt((error**2).mean(axis=0)), np.abs(error).mean(axis=0)


def _joined(lstm: _Sums, rivals: list[tuple[Array, Array]], x: Array) -> RecordScore:
    return RecordScore(
        rmse=np.stack([np.sqrt(lstm.square / lstm.n), *(rmse for rmse, _ in rivals)]),
        mae=np.stack([lstm.absolute / lstm.n, *(mae for _, mae in rivals)]),
        spread=float(x[:SPREAD_OVER].std()),
        coverage90=lstm.inside / lstm.n,
        origins=lstm.n,
    )


def _by_ms(values: Array) -> dict[str, float]:
    return dict(zip(MS, map(float, values), strict=True))


def _named(values: Array) -> dict[str, dict[str, float]]:
    return {method: _by_ms(values[i]) for i, method in enumerate(METHODS)}
