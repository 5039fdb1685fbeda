"""Causal calibration of the predicted scale, separately for each patient.

How well an ECG can be forecast differs between patients, and the network was trained on few. So each stream has a
factor for each of some horizons. The factor grows when a sample lies outside the 90 % interval predicted for it, and
shrinks by less when the sample lies inside, until a tenth lies outside. This is adaptive conformal inference (Gibbs and
Candès 2021) on the logarithm of the scale. The indicator "outside" is smooth: with a hard edge, a rounding error could
change a factor by a whole step, and results would depend on how the signal is cut into chunks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from model.signal.arrays import Float32Array, FloatArray

LAGS = (1, 4, 9, 18)
"""Monitored horizons in patches: 3 to 11, 36 to 44, 92 to 100 and 192 to 200 ms with patches of 4."""

ADAPTATION_RATE = 5e-4
"""Step of the log factor per patch. Twice the expected rate outside is corrected in about a minute."""

MAX_LOG_FACTOR = 0.7
"""Largest absolute log factor: half to twice the network's scale."""

Z90 = 1.6448536269514722
"""Half width of the central 90 % of a Gaussian, in standard deviations."""

EDGE_WIDTH = 0.1
"""Width of the edge of the smooth indicator, in units of log |z|."""

EDGE_POWER = 1 / EDGE_WIDTH
"""The logistic function of log |z| / EDGE_WIDTH is a fraction of |z| to this power."""

MIN_ERROR_MV, MAX_RATIO = 1e-9, 1e3
"""Bounds of the error, a divisor, and of the ratio of interval to error, so that its tenth power is finite. Both lie
far beyond the edge."""

EXPECTED_OUTSIDE = 0.1088
"""Mean of the smooth indicator for a standard Gaussian, by numerical integration."""


@dataclass(frozen=True)
class CalibrationState:
    """State of each stream; a band is one of the monitored horizons.

    Attributes
    ----------
    log_factor : ndarray of float64, shape (bands, streams)
        Natural logarithm of the factor.
    pending : ndarray of float32, shape (longest lag, 2, patch, bands, streams)
        Mean and uncalibrated scale in mV that the last forecasts gave for the monitored samples; NaN before the first.
    """

    log_factor: FloatArray
    pending: Float32Array


@cache
def lags(horizon: int, patch: int) -> tuple[int, ...]:
    """Return the monitored lags within a horizon of so many samples."""
    return tuple(lag for lag in LAGS if lag * patch <= horizon)


def begin(streams: int, horizon: int, patch: int) -> CalibrationState:
    """Return the state before the first sample: all factors are 1."""
    monitored = lags(horizon, patch)
    return CalibrationState(
        np.zeros((len(monitored), streams)),
        np.full((monitored[-1], 2, patch, len(monitored), streams), np.nan, np.float32),
    )


def after_gap(state: CalibrationState, fresh: CalibrationState) -> CalibrationState:
    """Return the state after lost samples: the factors are kept, the forecasts of lost samples are not."""
    return CalibrationState(state.log_factor, fresh.pending)


def advance(
    state: CalibrationState, patches: FloatArray, forecasts: Float32Array
) -> tuple[Float32Array, CalibrationState]:
    """Compare observed patches with earlier forecasts, and calibrate the forecasts made at their ends.

    Parameters
    ----------
    state : CalibrationState
    patches : ndarray of float64, shape (streams, k, patch)
        Observed, in mV.
    forecasts : ndarray of float32, shape (k, streams, 2, horizon)
        Mean and scale of the forecasts made at the end of each patch, in mV.

    Returns
    -------
    factor : ndarray of float32, shape (k, streams, horizon)
        Factor of the scale, as known at the end of each patch.
    state : CalibrationState
    """
    k, patch = patches.shape[1:]
    horizon = forecasts.shape[3]
    monitored = lags(horizon, patch)
    longest = monitored[-1]
    known = np.empty((longest + k, *state.pending.shape[1:]), np.float32)
    known[:longest] = state.pending
    due = np.empty((k, *state.pending.shape[1:]), np.float32)  # the forecasts for each patch
    for band, lag in enumerate(monitored):
        known[longest:, :, :, band] = forecasts[..., (lag - 1) * patch : lag * patch].transpose(0, 2, 3, 1)
        due[:, :, :, band] = known[longest - lag : longest - lag + k, :, :, band]
    mean, half_width = due[:, 0], due[:, 1]
    half_width *= np.float32(Z90)
    error = np.subtract(patches.transpose(1, 2, 0)[:, :, None], mean, dtype=np.float32)
    np.abs(error, out=error)
    error += np.float32(MIN_ERROR_MV)
    path = _update_factors(state.log_factor, np.divide(half_width, error, out=error))
    exponent = path.astype(np.float32).transpose(0, 2, 1) @ _interpolation_weights(horizon, patch)
    factor = torch.from_numpy(exponent).exp2_().numpy()  # faster than numpy's
    return factor, CalibrationState(path[-1].copy(), known[k:].copy())


def _update_factors(log_factor: FloatArray, ratio: Float32Array) -> FloatArray:
    """Return the log factors after each patch, shape (k, bands, streams).

    The logistic function of a logarithm is a fraction of powers: the smooth indicator "inside" is ``r / (r + 1 / f)``,
    where ``r`` and ``f`` are ``ratio`` and the factor, each to the tenth power (`EDGE_POWER`). The mean over the patch
    is computed as a product.

    Parameters
    ----------
    log_factor : ndarray of float64, shape (bands, streams)
        Before the first patch.
    ratio : ndarray of float32, shape (k, patch, bands, streams)
        Uncalibrated half width of the 90 % interval over the absolute error; NaN where there is no forecast.
    """
    k, patch = ratio.shape[:2]
    ratio = ratio.reshape(k, patch, -1)
    rate = (ratio[:, 0] == ratio[:, 0]) * (EDGE_POWER * ADAPTATION_RATE)  # 0 where the ratio is NaN
    squared = np.fmin(ratio, np.float32(MAX_RATIO))
    squared *= squared
    power = squared * squared
    power *= power
    power *= squared
    shares = power * (rate / patch).astype(np.float32)[:, None]
    drifts = rate * (EXPECTED_OUTSIDE - 1)
    ones = _ones(patch)
    path = np.empty(rate.shape)
    now = -EDGE_POWER * log_factor.ravel()
    clip = np.abs(now).max() > EDGE_POWER * (MAX_LOG_FACTOR - k * ADAPTATION_RATE)
    for part, share, drift, after in zip(power, shares, drifts, path, strict=True):
        inside = np.dot(ones, share / (part + np.exp(now, dtype=np.float32)))
        now = np.add(now + inside, drift, out=after)
        if clip:
            np.minimum(np.maximum(now, -EDGE_POWER * MAX_LOG_FACTOR, out=now), EDGE_POWER * MAX_LOG_FACTOR, out=now)
    return path.reshape(k, *log_factor.shape) / -EDGE_POWER


@cache
def _ones(n: int) -> Float32Array:
    return np.ones(n, np.float32)


@cache
def _interpolation_weights(horizon: int, patch: int) -> Float32Array:
    """Return weights, shape (bands, horizon), that interpolate log factors over the logarithm of the horizon.

    They also convert natural logarithms to base two.
    """
    monitored = lags(horizon, patch)
    centres = np.log([(lag - 0.5) * patch + 0.5 for lag in monitored])
    ahead = np.log(np.arange(1, horizon + 1))
    rows = [np.interp(ahead, centres, row) for row in np.eye(len(monitored))]
    return (np.stack(rows) / math.log(2)).astype(np.float32)
