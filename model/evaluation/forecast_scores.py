"""Scores of the forecast against what came, and against the baselines.

Everything runs as it would live: record by record from the first sample, state carried, nothing looked at ahead. The
forecasts are those that the residual alarms are made from, of which the first lead is scored; a lead is a stream of its
own there. What becomes of the scores is in `model.evaluation.forecast_report`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.progress import track
from scipy.special import ndtri

from model.evaluation.baseline_forecasts import AR, last_beat, persistence
from model.evaluation.forecast_report import CURVE, LEVELS, Excerpt, RecordScore, Report
from model.forecast.config import PATCH
from model.forecast.forecaster import Forecasts
from model.signal.arrays import Float32Array, FloatArray
from stream.timebase import FS

SCORED_FROM = 300 * FS
"""Scores begin at 5:00, after the learning period of EC57."""

SPREAD_OVER = 100 * FS
"""The standard deviation that NRMSE divides by is that of the first 100 s."""

EXCERPT = 10 * FS
SHOWN_AHEAD = 36
"""Samples, 100 ms: an excerpt shows of each sample what was said this long before it, or up to a patch longer."""

SHORTEST = SCORED_FROM + EXCERPT
"""Samples that a record must have to be scored."""


_QUANTILES = ndtri((1 + np.array(LEVELS)) / 2).astype(np.float32)
_AT = np.array(CURVE) - 1


@dataclass
class _Sums:
    """Running sums over the origins of one record, and what was said 100 ms ahead of each sample."""

    mean: Float32Array
    scale: Float32Array
    square: FloatArray = field(default_factory=lambda: np.zeros(len(CURVE)))
    absolute: FloatArray = field(default_factory=lambda: np.zeros(len(CURVE)))
    inside: FloatArray = field(default_factory=lambda: np.zeros(len(LEVELS)))
    origins: int = 0
    horizon: int = 0


class ForecastScores:
    """Takes forecasts, chunk by chunk, and sums their errors.

    Parameters
    ----------
    leads : mapping of str to ndarray of float64, shape (n,)
        The first lead of each record in mV, finite.
    """

    def __init__(self, leads: Mapping[str, FloatArray]) -> None:
        self._leads = leads
        self._sums = {
            name: _Sums(np.full(len(x), np.nan, np.float32), np.full(len(x), np.nan, np.float32))
            for name, x in leads.items()
        }

    def take(self, name: str, made: Forecasts) -> None:
        """Score the forecasts of the first lead that one chunk of a record brought."""
        x, sums = self._leads[name], self._sums[name]
        horizon = sums.horizon = made.mean.shape[1]
        shown = slice(SHOWN_AHEAD - 1, SHOWN_AHEAD - 1 + PATCH)
        for kept, said in ((sums.mean, made.mean), (sums.scale, made.scale)):
            if len(made.origin):
                ahead = said[:, shown, 0].ravel()
                first = made.origin[0] + SHOWN_AHEAD
                kept[first : first + len(ahead)] = ahead[: max(0, len(kept) - first)]
        scored = (made.origin >= SCORED_FROM) & (made.origin + horizon < len(x))
        if not scored.any():
            return
        origins = made.origin[scored]
        error = np.abs(made.mean[scored, :, 0] - x[origins[:, None] + 1 + np.arange(horizon)])
        at_curve = error[:, _AT]
        sums.square += (at_curve**2).sum(axis=0)
        sums.absolute += at_curve.sum(axis=0)
        distance = error.astype(np.float32) / made.scale[scored, :, 0]
        sums.inside += [np.count_nonzero(distance <= quantile) for quantile in _QUANTILES]
        sums.origins += len(origins)

    def report(self, ar: AR) -> Report:
        """Score the baselines at the same origins, with a progress bar, and return all.

        Parameters
        ----------
        ar : AR
            Fitted for the horizons of `CURVE`.
        """
        names = track(self._leads, description="baselines", console=Console(stderr=True), transient=True)
        return Report({name: self._score(name, ar) for name in names})

    def _score(self, name: str, ar: AR) -> RecordScore:
        x, sums = self._leads[name], self._sums[name]
        ends = np.arange(PATCH - 1, len(x) - sums.horizon, PATCH)
        origins = ends[ends >= SCORED_FROM]
        truth = x[origins[:, None] + np.array(CURVE)]
        errors = [
            said - truth
            for said in (ar.forecast(x, origins), persistence(x, origins, CURVE), last_beat(x, origins, CURVE))
        ]
        typical, worst = excerpts(x, sums.mean, sums.scale)
        return RecordScore(
            rmse=np.sqrt([sums.square / sums.origins, *((error**2).mean(axis=0) for error in errors)]),
            mae=np.stack([sums.absolute / sums.origins, *(np.abs(error).mean(axis=0) for error in errors)]),
            spread=float(x[:SPREAD_OVER].std()),
            coverage=sums.inside / (sums.origins * sums.horizon),
            origins=sums.origins,
            typical=typical,
            worst=worst,
        )


def excerpts(x: FloatArray, mean: Float32Array, scale: Float32Array) -> tuple[Excerpt, Excerpt]:
    """Return the 10 s with the median error, and those with the largest; of the whole ones from 5:00 on.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        mV; n is `SHORTEST` or more.
    mean, scale : ndarray of float32, shape (n,)
        What was said of each sample 100 to 108 ms before.
    """
    starts = np.arange(SCORED_FROM, len(x) - EXCERPT + 1, EXCERPT)
    rows = starts[:, None] + np.arange(EXCERPT)
    rmse = np.sqrt(((x[rows] - mean[rows]) ** 2).mean(axis=1))
    order = np.argsort(rmse, kind="stable")

    def excerpt(which: int) -> Excerpt:
        row = rows[which]
        return Excerpt(int(starts[which]), float(rmse[which]), x[row], mean[row], scale[row])

    return excerpt(int(order[(len(order) - 1) // 2])), excerpt(int(order[-1]))
