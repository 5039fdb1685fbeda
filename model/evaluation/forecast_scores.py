"""Forecast errors of the network and of the baselines.

Records are processed causally from the first sample, with carried state. The scored forecasts are those from which the
anomaly score is computed; only the first lead is scored, and leads are forecast independently. Summaries are in
`model.evaluation.forecast_report`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

from model.console.progress import track
from model.evaluation.baseline_forecasts import AR, last_beat, persistence
from model.evaluation.ec57_beats import SCORED_FROM
from model.evaluation.forecast_report import CURVE, LEVELS, METHODS, Excerpt, ForecastReport, RecordForecast
from model.forecast.config import PATCH
from model.forecast.forecaster import Forecasts
from model.signal.arrays import Float32Array, FloatArray
from stream.timebase import FS

SPREAD_OVER = 100 * FS
"""NRMSE is normalised by the standard deviation of the first 100 s."""

EXCERPT = 10 * FS
SHOWN_AHEAD = 36
"""Samples, 100 ms: an excerpt shows the forecast of each sample made this long before it, or up to a patch earlier."""

SHORTEST = SCORED_FROM + EXCERPT
"""Minimum number of samples of a record that is scored from 5:00."""

_QUANTILES = ndtri((1 + np.array(LEVELS)) / 2).astype(np.float32)
_AT = np.array(CURVE) - 1


@dataclass
class _Sums:
    """Running sums over the origins of one record, and the forecasts 100 ms ahead of each sample."""

    mean: Float32Array
    scale: Float32Array
    square: FloatArray = field(default_factory=lambda: np.zeros(len(CURVE)))
    absolute: FloatArray = field(default_factory=lambda: np.zeros(len(CURVE)))
    inside: FloatArray = field(default_factory=lambda: np.zeros(len(LEVELS)))
    origins: int = 0
    horizon: int = 0


class ForecastScores:
    """Accumulates the errors of forecasts, chunk by chunk.

    Parameters
    ----------
    leads : mapping of str to ndarray of float64, shape (n,)
        The first lead of each record in mV, finite.
    since : mapping of str to int, optional
        First scored sample of each record, at least 827 (`model.evaluation.baseline_forecasts.last_beat`), 10 s or more
        before its end; 5:00 by default.
    """

    def __init__(self, leads: Mapping[str, FloatArray], since: Mapping[str, int] | None = None) -> None:
        self._leads = leads
        self._since = since or dict.fromkeys(leads, SCORED_FROM)
        self._sums = {
            name: _Sums(np.full(len(x), np.nan, np.float32), np.full(len(x), np.nan, np.float32))
            for name, x in leads.items()
        }

    def add(self, name: str, forecasts: Forecasts) -> None:
        """Add the forecasts of one chunk of a record; the first lead is scored."""
        x, sums = self._leads[name], self._sums[name]
        horizon = sums.horizon = forecasts.mean.shape[1]
        shown = slice(SHOWN_AHEAD - 1, SHOWN_AHEAD - 1 + PATCH)
        for kept, values in ((sums.mean, forecasts.mean), (sums.scale, forecasts.scale)):
            if len(forecasts.origin):
                ahead = values[:, shown, 0].ravel()
                first = forecasts.origin[0] + SHOWN_AHEAD
                kept[first : first + len(ahead)] = ahead[: max(0, len(kept) - first)]
        scored = (forecasts.origin >= self._since[name]) & (forecasts.origin + horizon < len(x))
        if not scored.any():
            return
        origins = forecasts.origin[scored]
        error = np.abs(forecasts.mean[scored, :, 0] - x[origins[:, None] + 1 + np.arange(horizon)])
        at_curve = error[:, _AT]
        sums.square += (at_curve**2).sum(axis=0)
        sums.absolute += at_curve.sum(axis=0)
        distance = error.astype(np.float32) / forecasts.scale[scored, :, 0]
        sums.inside += [np.count_nonzero(distance <= quantile) for quantile in _QUANTILES]
        sums.origins += len(origins)

    def report(self, ar: AR | None) -> ForecastReport:
        """Score the baselines at the same origins, with progress, and return all scores.

        Parameters
        ----------
        ar : AR, optional
            Fitted for the horizons of `CURVE`; without it this baseline is left out.
        """
        methods = METHODS if ar is not None else tuple(method for method in METHODS if method != "ar180")
        records = {name: self._score(name, ar) for name in track(self._leads, "baseline forecasts")}
        return ForecastReport(records, methods)

    def _score(self, name: str, ar: AR | None) -> RecordForecast:
        x, sums, since = self._leads[name], self._sums[name], self._since[name]
        ends = np.arange(PATCH - 1, len(x) - sums.horizon, PATCH)
        origins = ends[ends >= since]
        truth = x[origins[:, None] + np.array(CURVE)]
        baselines = [persistence(x, origins, CURVE), last_beat(x, origins, CURVE)]
        if ar is not None:
            baselines.insert(0, ar.forecast(x, origins))
        errors = [forecast - truth for forecast in baselines]
        typical, worst = excerpts(x, sums.mean, sums.scale, since)
        return RecordForecast(
            rmse=np.sqrt([sums.square / sums.origins, *((error**2).mean(axis=0) for error in errors)]),
            mae=np.stack([sums.absolute / sums.origins, *(np.abs(error).mean(axis=0) for error in errors)]),
            spread=float(x[:SPREAD_OVER].std()),
            coverage=sums.inside / (sums.origins * sums.horizon),
            origins=sums.origins,
            typical=typical,
            worst=worst,
            scored_from=since,
        )


def excerpts(
    x: FloatArray, mean: Float32Array, scale: Float32Array, since: int = SCORED_FROM
) -> tuple[Excerpt, Excerpt]:
    """Return the 10-s segments with the median and with the largest error, from sample ``since`` on.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        mV; 10 s or more from ``since``.
    mean, scale : ndarray of float32, shape (n,)
        The forecast of each sample, 100 to 108 ms ahead.
    """
    starts = np.arange(since, len(x) - EXCERPT + 1, EXCERPT)
    rows = starts[:, None] + np.arange(EXCERPT)
    rmse = np.sqrt(((x[rows] - mean[rows]) ** 2).mean(axis=1))
    order = np.argsort(rmse, kind="stable")

    def excerpt(which: int) -> Excerpt:
        row = rows[which]
        return Excerpt(int(starts[which]), float(rmse[which]), x[row], mean[row], scale[row])

    return excerpt(int(order[(len(order) - 1) // 2])), excerpt(int(order[-1]))
