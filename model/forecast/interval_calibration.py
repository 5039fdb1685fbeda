"""Causal calibration of the predicted scale, patient by patient.

Patients differ in how well they can be forecast, and the network was trained on few of them. So each stream carries a
factor for near and far horizons: it grows by a little when a sample falls outside the 90 % interval that was
predicted for it, and shrinks by less when it falls inside, until a tenth lies outside. This is adaptive conformal
inference (Gibbs and Candès 2021) on the logarithm of the scale. Inside and outside pass into each other smoothly:
a hard edge would turn the last bit of a sum into a visible step, and another cutting into chunks into another result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from model.signal.arrays import Float32Array, FloatArray

LAGS = (1, 4, 9, 18)
"""Horizons that are watched, in patches: 3 to 11, 36 to 44, 92 to 100 and 192 to 200 ms with patches of 4."""

RATE = 5e-4
"""Step of the log factor per patch; a patient who is outside twice too often is mended in about a minute."""

LIMIT = 0.7
"""Largest absolute log factor: half to double the network's scale."""

Z90 = 1.6448536269514722
"""Half the width of the Gaussian's central 90 %, in standard deviations."""

SOFTNESS = 0.1
"""Width of the edge, in units of log |z|."""

TEN = 1 / SOFTNESS
"""The edge, as a power of |z|."""

LEAST_MV, MOST_REACH = 1e-9, 1e3
"""So that a perfect forecast can be divided by, and that powers are finite; the edge is long passed."""

OUTSIDE = 0.1088
"""Mean of the soft indicator for a standard Gaussian, by numerical integration."""


@dataclass(frozen=True)
class CalibrationState:
    """What is remembered of each stream.

    Attributes
    ----------
    log_factor : ndarray of float64, shape (bands, streams)
    waiting : ndarray of float32, shape (longest lag, 2, patch, bands, streams)
        Mean and uncalibrated scale, in mV, of the watched samples of the last forecasts; NaN before the first.
    """

    log_factor: FloatArray
    waiting: Float32Array


@cache
def lags(horizon: int, patch: int) -> tuple[int, ...]:
    """Return the watched lags that a horizon reaches."""
    return tuple(lag for lag in LAGS if lag * patch <= horizon)


def begin(streams: int, horizon: int, patch: int) -> CalibrationState:
    """Return the state before the first sample: the network is believed."""
    watched = lags(horizon, patch)
    return CalibrationState(
        np.zeros((len(watched), streams)),
        np.full((watched[-1], 2, patch, len(watched), streams), np.nan, np.float32),
    )


def advance(
    state: CalibrationState, patches: FloatArray, forecasts: Float32Array
) -> tuple[Float32Array, CalibrationState]:
    """Compare observed samples with their forecasts, and calibrate the forecasts made since.

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
        What to multiply the scale by; known at the end of each patch.
    state : CalibrationState
    """
    k, patch = patches.shape[1:]
    horizon = forecasts.shape[3]
    watched = lags(horizon, patch)
    longest = watched[-1]
    known = np.empty((longest + k, *state.waiting.shape[1:]), np.float32)
    known[:longest] = state.waiting
    due = np.empty((k, *state.waiting.shape[1:]), np.float32)  # the forecasts of each patch
    for band, lag in enumerate(watched):
        known[longest:, :, :, band] = forecasts[..., (lag - 1) * patch : lag * patch].transpose(0, 2, 3, 1)
        due[:, :, :, band] = known[longest - lag : longest - lag + k, :, :, band]
    mean, half_width = due[:, 0], due[:, 1]
    half_width *= np.float32(Z90)
    error = np.subtract(patches.transpose(1, 2, 0)[:, :, None], mean, dtype=np.float32)
    np.abs(error, out=error)
    error += np.float32(LEAST_MV)
    path = _follow(state.log_factor, np.divide(half_width, error, out=error))
    exponent = path.astype(np.float32).transpose(0, 2, 1) @ _spread(horizon, patch)
    factor = torch.from_numpy(exponent).exp2_().numpy()  # faster than numpy's
    return factor, CalibrationState(path[-1].copy(), known[k:].copy())


def _follow(log_factor: FloatArray, reach: Float32Array) -> FloatArray:
    """Return the log factors after each patch, shape (k, bands, streams).

    The logistic function of a logarithm is a fraction of powers: a sample is inside by ``r / (r + 1 / f)``, where ``r``
    and ``f`` are ``reach`` and the factor to the power of ten. The mean over the patch is written as a product.

    Parameters
    ----------
    log_factor : ndarray of float64, shape (bands, streams)
        Before the first patch.
    reach : ndarray of float32, shape (k, patch, bands, streams)
        The 90 % interval's half width, uncalibrated, in errors; NaN where nothing was forecast.
    """
    k, patch = reach.shape[:2]
    reach = reach.reshape(k, patch, -1)
    rate = (reach[:, 0] == reach[:, 0]) * (TEN * RATE)  # none where it is NaN
    squared = np.fmin(reach, np.float32(MOST_REACH))
    squared *= squared
    power = squared * squared
    power *= power
    power *= squared
    shares = power * (rate / patch).astype(np.float32)[:, None]
    drifts = rate * (OUTSIDE - 1)
    ones = _ones(patch)
    path = np.empty(rate.shape)
    now = -TEN * log_factor.ravel()
    clip = np.abs(now).max() > TEN * (LIMIT - k * RATE)
    for part, share, drift, after in zip(power, shares, drifts, path, strict=True):
        inside = np.dot(ones, share / (part + np.exp(now, dtype=np.float32)))
        now = np.add(now + inside, drift, out=after)
        if clip:
            np.minimum(np.maximum(now, -TEN * LIMIT, out=now), TEN * LIMIT, out=now)
    return path.reshape(k, *log_factor.shape) / -TEN


@cache
def _ones(n: int) -> Float32Array:
    return np.ones(n, np.float32)


@cache
def _spread(horizon: int, patch: int) -> Float32Array:
    """Return weights, shape (bands, horizon), that interpolate between bands over the logarithm of the horizon.

    They turn natural logarithms into those to the base of two.
    """
    watched = lags(horizon, patch)
    centres = np.log([(lag - 0.5) * patch + 0.5 for lag in watched])
    ahead = np.log(np.arange(1, horizon + 1))
    rows = [np.interp(ahead, centres, row) for row in np.eye(len(watched))]
    return (np.stack(rows) / math.log(2)).astype(np.float32)
