"""Errors of the personal forecast, of the LSTM and of the baselines, at the ends of strides.

Records are processed causally from the first sample, with carried state; the first lead is scored.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from model.console.progress import track
from model.evaluation.baseline_forecasts import AR, last_beat, persistence
from model.evaluation.ec57_beats import SCORED_FROM
from model.evaluation.forecast_scores import SPREAD_OVER
from model.evaluation.personal_report import HORIZONS, PersonalRecord, PersonalReport
from model.forecast import personal_forecast
from model.forecast.checkpoint import Checkpoint
from model.forecast.forecaster import Forecasts
from model.forecast.interval_calibration import Z90
from model.forecast.personal_forecast import OFFSETS
from model.signal.arrays import Float32Array, FloatArray, IntArray
from model.signal.batch import Strides
from stream.timebase import STRIDE


class PersonalScores:
    """Makes personal forecasts chunk by chunk, and keeps those of the horizons that are scored.

    Parameters
    ----------
    leads : mapping of str to ndarray of float64, shape (n,)
        The first lead of each record in mV, finite.
    forecaster : Checkpoint
    """

    def __init__(self, leads: Mapping[str, FloatArray], forecaster: Checkpoint) -> None:
        self._leads = leads
        self._forecaster = forecaster
        self._states = {name: personal_forecast.begin(1, forecaster.scaling) for name in leads}
        self._forecasts: dict[str, list[tuple[IntArray, Float32Array, Float32Array]]] = {name: [] for name in leads}
        self._inside = {name: np.zeros(len(OFFSETS)) for name in leads}

    def add(self, name: str, strides: Strides, made: Forecasts) -> None:
        """Add the next strides of a record, and the forecasts of the LSTM for them."""
        first = Strides(strides.start, strides.mv[:, :1], strides.invalid[:, :1])
        own = made._replace(mean=made.mean[:, :, :1], scale=made.scale[:, :, :1])
        forecasts, self._states[name] = personal_forecast.step(self._forecaster, self._states[name], first, own)
        origins, x = np.array(strides.last_samples, np.int64), self._leads[name]
        scored = (origins >= SCORED_FROM) & (origins + OFFSETS[-1] < len(x))
        per_stride = STRIDE // self._forecaster.config.patch
        network = own.mean[per_stride - 1 :: per_stride]
        near = [h - 1 for h in HORIZONS if h <= network.shape[1]]
        far = [OFFSETS.index(h) for h in HORIZONS if h > network.shape[1]]
        dense = each_sample(network, forecasts.mean)
        mean = np.concatenate([dense[:, near, 0], forecasts.mean[:, far, 0]], axis=1)
        self._forecasts[name].append((origins[scored], mean[scored], network[scored][:, near, 0]))
        truth = x[origins[scored, None] + np.array(OFFSETS)]
        error = np.abs(forecasts.mean[scored, :, 0] - truth)
        self._inside[name] += (error <= Z90 * forecasts.scale[scored, :, 0]).sum(axis=0)

    def report(self, ar: AR | None) -> PersonalReport:
        """Score the baselines at the same origins, with progress, and return all scores.

        Parameters
        ----------
        ar : AR, optional
            Fitted for `HORIZONS`.
        """
        return PersonalReport({name: self._score(name, ar) for name in track(self._leads, "personal forecasts")})

    def _score(self, name: str, ar: AR | None) -> PersonalRecord:
        x = self._leads[name]
        origins, personal, lstm = (np.concatenate(part) for part in zip(*self._forecasts[name], strict=True))
        unknown = np.full((len(origins), len(HORIZONS)), np.nan)
        network = unknown.copy()
        network[:, : lstm.shape[1]] = lstm
        forecasts = [
            personal,
            network,
            unknown if ar is None else ar.forecast(x, origins),
            persistence(x, origins, HORIZONS),
            last_beat(x, origins, HORIZONS),
        ]
        truth = x[origins[:, None] + np.array(HORIZONS)]
        rmse = np.sqrt([((forecast - truth) ** 2).mean(axis=0) for forecast in forecasts])
        return PersonalRecord(rmse / x[:SPREAD_OVER].std(), self._inside[name] / len(origins), len(origins))


def each_sample(network: Float32Array, personal: Float32Array) -> Float32Array:
    """Return the personal forecast of each sample within the horizon of the LSTM.

    Between the offsets, what it differs from the LSTM is interpolated; at the origin it does not differ.

    Parameters
    ----------
    network : ndarray of float32, shape (k, horizon, leads)
        Forecasts of the LSTM from the ends of strides, mV.
    personal : ndarray of float32, shape (k, len(OFFSETS), leads)
        mV.

    Returns
    -------
    ndarray of float32, shape (k, horizon, leads)
    """
    horizon = network.shape[1]
    near = [offset for offset in OFFSETS if offset <= horizon]
    ahead = np.arange(1, horizon + 1)
    shares = np.stack([np.interp(ahead, (0, *near), (0, *row)) for row in np.eye(len(near))], axis=1)
    difference = personal[:, : len(near)] - network[:, np.array(near) - 1]
    return np.asarray(network + np.einsum("ho,kol->khl", shares, difference), np.float32)
