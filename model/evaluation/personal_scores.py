"""Errors of the personal forecast with and without the LSTM, of the LSTM and of the baselines, at the ends of strides.

Records are processed causally from the first sample, with carried state; the first lead is scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from model.console.progress import track
from model.datasets.reference import Reference
from model.evaluation import personal_conditions as conditions
from model.evaluation.baseline_forecasts import AR, last_beat, persistence
from model.evaluation.ec57_beats import SCORED_FROM
from model.evaluation.forecast_scores import SPREAD_OVER
from model.evaluation.personal_report import ERROR_OVER, HORIZONS, IN_DETAIL, PersonalRecord, PersonalReport
from model.evaluation.second_ahead import excerpts
from model.forecast import personal_forecast
from model.forecast.forecaster import Forecasts
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.interval_calibration import Z90
from model.forecast.personal_forecast import OFFSETS
from model.signal.arrays import Float32Array, FloatArray, IntArray
from model.signal.batch import Strides
from model.signal.columns import each, joined
from stream.timebase import STRIDE

_HORIZONS, _OFFSETS = np.array(HORIZONS), np.array(OFFSETS)


class _Made(NamedTuple):
    """Forecasts of a record from k origins, mV.

    Attributes
    ----------
    origin : ndarray of int64, shape (k,)
    both : ndarray of float32, shape (k, 2, horizons)
        Personal forecast and LSTM at `HORIZONS`; NaN beyond the horizon of the LSTM.
    without : ndarray of float32, shape (k, horizons)
        Personal forecast without the LSTM at `HORIZONS`.
    mean, scale : ndarray of float32, shape (k, offsets)
        Of the personal forecast.
    scores : ndarray of float32, shape (k, 2)
        Errors of both over the next `ERROR_OVER` samples, in predicted deviations.
    """

    origin: IntArray
    both: Float32Array
    without: Float32Array
    mean: Float32Array
    scale: Float32Array
    scores: Float32Array


class PersonalScores:
    """Makes personal forecasts chunk by chunk, and keeps them.

    Parameters
    ----------
    leads : mapping of str to ndarray of float64, shape (n,)
        The first lead of each record in mV, finite.
    forecaster : TrainedForecaster
    references : mapping of str to Reference
        Beats of each record; empty where they are not known.
    since : mapping of str to int, optional
        First scored sample of each record, as for `model.evaluation.forecast_scores.ForecastScores`.
    """

    def __init__(
        self,
        leads: Mapping[str, FloatArray],
        forecaster: TrainedForecaster,
        references: Mapping[str, Reference],
        since: Mapping[str, int] | None = None,
    ) -> None:
        self._leads = leads
        self._forecaster = forecaster
        self._references = references
        self._since = since or dict.fromkeys(leads, SCORED_FROM)
        self._states = {name: personal_forecast.begin(1, forecaster.scaling) for name in leads}
        self._states_without = dict(self._states)
        self._made: dict[str, list[_Made]] = {name: [] for name in leads}

    def add(self, name: str, strides: Strides, made: Forecasts) -> None:
        """Add the next strides of a record, and the forecasts of the LSTM for them."""
        first = Strides(strides.start, strides.mv[:, :1], strides.invalid[:, :1])
        # Contiguous, because the loops have been compiled for such arrays.
        own_mean, own_scale = (np.ascontiguousarray(values[:, :, :1]) for values in (made.mean, made.scale))
        own = made._replace(mean=own_mean, scale=own_scale)
        forecasts, self._states[name] = personal_forecast.step(self._forecaster, self._states[name], first, own)
        mean, scale = forecasts.mean[:, :, 0], forecasts.scale[:, :, 0]
        # An LSTM that forecasts no sample: the stage takes the running mean, as beyond the LSTM's horizon.
        none = own._replace(mean=own.mean[:, :0], scale=own.scale[:, :0])
        alone, self._states_without[name] = personal_forecast.step(
            self._forecaster, self._states_without[name], first, none
        )
        per_stride = STRIDE // self._forecaster.config.patch
        network, network_scale = (values[per_stride - 1 :: per_stride, :, 0] for values in (own_mean, own_scale))
        origin, x = np.array(strides.last_samples, np.int64), self._leads[name]
        whole = origin + OFFSETS[-1] < len(x)
        origin, mean, scale = origin[whole], mean[whole], scale[whole]
        network, network_scale = network[whole], network_scale[whole]

        both = np.full((len(origin), 2, len(HORIZONS)), np.nan, np.float32)
        near = network.shape[1] >= _HORIZONS
        both[:, 0], both[:, 1, near] = _at_horizons(network, mean), network[:, _HORIZONS[near] - 1]
        last = np.broadcast_to(x[origin].astype(np.float32)[:, None], network.shape)
        without = _at_horizons(last, alone.mean[whole, :, 0])
        near = _OFFSETS[_OFFSETS <= ERROR_OVER]
        truth = x[origin[:, None] + near]
        errors = (
            (mean[:, : len(near)] - truth) / scale[:, : len(near)],
            (network[:, near - 1] - truth) / network_scale[:, near - 1],
        )
        scores = np.sqrt([(error**2).mean(axis=1) for error in errors]).T.astype(np.float32)
        self._made[name].append(_Made(origin, both, without, mean, scale, scores))

    def report(self, ar: AR | None) -> PersonalReport:
        """Score the baselines at the same origins, with progress, and return all scores.

        Parameters
        ----------
        ar : AR, optional
            Fitted for `HORIZONS`.
        """
        return PersonalReport({name: self._score(name, ar) for name in track(self._leads, "personal forecasts")})

    def _score(self, name: str, ar: AR | None) -> PersonalRecord:
        x, since, reference = self._leads[name], self._since[name], self._references[name]
        all_made = joined(self._made[name])
        scored = all_made.origin >= since
        made = each(lambda values: values[scored], all_made)
        unit, origin = x[:SPREAD_OVER].std(), made.origin
        unknown = np.full((len(origin), len(HORIZONS)), np.nan)
        forecasts = [
            *made.both.transpose(1, 0, 2),
            made.without,
            unknown if ar is None else ar.forecast(x, origin),
            persistence(x, origin, HORIZONS),
            last_beat(x, origin, HORIZONS),
        ]
        truth = x[origin[:, None] + _HORIZONS]
        square = np.array([(forecast - truth) ** 2 for forecast in forecasts])

        target = origin[:, None] + _OFFSETS
        inside = np.abs(made.mean - x[target]) <= Z90 * made.scale
        detail, at = [HORIZONS.index(h) for h in IN_DETAIL], np.array(IN_DETAIL)
        from_start = (all_made.both[:, :, detail] - x[all_made.origin[:, None, None] + at]) ** 2
        early = conditions.by_minute(all_made.origin, from_start.transpose(1, 0, 2))
        places = conditions.by_place(square[:2, :, detail], origin[:, None] + at, reference, since, len(x))
        scores = np.array([*made.scores.T, made.scores.sum(axis=1)])
        return PersonalRecord(
            nrmse=np.sqrt(square.mean(axis=1)) / unit,
            coverage=inside.mean(axis=0),
            origins=len(origin),
            by_minute=np.sqrt(early) / unit,
            by_phase=conditions.by_phase(inside, target, reference, len(x)),
            by_place=np.sqrt(places) / unit,
            veb_auroc=conditions.veb_auroc(scores, origin + ERROR_OVER, reference, since),
            excerpts=excerpts(x, origin, made.mean, made.scale),
            scored_from=since,
        )


def _at_horizons(network: Float32Array, personal: Float32Array) -> Float32Array:
    """Return the personal forecast at `HORIZONS`, shape (k, horizons); parameters as of `each_sample`."""
    horizon = network.shape[1]
    near = [h - 1 for h in HORIZONS if h <= horizon]
    far = [OFFSETS.index(h) for h in HORIZONS if h > horizon]
    return np.concatenate([each_sample(network, personal)[:, near], personal[:, far]], axis=1)


def each_sample(network: Float32Array, personal: Float32Array) -> Float32Array:
    """Return the personal forecast of each sample within the horizon of the LSTM.

    Between the offsets, what it differs from the LSTM is interpolated; at the origin it does not differ.

    Parameters
    ----------
    network : ndarray of float32, shape (k, horizon)
        Forecasts of the LSTM from the ends of strides, mV; without it, the last sample.
    personal : ndarray of float32, shape (k, len(OFFSETS))
        mV.

    Returns
    -------
    ndarray of float32, shape (k, horizon)
    """
    horizon = network.shape[1]
    near = [offset for offset in OFFSETS if offset <= horizon]
    ahead = np.arange(1, horizon + 1)
    shares = np.stack([np.interp(ahead, (0, *near), (0, *row)) for row in np.eye(len(near))])
    difference = personal[:, : len(near)] - network[:, np.array(near) - 1]
    return np.asarray(network + difference @ shares, np.float32)
